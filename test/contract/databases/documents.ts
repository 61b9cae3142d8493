/** One document: create, get, update, delete; its ids, dates, permissions and sequence. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Query from "../../../src/Query.ts"
import {
  dateShape,
  idsOf,
  invalidIds,
  longestId,
  nextMillisecond,
  type Options,
  type Promised,
  refused
} from "./support.ts"

const withCollection = (db: Methods) =>
  db.createCollection("c", {
    attributes: [
      Attribute.string("a", { size: 20, required: true }),
      Attribute.integer("n"),
      Attribute.string("d", { size: 10, default: "dflt" }),
      Attribute.string("list", { size: 10, array: true })
    ]
  })
const [past, later] = ["2001-02-03T04:05:06.789+00:00", "2002-02-03T04:05:06.789+00:00"]

export const documents = (promise: Promised, { overWire }: Options): void => {
  promise("a new document has a value for each attribute, dates, no permissions, and reads back as answered", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const created = yield* db.createDocument("c", { $id: "d1", a: "x", n: 1 })
      assert.match(created.$createdAt, dateShape)
      assert.match(created.$sequence, /^\d+$/)
      assert.deepStrictEqual(created, {
        $id: "d1",
        $sequence: created.$sequence,
        $createdAt: created.$createdAt,
        $updatedAt: created.$createdAt,
        $permissions: [],
        a: "x",
        n: 1,
        d: "dflt",
        list: []
      })
      assert.deepStrictEqual(yield* db.getDocument("c", "d1"), created)
      assert.deepStrictEqual(yield* db.listDocuments("c"), { total: 1, documents: [created] })
    })
  )

  promise("a document without an id gets one of 20 hexadecimal digits", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const [first, second] = [yield* db.createDocument("c", { a: "x" }), yield* db.createDocument("c", { a: "x" })]
      assert.match(first.$id, /^[0-9a-f]{20}$/)
      assert.notStrictEqual(second.$id, first.$id)
    })
  )

  promise("an id or an attribute named like one of Object's own is nothing special", (db) =>
    Effect.gen(function* () {
      // node-appwrite puts a function of its own in the place of a row's `toString`.
      const key = overWire ? "hasOwnProperty" : "toString"
      yield* db.createCollection("constructor", { attributes: [Attribute.integer(key), Attribute.integer("n")] })
      yield* db.createDocument("constructor", { $id: "valueOf", n: 1 })
      const document = yield* db.getDocument("constructor", "valueOf")
      assert.isNull(document[key])
      const updated = yield* db.updateDocument("constructor", "valueOf", { n: 2 })
      assert.deepStrictEqual([updated[key], updated["n"]], [null, 2])
      const found = yield* db.listDocuments("constructor", [Query.isNull(key), Query.orderAsc(key)])
      assert.deepStrictEqual(found.documents, [updated])
    })
  )

  promise("nor is an attribute of such a name that is not there", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createDocument("c", { $id: "d1", a: "x" })
      for (const query of [Query.isNull("valueOf"), Query.equal("valueOf", "x"), Query.orderAsc("valueOf")]) {
        yield* refused(db.listDocuments("c", [query]), "InvalidQuery", "general_query_invalid")
      }
    })
  )

  promise("ids compare without case and as text: either spelling finds a document, 007 is not 7", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createDocument("c", { $id: "r.1-_", a: "x" })
      const reason = yield* refused(
        db.createDocument("c", { $id: "R.1-_", a: "y" }),
        "AlreadyExists",
        "row_already_exists"
      )
      assert.strictEqual(reason.resource, "document")
      assert.strictEqual((yield* db.getDocument("c", "R.1-_")).$id, "r.1-_")
      assert.strictEqual((yield* db.updateDocument("c", "R.1-_", { n: 1 })).$id, "r.1-_")
      yield* db.createDocument("c", { $id: "007", a: "x" })
      yield* db.createDocument("c", { $id: "7", a: "x" })
      yield* db.deleteDocument("c", "R.1-_")
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), ["007", "7"])
    })
  )

  promise("an id of up to 36 characters is taken, and others that the server does not take are refused", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createDocument("c", { $id: longestId, a: "x" })
      for (const $id of invalidIds) {
        yield* refused(db.createDocument("c", { $id, a: "x" }), "InvalidArgument", "general_argument_invalid")
      }
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), [longestId])
    })
  )

  promise("get, update and delete of a document that is not there are refused", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      for (const operation of [
        db.getDocument("c", "nope"),
        db.updateDocument("c", "nope", { n: 1 }),
        db.deleteDocument("c", "nope")
      ]) {
        const reason = yield* refused<unknown, "NotFound">(operation, "NotFound", "row_not_found")
        assert.deepStrictEqual([reason.resource, reason.id], ["document", "nope"])
      }
    })
  )

  promise("an update changes what is given, keeps the rest, and moves $updatedAt alone", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const created = yield* db.createDocument("c", { $id: "d1", a: "x", n: 1, list: ["l"] })
      yield* nextMillisecond
      const updated = yield* db.updateDocument("c", "d1", { n: null })
      assert.isTrue(updated.$updatedAt > created.$updatedAt)
      assert.deepStrictEqual(updated, { ...created, n: null, $updatedAt: updated.$updatedAt })
      assert.deepStrictEqual(yield* db.getDocument("c", "d1"), updated)
    })
  )

  promise("an update without a change keeps $updatedAt", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const created = yield* db.createDocument("c", {
        $id: "d1",
        a: "x",
        n: 1,
        list: ["l", null],
        $permissions: ['read("any")']
      })
      yield* nextMillisecond
      for (const changes of [
        { n: 1 },
        { a: "x", n: 1, d: "dflt", list: ["l", null] },
        { $permissions: ['read("any")'] },
        { d: null }
      ]) {
        assert.deepStrictEqual(yield* db.updateDocument("c", "d1", changes), created)
      }
      assert.deepStrictEqual(yield* db.getDocument("c", "d1"), created)
    })
  )

  promise("what compares as equal but is written in another way is a change", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      let before = yield* db.createDocument("c", { $id: "d1", a: "x", list: ["a", "b"] })
      for (const changes of [{ a: "X" }, { a: "X " }, { list: ["b", "a"] }, { d: "" }]) {
        yield* nextMillisecond
        const after = yield* db.updateDocument("c", "d1", changes)
        assert.isTrue(after.$updatedAt > before.$updatedAt)
        before = { ...before, ...changes, $updatedAt: after.$updatedAt }
        assert.deepStrictEqual(after, before)
        assert.deepStrictEqual(yield* db.getDocument("c", "d1"), before)
      }
    })
  )

  promise("a refused update changes nothing", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const created = yield* db.createDocument("c", { $id: "d1", a: "x", n: 1 })
      yield* refused(db.updateDocument("c", "d1", { n: 2, a: null }), "InvalidDocument", "row_invalid_structure")
      yield* refused(
        db.updateDocument("c", "d1", { n: 2, $permissions: ["read(any)"] }),
        "InvalidArgument",
        "general_argument_invalid"
      )
      assert.deepStrictEqual(yield* db.getDocument("c", "d1"), created)
    })
  )

  promise("dates given at creation are kept, in the server's form; what is left out is now", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const both = yield* db.createDocument("c", { $id: "d1", a: "x", $createdAt: past, $updatedAt: later })
      assert.deepStrictEqual([both.$createdAt, both.$updatedAt], [past, later])
      assert.deepStrictEqual(yield* db.getDocument("c", "d1"), both)
      const plain = yield* db.createDocument("c", { $id: "d2", a: "x" })
      const one = yield* db.createDocument("c", { $id: "d3", a: "x", $createdAt: "2020-01-01" })
      assert.strictEqual(one.$createdAt, "2020-01-01T00:00:00.000+00:00")
      assert.isTrue(one.$updatedAt >= plain.$updatedAt)
    })
  )

  promise("dates given to an update are kept; $createdAt alone sets $updatedAt to now", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const created = yield* db.createDocument("c", { $id: "d1", a: "x" })
      const dated = yield* db.updateDocument("c", "d1", { $updatedAt: past })
      assert.deepStrictEqual([dated.$createdAt, dated.$updatedAt], [created.$createdAt, past])
      const changed = yield* db.updateDocument("c", "d1", { n: 1 })
      assert.isTrue(changed.$updatedAt >= created.$updatedAt)
      yield* nextMillisecond
      const older = yield* db.updateDocument("c", "d1", { $createdAt: past })
      assert.strictEqual(older.$createdAt, past)
      assert.isTrue(older.$updatedAt > changed.$updatedAt)
      const all = yield* db.updateDocument("c", "d1", {
        a: "z",
        $createdAt: later,
        $updatedAt: "2001-02-03T05:05:06.789+01:00"
      })
      assert.deepStrictEqual([all["a"], all.$createdAt, all.$updatedAt], ["z", later, past])
      assert.deepStrictEqual(yield* db.getDocument("c", "d1"), all)
    })
  )

  promise("a date that is none is refused, at creation and on update", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const created = yield* db.createDocument("c", { $id: "d1", a: "x" })
      for (const dates of [{ $createdAt: "notadate" }, { $updatedAt: "0999-12-31" }]) {
        yield* refused(
          db.createDocument("c", { $id: "d2", a: "x", ...dates }),
          "InvalidDocument",
          "row_invalid_structure"
        )
        yield* refused(db.updateDocument("c", "d1", dates), "InvalidDocument", "row_invalid_structure")
      }
      assert.deepStrictEqual((yield* db.listDocuments("c")).documents, [created])
    })
  )

  promise("`write` of a document is kept as update and delete; doubles are dropped", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const permissions = ['read("any")', 'read("any")', 'write("any")', 'update("any")']
      const spelt = ['read("any")', 'update("any")', 'delete("any")']
      assert.deepStrictEqual(
        (yield* db.createDocument("c", { $id: "d1", a: "x", $permissions: permissions })).$permissions,
        spelt
      )
      yield* db.createDocument("c", { $id: "d2", a: "x" })
      yield* nextMillisecond
      const updated = yield* db.updateDocument("c", "d2", { $permissions: permissions })
      assert.deepStrictEqual(updated.$permissions, spelt)
      assert.isTrue(updated.$updatedAt > updated.$createdAt)
      assert.deepStrictEqual((yield* db.updateDocument("c", "d2", { n: 5 })).$permissions, spelt)
      assert.deepStrictEqual((yield* db.updateDocument("c", "d2", { $permissions: [] })).$permissions, [])
      assert.deepStrictEqual((yield* db.getDocument("c", "d2")).$permissions, [])
    })
  )

  promise("what is no permission of a document is refused, `create` too", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createDocument("c", { $id: "d1", a: "x" })
      const wrong = [
        ['create("any")'],
        ["read()"],
        ['read("users/nosuch")'],
        ['READ("any")'],
        Array.from({ length: 101 }, (_, index) => `read("user:u${index}")`)
      ]
      for (const $permissions of wrong) {
        yield* refused(
          db.createDocument("c", { $id: "d2", a: "x", $permissions }),
          "InvalidArgument",
          "general_argument_invalid"
        )
        yield* refused(db.updateDocument("c", "d1", { $permissions }), "InvalidArgument", "general_argument_invalid")
      }
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), ["d1"])
    })
  )

  promise("$sequence grows with each creation and is never used again, not even that of the last one deleted", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const seen: Array<number> = []
      for (const id of ["a", "b", "c"])
        seen.push(Number((yield* db.createDocument("c", { $id: id, a: "x" })).$sequence))
      yield* db.deleteDocument("c", "c")
      seen.push(Number((yield* db.createDocument("c", { $id: "c", a: "x" })).$sequence))
      yield* Effect.forEach(["a", "b", "c"], (id) => db.deleteDocument("c", id))
      seen.push(Number((yield* db.createDocument("c", { $id: "a", a: "x" })).$sequence))
      assert.deepStrictEqual(
        seen,
        [...new Set(seen)].toSorted((left, right) => left - right)
      )
    })
  )

  promise("a deleted document is gone, and its id can be used again, with nothing of the old one", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createDocument("c", { $id: "d1", a: "x", n: 1, list: ["l"], $permissions: ['read("any")'] })
      yield* db.deleteDocument("c", "d1")
      yield* refused(db.getDocument("c", "d1"), "NotFound", "row_not_found")
      yield* refused(db.deleteDocument("c", "d1"), "NotFound", "row_not_found")
      const again = yield* db.createDocument("c", { $id: "d1", a: "again" })
      assert.deepStrictEqual([again["n"], again["list"], again.$permissions], [null, [], []])
    })
  )

  promise("of many at once that create the same document, one does", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const outcomes = yield* Effect.all(
        Array.from({ length: 20 }, (_, n) => Effect.exit(db.createDocument("c", { $id: "d1", a: "x", n }))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(outcomes.filter((exit) => exit._tag === "Success").length, 1)
      assert.strictEqual((yield* db.listDocuments("c")).total, 1)
    })
  )

  promise("an error says which operation failed, and where", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const error = yield* Effect.flip(db.getDocument("c", "nope")).pipe(Effect.catch((found) => Effect.die(found)))
      assert.deepStrictEqual([error.operation, error.path], ["GetDocument", `${db.databaseId}/c/nope`])
    })
  )
}
