/** Between, offset, filters joined by and and or, selections, and how documents are read with them. */
import { assert } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, type Promised, refused } from "./support.ts"

const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [
      Attribute.string("s", { size: 64 }),
      Attribute.integer("i"),
      Attribute.float("f"),
      Attribute.datetime("d"),
      Attribute.boolean("b"),
      Attribute.string("list", { size: 5, array: true })
    ]
  })
  const dates = (day: number) => ({ $updatedAt: `2021-01-0${day}T00:00:00.000+00:00` })
  return yield* db.createDocuments("c", [
    { $id: "a", s: "apple pie", i: 1, f: 0.5, d: "2024-01-01", b: true, ...dates(1) },
    { $id: "B", s: "Apple", i: 2, f: 1.5, d: "2024-06-01T12:00:00.500Z", b: false, list: ["q"], ...dates(2) },
    { $id: "c", s: "100%", i: 3, f: -2, ...dates(3) },
    { $id: "d", s: "", i: 2, f: 0, ...dates(4) },
    { $id: "e", ...dates(5) },
    { $id: "f", s: "banana", ...dates(6) }
  ])
})

const { and, between, equal, greaterThan, isNull, limit, notBetween, notEqual, offset, or, orderDesc, select } = Query

/** Filters, and the documents that they find. */
const filters: ReadonlyArray<readonly [string, ReadonlyArray<Query.Query>, string]> = [
  ["integers, both ends included", [between("i", 1, 2)], "a B d"],
  ["one integer", [between("i", 2, 2)], "B d"],
  ["nothing, where the ends are the wrong way round", [between("i", 2, 1)], ""],
  ["integers outside, null left out", [notBetween("i", 1, 2)], "c"],
  ["all but null outside an empty range", [notBetween("i", 2, 1)], "a B c d"],
  ["floats", [between("f", -2, 0.5)], "a c d"],
  ["strings under the collation", [between("s", "A", "B")], "a B"],
  ["strings outside", [notBetween("s", "a", "b")], "c d f"],
  ["strings up to one with spaces behind it", [between("s", "apple", "APPLE  ")], "B"],
  ["dates", [between("d", "2024-01-01", "2024-12-31")], "a B"],
  ["dates outside", [notBetween("d", "2024-01-01", "2024-03-01")], "B"],
  ["booleans", [between("b", false, false)], "B"],
  ["$id without case", [between("$id", "A", "b")], "a B"],
  ["$updatedAt", [between("$updatedAt", "2021-01-01T12:00:00.000+00:00", "2021-01-02T12:00:00.000+00:00")], "B"],
  ["both of two", [and([equal("s", "apple"), equal("i", 2)])], "B"],
  ["one of two", [or([equal("s", "apple pie"), equal("i", 2)])], "a B d"],
  [
    "one of two pairs",
    [or([and([equal("s", "apple"), equal("i", 1)]), and([equal("s", "100%"), greaterThan("i", 2)])])],
    "c"
  ],
  ["one of nested ones", [or([or([or([equal("i", 3), equal("i", 1)]), equal("f", 0)]), equal("i", 99)])], "a c d"],
  ["a choice beside other filters", [equal("s", ["apple", "100%"]), or([equal("i", 2), isNull("i")])], "B"],
  ["null by a choice", [or([equal("i", 1), isNull("s")])], "a e"],
  ["a negation in a choice never by null", [or([notEqual("i", 2), notBetween("f", -9, 9)])], "a c"],
  ["the same twice", [and([equal("i", 2), equal("i", 2)])], "B d"]
]

