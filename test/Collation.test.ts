/** Comparing strings as the server does, judged by the plain reference. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Collation from "../src/Collation.ts"
import * as Reference from "./support/ReferenceCollation.ts"
import { anyString, collidingString, latinString, tellingString } from "./support/Strings.ts"

const bytes = (left: string, right: string) => Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)))
const codePoints = (left: string, right: string) => {
  const [l, r] = [Array.from(left), Array.from(right)]
  for (let index = 0; index < Math.min(l.length, r.length); index++) {
    const difference = l[index]!.codePointAt(0)! - r[index]!.codePointAt(0)!
    if (difference !== 0) return Math.sign(difference)
  }
  return Math.sign(l.length - r.length)
}
/** `compare` and `sortKey` against the reference, both ways round. */
const agree = (left: string, right: string) => {
  const expected = Reference.compare(left, right)
  const about = JSON.stringify([left, right])
  const [l, r] = [Collation.sortKey(left), Collation.sortKey(right)]
  assert.strictEqual(Math.sign(Collation.compare(left, right)), expected, about)
  // Adding zero: a minus before 0 makes another 0.
  assert.strictEqual(Math.sign(Collation.compare(right, left)), -expected + 0, about)
  assert.strictEqual(Collation.equals(left, right), expected === 0, about)
  assert.strictEqual(bytes(l, r), expected, `${about} by the bytes of their keys`)
  assert.strictEqual(codePoints(l, r), expected, `${about} by the code points of their keys`)
}

/** Two strings and how they sort: below, equal, above. */
const named: ReadonlyArray<readonly [string, string, string, -1 | 0 | 1]> = [
  ["case does not count", "apple", "APPLE", 0],
  ["accents do not count", "épée", "EPEE", 0],
  ["ß is one s", "straße", "strase", 0],
  ["ß is not two", "straße", "strasse", -1],
  ["ſ is s", "ſ", "S", 0],
  ["ı and İ are i", "ı", "İ", 0],
  ["æ is Æ", "æ", "Æ", 0],
  ["æ is not ae", "æ", "ae", 1],
  ["trailing spaces do not count", "trail", "trail   ", 0],
  ["leading spaces do", " trail", "trail", -1],
  ["several spaces inside are not one", "a  b", "a b", -1],
  ["nothing is as good as spaces", "", "   ", 0],
  ["a control character sorts before the end", "a\u0001", "a", -1],
  ["a control character behind spaces sorts before the end", "a  \u001f", "a", -1],
  ["more spaces before a control character sort later", "a \u0001", "a\u0001", 1],
  ["a control character behind spaces sorts before a letter", "a \u0001", "a b", -1],
  ["NUL is the least", "\u0000", "\u0001", -1],
  ["a sign over the space sorts behind the end", "a!", "a", 1],
  ["a sign over the space behind spaces does too", "a  !", "a", 1],
  ["fewer spaces before a greater sign sort later", "a !", "a  !", 1],
  ["no-break space is no space", "a\u00a0", "a", 1],
  ["all emoji are one", "😀", "🚀", 0],
  ["any two characters above U+FFFF are one", "𝒜", "😀", 0],
  ["they are U+FFFD too", "😀", "\ufffd", 0],
  ["they sort before U+FFFE", "😀", "\ufffe", -1],
  ["they sort behind all letters", "😀", "中", 1],
  ["each of them counts once", "😀😀", "😀", 1],
  ["a private character sorts behind the surrogates' place", "\ue000", "\ud7ff", 1],
  ["a combining accent is a character", "e\u0301", "é", 1],
  ["digits of full width are others", "１", "1", 1]
]

