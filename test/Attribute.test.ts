/** The rules for values and definitions, as tables. The contract of Databases shows them at work. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Attribute from "../src/Attribute.ts"

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
      max: null
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
      Attribute.integer("k"),
      Attribute.float("k"),
      Attribute.boolean("k"),
      Attribute.datetime("k"),
      Attribute.enumeration("k", { elements: [] })
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
      assert.strictEqual(Attribute.codePoints(text), expected)
    })
  }

  it("nothing but null and what the kind names is taken", () => {
    const strange = [undefined, {}, [], Symbol("s"), 1n, new Date(0), () => 1, Number.NaN, Number.POSITIVE_INFINITY]
    for (const attribute of [
      Attribute.string("k", { size: 5 }),
      Attribute.integer("k"),
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
    Attribute.string("k", { size: 1, required: true, array: true })
  ]
  it("definitions within the limits have no problem", () => {
    for (const attribute of fine)
      assert.isUndefined(Attribute.problem(attribute), JSON.stringify(attribute).slice(0, 99))
  })

  it("a problem of a definition says which value is wrong", () => {
    const detail = (attribute: Attribute.Attribute) => Attribute.problem(attribute)?.detail ?? "none"
    assert.include(detail(Attribute.string("k", { size: 0 })), "got 0")
    assert.include(detail(Attribute.string("k", { size: 1.5 })), "got 1.5")
    assert.include(detail(Attribute.integer("k", { min: 2, max: 1 })), "min 2 is greater than max 1")
    assert.include(detail(Attribute.integer("k", { min: 0.5 })), "whole numbers")
    assert.include(detail(Attribute.string("k", { size: 2, default: "xyz" })), '"xyz"')
    assert.include(detail(Attribute.boolean("k", { required: true, default: true })), "required")
    assert.include(detail(Attribute.boolean("k", { array: true, default: true })), "array")
    assert.include(detail(Attribute.enumeration("k", { elements: ["x".repeat(256)] })), "255")
  })
})
