/**
 * How the recorded server compares strings, straight from the rule in fixtures/collation.json: slow, plain, and
 * without a line in common with src/Collation.ts, which is judged by it.
 */
import { readFileSync } from "node:fs"

const fixture = JSON.parse(readFileSync(new URL("../fixtures/collation.json", import.meta.url), "utf8")) as {
  readonly weights: Readonly<Record<string, string>>
}
const weights = new Map(
  Object.entries(fixture.weights).map(([character, weight]) => [parseInt(character, 16), parseInt(weight, 16)])
)

/** The weight of one code point. */
export const weightOf = (codePoint: number): number =>
  codePoint > 0xffff ? 0xfffd : (weights.get(codePoint) ?? codePoint)

const weightsOf = (text: string, length: number): ReadonlyArray<number> => {
  const own = Array.from(text, (character) => weightOf(character.codePointAt(0)!))
  return [...own, ...new Array<number>(Math.max(0, length - own.length)).fill(0x20)]
}

/** -1, 0 or 1, as the server sorts `left` before, with, or behind `right`. */
export const compare = (left: string, right: string): -1 | 0 | 1 => {
  const length = Math.max(Array.from(left).length, Array.from(right).length)
  const [l, r] = [weightsOf(left, length), weightsOf(right, length)]
  for (let index = 0; index < length; index++) {
    if (l[index] !== r[index]) return l[index]! < r[index]! ? -1 : 1
  }
  return 0
}

export const equals = (left: string, right: string): boolean => compare(left, right) === 0