describe("Collation", () => {
  for (const [title, left, right, expected] of named) {
    it(title, () => {
      assert.strictEqual(Reference.compare(left, right), expected)
      agree(left, right)
    })
  }

  it("every character up to U+FFFF weighs what the recorded server says", () => {
    for (let code = 0; code <= 0xffff; code++) {
      if (code >= 0xd800 && code < 0xe000) continue
      const [character, weight] = [String.fromCharCode(code), String.fromCharCode(Reference.weightOf(code))]
      assert.isTrue(Collation.equals(character, weight), code.toString(16))
      assert.strictEqual(Collation.sortKey(character), Collation.sortKey(weight), code.toString(16))
      agree(character, " ")
      if (code !== 0xdfff + 1 && code > 0) agree(character, String.fromCharCode(code - 1))
    }
  })

  it("folding keeps each character's weight, in its place, and adds no padding", () => {
    const folded: ReadonlyArray<readonly [string, string]> = [
      ["", ""],
      ["Éa ", "EA "],
      ["  a", "  A"],
      ["straße", "STRASE"],
      ["æ", "Æ"],
      ["a\u0000b", "A\u0000B"],
      ["😀a🚀", "\ufffdA\ufffd"]
    ]
    for (const [text, expected] of folded) assert.strictEqual(Collation.fold(text), expected, JSON.stringify(text))
  })

  const sources = {
    "colliding strings": collidingString,
    "telling strings": tellingString,
    "latin strings": latinString,
    "any strings": anyString
  }
  for (const [name, strings] of Object.entries(sources)) {
    it.prop(
      `compare and sortKey agree with the reference on ${name}`,
      [strings, strings],
      ([left, right]) => {
        agree(left, right)
      },
      { arbitrary: { runs: 3000 } }
    )

    it.prop(
      `strings with a beginning in common are compared behind it: ${name}`,
      [strings, strings, strings],
      ([start, left, right]) => {
        agree(start + left, start + right)
        agree(start, start + right)
      },
      { arbitrary: { runs: 1500 } }
    )

    it.prop(
      `a folded text is a weight for each character: ${name}`,
      [strings, strings],
      ([left, right]) => {
        const weights = Array.from(left, (character) =>
          String.fromCharCode(Reference.weightOf(character.codePointAt(0)!))
        )
        assert.strictEqual(Collation.fold(left), weights.join(""))
        assert.strictEqual(Collation.fold(left + right), Collation.fold(left) + Collation.fold(right))
        assert.strictEqual(Collation.fold(Collation.fold(left)), Collation.fold(left))
        if (Collation.fold(left) === Collation.fold(right)) assert.isTrue(Collation.equals(left, right))
      },
      { arbitrary: { runs: 1000 } }
    )

    it.prop(
      `sorting by keys and sorting by comparison give one order of ${name}`,
      [Arbitrary.array(strings, { maxLength: 12 })],
      ([texts]) => {
        const byRule = texts.toSorted(Reference.compare)
        assert.deepStrictEqual(texts.toSorted(Collation.compare), byRule)
        assert.deepStrictEqual(
          texts.toSorted((left, right) => bytes(Collation.sortKey(left), Collation.sortKey(right))),
          byRule
        )
      },
      { arbitrary: { runs: 500 } }
    )
  }

  it("a lone surrogate, which no document holds, is compared without a crash and equals itself", () => {
    for (const text of ["\ud800", "\udc00", "a\ud800", "\ud800a", "\udc00\ud800", "\ud800\ud800"]) {
      assert.strictEqual(Collation.compare(text, text), 0)
      assert.isTrue(Number.isFinite(Collation.compare(text, "a")))
      assert.strictEqual(Collation.sortKey(text), Collation.sortKey(text))
    }
  })

  it("a string of hundreds of thousands of characters is compared to its very end", () => {
    const long = "é ".repeat(200_000)
    assert.strictEqual(Collation.compare(long, "E ".repeat(200_000)), 0)
    assert.isAbove(Collation.compare(`${long}b`, `${long}a`), 0)
    assert.strictEqual(bytes(Collation.sortKey(`${long}\u0001`), Collation.sortKey(long)), -1)
  })
})
