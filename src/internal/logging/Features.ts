/**
 * What a text has, in one look: a rule that needs what isn't there need not search it. A feature may be said of a text
 * that hasn't it, as of parts that stand far from each other; never the other way round.
 */

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
  /** A capital letter. */
  capital: 32,
  dot: 64,
  /** A dash or an underscore. */
  dash: 128,
  /** A `?` or `&`. */
  query: 256,
  /** A `J` or a `w`, as `eyJ` and `ewo` have. */
  letterJ: 512,
  /** What may have to be escaped in JSON. */
  loud: 1024,
  /** Eight digits, whatever stands between. */
  digits: 2048,
  /** Thirteen of them. */
  manyDigits: 4096,
  /** Six characters of words in a row, with dots, dashes, underscores, plus signs and slashes in them. */
  word: 8192,
  /** Twelve of them, and a capital letter, a dot, a dash or an underscore. */
  longWord: 16_384,
  /** Twenty of them. */
  token: 32_768,
  /** Twenty of them and a digit; and 32 of them, or a capital letter. */
  drawn: 65_536,
  /** Five dashes in a row. */
  rule: 131_072,
  /** Two colons, or three dots, as addresses have. */
  groups: 262_144,
  /** A digit, a sign, or twenty characters of a word. */
  figure: 524_288
} as const
export type Feature = keyof typeof features

/** Of a character, above its features: it is part of a word. */
const inWord = 1 << 20

const kinds = new Int32Array(128)
const say = (characters: string, kind: number): void => {
  for (const character of characters) kinds[character.charCodeAt(0)]! |= kind
}
say("abcdefghijklmnopqrstuvwxyz+/~", inWord)
say("ABCDEFGHIJKLMNOPQRSTUVWXYZ", inWord | features.capital)
say("Jw", features.letterJ)
say("0123456789", inWord | features.digit)
say(".", inWord | features.dot)
say("-_", inWord | features.dash)
say("=", inWord | features.sign)
say(":", features.sign)
say("@", features.at)
say("%", features.percent)
say(" \t", features.space)
say("?&;", features.query)
for (let code = 0; code < 32; code++) say(String.fromCharCode(code), features.loud)
say('"\\\u007f', features.loud)
/** Any other character. */
const wide = inWord | features.capital | features.loud

/** What the bits of characters are of a text's. */
const direct = 2 * features.loud - 1

const hasTimes = (text: string, part: string, times: number): boolean => {
  let at = -1
  for (let count = 0; count < times; count++) {
    at = text.indexOf(part, at + 1)
    if (at < 0) return false
  }
  return true
}

/** Features of more than one character. */
const ofAll = (text: string, all: number, longest: number, digits: number): number => {
  let found = 0
  if (longest >= 6) {
    found |= features.word
    if (longest >= 12 && (all & (features.capital | features.dot | features.dash)) !== 0) found |= features.longWord
    if (longest >= 20) {
      found |= features.token | features.figure
      if (digits > 0 && (longest >= 32 || (all & features.capital) !== 0)) found |= features.drawn
    }
  }
  if ((all & (features.digit | features.sign)) !== 0) found |= features.figure
  if (digits >= 8) found |= features.digits
  if (digits >= 13) found |= features.manyDigits
  if ((all & features.dash) !== 0 && text.length >= 16 && text.includes("-----")) found |= features.rule
  if ((all & features.dot) !== 0 && hasTimes(text, ".", 3)) found |= features.groups
  return (all & features.sign) !== 0 && hasTimes(text, ":", 2) ? found | features.groups : found
}

/** The bits of what the text has. The loop has no branch but its end: which way others went can't be foretold. */
export const of = (text: string): number => {
  let all = 0
  let run = 0
  let longest = 0
  let digits = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const kind = code < 128 ? kinds[code]! : wide
    all |= kind
    // The bit as a mask: nothing where it isn't set, everything where it is.
    run = (run + 1) & ((kind << 11) >> 31)
    longest = Math.max(longest, run)
    digits += (kind >> 4) & 1
  }
  return (all & direct) | (longest < 6 && digits < 8 && (all & detailed) === 0 ? 0 : ofAll(text, all, longest, digits))
}
const detailed = features.dash | features.dot | features.sign

/** The bits of what a rule needs. */
export const mask = (needed: ReadonlyArray<Feature>): number => {
  let bits = 0
  for (const name of needed) bits |= features[name]
  return bits
}
