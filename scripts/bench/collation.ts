/**
 * `Collation.compare` beside `Intl.Collator`, which tells neither case nor accents either (sensitivity "base"), in one
 * run over the same pairs. Ours may cost no more on generated strings of all of Unicode and on words that differ soon. On
 * texts that begin or are the same for long the collator wins: it compares inside the engine what we read unit by unit.
 */
import * as Collation from "holdfast/Collation"
import { interleaved, ratio } from "./_measure.ts"

const rounds = 11
const pairs = 20_000
const times = 20
/** Least share of the collator's rate. */
const bound = 1

const words = "the quick brown fox jumps over a lazy dog while five wizards box and judge my vow".split(" ")
const accented = "Été élève Ångström señor naïve Straße čeština žluťoučký kůň Ærø œuvre İstanbul garçon".split(" ")
// The same at each run.
let state = 7
const pick = <A>(list: ReadonlyArray<A>): A => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
  return list[(state >>> 8) % list.length]!
}
const phrase = (from: ReadonlyArray<string>, length: number) => Array.from({ length }, () => pick(from)).join(" ")

type Pair = readonly [left: string, right: string]
const make = (pair: () => Pair): ReadonlyArray<Pair> => Array.from({ length: pairs }, pair)
const inBothCases = (text: string): Pair => [text, text.toUpperCase()]
const start = "a title that many documents begin with, "
/** Any code point but halves of pairs. */
const anything = (length: number): string =>
  String.fromCodePoint(
    ...Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
      const point = (state >>> 4) % 0x11_0000
      return point >= 0xd800 && point < 0xe000 ? 0x20 : point
    })
  )
const cases: ReadonlyArray<readonly [name: string, pairs: ReadonlyArray<Pair>, isBounded: boolean]> = [
  ["generated", make(() => [anything(10), anything(10)]), true],
  ["words", make(() => [phrase(words, 2), phrase(words, 2)]), true],
  ["with accents", make(() => [phrase(accented, 3), phrase(accented, 3)]), true],
  ["equal but for case", make(() => inBothCases(phrase(words, 5))), false],
  ["a common start", make(() => [start + phrase(words, 2), start + phrase(words, 2)]), false]
]

// oxlint-disable-next-line typescript/unbound-method -- a getter, and what it answers is bound
const { compare: theirs } = new Intl.Collator("en", { sensitivity: "base" })
const run = (all: ReadonlyArray<Pair>, compare: (left: string, right: string) => number) => () => {
  let below = 0
  for (let time = 0; time < times; time++) {
    for (const [left, right] of all) if (compare(left, right) < 0) below++
  }
  if (below < 0) throw new Error("never")
  return times * all.length
}

let missed = 0
for (const [name, all, isBounded] of cases) {
  const rates = await interleaved(
    [
      { name: "holdfast", run: run(all, Collation.compare) },
      { name: "collator", run: run(all, theirs) }
    ],
    rounds
  )
  const { floorRate, rate, ratio: share } = ratio(rates, "holdfast", "collator")
  if (isBounded && share < bound) missed++
  const cost = (perSecond: number) => `${(1e9 / perSecond).toFixed(0).padStart(5)} ns`
  console.log(
    `${name.padEnd(20)} holdfast ${cost(rate)}   Intl.Collator ${cost(floorRate)}   ratio ${share.toFixed(2)}${isBounded ? ` (at least ${bound})` : ""}`
  )
}
if (missed > 0) {
  console.error(`${missed} cost more than Intl.Collator`)
  process.exit(1)
}
