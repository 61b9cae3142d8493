/**
 * How the server compares strings: equality, uniqueness and order, without case and accents (utf8mb4_general_ci).
 *
 * A string is a sequence of weights, one for each code point; the shorter one is padded with spaces; the order of the
 * weights is the order of the strings. Every character above U+FFFF weighs the same. Null sorts before all.
 */
import { groups } from "./internal/CollationWeights.ts"

const space = 0x20
/** The weight of everything above U+FFFF, all emoji among it. */
const supplementary = 0xfffd

const weights = new Uint16Array(0x10000).map((_, unit) => unit)
for (const group of groups.trimEnd().split(" ")) {
  for (let index = 1; index < group.length; index++) weights[group.charCodeAt(index)] = group.charCodeAt(0)
}

/** The weight of the code point at `index`. A pair of surrogates is one code point of two units. */
const weightAt = (text: string, index: number): number => {
  const unit = text.charCodeAt(index)
  return unit >= 0xd800 && unit < 0xdc00 ? supplementary : weights[unit]!
}
const width = (text: string, index: number): number => {
  const unit = text.charCodeAt(index)
  return unit >= 0xd800 && unit < 0xdc00 ? 2 : 1
}

/** What is left of `text` from `index` on, against nothing but padding: below, at, or above zero. */
const againstPadding = (text: string, from: number): number => {
  for (let index = from; index < text.length; index += width(text, index)) {
    const weight = weightAt(text, index)
    if (weight !== space) return weight - space
  }
  return 0
}

/** Below zero where `left` sorts first, above where `right` does, zero where the server takes them as equal. */
export const compare = (left: string, right: string): number => {
  let [l, r] = [0, 0]
  while (l < left.length && r < right.length) {
    const difference = weightAt(left, l) - weightAt(right, r)
    if (difference !== 0) return difference
    l += width(left, l)
    r += width(right, r)
  }
  if (l < left.length) return againstPadding(left, l)
  return r < right.length ? -againstPadding(right, r) : 0
}

/**
 * The text as its weights, one unit each, without padding: what it begins with, ends with or holds is told by these.
 */
export const fold = (text: string): string => {
  let folded = ""
  for (let index = 0; index < text.length; index += width(text, index)) {
    folded += String.fromCharCode(weightAt(text, index))
  }
  return folded
}

/** Whether the server takes them as the same string. */
export const equals = (left: string, right: string): boolean => compare(left, right) === 0

/*
 * A sort key must carry the padding with it: the end of a string counts as spaces without end. So three codes stand
 * where the space stood: a space before something smaller, the end, a space before something greater; whatever
 * weighs more moves up, past the surrogates, which no code point may be.
 */
const spaceBeforeSmaller = "\u0020"
const end = "\u0021"
const spaceBeforeGreater = "\u0022"
const lift = 2
const lifted = (weight: number): string => {
  if (weight < space) return String.fromCharCode(weight)
  const up = weight + lift
  return up < 0xd800 ? String.fromCharCode(up) : String.fromCodePoint(up + 0x800)
}

/**
 * A text whose code points sort (as UTF-8 bytes too) as the server sorts `text`, equal exactly where it does.
 * For stores that compare only bytes: kept beside a value, it makes their indexes the server's.
 */
export const sortKey = (text: string): string => {
  let key = ""
  let spaces = 0
  for (let index = 0; index < text.length; index += width(text, index)) {
    const weight = weightAt(text, index)
    if (weight === space) {
      spaces++
      continue
    }
    if (spaces > 0) key += (weight < space ? spaceBeforeSmaller : spaceBeforeGreater).repeat(spaces)
    spaces = 0
    key += lifted(weight)
  }
  return key + end
}
