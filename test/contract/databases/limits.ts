/** How wide a row, an attribute and an index may be, and which lengths and orders an index takes. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, type Options, type Promised, refused } from "./support.ts"

const attributes = [
  Attribute.string("a", { size: 255 }),
  Attribute.string("b", { size: 600 }),
  Attribute.string("wide", { size: 768 }),
  Attribute.integer("n"),
  Attribute.bigint("g"),
  Attribute.float("f"),
  Attribute.boolean("bo"),
  Attribute.datetime("d"),
  Attribute.text("txt"),
  Attribute.email("m"),
  Attribute.string("arr", { size: 20, array: true })
]
const withCollection = (db: Methods) => db.createCollection("c", { attributes })

/** Indexes that are taken. */
const taken: ReadonlyArray<readonly [string, Index.Index]> = [
  ["a text of 768 characters", Index.key("i", ["wide"])],
  ["a text by its first 100 characters", Index.key("i", ["txt"], { lengths: [100] })],
  ["a text by its first 768 characters", Index.key("i", ["txt"], { lengths: [768] })],
  ["a string by all its characters", Index.key("i", ["b"], { lengths: [600] })],
  ["two texts of 768 together", Index.key("i", ["b", "a"], { lengths: [600, 168] })],
  ["lengths of 0", Index.key("i", ["a", "n"], { lengths: [0, 0] })],
  ["fewer lengths than attributes", Index.key("i", ["txt", "n"], { lengths: [10] })],
  ["fewer orders than attributes", Index.key("i", ["a", "n"], { orders: ["desc"] })],
  ["more orders than attributes", Index.key("i", ["a"], { orders: ["desc", "asc"] })],
  ["every kind that is no text", Index.key("i", ["n", "g", "f", "bo", "d"], { orders: ["desc", "asc", "desc"] })],
  ["an address", Index.unique("i", ["m"])],
  ["words of a text of any size", Index.fulltext("i", ["txt"])],
  ["words of two texts", Index.fulltext("i", ["b", "txt"])]
]

/** Indexes that are refused, and under which name. */
const wrong: ReadonlyArray<readonly [string, Index.Index, string]> = [
  ["a text without a length", Index.key("i", ["txt"]), "column_index_invalid"],
  ["a unique text without a length", Index.unique("i", ["txt"]), "column_index_invalid"],
  ["855 characters together", Index.key("i", ["a", "b"]), "column_index_invalid"],
  ["769 characters of a text", Index.key("i", ["txt"], { lengths: [769] }), "column_index_invalid"],
  ["769 characters by two lengths", Index.key("i", ["txt", "b"], { lengths: [400, 369] }), "column_index_invalid"],
  ["a length above the size", Index.key("i", ["a"], { lengths: [256] }), "column_index_invalid"],
  ["a length below 0", Index.key("i", ["a"], { lengths: [-1] }), "column_index_invalid"],
  ["a length on an integer", Index.key("i", ["n"], { lengths: [4] }), "column_index_invalid"],
  ["a length on a date", Index.key("i", ["a", "d"], { lengths: [0, 4] }), "column_index_invalid"],
  ["more lengths than attributes", Index.key("i", ["a"], { lengths: [10, 10] }), "column_index_invalid"],
  ["words of an integer", Index.fulltext("i", ["n"]), "column_index_invalid"],
  ["words of a text and a date", Index.fulltext("i", ["txt", "d"]), "column_index_invalid"],
  ["words of a list", Index.fulltext("i", ["arr"]), "index_invalid"],
  ["words of nothing", Index.fulltext("i", []), "column_index_invalid"],
  ["words of what is not there", Index.fulltext("i", ["zz"]), "column_unknown"]
]

