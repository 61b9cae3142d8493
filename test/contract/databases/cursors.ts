/** Order of lists, and pages by cursor. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, type Promised, refused } from "./support.ts"

const { cursorAfter, cursorBefore, equal, limit, orderAsc, orderDesc } = Query

const setUp = (db: Methods) =>
  Effect.andThen(
    db.createCollection("c", { attributes: [Attribute.string("g", { size: 64 }), Attribute.integer("n")] }),
    db.createDocuments("c", [
      { $id: "r1", g: "a", n: 1, $createdAt: "2020-01-03" },
      { $id: "r2", g: "b", n: 1, $createdAt: "2020-01-01" },
      { $id: "r3", g: "A", n: 2, $createdAt: "2020-01-02" },
      { $id: "r4", n: 2, $createdAt: "2020-01-03" },
      { $id: "r5", g: "b", n: null, $createdAt: "2020-01-03" },
      { $id: "r6", g: "a", n: 3, $createdAt: "2020-01-03" }
    ])
  )

/** Queries and the documents that they find, as recorded; `total` is 6 each time, whatever the page. */
const lists: ReadonlyArray<readonly [string, ReadonlyArray<Query.Query>, string]> = [
  ["without an order by $sequence", [], "r1 r2 r3 r4 r5 r6"],
  ["ascending: nulls first, ties by $sequence", [orderAsc("g")], "r4 r1 r3 r6 r2 r5"],
  ["descending: nulls last, ties still by $sequence ascending", [orderDesc("g")], "r2 r5 r1 r3 r6 r4"],
  ["two directions", [orderAsc("g"), orderDesc("n")], "r4 r6 r3 r1 r2 r5"],
  ["two directions the other way", [orderDesc("n"), orderAsc("g")], "r6 r4 r3 r1 r2 r5"],
  ["$id as the second", [orderAsc("n"), orderDesc("$id")], "r5 r2 r1 r4 r3 r6"],
  ["the same order twice", [orderAsc("g"), orderAsc("g")], "r4 r1 r3 r6 r2 r5"],
  ["$sequence descending", [orderDesc("$sequence")], "r6 r5 r4 r3 r2 r1"],
  ["$id descending", [orderDesc("$id")], "r6 r5 r4 r3 r2 r1"],
  ["$createdAt ascending", [orderAsc("$createdAt")], "r2 r3 r1 r4 r5 r6"],
  ["$createdAt descending", [orderDesc("$createdAt")], "r1 r4 r5 r6 r3 r2"],
  ["after a document", [limit(2), cursorAfter("r2")], "r3 r4"],
  ["after one named in another case", [limit(2), cursorAfter("R2")], "r3 r4"],
  ["after the last", [limit(2), cursorAfter("r6")], ""],
  ["before a document: the nearest, in the list's order", [limit(2), cursorBefore("r5")], "r3 r4"],
  ["before the first", [limit(2), cursorBefore("r1")], ""],
  ["after one of several equals", [orderAsc("g"), limit(2), cursorAfter("r1")], "r3 r6"],
  ["after one of several equals, into the next", [orderAsc("g"), limit(3), cursorAfter("r3")], "r6 r2 r5"],
  ["before, ascending", [orderAsc("g"), limit(3), cursorBefore("r2")], "r1 r3 r6"],
  ["before, ascending: documents with null are skipped", [orderAsc("g"), cursorBefore("r2")], "r1 r3 r6"],
  ["after, descending", [orderDesc("g"), limit(3), cursorAfter("r2")], "r5 r1 r3"],
  ["after, in two directions", [orderAsc("g"), orderDesc("n"), limit(3), cursorAfter("r3")], "r1 r2 r5"],
  ["before, by two", [orderAsc("n"), orderAsc("g"), limit(3), cursorBefore("r6")], "r2 r4 r3"],
  ["after, by $id descending", [orderDesc("$id"), limit(2), cursorAfter("r4")], "r3 r2"],
  ["after, by $createdAt descending", [orderDesc("$createdAt"), limit(3), cursorAfter("r4")], "r5 r6 r3"],
  ["before, by $sequence descending", [orderDesc("$sequence"), limit(2), cursorBefore("r3")], "r5 r4"],
  ["the first of two cursors", [cursorAfter("r1"), cursorBefore("r3")], "r2 r3 r4 r5 r6"]
]

const pagesOf = Effect.fnUntraced(function* (db: Methods, queries: ReadonlyArray<Query.Query>, size: number) {
  const forwards: Array<string> = []
  for (;;) {
    const last = forwards.at(-1)
    const page = yield* db.listDocuments(
      "c",
      [...queries, limit(size), ...(last === undefined ? [] : [cursorAfter(last)])],
      { total: false }
    )
    forwards.push(...idsOf(page.documents))
    if (page.documents.length < size) return forwards
  }
}) satisfies (...args: never) => Effect.Effect<Array<string>, DatabasesError>

const pagesBackwards = Effect.fnUntraced(function* (
  db: Methods,
  queries: ReadonlyArray<Query.Query>,
  size: number,
  last: string
) {
  let found: ReadonlyArray<string> = [last]
  for (;;) {
    const page = yield* db.listDocuments("c", [...queries, limit(size), cursorBefore(found[0]!)], { total: false })
    found = [...idsOf(page.documents), ...found]
    if (page.documents.length < size) return found
  }
})

