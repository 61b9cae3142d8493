import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Lists from "holdfast/layers/vendors/appwrite/emulator/Lists"

const spec: Lists.Spec = { noun: "Thing", attributes: ["name", "size"] }
const things = ["Beta", "alpha", "gamma", "älpha"].map((name, index) => ({ $id: `t${index}`, name, size: index }))

const page = (queries: ReadonlyArray<object | string>, search = "", total = true) =>
  Lists.page(spec, things, {
    queries: queries.map((query) => (typeof query === "string" ? query : JSON.stringify(query))),
    search,
    total
  })
const ids = (queries: ReadonlyArray<object>, search?: string) =>
  Result.getOrThrow(page(queries, search)).items.map(({ $id }) => $id)

describe("Lists", () => {
  it.each([
    [[{ method: "equal", attribute: "name", values: ["ALPHA"] }], ["t1", "t3"]],
    [[{ method: "notEqual", attribute: "name", values: ["alpha"] }], ["t0", "t2"]],
    [[{ method: "greaterThan", attribute: "size", values: [1] }], ["t2", "t3"]],
    [[{ method: "between", attribute: "size", values: [1, 2] }], ["t1", "t2"]],
    [[{ method: "startsWith", attribute: "name", values: ["B"] }], ["t0"]],
    [[{ method: "contains", attribute: "name", values: ["AMM"] }], ["t2"]],
    [[{ method: "orderAsc", attribute: "name", values: [] }], ["t1", "t3", "t0", "t2"]],
    [[{ method: "orderDesc", attribute: "" }], ["t3", "t2", "t1", "t0"]],
    [
      [
        { method: "limit", values: [1] },
        { method: "offset", values: [2] }
      ],
      ["t2"]
    ],
    [[{ method: "cursorAfter", values: ["T1"] }], ["t2", "t3"]],
    [
      [
        { method: "cursorBefore", values: ["t3"] },
        { method: "limit", values: [2] }
      ],
      ["t1", "t2"]
    ]
  ])("finds by %j", (queries, expected) => {
    assert.deepStrictEqual(ids(queries), expected)
  })

  it("searches the beginnings of words in id and name", () => {
    assert.deepStrictEqual(ids([], "gam"), ["t2"])
    assert.deepStrictEqual(ids([], "t1"), ["t1"])
    assert.deepStrictEqual(ids([], "amma"), [])
  })

  it("counts what the filters match, or nothing where it is told not to", () => {
    const limit = { method: "limit", values: [1] }
    assert.strictEqual(Result.getOrThrow(page([limit])).total, 4)
    assert.strictEqual(Result.getOrThrow(page([limit], "", false)).total, 0)
  })

  it.each([
    ["x", "Invalid `queries` param: Invalid query: Invalid query: Syntax error"],
    [{ method: "nosuch" }, "Invalid `queries` param: Invalid query: Invalid query method: nosuch"],
    [
      { method: "equal", attribute: "nosuch", values: [1] },
      "Invalid `queries` param: Invalid query: Attribute not found in schema: nosuch"
    ],
    [
      { method: "limit", values: [0] },
      "Invalid `queries` param: Invalid query: Invalid limit: Value must be a valid range between 1 and 9,223,372,036,854,775,807"
    ],
    [{ method: "cursorAfter", values: ["nope"] }, "Thing 'nope' for the 'cursor' value not found."]
  ])("refuses %j", (query, message) => {
    const failure = Result.getOrThrow(Result.flip(page([query])))
    assert.deepStrictEqual([failure.status, failure.message], [400, message])
  })
})
