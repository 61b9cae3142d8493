/** Changes and deletions by query, and upserts: all that match, all or none. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import { batchLimit } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, nextMillisecond, type Options, type Promised, refused } from "./support.ts"

const past = "2001-02-03T04:05:06.789+00:00"
const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [
      Attribute.string("a", { size: 20, required: true }),
      Attribute.integer("n"),
      Attribute.string("d", { size: 10, default: "dflt" }),
      Attribute.integer("list", { array: true })
    ],
    indexes: [Index.unique("ua", ["a"])]
  })
  const created = yield* db.createDocuments("c", [
    { $id: "b1", a: "x1", n: 1 },
    { $id: "b2", a: "x2", n: 2, $permissions: ['read("any")'] },
    { $id: "b3", a: "x3", n: 3 },
    { $id: "y", a: "y", n: 4 }
  ])
  yield* nextMillisecond
  return created
})
const values = (db: Methods) =>
  Effect.map(db.listDocuments("c", [Query.limit(200)]), ({ documents }) =>
    documents.map((one) => `${one.$id}:${String(one["n"])}`).join(" ")
  )
const xs = Query.startsWith("a", "x")
const many = (count: number, n: number) =>
  Array.from({ length: count }, (_, index) => ({ $id: `m${index}`, a: `m${index}`, n }))

export const bulk = (promise: Promised, { overWire }: Options): void => {
  promise("an update by query changes all that match, and answers how many and which", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      const { documents, total } = yield* db.updateDocuments("c", [Query.equal("a", ["x1", "X2"])], { n: 7 })
      assert.strictEqual(total, 2)
      const at = documents[0]!.$updatedAt
      assert.isTrue(at > before[0]!.$updatedAt)
      assert.deepStrictEqual(
        documents,
        before.slice(0, 2).map((one) => ({ ...one, n: 7, $updatedAt: at }))
      )
      assert.deepStrictEqual(yield* db.getDocument("c", "b2"), documents[1])
      assert.strictEqual(yield* values(db), "b1:7 b2:7 b3:3 y:4")
    })
  )

  promise("an update by query takes order, limit, offset, several filters, and none at all", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const ordered = yield* db.updateDocuments("c", [Query.orderDesc("$id"), Query.limit(2), xs], { n: 8 })
      assert.deepStrictEqual([ordered.total, idsOf(ordered.documents)], [2, ["b3", "b2"]])
      const skipped = yield* db.updateDocuments("c", [Query.offset(1), Query.limit(1), xs], { n: 9 })
      assert.deepStrictEqual(idsOf(skipped.documents), ["b2"])
      assert.strictEqual(yield* values(db), "b1:1 b2:9 b3:8 y:4")
      yield* db.updateDocuments("c", [Query.equal("n", 8), Query.equal("a", "x3")], { n: 0 })
      assert.strictEqual(yield* values(db), "b1:1 b2:9 b3:0 y:4")
      const none = yield* db.updateDocuments("c", [Query.equal("a", "none")], { n: 5 })
      assert.deepStrictEqual(none, { total: 0, documents: [] })
      assert.strictEqual((yield* db.updateDocuments("c", [], { n: 6 })).total, 4)
      assert.strictEqual(yield* values(db), "b1:6 b2:6 b3:6 y:6")
    })
  )

  promise("an update by query goes past 25 and past 100 documents, and answers 100 of them", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.createDocuments("c", many(batchLimit, 0))
      const all = yield* db.updateDocuments("c", [], { n: 1 })
      assert.deepStrictEqual([all.total, all.documents.length], [104, 100])
      assert.strictEqual((yield* db.listDocuments("c", [Query.equal("n", 1)])).total, 104)
      const some = yield* db.updateDocuments("c", [Query.startsWith("a", "m")], { n: 2 })
      assert.strictEqual(some.total, 100)
      const gone = yield* db.deleteDocuments("c", [Query.isNotNull("$id")])
      assert.deepStrictEqual([gone.total, gone.documents.length], [104, 100])
      assert.strictEqual((yield* db.listDocuments("c")).total, 0)
    })
  )

  promise("an update by query always sets $updatedAt, also where no value changes", (db) =>
    Effect.gen(function* () {
      const [first] = yield* setUp(db)
      const { documents } = yield* db.updateDocuments("c", [xs], { n: 1 })
      assert.isTrue(documents[0]!.$updatedAt > first!.$updatedAt)
      assert.deepStrictEqual(documents[0], { ...first!, $updatedAt: documents[0]!.$updatedAt })
    })
  )

  promise("an update by query sets permissions and dates where they are given, and no $id", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const changes = { $permissions: ['write("user:u")'], $createdAt: past, $updatedAt: past, $id: "other" }
      const { documents } = yield* db.updateDocuments("c", [Query.equal("a", "x1")], changes)
      const { $createdAt, $id, $permissions, $updatedAt } = documents[0]!
      assert.deepStrictEqual(
        [$id, $createdAt, $updatedAt, $permissions],
        ["b1", past, past, ['update("user:u")', 'delete("user:u")']]
      )
      assert.deepStrictEqual(yield* db.getDocument("c", "b1"), documents[0])
    })
  )

  promise("an update by query stores null where null is given, also where there is a default", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.updateDocuments("c", [xs], { d: null, n: null, list: [1] })
      const one = yield* db.getDocument("c", "b1")
      assert.deepStrictEqual([one["d"], one["n"], one["list"]], [null, null, [1]])
      yield* db.updateDocuments("c", [xs], { list: null })
      assert.deepStrictEqual((yield* db.getDocument("c", "b1"))["list"], [])
    })
  )

  promise("an update by query checks what it gives, and not what documents hold already", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      yield* refused(db.updateDocuments("c", [], {}), "InvalidArgument", "row_missing_payload")
      for (const changes of [{ zz: 1 }, { n: "x" }, { a: null }, { a: "x".repeat(21) }, { N: 1 }, { list: 1 }]) {
        yield* refused(db.updateDocuments("c", [], changes), "InvalidDocument", "row_invalid_structure")
      }
      yield* refused(db.updateDocuments("c", [], { $updatedAt: "x" }), "InvalidDocument", "row_invalid_structure")
      yield* refused(
        db.updateDocuments("c", [], { $permissions: ["no"] }),
        "InvalidArgument",
        "general_argument_invalid"
      )
      assert.deepStrictEqual((yield* db.listDocuments("c")).documents, before)
      yield* db.updateAttribute("c", Attribute.integer("n", { max: 1 }))
      assert.strictEqual((yield* db.updateDocuments("c", [], { d: "new" })).total, 4)
    })
  )

  promise("an upsert in bulk of a document without values is one where there are no attributes, too", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("bare")
      const [made] = yield* db.upsertDocuments("bare", [{ $id: "a" }])
      const [kept] = yield* db.upsertDocuments("bare", [{ $id: "a" }])
      assert.strictEqual(kept?.$sequence, made?.$sequence)
      assert.strictEqual((yield* db.listDocuments("bare")).total, 1)
    })
  )

  promise("a change by query with a bad query is refused: what is not there, a limit of 0, a cursor", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const run of [
        (query: Query.Query) => db.updateDocuments("c", [xs, query], { n: 0 }),
        (query: Query.Query) => db.deleteDocuments("c", [xs, query])
      ]) {
        const bad = [
          Query.equal("zz", 1),
          Query.equal("n", "x"),
          Query.limit(0),
          Query.offset(-1),
          Query.orderAsc("zz")
        ]
        for (const query of bad) yield* refused(run(query), "InvalidQuery", "general_query_invalid")
        for (const cursor of [Query.cursorAfter("b1"), Query.cursorBefore("b1")]) {
          // The server fails on a cursor here, and that has no name on the wire.
          yield* overWire
            ? refused(run(cursor), "Unavailable", "general_unknown")
            : refused(run(cursor), "InvalidQuery", "general_query_invalid")
        }
      }
      assert.strictEqual(yield* values(db), "b1:1 b2:2 b3:3 y:4")
    })
  )

  promise("an update by query that breaks a unique index is refused and changes nothing (the server fails)", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      for (const run of [
        db.updateDocuments("c", [xs], { a: "same", n: 0 }),
        db.updateDocuments("c", [Query.equal("$id", "b1")], { a: "Y " })
      ]) {
        // On the wire that failure has no name.
        yield* overWire
          ? refused(run, "Unavailable", "general_unknown")
          : refused(run, "UniqueConflict", "row_already_exists")
      }
      assert.deepStrictEqual((yield* db.listDocuments("c")).documents, before)
    })
  )

  promise("a deletion by query deletes what matches, and answers it as it was", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      const none = yield* db.deleteDocuments("c", [Query.equal("a", "x1"), Query.equal("n", 5)])
      assert.deepStrictEqual(none, { total: 0, documents: [] })
      const two = yield* db.deleteDocuments("c", [Query.orderDesc("$id"), xs, Query.limit(2)])
      assert.deepStrictEqual(two, { total: 2, documents: [before[2]!, before[1]!] })
      assert.strictEqual(yield* values(db), "b1:1 y:4")
      const last = yield* db.deleteDocuments("c", [Query.offset(1), Query.isNotNull("n")])
      assert.deepStrictEqual(idsOf(last.documents), ["y"])
    })
  )

  promise("a deletion without a query is refused (the server would delete all)", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* refused(db.deleteDocuments("c", []), "InvalidArgument", "general_argument_invalid")
      assert.strictEqual((yield* db.listDocuments("c")).total, 4)
    })
  )

  promise("an upsert creates what is not there and merges into what is", (db) =>
    Effect.gen(function* () {
      const [first] = yield* setUp(db)
      const created = yield* db.upsertDocument("c", { $id: "new", a: "new", $permissions: ['read("any")'] })
      assert.deepStrictEqual(
        [created["a"], created["n"], created["d"], created["list"], created.$permissions],
        ["new", null, "dflt", [], ['read("any")']]
      )
      assert.deepStrictEqual(yield* db.getDocument("c", "new"), created)
      const merged = yield* db.upsertDocument("c", { $id: "B1", a: "x1", d: "other" })
      assert.deepStrictEqual(merged, { ...first!, d: "other", $updatedAt: merged.$updatedAt })
      assert.isTrue(merged.$updatedAt > first!.$updatedAt)
      const dated = yield* db.upsertDocument("c", { $id: "b1", a: "x1", $createdAt: past, $updatedAt: past })
      assert.deepStrictEqual([dated.$createdAt, dated.$updatedAt], [past, past])
    })
  )

  promise("an upsert of what is stored already keeps $updatedAt, if it names all; one that names some moves it", (db) =>
    Effect.gen(function* () {
      const [first, second] = yield* setUp(db)
      const all = { $id: "b1", a: "x1", n: 1, d: "dflt", list: [] }
      yield* db.updateDocument("c", "b1", { list: [] })
      const stored = yield* db.upsertDocument("c", all)
      yield* nextMillisecond
      assert.deepStrictEqual(yield* db.upsertDocument("c", all), stored)
      assert.deepStrictEqual(yield* db.upsertDocuments("c", [all]), [stored])
      for (const run of [
        db.upsertDocument("c", { $id: "b1", a: "x1" }),
        Effect.map(db.upsertDocuments("c", [{ $id: "b2", a: "x2" }]), ([one]) => one!)
      ]) {
        const partial = yield* run
        const before = partial.$id === "b1" ? first! : second!
        assert.deepStrictEqual(partial, { ...before, $updatedAt: partial.$updatedAt })
        assert.isTrue(partial.$updatedAt > before.$updatedAt)
      }
    })
  )

  promise("an upsert sees that 007 is not 7, nor the empty text null (the server does not)", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const all = { $id: "b1", a: "x1", n: 1, list: [] }
      for (const d of ["007", "7", "1e1", "10", ""]) {
        assert.strictEqual((yield* db.upsertDocument("c", { ...all, d }))["d"], d)
        assert.strictEqual((yield* db.getDocument("c", "b1"))["d"], d)
      }
    })
  )

  promise("an upsert is refused without what is required, without anything, or with what does not fit", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      const reject = (document: { readonly $id: string; readonly [key: string]: Attribute.Value }) =>
        refused(db.upsertDocument("c", document), "InvalidDocument", "row_invalid_structure")
      yield* reject({ $id: "new", n: 1 })
      yield* reject({ $id: "b1", n: 1 })
      yield* reject({ $id: "b1", a: null })
      yield* reject({ $id: "b1", a: "x1", n: "x" })
      yield* reject({ $id: "b1", a: "x1", zz: 1 })
      yield* refused(db.upsertDocument("c", { $id: "b1" }), "InvalidArgument", "row_missing_payload")
      yield* refused(db.upsertDocument("c", { $id: "_b", a: "q" }), "InvalidArgument", "general_argument_invalid")
      assert.deepStrictEqual((yield* db.listDocuments("c")).documents, before)
    })
  )

  promise("an upsert into another document's values is refused (the server overwrites that document)", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      for (const $id of ["new", "b2"]) {
        yield* refused(db.upsertDocument("c", { $id, a: "X1" }), "UniqueConflict", "row_already_exists")
        yield* refused(db.upsertDocuments("c", [{ $id, a: "X1" }]), "UniqueConflict", "row_already_exists")
      }
      assert.deepStrictEqual((yield* db.listDocuments("c")).documents, before)
    })
  )

  promise("upserts come up to 100 at once, all or none, none at all too", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      assert.deepStrictEqual(yield* db.upsertDocuments("c", []), [])
      const answers = yield* db.upsertDocuments("c", [
        { $id: "b2", a: "x2" },
        { $id: "nu", a: "nu" },
        { $id: "b1", a: "x1", n: 100 }
      ])
      assert.deepStrictEqual(idsOf(answers), ["b2", "nu", "b1"])
      assert.deepStrictEqual(answers[0], { ...before[1]!, $updatedAt: answers[0]!.$updatedAt })
      assert.strictEqual(yield* values(db), "b1:100 b2:2 b3:3 y:4 nu:null")
      const good = { $id: "n2", a: "n2" }
      yield* refused(db.upsertDocuments("c", [good, { $id: "b3", n: 3 }]), "InvalidDocument", "row_invalid_structure")
      yield* refused(db.upsertDocuments("c", [good, { $id: "n3", a: "X1" }]), "UniqueConflict", "row_already_exists")
      const twice = [good, { $id: "N2", a: "n3" }]
      yield* refused(db.upsertDocuments("c", twice), "AlreadyExists", "row_already_exists")
      yield* refused(db.upsertDocuments("c", many(batchLimit + 1, 1)), "InvalidArgument", "general_argument_invalid")
      assert.strictEqual(yield* values(db), "b1:100 b2:2 b3:3 y:4 nu:null")
      assert.strictEqual((yield* db.upsertDocuments("c", many(batchLimit, 1))).length, batchLimit)
      assert.strictEqual((yield* db.upsertDocuments("c", many(batchLimit, 2))).length, batchLimit)
      assert.strictEqual((yield* db.listDocuments("c", [Query.equal("n", 2)])).total, batchLimit + 1)
    })
  )
}
