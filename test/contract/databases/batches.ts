/** Several documents at once: created together, or written together, all or none. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import { batchLimit, Write } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, nextMillisecond, type Options, type Promised, refused } from "./support.ts"

const { Create, Update, Delete } = Write.cases
const withCollection = (db: Methods) =>
  db.createCollection("c", {
    attributes: [
      Attribute.string("a", { size: 20, required: true }),
      Attribute.integer("n"),
      Attribute.string("d", { size: 10, default: "dflt" })
    ],
    indexes: [Index.unique("ua", ["a"])]
  })
const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ $id: `m${index}`, a: `m${index}`, n: index }))
const past = "2001-02-03T04:05:06.789+00:00"

export const batches = (promise: Promised, { overWire }: Options): void => {
  promise("CreateDocuments makes up to 100 documents, in their order, as single creations would", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const created = yield* db.createDocuments("c", numbered(batchLimit))
      assert.deepStrictEqual(
        idsOf(created),
        numbered(batchLimit).map((one) => one.$id)
      )
      assert.strictEqual(created[7]?.["d"], "dflt")
      assert.deepStrictEqual((yield* db.listDocuments("c", [Query.limit(200)])).documents, created)
    })
  )

  promise("documents created together have dates, permissions and ids of their own where given", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const [dated, plain] = yield* db.createDocuments("c", [
        { $id: "dated", a: "x1", $createdAt: past, $updatedAt: past, $permissions: ['write("any")'] },
        { a: "x2" }
      ])
      assert.deepStrictEqual(
        [dated?.$createdAt, dated?.$updatedAt, dated?.$permissions],
        [past, past, ['update("any")', 'delete("any")']]
      )
      assert.match(plain!.$id, /^[0-9a-f]{20}$/)
      assert.deepStrictEqual(plain!.$permissions, [])
    })
  )

  promise("a document without values, a batch of none, or of more than 100, is refused", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* refused(db.createDocuments("c", []), "InvalidArgument", "row_missing_data")
      yield* refused(db.createDocument("c", { $id: "bare" }), "InvalidArgument", "row_missing_data")
      yield* refused(db.createDocuments("c", numbered(batchLimit + 1)), "InvalidArgument", "general_argument_invalid")
      assert.strictEqual((yield* db.listDocuments("c")).total, 0)
    })
  )

  promise("one bad document among those of CreateDocuments, and none is stored", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createDocument("c", { $id: "b1", a: "x1" })
      const good = { $id: "b4", a: "x4" }
      yield* refused(db.createDocuments("c", [good, { $id: "b5" }]), "InvalidDocument", "row_invalid_structure")
      yield* refused(db.createDocuments("c", [good, { $id: "B1", a: "x9" }]), "AlreadyExists", "row_already_exists")
      yield* refused(db.createDocuments("c", [good, { $id: "b5", a: "X1" }]), "UniqueConflict", "row_already_exists")
      yield* refused(db.createDocuments("c", [good, { $id: "B4", a: "x5" }]), "AlreadyExists", "row_already_exists")
      yield* refused(db.createDocuments("c", [good, { $id: "b5", a: "X4 " }]), "UniqueConflict", "row_already_exists")
      yield* refused(db.createDocuments("c", [good, { $id: "_bad", a: "q" }]), "InvalidArgument", "general_bad_request")
      yield* refused(
        db.createDocuments("c", [good, { $id: "b5", a: "x5", $createdAt: "notadate" }]),
        "InvalidDocument",
        "row_invalid_structure"
      )
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), ["b1"])
    })
  )

  promise("WriteDocuments creates, updates and deletes in order, and answers for each", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const [kept] = yield* db.createDocuments("c", [
        { $id: "kept", a: "x1", n: 1, $permissions: ['read("any")'] },
        { $id: "gone", a: "x2" }
      ])
      yield* nextMillisecond
      const answers = yield* db.writeDocuments("c", [
        Create.make({ document: { $id: "new", a: "x3", $permissions: ['write("any")'] } }),
        Update.make({ id: "KEPT", changes: { n: 2 } }),
        Delete.make({ id: "gone" })
      ])
      const [created, updated, deleted] = answers
      assert.deepStrictEqual(
        [created?.["a"], created?.["d"], created?.$permissions],
        ["x3", "dflt", ['update("any")', 'delete("any")']]
      )
      assert.deepStrictEqual(updated, { ...kept!, n: 2, $updatedAt: updated!.$updatedAt })
      assert.isTrue(updated!.$updatedAt > kept!.$updatedAt)
      assert.isNull(deleted)
      assert.strictEqual(answers.length, 3)
      assert.deepStrictEqual((yield* db.listDocuments("c")).documents, [updated!, created!])
    })
  )

  promise(
    "a later write of WriteDocuments sees the earlier ones: an id and a value freed, a document just made",
    (db) =>
      Effect.gen(function* () {
        yield* withCollection(db)
        yield* db.createDocuments("c", [
          { $id: "a", a: "one" },
          { $id: "b", a: "two" }
        ])
        yield* db.writeDocuments("c", [
          Delete.make({ id: "a" }),
          Create.make({ document: { $id: "a", a: "ONE", n: 1 } }),
          Update.make({ id: "a", changes: { a: "three" } }),
          Update.make({ id: "b", changes: { a: "one" } }),
          Create.make({ document: { $id: "short", a: "lived" } }),
          Delete.make({ id: "short" })
        ])
        const { documents } = yield* db.listDocuments("c", [Query.orderAsc("$id")])
        assert.deepStrictEqual(
          documents.map((one) => [one.$id, one["a"], one["n"]]),
          [
            ["a", "three", 1],
            ["b", "one", null]
          ]
        )
      })
  )

  promise("one write of WriteDocuments fails, and none is done", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createDocuments("c", [
        { $id: "a", a: "one" },
        { $id: "b", a: "two" }
      ])
      const before = yield* db.listDocuments("c")
      const good = [
        Create.make({ document: { $id: "new", a: "new" } }),
        Update.make({ id: "a", changes: { n: 9 } }),
        Delete.make({ id: "b" })
      ]
      // A transaction's commit does not say what of it conflicts.
      const told = <T extends string>(tag: T) => (overWire ? "Conflict" : tag)
      const failing = [
        [Create.make({ document: { $id: "A", a: "x" } }), told("AlreadyExists")],
        [Create.make({ document: { $id: "c", a: "NEW" } }), told("UniqueConflict")],
        [Create.make({ document: { $id: "c" } }), "InvalidDocument"],
        [Create.make({ document: { $id: "_c", a: "x" } }), "InvalidArgument"],
        [Update.make({ id: "a", changes: { zz: 1 } }), "InvalidDocument"],
        [Update.make({ id: "a", changes: { a: "new" } }), told("UniqueConflict")],
        [Update.make({ id: "b", changes: { n: 1 } }), "NotFound"],
        [Delete.make({ id: "nope" }), "NotFound"]
      ] as const
      for (const [write, tag] of failing) {
        const error = yield* Effect.flip(db.writeDocuments("c", [...good, write])).pipe(
          Effect.catch((answers) => Effect.die(answers))
        )
        assert.strictEqual(error.reason._tag, tag, error.message)
        assert.deepStrictEqual(yield* db.listDocuments("c"), before)
      }
      yield* db.writeDocuments("c", good)
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), ["a", "new"])
    })
  )

  promise("WriteDocuments takes up to 100 writes", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      const writes = numbered(batchLimit + 1).map((document) => Create.make({ document }))
      const error = yield* Effect.flip(db.writeDocuments("c", writes)).pipe(
        Effect.catch((answers) => Effect.die(answers))
      )
      assert.include(["InvalidArgument", "LimitExceeded"], error.reason._tag)
      assert.strictEqual((yield* db.listDocuments("c")).total, 0)
      yield* db.writeDocuments("c", writes.slice(0, batchLimit))
      assert.strictEqual((yield* db.listDocuments("c")).total, batchLimit)
    })
  )

  promise("WriteDocuments stores no date that a caller gives", (db) =>
    Effect.gen(function* () {
      yield* withCollection(db)
      yield* db.createDocument("c", { $id: "b", a: "b" })
      // Whether such a write is refused or done without its dates is the layer's choice.
      for (const write of [
        Create.make({ document: { $id: "a", a: "x", $createdAt: past, $updatedAt: past } }),
        Update.make({ id: "b", changes: { n: 1, $createdAt: past, $updatedAt: past } })
      ]) {
        yield* Effect.ignore(db.writeDocuments("c", [write]))
      }
      const { documents } = yield* db.listDocuments("c")
      assert.isAtLeast(documents.length, 1)
      for (const one of documents) {
        assert.notStrictEqual(one.$createdAt, past)
        assert.notStrictEqual(one.$updatedAt, past)
      }
    })
  )
}
