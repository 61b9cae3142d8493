/** Filters, limits and totals of lists. Order and cursors are in cursors.ts. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import { batchLimit } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, type Promised, refused } from "./support.ts"

const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [
      Attribute.integer("i"),
      Attribute.float("f"),
      Attribute.boolean("b"),
      Attribute.string("s", { size: 64 }),
      Attribute.enumeration("e", { elements: ["red", "Green"] }),
      Attribute.datetime("t"),
      Attribute.string("list", { size: 5, array: true })
    ]
  })
  const dates = (day: number) => ({
    $createdAt: `2020-01-0${day}T00:00:00.000+00:00`,
    $updatedAt: `2021-01-0${day}T00:00:00.000+00:00`
  })
  return yield* db.createDocuments("c", [
    { $id: "a", i: 1, f: 0.5, b: true, s: "apple pie", e: "red", t: "2024-01-01T00:00:00Z", ...dates(1) },
    { $id: "B", i: 2, f: 1.5, b: false, s: "Apple", e: "Green", t: "2024-06-01T12:00:00.500Z", ...dates(2) },
    { $id: "c", i: 3, f: -2, b: true, s: "100%_sure\\", list: ["q"], ...dates(3) },
    { $id: "d", i: 2, f: 0, s: "", list: [], ...dates(4) },
    { $id: "e", list: [null], ...dates(5) },
    { $id: "f", s: "banana", ...dates(6) }
  ])
})

/** Filters, and the documents that they find. */
const filters: ReadonlyArray<readonly [string, ReadonlyArray<Query.Query>, string]> = [
  ["equal to an integer", [Query.equal("i", 1)], "a"],
  ["equal to one of several", [Query.equal("i", [1, 3, 99])], "a c"],
  ["notEqual never finds null", [Query.notEqual("i", 2)], "a c"],
  ["less", [Query.lessThan("i", 2)], "a"],
  ["less or equal", [Query.lessThanEqual("i", 2)], "a B d"],
  ["greater", [Query.greaterThan("i", 2)], "c"],
  ["greater or equal", [Query.greaterThanEqual("i", 2)], "B c d"],
  ["null", [Query.isNull("i")], "e f"],
  ["not null", [Query.isNotNull("i")], "a B c d"],
  ["equal to floats, zero among them", [Query.equal("f", [0.5, 0])], "a d"],
  ["a float against a whole number", [Query.lessThan("f", 1)], "a c d"],
  ["a boolean", [Query.equal("b", true)], "a c"],
  ["not a boolean", [Query.notEqual("b", true)], "B"],
  ["a boolean over false", [Query.greaterThan("b", false)], "a c"],
  ["no boolean", [Query.isNull("b")], "d e f"],
  ["equal strings without case", [Query.equal("s", "apple")], "B"],
  ["equal to one of several strings", [Query.equal("s", ["APPLE", "bänana "])], "B f"],
  ["the empty string, which is not null", [Query.equal("s", "")], "d"],
  ["not equal to a string", [Query.notEqual("s", "apple")], "a c d f"],
  ["strings before another", [Query.lessThan("s", "b")], "a B c d"],
  ["strings from another on", [Query.greaterThanEqual("s", "BANANA")], "f"],
  ["signs of patterns as themselves", [Query.equal("s", "100%_sure\\")], "c"],
  ["no pattern", [Query.equal("s", ["%", "app%", "_____"])], ""],
  ["no string", [Query.isNull("s")], "e"],
  ["any string", [Query.isNotNull("s")], "a B c d f"],
  ["an element of an enum, without case", [Query.equal("e", "green")], "B"],
  ["what is no element of an enum", [Query.equal("e", "blue")], ""],
  ["a datetime in the same form", [Query.equal("t", "2024-01-01T00:00:00Z")], "a"],
  ["a datetime as an instant", [Query.equal("t", "2024-01-01T02:00:00+02:00")], "a"],
  ["a date alone as its midnight", [Query.equal("t", "2024-01-01")], "a"],
  ["after a datetime", [Query.greaterThan("t", "2024-01-01T00:00:00.000Z")], "B"],
  ["up to a datetime", [Query.lessThanEqual("t", "2024-06-01T12:00:00.500+00:00")], "a B"],
  ["not a datetime", [Query.notEqual("t", "2024-01-01T00:00:00Z")], "B"],
  ["no datetime", [Query.isNull("t")], "c d e f"],
  ["an array that nobody wrote", [Query.isNull("list")], "a B f"],
  ["an array, if only an empty one", [Query.isNotNull("list")], "c d e"],
  ["$id", [Query.equal("$id", "a")], "a"],
  ["$id without case", [Query.equal("$id", "b")], "B"],
  ["several $ids", [Query.equal("$id", ["a", "C", "nope"])], "a c"],
  ["not an $id", [Query.notEqual("$id", "A")], "B c d e f"],
  ["$ids behind another", [Query.greaterThan("$id", "c")], "d e f"],
  ["$createdAt before", [Query.lessThan("$createdAt", "2020-01-02T00:00:00.000+00:00")], "a"],
  ["$createdAt from", [Query.greaterThanEqual("$createdAt", "2020-01-05")], "e f"],
  ["$updatedAt at an instant", [Query.equal("$updatedAt", "2021-01-03T01:00:00+01:00")], "c"],
  ["no $createdAt", [Query.isNull("$createdAt")], ""],
  ["filters together", [Query.equal("i", 2), Query.greaterThan("f", 0), Query.isNotNull("s")], "B"],
  ["filters that exclude each other", [Query.equal("i", 1), Query.equal("i", 2)], ""],
  ["an interval", [Query.greaterThan("i", 1), Query.lessThan("i", 3)], "B d"]
]

