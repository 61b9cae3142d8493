/** Indexes: their definitions, what is refused, and how they come and go. What `unique` means is in uniqueness.ts. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, invalidIds, longestId, type Promised, refused } from "./support.ts"

const attributes = [
  Attribute.string("a", { size: 255 }),
  Attribute.string("b", { size: 600 }),
  Attribute.string("c", { size: 100 }),
  Attribute.integer("n"),
  Attribute.float("f"),
  Attribute.boolean("bo"),
  Attribute.datetime("d"),
  Attribute.enumeration("e", { elements: ["x", "y"] }),
  Attribute.string("arr", { size: 10, array: true })
]
const withCollection = (db: Methods) => db.createCollection("c", { attributes })

/** An index that is refused, and under which name. */
const wrong: ReadonlyArray<readonly [string, Index.Index, string]> = [
  ["an attribute that is not there", Index.key("i", ["zz"]), "column_unknown"],
  ["no attributes", Index.key("i", []), "column_index_invalid"],
  ["one attribute twice", Index.key("i", ["a", "a"]), "column_index_invalid"],
  ["more than 768 characters together", Index.key("i", ["a", "b"]), "column_index_invalid"],
  ["an array", Index.key("i", ["arr"]), "index_invalid"],
  ["permissions", Index.key("i", ["$permissions"]), "general_argument_invalid"]
]

export const indexes = (promise: Promised): void => {
  promise("indexes are answered as defined, and listed in order of creation, inside the collection too", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const wanted = [
        Index.key("one", ["a"]),
        Index.key("same", ["a"]),
        Index.key("two", ["a", "n"], { orders: ["desc", "asc"] }),
        Index.unique("u", ["c"]),
        Index.unique("second-u", ["c"]),
        Index.key("created", ["$createdAt"]),
        Index.key("updated", ["$updatedAt", "f"]),
        Index.key("id", ["$id", "n"]),
        Index.key("mixed", ["bo", "d", "e", "f"]),
        Index.key("wide", ["b", "c"]),
        Index.unique(longestId, ["n", "a"], { orders: ["desc"] })
      ]
      for (const index of wanted) assert.deepStrictEqual(yield* db.createIndex("c", index), index)
      assert.deepStrictEqual(yield* db.listIndexes("c"), wanted)
      assert.deepStrictEqual((yield* db.getCollection("c")).indexes, wanted)
    })
  )

  promise("the list of indexes is whole, however many there are", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const wanted = Array.from({ length: 27 }, (_, index) => Index.key(`i${(index * 7) % 27}`, ["n"]))
      for (const index of wanted) yield* db.createIndex("c", index)
      assert.deepStrictEqual(yield* db.listIndexes("c"), wanted)
    })
  )

  for (const [what, index, type] of wrong) {
    promise(`an index over ${what} is refused`, (db) =>
      Effect.gen(function* () {
        yield* withCollection(db)
        yield* refused(db.createIndex("c", index), "InvalidArgument", type)
        assert.deepStrictEqual(yield* db.listIndexes("c"), [])
      })
    )
  }

  promise("keys of indexes compare without case, and a key that is not allowed is refused", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createIndex("c", Index.key("One", ["a"]))
      for (const key of ["One", "one"]) {
        const reason = yield* refused(
          db.createIndex("c", Index.key(key, ["n"])),
          "AlreadyExists",
          "column_index_already_exists"
        )
        assert.strictEqual(reason.resource, "index")
      }
      for (const key of [...invalidIds, "$e"]) {
        yield* refused(db.createIndex("c", Index.key(key, ["n"])), "InvalidArgument", "general_argument_invalid")
      }
      assert.deepStrictEqual(yield* db.listIndexes("c"), [Index.key("One", ["a"])])
      yield* db.deleteIndex("c", "oNE")
      assert.deepStrictEqual(yield* db.listIndexes("c"), [])
    })
  )

  promise("deleting an index that is not there is refused", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const reason = yield* refused(db.deleteIndex("c", "nope"), "NotFound", "column_index_not_found")
      assert.deepStrictEqual([reason.resource, reason.id], ["index", "nope"])
    })
  )

  promise("a deleted index can be created again, and answers do not depend on any", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const values = ["b", "a", "É", null, "e", "B "]
      yield* db.createDocuments(
        "c",
        values.map((a, n) => ({ $id: `d${n}`, a, n }))
      )
      const answers = Effect.all([
        db.listDocuments("c", [Query.orderDesc("a")]),
        db.listDocuments("c", [Query.equal("a", ["E", "b"])]),
        db.listDocuments("c", [Query.greaterThan("a", "B"), Query.orderAsc("n")])
      ])
      const bare = yield* answers
      assert.deepStrictEqual(idsOf(bare[0].documents), ["d2", "d4", "d0", "d5", "d1", "d3"])
      yield* db.createIndex("c", Index.key("i", ["a", "n"], { orders: ["desc"] }))
      assert.deepStrictEqual(yield* answers, bare)
      yield* db.deleteIndex("c", "i")
      assert.deepStrictEqual(yield* answers, bare)
      yield* db.createIndex("c", Index.key("i", ["a"]))
      assert.deepStrictEqual(yield* answers, bare)
    })
  )

  promise("a unique index deleted lets doubles in", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createIndex("c", Index.unique("u", ["c"]))
      yield* db.createDocument("c", { $id: "d", c: "x" })
      yield* refused(db.createDocument("c", { $id: "e", c: "x" }), "UniqueConflict", "row_already_exists")
      yield* db.deleteIndex("c", "u")
      yield* db.createDocument("c", { $id: "e", c: "x" })
    })
  )
}