/** Queries that are refused. */
const wrong: ReadonlyArray<readonly [string, ReadonlyArray<Query.Query>]> = [
  ["a range of what is not there", [between("zz", 1, 2)]],
  ["a range from a text on integers", [between("i", "1", 2)]],
  ["a range to a text on integers", [between("i", 1, "2")]],
  ["a range of numbers on strings", [between("s", 1, 2)]],
  ["a range to no date", [notBetween("d", "2024-01-01", "garbage")]],
  ["a range of a list", [between("list", "a", "z")]],
  ["or with one filter", [or([equal("i", 1)])]],
  ["or without filters", [or([])]],
  ["and with one filter", [and([equal("i", 1)])]],
  ["what is not there inside or", [or([equal("i", 1), equal("zz", 1)])]],
  ["a bad value inside and", [and([equal("i", 1), equal("i", "x")])]],
  ["one filter inside the inner or", [or([equal("i", 1), or([equal("i", 2)])])]],
  ["a limit inside or", [or([equal("i", 1), limit(1) as unknown as Query.Filter])]],
  ["an order inside and", [and([equal("i", 1), orderDesc("i") as unknown as Query.Filter])]],
  ["an offset below 0", [offset(-1)]],
  ["an offset that is no whole number", [offset(1.5)]],
  ["a selection of what is not there", [select(["s", "zz"])]],
  ["a selection in another case", [select(["S"])]],
  ["an empty selection", [select([])]],
  ["a selection of a system field that documents do not have", [select(["$tableId"])]]
]

const find = (db: Methods, ...queries: ReadonlyArray<Query.Query>) =>
  Effect.map(db.listDocuments("c", queries), (found) => idsOf(found.documents))

