/** The rules for values and definitions, as tables. The contract of Databases shows them at work. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Attribute from "../src/Attribute.ts"
import { codePoints } from "../src/internal/CodePoints.ts"
import * as RowWidth from "../src/internal/RowWidth.ts"

const checked = (attribute: Attribute.Attribute, value: unknown) => Attribute.check(attribute, value)

describe("Attribute", () => {
  it("constructors fill in what is left out", () => {
    assert.deepStrictEqual(Attribute.string("k", { size: 5 }), {
      kind: "string",
      key: "k",
      required: false,
      array: false,
      default: null,
      size: 5
    })
    assert.deepStrictEqual(Attribute.integer("k"), {
      kind: "integer",
      key: "k",
      required: false,
      array: false,
      default: null,
      min: null,
      max: null,
      bits: 64
    })
    assert.deepStrictEqual(Attribute.float("k", { min: 0, max: 1, required: true }), {
      kind: "float",
      key: "k",
      required: true,
      array: false,
      default: null,
      min: 0,
      max: 1
    })
    assert.deepStrictEqual(Attribute.boolean("k", { default: false }).default, false)
    assert.deepStrictEqual(Attribute.datetime("k", { array: true }).array, true)
    assert.deepStrictEqual(Attribute.enumeration("k", { elements: ["a"], default: undefined }), {
      kind: "enum",
      key: "k",
      required: false,
      array: false,
      default: null,
      elements: ["a"]
    })
  })

  it("every constructor's definition passes its own schema", () => {
    const all = [
      Attribute.string("k", { size: 5 }),
      Attribute.varchar("k", { size: 5 }),
      Attribute.text("k"),
      Attribute.mediumtext("k"),
      Attribute.longtext("k"),
      Attribute.email("k"),
      Attribute.url("k"),
      Attribute.ip("k"),
      Attribute.enumeration("k", { elements: [] }),
      Attribute.integer("k"),
      Attribute.bigint("k", { max: 2n ** 62n }),
      Attribute.float("k"),
      Attribute.boolean("k"),
      Attribute.datetime("k")
    ]
    assert.deepStrictEqual(
      all.map((attribute) => attribute.kind),
      [...Attribute.Kind.literals]
    )
    for (const attribute of all) assert.isTrue(Schema.is(Attribute.Attribute)(attribute), attribute.kind)
  })

  const counted: ReadonlyArray<readonly [string, number]> = [
    ["", 0],
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 2],
    ["😀", 1],
    ["a😀b", 3],
    ["👩‍👧", 3]
  ]
  for (const [text, expected] of counted) {
    it(`${JSON.stringify(text)} has ${expected} code points`, () => {
      assert.strictEqual(codePoints(text), expected)
    })
  }

  it("nothing but null and what the kind names is taken", () => {
    const strange = [undefined, {}, [], Symbol("s"), new Date(0), () => 1, Number.NaN, Number.POSITIVE_INFINITY]
    for (const attribute of [
      Attribute.string("k", { size: 5 }),
      Attribute.varchar("k", { size: 5 }),
      Attribute.text("k"),
      Attribute.mediumtext("k"),
      Attribute.longtext("k"),
      Attribute.email("k"),
      Attribute.url("k"),
      Attribute.ip("k"),
      Attribute.integer("k"),
      Attribute.bigint("k"),
      Attribute.float("k"),
      Attribute.boolean("k"),
      Attribute.datetime("k"),
      Attribute.enumeration("k", { elements: ["x"] })
    ]) {
      assert.deepStrictEqual(checked(attribute, null), Result.succeed(null))
      for (const value of strange) {
        assert.isTrue(Result.isFailure(checked(attribute, value)), `${attribute.kind} ${String(value)}`)
        const inList = { ...attribute, array: true }
        assert.isTrue(Result.isFailure(checked(inList, [value])), `${attribute.kind} [${String(value)}]`)
      }
    }
  })

  it("a bigint is a number, and nothing else", () => {
    for (const attribute of [Attribute.integer("k"), Attribute.bigint("k"), Attribute.float("k")]) {
      assert.deepStrictEqual(checked(attribute, 1n), Result.succeed(1), attribute.kind)
    }
    for (const attribute of [Attribute.string("k", { size: 5 }), Attribute.boolean("k"), Attribute.datetime("k")]) {
      assert.isTrue(Result.isFailure(checked(attribute, 1n)), attribute.kind)
    }
  })

  it("the width of an integer follows its max, unless it is given", () => {
    const bits = (options?: Parameters<typeof Attribute.integer>[1]) => Attribute.integer("k", options).bits
    assert.deepStrictEqual(
      [bits(), bits({ max: 2 ** 31 - 1 }), bits({ max: 2 ** 31 }), bits({ max: 5, bits: 64 }), bits({ bits: 32 })],
      [64, 32, 64, 64, 32]
    )
  })

  /** Kinds and the bytes of a row that the recorded server counts for them. */
  const widths: ReadonlyArray<readonly [string, Attribute.Attribute, number]> = [
    ["a string of 64", Attribute.string("k", { size: 64 }), 257],
    ["a string of 255", Attribute.string("k", { size: 255 }), 1021],
    ["a string of 256", Attribute.string("k", { size: 256 }), 1026],
    ["a varchar of 15,500", Attribute.varchar("k", { size: 15_500 }), 62_002],
    ["a string of 16,381", Attribute.string("k", { size: 16_381 }), 65_526],
    ["a string of 16,382", Attribute.string("k", { size: 16_382 }), 20],
    ["a string of 20,000", Attribute.string("k", { size: 20_000 }), 20],
    ["a text", Attribute.text("k"), 20],
    ["a mediumtext", Attribute.mediumtext("k"), 20],
    ["a longtext", Attribute.longtext("k"), 20],
    ["an enum, whatever its elements", Attribute.enumeration("k", { elements: [] }), 1021],
    ["an integer of 32 bits", Attribute.integer("k", { bits: 32 }), 4],
    ["an integer of 64 bits", Attribute.integer("k"), 8],
    ["a bigint", Attribute.bigint("k"), 8],
    ["a boolean", Attribute.boolean("k"), 1],
    ["a list, whatever is in it", Attribute.string("k", { size: 15_000, array: true }), 20]
  ]
  for (const [what, attribute, bytes] of widths) {
    it(`${what} takes ${bytes} bytes of a row`, () => {
      assert.strictEqual(RowWidth.of(attribute), bytes)
    })
  }

  it("a failure says what was expected, and of a list which element", () => {
    const message = (attribute: Attribute.Attribute, value: unknown) => {
      const result = checked(attribute, value)
      return Result.isFailure(result) ? result.failure : "taken"
    }
    assert.include(message(Attribute.string("k", { size: 3 }), "four"), "at most 3 characters, got 4")
    assert.include(message(Attribute.integer("k", { min: 0, max: 9, array: true }), [1, 10]), "element 1")
    assert.include(message(Attribute.integer("k", { min: 0, max: 9 }), 10), "between 0 and 9")
    assert.include(message(Attribute.enumeration("k", { elements: ["x", "y"] }), "z"), '"x", "y"')
  })

  const dates: ReadonlyArray<readonly [string, string | undefined]> = [
    ["2024-02-29", "2024-02-29T00:00:00.000+00:00"],
    ["2023-02-29", "2023-03-01T00:00:00.000+00:00"],
    ["2024-01-02T03:04", "2024-01-02T03:04:00.000+00:00"],
    ["2024-01-02T03:04:05.9999Z", "2024-01-02T03:04:05.999+00:00"],
    ["2024-01-02T03:04:05-0130", "2024-01-02T04:34:05.000+00:00"],
    ["1000-01-01T00:00:00Z", "1000-01-01T00:00:00.000+00:00"],
    ["1000-01-01T00:00:00+00:01", undefined],
    ["0999-12-31T23:59:59.999Z", undefined],
    ["0050-06-01", undefined],
    ["0000-01-01", undefined],
    ["9999-12-31T23:59:59.999Z", undefined],
    ["9999-12-31T23:59:58Z", "9999-12-31T23:59:58.000+00:00"],
    ["2024-00-01", undefined],
    ["2024-01-00", undefined],
    ["2024-01-32", undefined],
    ["2024-01-02T25:00:00Z", undefined],
    ["2024-01-02T24:00:01Z", undefined],
    ["2024-01-02T03:60:00Z", undefined],
    [" 2024-01-02", undefined],
    ["2024-01-02T03:04:05Zx", undefined],
    ["12024-01-02", undefined]
  ]
  for (const [given, expected] of dates) {
    it(`the date ${JSON.stringify(given)} is ${expected === undefined ? "refused" : `kept as ${expected}`}`, () => {
      const result = checked(Attribute.datetime("k"), given)
      assert.strictEqual(Result.isSuccess(result) ? result.success : undefined, expected)
    })
  }

  const fine: ReadonlyArray<Attribute.Attribute> = [
    Attribute.string("k", { size: 1 }),
    Attribute.string("k", { size: 1_073_741_824, default: "" }),
    Attribute.string("k", { size: 1, default: "😀" }),
    Attribute.integer("k", { min: 3, max: 3, default: 3 }),
    Attribute.float("k", { min: -0.5, default: 0 }),
    Attribute.boolean("k", { default: false }),
    Attribute.datetime("k", { default: "2024-01-02" }),
    Attribute.enumeration("k", { elements: Array.from({ length: 100 }, (_, index) => `e${index}`), default: "e99" }),
    Attribute.enumeration("k", { elements: ["a", "a", "x".repeat(255)] }),
    Attribute.string("k", { size: 1, required: true, array: true }),
    Attribute.varchar("k", { size: 16_381, default: "x" }),
    Attribute.text("k", { default: "x" }),
    Attribute.email("k", { default: "a@example.com" }),
    Attribute.url("k", { default: "https://example.com" }),
    Attribute.ip("k", { default: "::1" }),
    Attribute.bigint("k", { min: -(2n ** 63n), max: 2n ** 63n - 1n, default: 2n ** 63n - 1n })
  ]
  it("definitions within the limits have no problem", () => {
    for (const attribute of fine)
      assert.isUndefined(Attribute.problem(attribute), `${attribute.kind} ${String(attribute.default)}`)
  })

  it("a problem of a definition says which value is wrong", () => {
    const detail = (attribute: Attribute.Attribute) => Attribute.problem(attribute)?.detail ?? "none"
    assert.include(detail(Attribute.string("k", { size: 0 })), "got 0")
    assert.include(detail(Attribute.string("k", { size: 1.5 })), "got 1.5")
    assert.include(detail(Attribute.integer("k", { min: 2, max: 1 })), "min 2 is greater than max 1")
    assert.include(detail(Attribute.integer("k", { min: 0.5 })), "whole numbers")
    assert.include(detail(Attribute.string("k", { size: 2, default: "xyz" })), '"xyz"')
    assert.include(detail(Attribute.varchar("k", { size: 16_382 })), "16,381")
    assert.include(detail(Attribute.bigint("k", { min: 2n ** 60n, max: 1 })), String(2n ** 60n))
    assert.include(detail(Attribute.bigint("k", { max: 2n ** 60n, default: 2n ** 61n })), String(2n ** 61n))
    assert.include(detail(Attribute.email("k", { default: "notmail" })), "notmail")
    assert.include(detail(Attribute.boolean("k", { required: true, default: true })), "required")
    assert.include(detail(Attribute.boolean("k", { array: true, default: true })), "array")
    assert.include(detail(Attribute.enumeration("k", { elements: ["x".repeat(256)] })), "255")
  })
})