/** Queries that are refused. */
const wrong: ReadonlyArray<readonly [string, ReadonlyArray<Query.Query>]> = [
  ["an attribute that is not there", [Query.equal("zz", 1)]],
  ["an attribute written in another case", [Query.equal("I", 1)]],
  ["an order by what is not there", [Query.orderAsc("zz")]],
  ["null asked of what is not there", [Query.isNull("zz")]],
  ["a text for an integer", [Query.equal("i", "1")]],
  ["a fraction for an integer", [Query.equal("i", 1.5)]],
  ["a boolean for an integer", [Query.equal("i", true)]],
  ["one bad value among several", [Query.equal("i", [1, "2"])]],
  ["a text for a float", [Query.equal("f", "0.5")]],
  ["a text for a boolean", [Query.equal("b", "true")]],
  ["a number for a boolean", [Query.notEqual("b", 1)]],
  ["a number for a string", [Query.greaterThan("s", 5)]],
  ["what is no date for a datetime", [Query.equal("t", "garbage")]],
  ["what is no date for $createdAt", [Query.lessThan("$createdAt", "garbage")]],
  ["a comparison with an array", [Query.equal("list", "q")]],
  ["permissions", [Query.equal("$permissions", "x")]],
  ["a system field that documents do not have", [Query.orderAsc("$tableId")]],
  ["equal to none", [Query.equal("i", [])]],
  [
    "501 values",
    [
      Query.equal(
        "i",
        Array.from({ length: 501 }, (_, index) => index)
      )
    ]
  ],
  ["a limit of 0", [Query.limit(0)]],
  ["a limit below 0", [Query.limit(-1)]],
  ["a limit that is no whole number", [Query.limit(1.5)]]
]

