/** Queries as data, and how a list sorts them. */
import { assert, describe, it } from "@effect/vitest"
import * as EffectEqual from "effect/Equal"
import * as Schema from "effect/Schema"
import * as Query from "../src/Query.ts"

const every: { readonly [T in Query.Query["_tag"]]: Query.Query } = {
  Equal: Query.equal("a", ["x", 1, true]),
  NotEqual: Query.notEqual("a", "x"),
  LessThan: Query.lessThan("a", 1),
  LessThanEqual: Query.lessThanEqual("a", 1),
  GreaterThan: Query.greaterThan("a", 1),
  GreaterThanEqual: Query.greaterThanEqual("a", 1),
  Between: Query.between("a", 1, 2),
  NotBetween: Query.notBetween("a", "x", "y"),
  StartsWith: Query.startsWith("a", "x"),
  NotStartsWith: Query.notStartsWith("a", "x"),
  EndsWith: Query.endsWith("a", "x"),
  NotEndsWith: Query.notEndsWith("a", "x"),
  Contains: Query.contains("a", ["x", 1]),
  NotContains: Query.notContains("a", ["x", 2n ** 60n]),
  ContainsAll: Query.containsAll("a", ["x", true]),
  Search: Query.search("a", "x"),
  NotSearch: Query.notSearch("a", "x"),
  And: Query.and([Query.equal("a", "x"), Query.or([Query.isNull("a"), Query.lessThan("a", 1)])]),
  Or: Query.or([Query.equal("a", "x"), Query.isNull("b")]),
  IsNull: Query.isNull("a"),
  IsNotNull: Query.isNotNull("a"),
  OrderAsc: Query.orderAsc("a"),
  OrderDesc: Query.orderDesc("a"),
  OrderRandom: Query.orderRandom(),
  Limit: Query.limit(3),
  Offset: Query.offset(2),
  Select: Query.select(["a", "b"]),
  CursorAfter: Query.cursorAfter("d"),
  CursorBefore: Query.cursorBefore("d")
}

describe("Query", () => {
  it("each constructor makes the query of its name, which goes to JSON and back", () => {
    const codec = Schema.toCodecJson(Query.Query)
    for (const [tag, query] of Object.entries(every)) {
      assert.strictEqual(query._tag, tag)
      const wire: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(codec)(query)))
      assert.isTrue(EffectEqual.equals(Schema.decodeUnknownSync(codec)(wire), query), tag)
    }
  })

  it("one value for equal is a list of one", () => {
    assert.deepStrictEqual({ ...Query.equal("a", "x") }, { ...Query.equal("a", ["x"]) })
  })

  it("the queries of a list are sorted by what they do, each kind in its order", () => {
    const { Or, Equal, NotEqual, IsNull, OrderAsc, OrderDesc, Limit, Offset, Select, CursorAfter } = every
    const queries = [OrderDesc, Equal, Limit, Select, CursorAfter, NotEqual, OrderAsc, Offset, IsNull, Or]
    assert.deepStrictEqual(Query.parts(queries), {
      filters: [Equal, NotEqual, IsNull, Or] as ReadonlyArray<Query.Filter>,
      orders: [OrderDesc, OrderAsc] as ReadonlyArray<Query.Order>,
      isRandom: false,
      limit: 3,
      offset: 2,
      cursor: CursorAfter as Query.Cursor,
      select: ["a", "b"]
    })
  })

  it("a list without queries has the default limit and nothing else", () => {
    assert.deepStrictEqual(Query.parts([]), {
      filters: [],
      orders: [],
      isRandom: false,
      limit: Query.limits.defaultLimit,
      offset: 0,
      cursor: undefined,
      select: undefined
    })
  })

  it("the first of several limits, offsets and cursors counts", () => {
    const { limit, cursor, offset } = Query.parts([
      Query.limit(7),
      Query.cursorBefore("b"),
      Query.offset(0),
      Query.limit(3),
      Query.offset(5),
      Query.cursorAfter("a")
    ])
    assert.deepStrictEqual([limit, offset], [7, 0])
    assert.deepStrictEqual({ ...cursor! }, { ...Query.cursorBefore("b") })
  })

  it("several selections add up, and an empty one is not the same as none", () => {
    assert.deepStrictEqual(Query.parts([Query.select(["a"]), Query.select(["b", "a"])]).select, ["a", "b", "a"])
    assert.deepStrictEqual(Query.parts([Query.select([])]).select, [])
  })

  it("filters are told from what shapes a list", () => {
    const shapes = new Set([
      "OrderAsc",
      "OrderDesc",
      "OrderRandom",
      "Limit",
      "Offset",
      "CursorAfter",
      "CursorBefore",
      "Select"
    ])
    for (const [tag, query] of Object.entries(every)) {
      assert.strictEqual(Query.isFilter(query), !shapes.has(tag), tag)
    }
  })

  it("a limit out of range is data all the same: the service refuses it", () => {
    assert.strictEqual(Query.parts([Query.limit(0)]).limit, 0)
    assert.strictEqual(Query.parts([Query.limit(1.5)]).limit, 1.5)
  })
})