export const limits = (promise: Promised, { overWire }: Options): void => {
  for (const [what, index] of taken) {
    promise(`an index over ${what} is taken, and kept as given`, (db) =>
      Effect.gen(function* () {
        yield* withCollection(db)
        // The wire shows 0 for each length that was not given, so those that were can't be told apart.
        const kept = overWire && index.lengths.every((length) => length === 0) ? { ...index, lengths: [] } : index
        assert.deepStrictEqual(yield* db.createIndex("c", index), kept)
        assert.deepStrictEqual(yield* db.listIndexes("c"), [kept])
        yield* db.createDocument("c", { $id: "d", a: "x", n: 1 })
        const inline = yield* db.createCollection("inline", { attributes, indexes: [index] })
        assert.deepStrictEqual(inline.indexes, [kept])
      })
    )
  }

  for (const [what, index, type] of wrong) {
    promise(`an index over ${what} is refused`, (db) =>
      Effect.gen(function* () {
        yield* withCollection(db)
        yield* refused(db.createIndex("c", index), "InvalidArgument", type)
        assert.deepStrictEqual(yield* db.listIndexes("c"), [])
      })
    )
  }

  promise("an index by the first characters finds and sorts by the whole text", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createIndex("c", Index.key("i", ["txt"], { lengths: [2] }))
      yield* db.createDocuments("c", [
        { $id: "a", txt: "abz" },
        { $id: "b", txt: "aba" },
        { $id: "c", txt: "ab" }
      ])
      const find = (query: Query.Query) => Effect.map(db.listDocuments("c", [query]), (one) => idsOf(one.documents))
      assert.deepStrictEqual(yield* find(Query.equal("txt", "ABA")), ["b"])
      assert.deepStrictEqual(yield* find(Query.orderAsc("txt")), ["c", "b", "a"])
      assert.deepStrictEqual(yield* find(Query.greaterThan("txt", "ab")), ["a", "b"])
    })
  )

  promise("a unique index by the first characters takes texts as the same that begin so", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createIndex("c", Index.unique("u", ["txt"], { lengths: [3] }))
      yield* db.createDocument("c", { $id: "a", txt: "abcdef" })
      const reason = yield* refused(
        db.createDocument("c", { $id: "b", txt: "ABCxyz" }),
        "UniqueConflict",
        "row_already_exists"
      )
      assert.deepStrictEqual([reason.index, reason.id], ["u", "b"])
      yield* db.createDocument("c", { $id: "b", txt: "abd" })
      yield* refused(db.updateDocument("c", "b", { txt: "abc" }), "UniqueConflict", "row_already_exists")
      yield* db.deleteIndex("c", "u")
      yield* db.createDocument("c", { $id: "d", txt: "abc" })
      yield* refused(
        db.createIndex("c", Index.unique("u", ["txt"], { lengths: [3] })),
        // The wire has no word of its own for it.
        overWire ? "InvalidArgument" : "DuplicateValues",
        "column_index_invalid"
      )
    })
  )

  promise("at most 64 indexes", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      for (let index = 0; index < 64; index++) yield* db.createIndex("c", Index.key(`i${index}`, ["n"]))
      const error = yield* Effect.flip(db.createIndex("c", Index.key("one-more", ["n"]))).pipe(
        Effect.catch(() => Effect.die("the 65th index was made"))
      )
      assert.strictEqual(error.reason._tag, "LimitExceeded")
      assert.strictEqual((yield* db.listIndexes("c")).length, 64)
    })
  )

  promise("a row has 65,535 bytes: the attribute that passes them is refused, a long text takes 20 of them", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.string("a", { size: 64 })] })
      yield* db.createAttribute("c", Attribute.enumeration("k0", { elements: [] }))
      yield* db.createAttribute("c", Attribute.varchar("w1", { size: 15_500 }))
      yield* refused(
        db.createAttribute("c", Attribute.varchar("w2", { size: 500 })),
        "LimitExceeded",
        "column_limit_exceeded"
      )
      for (const wide of [
        Attribute.string("w3", { size: 20_000 }),
        Attribute.text("w4"),
        Attribute.longtext("w5"),
        Attribute.string("w6", { size: 16_000, array: true })
      ]) {
        yield* db.createAttribute("c", wide)
      }
      yield* db.createAttribute("c", Attribute.string("last", { size: 100 }))
      yield* refused(
        db.updateAttribute("c", Attribute.string("last", { size: 1000 })),
        "LimitExceeded",
        "column_limit_exceeded"
      )
      const keys = (yield* db.listAttributes("c")).map(({ key }) => key)
      assert.deepStrictEqual(keys, ["a", "k0", "w1", "w3", "w4", "w5", "w6", "last"])
    })
  )

  promise("a collection that is wider than a row is refused whole", (db) =>
    Effect.gen(function* () {
      const wide = [Attribute.string("a", { size: 9000 }), Attribute.string("b", { size: 9000 })]
      yield* refused(db.createCollection("c", { attributes: wide }), "LimitExceeded", "table_limit_exceeded")
      yield* refused(db.getCollection("c"), "NotFound", "table_not_found")
    })
  )

  promise("a text of 16,381 characters is kept in the row and needs room there, one of 16,382 is not", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c")
      for (const attribute of [Attribute.string("s", { size: 16_381 }), Attribute.varchar("v", { size: 16_381 })]) {
        yield* refused(db.createAttribute("c", attribute), "LimitExceeded", "column_limit_exceeded")
      }
      yield* db.createAttribute("c", Attribute.string("s", { size: 16_382 }))
      yield* db.createAttribute("c", Attribute.varchar("v", { size: 16_000 }))
      const text = "é".repeat(16_382)
      assert.strictEqual((yield* db.createDocument("c", { $id: "d", s: text }))["s"], text)
    })
  )

  promise("a size may grow past 16,381 and shrink to what is stored, not below", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.varchar("v", { size: 5 }), Attribute.string("s", { size: 5 })]
      })
      yield* db.createDocument("c", { $id: "d", v: "éé😀", s: "abc" })
      yield* db.updateAttribute("c", Attribute.string("s", { size: 20_000 }))
      assert.strictEqual((yield* db.updateDocument("c", "d", { s: "x".repeat(17_000) }))["s"], "x".repeat(17_000))
      yield* refused(
        db.updateAttribute("c", Attribute.string("s", { size: 16_999 })),
        "InvalidArgument",
        "column_invalid_resize"
      )
      yield* db.updateAttribute("c", Attribute.varchar("v", { size: 3 }))
      yield* refused(
        db.updateAttribute("c", Attribute.varchar("v", { size: 2 })),
        "InvalidArgument",
        "column_invalid_resize"
      )
    })
  )
}