export const queries = (promise: Promised): void => {
  promise("each filter finds what it says, in order of $sequence, and counts it", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const [title, query, expected] of filters) {
        const found = yield* db.listDocuments("c", query)
        const wanted = expected === "" ? [] : expected.split(" ")
        assert.deepStrictEqual([found.total, idsOf(found.documents)], [wanted.length, wanted], title)
      }
    })
  )

  promise("a filter on an array tells null from empty also where null was written", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.createDocument("c", { $id: "g", list: null })
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c", [Query.isNull("list")])).documents), [
        "a",
        "B",
        "f",
        "g"
      ])
    })
  )

  promise("$sequence is compared as the number that it is", (db) =>
    Effect.gen(function* () {
      const created = yield* setUp(db)
      const at = created[2]!.$sequence
      const find = (query: Query.Query) => Effect.map(db.listDocuments("c", [query]), (found) => idsOf(found.documents))
      assert.deepStrictEqual(yield* find(Query.equal("$sequence", at)), ["c"])
      assert.deepStrictEqual(yield* find(Query.equal("$sequence", Number(at))), ["c"])
      assert.deepStrictEqual(yield* find(Query.greaterThan("$sequence", at)), ["d", "e", "f"])
      assert.deepStrictEqual(yield* find(Query.lessThanEqual("$sequence", at)), ["a", "B", "c"])
      yield* db.createDocuments(
        "c",
        Array.from({ length: 10 }, (_, index) => ({ $id: `n${index}`, i: index }))
      )
      // Past ten documents a comparison as text would go wrong.
      const all = (yield* db.listDocuments("c", [Query.greaterThan("$sequence", "0"), Query.limit(100)])).documents
      assert.strictEqual(all.length, 16)
      const last = all.at(-1)!
      assert.deepStrictEqual(yield* find(Query.greaterThanEqual("$sequence", last.$sequence)), [last.$id])
    })
  )

  promise("each bad query is refused", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const [, query] of wrong) {
        yield* refused(db.listDocuments("c", query), "InvalidQuery", "general_query_invalid")
      }
    })
  )

  promise("500 values in one query are taken, and 100 queries in one list", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const values = Array.from({ length: 500 }, (_, index) => index + 3)
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c", [Query.equal("i", values)])).documents), ["c"])
      const texts = Array.from({ length: 499 }, (_, index) => `k${index}`)
      assert.deepStrictEqual(
        idsOf((yield* db.listDocuments("c", [Query.equal("s", [...texts, "Banana"])])).documents),
        ["f"]
      )
      const many = Array.from({ length: 100 }, () => Query.equal("i", 1))
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c", many)).documents), ["a"])
    })
  )

  promise("more than 100 queries are refused", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const many = Array.from({ length: 101 }, () => Query.equal("i", 1))
      const error = yield* Effect.flip(db.listDocuments("c", many)).pipe(Effect.catch((found) => Effect.die(found)))
      assert.strictEqual(error.reason.type, "general_argument_invalid")
    })
  )

  promise("a list without a limit has 25 documents; the first of two limits counts; total is that of all", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("i")] })
      const ids = Array.from({ length: 30 }, (_, index) => `d${index}`)
      yield* db.createDocuments(
        "c",
        ids.map(($id, i) => ({ $id, i }))
      )
      const plain = yield* db.listDocuments("c")
      assert.deepStrictEqual([plain.total, idsOf(plain.documents)], [30, ids.slice(0, 25)])
      const two = yield* db.listDocuments("c", [Query.limit(2), Query.limit(1)])
      assert.deepStrictEqual([two.total, idsOf(two.documents)], [30, ["d0", "d1"]])
      const most = yield* db.listDocuments("c", [Query.limit(100_000), Query.greaterThan("i", 3)])
      assert.deepStrictEqual([most.total, idsOf(most.documents)], [26, ids.slice(4)])
    })
  )

  promise("total is 0 where it is not asked for", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const found = yield* db.listDocuments("c", [Query.equal("i", 1)], { total: false })
      assert.deepStrictEqual([found.total, idsOf(found.documents)], [0, ["a"]])
    })
  )

  promise("total stops at 5000", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("i")] })
      const fill = (from: number, count: number) =>
        db.createDocuments(
          "c",
          Array.from({ length: count }, (_, index) => ({ $id: `d${from + index}`, i: from + index }))
        )
      for (let from = 0; from < 4900; from += batchLimit) yield* fill(from, batchLimit)
      yield* fill(4900, batchLimit - 1)
      const one = [Query.limit(1)]
      assert.strictEqual((yield* db.listDocuments("c", one)).total, 4999)
      yield* fill(4999, 10)
      assert.strictEqual((yield* db.listDocuments("c", one)).total, 5000)
      assert.strictEqual((yield* db.listDocuments("c", [...one, Query.greaterThanEqual("i", 5)])).total, 5000)
      assert.strictEqual((yield* db.listDocuments("c", [...one, Query.greaterThanEqual("i", 10)])).total, 4999)
      assert.strictEqual((yield* db.listDocuments("c", [Query.limit(6000)])).documents.length, 5009)
    })
  )

  promise("what an attribute is called or holds is never read as a part of the query", (db) =>
    Effect.gen(function* () {
      const keys = ["select", "a.b-c", "order", "value0", "0"]
      yield* db.createCollection("c", { attributes: keys.map((key) => Attribute.string(key, { size: 50 })) })
      const text = `'; drop table "c"; -- " \` ? :a $1`
      yield* db.createDocument("c", { $id: "d", ...Object.fromEntries(keys.map((key) => [key, text])) })
      for (const key of keys) {
        const found = yield* db.listDocuments("c", [Query.equal(key, text), Query.orderDesc(key)])
        assert.deepStrictEqual([found.total, found.documents[0]?.[key]], [1, text])
      }
    })
  )
}
