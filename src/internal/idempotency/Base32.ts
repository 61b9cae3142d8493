/** Base32 in lower case without padding: ids that compare without case. Source: RFC 4648, section 6. */
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

/** The first `length` digits, of five bits each. */
export const base32 = (bytes: Uint8Array, length: number): string => {
  let text = ""
  let bits = 0
  let held = 0
  for (let index = 0; text.length < length; index++) {
    held = (held << 8) | bytes[index]!
    bits += 8
    while (bits >= 5 && text.length < length) {
      bits -= 5
      text += alphabet[(held >>> bits) & 31]!
    }
    held &= (1 << bits) - 1
  }
  return text
}