export const ranges = (promise: Promised): void => {
  promise("each range, and each choice of filters, finds what it says and counts it", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const indexed of [false, true]) {
        if (indexed) for (const key of ["s", "i", "d"]) yield* db.createIndex("c", Index.key(key, [key]))
        for (const [title, query, expected] of filters) {
          const found = yield* db.listDocuments("c", query)
          const wanted = expected === "" ? [] : expected.split(" ")
          assert.deepStrictEqual([found.total, idsOf(found.documents)], [wanted.length, wanted], title)
        }
      }
    })
  )

  for (const [title, query] of wrong) {
    promise(`${title}: the query is refused`, (db) =>
      Effect.gen(function* () {
        yield* setUp(db)
        yield* refused(db.listDocuments("c", query), "InvalidQuery", "general_query_invalid")
      })
    )
  }

  promise("a random order is another one each time, and takes limits and filters", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const all = ["a", "B", "c", "d", "e", "f"]
      const orders = new Set<string>()
      // Of 720 orders 30 times the same one: that does not happen by chance.
      for (let time = 0; time < 30; time++) {
        const found = yield* find(db, Query.orderRandom())
        assert.sameMembers([...found], all)
        orders.add(found.join())
      }
      assert.isAbove(orders.size, 1)
      assert.lengthOf(yield* find(db, Query.orderRandom(), limit(2)), 2)
      assert.sameMembers([...(yield* find(db, Query.orderRandom(), equal("$id", ["c", "d"])))], ["c", "d"])
    })
  )

  promise("an offset leaves out the first, with an order and a limit; total stays that of all", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const one = yield* db.listDocuments("c", [offset(4)])
      assert.deepStrictEqual([one.total, idsOf(one.documents)], [6, ["e", "f"]])
      assert.deepStrictEqual(yield* find(db, offset(0)), ["a", "B", "c", "d", "e", "f"])
      assert.deepStrictEqual(yield* find(db, limit(1), offset(1)), ["B"])
      assert.deepStrictEqual(yield* find(db, offset(1), offset(3), limit(2)), ["B", "c"])
      assert.deepStrictEqual(yield* find(db, orderDesc("i"), offset(1), limit(2)), ["B", "d"])
      const far = yield* db.listDocuments("c", [offset(1_000_000_000)])
      assert.deepStrictEqual([far.total, idsOf(far.documents)], [6, []])
    })
  )

  promise("a cursor and an offset count both", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      assert.deepStrictEqual(yield* find(db, Query.cursorAfter("a"), offset(1), limit(2)), ["c", "d"])
      assert.deepStrictEqual(yield* find(db, Query.cursorBefore("f"), offset(1), limit(2)), ["c", "d"])
    })
  )

  promise("a selection leaves the chosen values and all of the system's", (db) =>
    Effect.gen(function* () {
      const created = yield* setUp(db)
      const system = new Set(["$createdAt", "$id", "$permissions", "$sequence", "$updatedAt"])
      const keysOf = (queries: ReadonlyArray<Query.Query>) =>
        Effect.map(db.listDocuments("c", [...queries, limit(2)]), ({ documents }) => {
          const [first, second] = documents.map((one) => Object.keys(one).toSorted())
          assert.deepStrictEqual(first, second)
          return first!.filter((key) => !system.has(key))
        })
      const b = yield* db.listDocuments("c", [select(["s"]), equal("$id", "b")])
      const { $id, $sequence, $createdAt, $updatedAt, $permissions } = created[1]!
      assert.deepStrictEqual(b.documents, [{ $id, $sequence, $createdAt, $updatedAt, $permissions, s: "Apple" }])
      assert.deepStrictEqual(yield* keysOf([select(["s", "i"])]), ["i", "s"])
      assert.deepStrictEqual(yield* keysOf([select(["s"]), select(["i", "s"])]), ["i", "s"])
      assert.deepStrictEqual(yield* keysOf([select(["$id"])]), [])
      assert.deepStrictEqual(yield* keysOf([select(["$id", "$createdAt", "list"])]), ["list"])
      assert.deepStrictEqual(yield* keysOf([select(["*"])]), ["b", "d", "f", "i", "list", "s"])
      // What is not selected can be asked for all the same.
      const ordered = yield* db.listDocuments("c", [select(["s"]), equal("i", 2), orderDesc("f")])
      assert.deepStrictEqual(
        ordered.documents.map((one) => one["s"]),
        ["Apple", ""]
      )
    })
  )

  promise("one document can be read by a selection, and by nothing else", (db) =>
    Effect.gen(function* () {
      const [, b] = yield* setUp(db)
      const get = (...queries: ReadonlyArray<Query.Query>) => db.getDocument("c", "b", { queries })
      const { $id, $sequence, $createdAt, $updatedAt, $permissions } = b!
      const system = { $id, $sequence, $createdAt, $updatedAt, $permissions }
      assert.deepStrictEqual(yield* get(select(["s"])), { ...system, s: "Apple" })
      assert.deepStrictEqual(yield* get(select(["*"])), b)
      assert.deepStrictEqual(yield* get(), b)
      for (const query of [select(["zz"]), select([]), limit(1), equal("i", 2), orderDesc("i"), offset(0)]) {
        yield* refused(get(query), "InvalidQuery", "general_query_invalid")
      }
    })
  )

  promise("any float is found by itself, alone and among others, and by the range of itself", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.float("f")], indexes: [Index.key("f", ["f"])] })
      let run = 0
      const isFound = Effect.fnUntraced(function* (float: number) {
        const $id = `r${run++}`
        // Adding zero: there is no negative one.
        assert.strictEqual((yield* db.createDocument("c", { $id, f: float }))["f"], float + 0)
        for (const query of [equal("f", float), equal("f", [float, 0.1234]), between("f", float, float)]) {
          assert.include(yield* find(db, query, limit(1000)), $id, JSON.stringify(query))
        }
        return true
      })
      for (const float of [
        0.1,
        2 / 3,
        2 ** 53,
        2 ** 53 + 2,
        893_790_230_772_849_700,
        -(2 ** 62),
        1e21,
        1e300,
        5e-324
      ]) {
        yield* isFound(float)
      }
      const result = yield* Arbitrary.checkEffect(Arbitrary.schema(Schema.Finite), isFound, { runs: 150 })
      const failure = Arbitrary.formatCheckFailure(result)
      if (failure !== undefined) assert.fail(failure)
    })
  )
}
