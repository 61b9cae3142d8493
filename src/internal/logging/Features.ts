/** What a text has, in one look: a rule that needs what isn't there need not search it. */

/** Each is a bit. */
export const features = {
  /** An `@`. */
  at: 1,
  /** A `=` or a `:`. */
  sign: 2,
  /** A `%`. */
  percent: 4,
  space: 8,
  digit: 16,
  /** Eight digits, whatever stands between. */
  digits: 32,
  /** Twelve of them. */
  manyDigits: 64,
  /** Eight characters of words in a row, with dots, dashes, underscores, plus signs and slashes in them. */
  word: 128,
  /** Twelve of them. */
  longWord: 256,
  /** Twenty of them. */
  token: 512,
  /** Five dashes in a row. */
  rule: 1024,
  /** Two colons, or three dots, as addresses have. */
  groups: 2048,
  /** A `?` or `&`. */
  query: 4096,
  /** The letters `eyJ` or `ewo` begin. */
  letterE: 8192
} as const
export type Feature = keyof typeof features

const kinds = new Uint8Array(128)
const [other, letter, digit, dash, dot, colon, equals, at, percent, space, query, filler, letterE] = Array.from(
  { length: 13 },
  (_, index) => index
) as unknown as readonly [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
for (let code = 0; code < kinds.length; code++) {
  const character = String.fromCharCode(code)
  kinds[code] = /[a-df-z]/i.test(character) ? letter : /\d/.test(character) ? digit : other
}
for (const [characters, kind] of [
  ["e", letterE],
  ["E", letter],
  ["-", dash],
  [".", dot],
  [":", colon],
  ["=", equals],
  ["@", at],
  ["%", percent],
  [" \t", space],
  ["?&;", query],
  ["_+/~", filler]
] as const)
  for (const character of characters) kinds[character.charCodeAt(0)] = kind

/** The bits of what the text has. */
export const of = (text: string): number => {
  let found = 0
  let run = 0
  let longest = 0
  let digits = 0
  let dashes = 0
  let dots = 0
  let colons = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const kind = code < 128 ? kinds[code]! : letter
    if (kind === letter) run++
    else {
      switch (kind) {
        case digit:
          digits++
          run++
          break
        case letterE:
          found |= features.letterE
          run++
          break
        case dash:
          if (++dashes === 5) found |= features.rule
          run++
          break
        case dot:
          dots++
          run++
          break
        case filler:
          run++
          break
        case equals:
          found |= features.sign
          run++
          break
        default:
          if (run > longest) longest = run
          run = 0
          if (kind === colon) {
            colons++
            found |= features.sign
          } else if (kind === at) found |= features.at
          else if (kind === percent) found |= features.percent
          else if (kind === space) found |= features.space
          else if (kind === query) found |= features.query
      }
      if (kind !== dash) dashes = 0
    }
  }
  if (run > longest) longest = run
  if (longest >= 8) found |= features.word
  if (longest >= 12) found |= features.longWord
  if (longest >= 20) found |= features.token
  if (digits > 0) found |= features.digit
  if (digits >= 8) found |= features.digits
  if (digits >= 12) found |= features.manyDigits
  if (colons >= 2 || dots >= 3) found |= features.groups
  return found
}

/** The bits of what a rule needs. */
export const mask = (needed: ReadonlyArray<Feature>): number => {
  let bits = 0
  for (const name of needed) bits |= features[name]
  return bits
}
