/** Queries as data, and how a list sorts them. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Query from "../src/Query.ts"

const every: { readonly [T in Query.Query["_tag"]]: Query.Query } = {
  Equal: Query.equal("a", ["x", 1, true]),
  NotEqual: Query.notEqual("a", "x"),
  LessThan: Query.lessThan("a", 1),
  LessThanEqual: Query.lessThanEqual("a", 1),
  GreaterThan: Query.greaterThan("a", 1),
  GreaterThanEqual: Query.greaterThanEqual("a", 1),
  IsNull: Query.isNull("a"),
  IsNotNull: Query.isNotNull("a"),
  OrderAsc: Query.orderAsc("a"),
  OrderDesc: Query.orderDesc("a"),
  Limit: Query.limit(3),
  CursorAfter: Query.cursorAfter("d"),
  CursorBefore: Query.cursorBefore("d")
}

describe("Query", () => {
  it("each constructor makes the query of its name, which goes to JSON and back", () => {
    const codec = Schema.toCodecJson(Query.Query)
    for (const [tag, query] of Object.entries(every)) {
      assert.strictEqual(query._tag, tag)
      const wire: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(codec)(query)))
      assert.deepStrictEqual({ ...Schema.decodeUnknownSync(codec)(wire) }, { ...query })
    }
  })

  it("one value for equal is a list of one", () => {
    assert.deepStrictEqual({ ...Query.equal("a", "x") }, { ...Query.equal("a", ["x"]) })
  })

  it("the queries of a list are sorted by what they do, each kind in its order", () => {
    const { Equal, NotEqual, IsNull, OrderAsc, OrderDesc, Limit, CursorAfter } = every
    assert.deepStrictEqual(Query.parts([OrderDesc, Equal, Limit, CursorAfter, NotEqual, OrderAsc, IsNull]), {
      filters: [Equal, NotEqual, IsNull] as ReadonlyArray<Query.Filter>,
      orders: [OrderDesc, OrderAsc] as ReadonlyArray<Query.Order>,
      limit: 3,
      cursor: CursorAfter as Query.Cursor
    })
  })

  it("a list without queries has the default limit and nothing else", () => {
    assert.deepStrictEqual(Query.parts([]), {
      filters: [],
      orders: [],
      limit: Query.limits.defaultLimit,
      cursor: undefined
    })
  })

  it("the first of several limits and of several cursors counts", () => {
    const { limit, cursor } = Query.parts([
      Query.limit(7),
      Query.cursorBefore("b"),
      Query.limit(3),
      Query.cursorAfter("a")
    ])
    assert.strictEqual(limit, 7)
    assert.deepStrictEqual({ ...cursor! }, { ...Query.cursorBefore("b") })
  })

  it("a limit out of range is data all the same: the service refuses it", () => {
    assert.strictEqual(Query.parts([Query.limit(0)]).limit, 0)
    assert.strictEqual(Query.parts([Query.limit(1.5)]).limit, 1.5)
  })
})
