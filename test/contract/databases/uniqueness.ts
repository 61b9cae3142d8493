/** Unique indexes: what counts as the same value, and what happens on a conflict. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import { idsOf, type Options, type Promised, refused } from "./support.ts"

const withUnique = (db: Methods) =>
  db.createCollection("c", {
    attributes: [Attribute.string("u", { size: 30 }), Attribute.integer("n")],
    indexes: [Index.unique("by-u", ["u"])]
  })

/** The first of each row is the same value as the next ones, and another than the last ones. */
const values: ReadonlyArray<readonly [string, string, ReadonlyArray<string>, ReadonlyArray<string>]> = [
  [
    "case, accents and trailing spaces do not count, leading ones do",
    "Key",
    ["KEY", "Kéy", "Key ", "kEY   "],
    [" Key"]
  ],
  ["ß is s, not ss", "ß", ["s", "S", "ś"], ["ss"]],
  ["all characters above U+FFFF are one", "😀", ["🚀", "𝒜"], ["😀😀", "a😀"]],
  ["the empty string and spaces are one", "", [" ", "   "], ["\t", "\u00a0"]],
  ["æ is not ae", "æ", ["Æ"], ["ae", "a"]],
  ["ı is i", "ı", ["i", "I", "ï"], ["l"]],
  ["control characters count, before and behind the end", "x", ["X"], ["x\u0000", "x\u0001", "x\u001f"]],
  ["digits are text", "7", ["7 "], ["007", "7.0", "１"]]
]