export const cursors = (promise: Promised): void => {
  promise("lists come in the order asked for, and pages by cursor from within it; total stays that of all", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const [title, query, expected] of lists) {
        const found = yield* db.listDocuments("c", query)
        assert.deepStrictEqual(
          [found.total, idsOf(found.documents)],
          [6, expected === "" ? [] : expected.split(" ")],
          title
        )
      }
    })
  )

  promise("nulls come first ascending and last descending, for each kind", (db) =>
    Effect.gen(function* () {
      const kinds = [
        [Attribute.integer("i"), 2, -1],
        [Attribute.float("f"), 0.5, -0.5],
        [Attribute.boolean("b"), true, false],
        [Attribute.datetime("t"), "2024-01-01T02:00:00+03:00", "2023-12-31T22:30:00Z"],
        [Attribute.enumeration("e", { elements: ["x", "A"] }), "x", "A"],
        [Attribute.string("s", { size: 5 }), "É", "D"]
      ] as const
      yield* db.createCollection("c", { attributes: kinds.map(([attribute]) => attribute) })
      const values = (position: 1 | 2) => Object.fromEntries(kinds.map((row) => [row[0].key, row[position]]))
      yield* db.createDocuments("c", [{ $id: "high", ...values(1) }, { $id: "null" }, { $id: "low", ...values(2) }])
      for (const [{ key }] of kinds) {
        const up = yield* db.listDocuments("c", [orderAsc(key)])
        const down = yield* db.listDocuments("c", [orderDesc(key)])
        assert.deepStrictEqual(
          [idsOf(up.documents), idsOf(down.documents)],
          [
            ["null", "low", "high"],
            ["high", "low", "null"]
          ],
          key
        )
      }
    })
  )

  promise("a cursor need not match the filter", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const none = yield* db.listDocuments("c", [equal("n", 1), cursorAfter("r3")])
      assert.deepStrictEqual([none.total, idsOf(none.documents)], [2, []])
      const two = yield* db.listDocuments("c", [equal("n", 1), cursorBefore("r3")])
      assert.deepStrictEqual(idsOf(two.documents), ["r1", "r2"])
    })
  )

  promise("a cursor on a document with null in an order attribute is refused", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const order of [orderAsc("n"), orderDesc("n")]) {
        for (const cursor of [cursorAfter("r5"), cursorBefore("r5")]) {
          yield* refused(db.listDocuments("c", [order, cursor]), "InvalidQuery", "database_query_order_null")
        }
      }
      yield* refused(
        db.listDocuments("c", [orderAsc("n"), orderAsc("g"), cursorAfter("r4")]),
        "InvalidQuery",
        "database_query_order_null"
      )
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c", [orderAsc("g"), cursorAfter("r5")])).documents), [])
    })
  )

  promise("a cursor on a document that is not there, or no longer, is refused", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.deleteDocument("c", "r3")
      for (const id of ["nope", "r3"]) {
        for (const cursor of [cursorAfter(id), cursorBefore(id)]) {
          yield* refused(db.listDocuments("c", [cursor]), "InvalidQuery", "general_cursor_not_found")
        }
      }
      yield* refused(db.listDocuments("c", [cursorAfter("")]), "InvalidQuery", "general_query_invalid")
    })
  )

  promise("pages of any size, forwards and backwards, make up the whole list, in each order", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [
          Attribute.string("s", { size: 20, required: true }),
          Attribute.integer("n", { required: true }),
          Attribute.float("f", { required: true })
        ]
      })
      // Many ties, in case, accents, padding and supplementary characters.
      const strings = ["a", "A", "á", "a ", "ß", "S", "ss", "😀", "🚀", "", " ", "a\u0001", "b", "Ö", "o", "Z", "z  "]
      yield* db.createDocuments(
        "c",
        Array.from({ length: 51 }, (_, index) => ({
          $id: `d${(index * 31) % 51}`,
          s: strings[index % strings.length]!,
          n: (index * 7) % 5,
          f: ((index * 13) % 7) / 2
        }))
      )
      const orders = [
        [],
        [orderDesc("$sequence")],
        [orderAsc("s")],
        [orderDesc("s")],
        [orderAsc("n"), orderDesc("s")],
        [orderDesc("n"), orderDesc("f"), orderAsc("s")],
        [orderDesc("f"), orderAsc("$id")],
        [orderAsc("$createdAt"), orderDesc("s")],
        [orderAsc("s"), Query.notEqual("s", "A"), Query.greaterThan("n", 0)]
      ]
      for (const order of orders) {
        const whole = idsOf((yield* db.listDocuments("c", [...order, limit(100)])).documents)
        assert.isAbove(whole.length, 30)
        assert.strictEqual(new Set(whole).size, whole.length)
        for (const size of [1, 4, 25]) {
          assert.deepStrictEqual(yield* pagesOf(db, order, size), whole)
          assert.deepStrictEqual(yield* pagesBackwards(db, order, size, whole.at(-1)!), whole)
        }
      }
    })
  )
}
