/** Base32 in lower case without padding: ids that compare without case. Source: RFC 4648, section 6. */
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

/** Two digits at a time: ten bits. */
const pairs: ReadonlyArray<string> = Array.from(
  { length: 1024 },
  (_, bits) => alphabet[bits >>> 5]! + alphabet[bits & 31]!
)

/** The first `length` digits, of five bits each. `bytes`: a character for each, as `binary` encodes them. */
export const base32 = (bytes: string, length: number): string => {
  let text = ""
  for (let bit = 0; text.length < length; bit += 10) {
    const at = bit >>> 3
    // Behind the last byte there is NaN, which counts as 0 here.
    const three = (bytes.charCodeAt(at) << 16) | (bytes.charCodeAt(at + 1) << 8) | bytes.charCodeAt(at + 2)
    text += pairs[(three >>> (14 - (bit & 7))) & 1023]!
  }
  return text.length === length ? text : text.slice(0, length)
}
