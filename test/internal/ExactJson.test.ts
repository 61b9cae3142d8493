/** JSON that keeps whole numbers beyond 2^53. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as ExactJson from "../../src/internal/ExactJson.ts"

/** Texts and the values that they stand for, both ways. */
const both: ReadonlyArray<readonly [string, unknown]> = [
  ["9007199254740991", 9_007_199_254_740_991],
  ["-9007199254740991", -9_007_199_254_740_991],
  ["9007199254740993", 9_007_199_254_740_993n],
  ["9223372036854775807", 2n ** 63n - 1n],
  ["-9223372036854775808", -(2n ** 63n)],
  ["[9007199254740993,1]", [9_007_199_254_740_993n, 1]],
  [
    '{"a":9007199254740993,"b":{"c":[-9007199254740993]}}',
    { a: 9_007_199_254_740_993n, b: { c: [-9_007_199_254_740_993n] } }
  ],
  ['{"9007199254740993":"9007199254740993"}', { "9007199254740993": "9007199254740993" }],
  ['"a: 9007199254740993, [12345678901234567890]"', "a: 9007199254740993, [12345678901234567890]"],
  ["0.5", 0.5],
  ["1e+300", 1e300],
  ["null", null],
  ["true", true],
  ['""', ""]
]
/** Texts of JSON that are not written so, and their values. */
const read: ReadonlyArray<readonly [string, unknown]> = [
  [" 9007199254740993 ", 9_007_199_254_740_993n],
  ['{"a": 9007199254740993}', { a: 9_007_199_254_740_993n }],
  ["[\n9007199254740993\n]", [9_007_199_254_740_993n]],
  ["1e400", Number.POSITIVE_INFINITY],
  ["1.0", 1],
  ["9007199254740993.0", 9_007_199_254_740_992],
  ["9007199254740993.5", 9_007_199_254_740_994],
  ["0.12345678901234567890", 0.123_456_789_012_345_68],
  ["12345678901234567e3", 12_345_678_901_234_567_000],
  ["[0.1,9007199254740993]", [0.1, 9_007_199_254_740_993n]]
]

const whole = Arbitrary.schema(Schema.BigInt).pipe(Arbitrary.map((value) => value * 1_000_003n * 1_000_033n))
const leaf = Arbitrary.schema(Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null, Schema.Int]))

/** What comes back: a whole number beyond 2^53 that was written in digits is a bigint of those digits. */
const back = (value: unknown): unknown => {
  if (typeof value === "bigint") return ExactJson.normalizeInteger(value)
  if (typeof value !== "number") return value
  const digits = JSON.stringify(value)
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(digits) ? Number(digits) : BigInt(digits)
}

describe("ExactJson", () => {
  for (const [text, value] of both) {
    it(`${text} is written and read without loss`, () => {
      assert.deepStrictEqual(ExactJson.parse(text), value)
      assert.strictEqual(ExactJson.stringify(value), text)
    })
  }

  for (const [text, value] of read) {
    it(`${JSON.stringify(text)} is read`, () => {
      assert.deepStrictEqual(ExactJson.parse(text), value)
    })
  }

  for (const text of ["", "{", "[9007199254740993", "9007199254740993x", "undefined", "{'a':1}"]) {
    it(`${JSON.stringify(text)} is no JSON`, () => {
      assert.throws(() => ExactJson.parse(text), SyntaxError)
    })
  }

  it("what can't be written is told, with and without a bigint in it", () => {
    const circle: { self?: unknown; big?: bigint } = {}
    circle.self = circle
    assert.throws(() => ExactJson.stringify(circle), TypeError)
    circle.big = 2n ** 60n
    assert.throws(() => ExactJson.stringify(circle), TypeError)
  })

  it("indentation is JSON's own", () => {
    assert.strictEqual(ExactJson.stringify({ a: [1] }, 2), JSON.stringify({ a: [1] }, undefined, 2))
    assert.strictEqual(ExactJson.stringify({ a: [2n ** 60n] }, 2), `{\n  "a": [\n    ${2n ** 60n}\n  ]\n}`)
  })

  it("a whole number has one form", () => {
    const cases: ReadonlyArray<readonly [number | bigint, number | bigint]> = [
      [5n, 5],
      [-5n, -5],
      [0n, 0],
      [BigInt(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER],
      [BigInt(Number.MIN_SAFE_INTEGER), Number.MIN_SAFE_INTEGER],
      [2n ** 53n, 2n ** 53n],
      [-(2n ** 53n), -(2n ** 53n)],
      [7, 7]
    ]
    for (const [given, expected] of cases) assert.strictEqual(ExactJson.normalizeInteger(given), expected)
  })

  it.prop(
    "any whole number comes back to the last digit, alone and inside",
    [whole],
    ([value]) => {
      const expected = ExactJson.normalizeInteger(value)
      assert.strictEqual(ExactJson.parse(ExactJson.stringify(value)), expected)
      assert.deepStrictEqual(ExactJson.parse(ExactJson.stringify({ a: [value, "x"] })), { a: [expected, "x"] })
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop(
    "any list of values comes back, big whole numbers among them",
    [Arbitrary.array(leaf), whole],
    ([values, value]) => {
      const list = [...values, value]
      assert.deepStrictEqual(ExactJson.parse(ExactJson.stringify(list)), list.map(back))
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop(
    "without big numbers it is JSON",
    [Arbitrary.array(Arbitrary.schema(Schema.Union([Schema.String, Schema.Int, Schema.Boolean, Schema.Null])))],
    ([values]) => {
      const text = JSON.stringify({ values })
      assert.strictEqual(ExactJson.stringify({ values }), text)
      assert.deepStrictEqual(ExactJson.parse(text), JSON.parse(text))
    },
    { arbitrary: { runs: 500 } }
  )
})