export const uniqueness = (promise: Promised, { overWire }: Options): void => {
  for (const [title, first, same, others] of values) {
    promise(`under a unique index ${title}`, (db) =>
      Effect.gen(function* () {
        yield* withUnique(db)
        yield* db.createDocument("c", { $id: "first", u: first })
        for (const value of same) {
          const reason = yield* refused(
            db.createDocument("c", { $id: "same", u: value }),
            "UniqueConflict",
            "row_already_exists"
          )
          assert.deepStrictEqual([reason.index, reason.id], ["by-u", "same"])
        }
        for (const [index, value] of others.entries()) yield* db.createDocument("c", { $id: `o${index}`, u: value })
        assert.strictEqual((yield* db.listDocuments("c")).total, others.length + 1)
      })
    )
  }

  promise("null collides with nothing, nor does any set of values with a null in it", (db) =>
    Effect.gen(function* () {
      yield* withUnique(db)
      yield* db.createIndex("c", Index.unique("both", ["u", "n"]))
      yield* db.createDocuments("c", [{ $id: "a", n: 1 }, { $id: "b", n: 1 }, { $id: "c", u: "x" }, { $id: "d" }])
      yield* db.updateDocument("c", "c", { u: null })
      yield* db.createDocument("c", { $id: "e", u: "x" })
      assert.strictEqual((yield* db.listDocuments("c")).total, 5)
    })
  )

  promise("a unique index over several attributes refuses only what is the same in all of them", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.string("u", { size: 30 }), Attribute.integer("n"), Attribute.datetime("t")],
        indexes: [Index.unique("all", ["u", "n", "t"])]
      })
      yield* db.createDocument("c", { $id: "a", u: "x", n: 1, t: "2024-01-01T00:00:00Z" })
      for (const change of [{ u: "y" }, { n: 2 }, { t: "2024-01-02" }]) {
        yield* db.createDocument("c", { u: "x", n: 1, t: "2024-01-01", ...change })
      }
      // A datetime is compared as an instant.
      yield* refused(
        db.createDocument("c", { $id: "z", u: "X", n: 1, t: "2024-01-01T01:00:00+01:00" }),
        "UniqueConflict",
        "row_already_exists"
      )
    })
  )

  promise("an update into another document's values is refused and changes nothing; its own are its own", (db) =>
    Effect.gen(function* () {
      yield* withUnique(db)
      yield* db.createDocument("c", { $id: "a", u: "one" })
      const before = yield* db.createDocument("c", { $id: "b", u: "two" })
      const reason = yield* refused(
        db.updateDocument("c", "b", { u: "ONE", n: 1 }),
        "UniqueConflict",
        "row_already_exists"
      )
      assert.deepStrictEqual([reason.index, reason.id], ["by-u", "b"])
      assert.deepStrictEqual(yield* db.getDocument("c", "b"), before)
      assert.strictEqual((yield* db.updateDocument("c", "a", { u: "ONE " }))["u"], "ONE ")
    })
  )

  promise("a value is free again once its document is deleted or changed", (db) =>
    Effect.gen(function* () {
      yield* withUnique(db)
      yield* db.createDocument("c", { $id: "a", u: "one" })
      yield* db.updateDocument("c", "a", { u: "two" })
      yield* db.createDocument("c", { $id: "b", u: "one" })
      yield* db.deleteDocument("c", "a")
      yield* db.createDocument("c", { $id: "d", u: "TWO" })
    })
  )

  promise("a unique index over $id alone or with others takes what has ids of its own", (db) =>
    Effect.gen(function* () {
      yield* withUnique(db)
      yield* db.createIndex("c", Index.unique("id", ["$id"]))
      yield* db.createDocument("c", { $id: "a", n: 1 })
      yield* db.createDocument("c", { $id: "b", n: 1 })
      assert.strictEqual((yield* db.listDocuments("c")).total, 2)
    })
  )

  promise("a unique index over a date of the system holds, and a conflict names it", (db) =>
    Effect.gen(function* () {
      yield* withUnique(db)
      yield* db.createIndex("c", Index.unique("created", ["$createdAt", "n"]))
      yield* db.createDocument("c", { $id: "a", n: 1, $createdAt: "2020-01-01" })
      yield* db.createDocument("c", { $id: "b", n: 2, $createdAt: "2020-01-01T00:00:00Z" })
      const reason = yield* refused(db.updateDocument("c", "b", { n: 1 }), "UniqueConflict", "row_already_exists")
      assert.deepStrictEqual([reason.index, reason.id], ["created", "b"])
    })
  )

  promise(
    "a unique index over documents that break it is refused and names them (the server makes one that does not hold)",
    (db) =>
      Effect.gen(function* () {
        yield* db.createCollection("c", { attributes: [Attribute.string("u", { size: 30 }), Attribute.integer("n")] })
        yield* db.createDocuments("c", [
          { $id: "a", u: "Key" },
          { $id: "b", u: "other" },
          { $id: "d", u: "kéy " },
          { $id: "e" },
          { $id: "f" }
        ])
        const create = db.createIndex("c", Index.unique("by-u", ["u"]))
        // The wire has no word of its own for it, and no list of the documents.
        if (overWire) yield* refused(create, "InvalidArgument", "column_index_invalid")
        else {
          const reason = yield* refused(create, "DuplicateValues", "column_index_invalid")
          assert.strictEqual(reason.index, "by-u")
          assert.deepStrictEqual(reason.documents.toSorted(), ["a", "d"])
        }
        assert.deepStrictEqual(yield* db.listIndexes("c"), [])
        yield* db.createDocument("c", { $id: "g", u: "OTHER" })
        yield* db.deleteDocument("c", "g")
        yield* db.deleteDocument("c", "d")
        yield* db.createIndex("c", Index.unique("by-u", ["u"]))
        yield* refused(db.createDocument("c", { $id: "g", u: "key" }), "UniqueConflict", "row_already_exists")
        assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), ["a", "b", "e", "f"])
      })
  )

  promise("a taken id is told apart from a taken value", (db) =>
    Effect.gen(function* () {
      yield* withUnique(db)
      yield* db.createDocument("c", { $id: "a", u: "one" })
      const reason = yield* refused(
        db.createDocument("c", { $id: "A", u: "two" }),
        "AlreadyExists",
        "row_already_exists"
      )
      assert.deepStrictEqual([reason.resource, reason.id], ["document", "A"])
    })
  )
}
