/** Collections, and what all operations say to a collection that is not there. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Index from "../../../src/Index.ts"
import type { Operation } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { dateShape, idsOf, invalidIds, longestId, nextMillisecond, type Promised, refused } from "./support.ts"

type InCollection = Extract<Operation, { readonly collection: string }>["_tag"]

/** Each operation on a collection that exists. The type asks for new ones. */
const inside: {
  readonly [T in Exclude<InCollection, "CreateCollection">]: (
    databases: Methods,
    id: string
  ) => Effect.Effect<unknown, DatabasesError>
} = {
  GetCollection: (db, id) => db.getCollection(id),
  UpdateCollection: (db, id) => db.updateCollection(id, { name: "n" }),
  DeleteCollection: (db, id) => db.deleteCollection(id),
  CreateAttribute: (db, id) => db.createAttribute(id, Attribute.boolean("b")),
  ListAttributes: (db, id) => db.listAttributes(id),
  UpdateAttribute: (db, id) => db.updateAttribute(id, Attribute.boolean("b")),
  RenameAttribute: (db, id) => db.renameAttribute(id, "b", "d"),
  DeleteAttribute: (db, id) => db.deleteAttribute(id, "b"),
  CreateIndex: (db, id) => db.createIndex(id, Index.key("i", ["b"])),
  ListIndexes: (db, id) => db.listIndexes(id),
  DeleteIndex: (db, id) => db.deleteIndex(id, "i"),
  CreateDocument: (db, id) => db.createDocument(id, { $id: "d", b: true }),
  CreateDocuments: (db, id) => db.createDocuments(id, [{ $id: "d", b: true }]),
  GetDocument: (db, id) => db.getDocument(id, "d"),
  ListDocuments: (db, id) => db.listDocuments(id),
  UpdateDocument: (db, id) => db.updateDocument(id, "d", { b: true }),
  UpsertDocument: (db, id) => db.upsertDocument(id, { $id: "d", b: true }),
  DeleteDocument: (db, id) => db.deleteDocument(id, "d"),
  IncrementAttribute: (db, id) => db.incrementAttribute(id, "d", "n"),
  DecrementAttribute: (db, id) => db.decrementAttribute(id, "d", "n"),
  UpdateDocuments: (db, id) => db.updateDocuments(id, [], { b: true }),
  DeleteDocuments: (db, id) => db.deleteDocuments(id, [Query.isNotNull("b")]),
  UpsertDocuments: (db, id) => db.upsertDocuments(id, [{ $id: "d", b: true }]),
  WriteDocuments: (db, id) => db.writeDocuments(id, [{ _tag: "Delete", id: "d" }]),
  RestoreDocuments: (db, id) => db.restoreDocuments(id, [{ id: "d", expected: null, document: null }])
}

export const collections = (promise: Promised): void => {
  promise("a collection without options is named by its id, enabled, empty, and open to API keys alone", (db) =>
    Effect.gen(function* () {
      const created = yield* db.createCollection("c")
      assert.match(created.$createdAt, dateShape)
      assert.deepStrictEqual(created, {
        $id: "c",
        $createdAt: created.$createdAt,
        $updatedAt: created.$createdAt,
        $permissions: [],
        name: "c",
        enabled: true,
        documentSecurity: false,
        attributes: [],
        indexes: []
      })
      assert.deepStrictEqual(yield* db.getCollection("c"), created)
    })
  )

  promise("attributes and indexes given with a collection are there at once, in their order", (db) =>
    Effect.gen(function* () {
      const attributes = [
        Attribute.string("z", { size: 20, required: true }),
        Attribute.integer("n", { min: 0, max: 10, default: 3 }),
        Attribute.float("f", { min: -1, max: 0.5, default: 0.25 }),
        Attribute.boolean("b", { default: false }),
        Attribute.datetime("d"),
        Attribute.enumeration("e", { elements: ["x", "y"], default: "y" }),
        Attribute.string("a", { size: 20, array: true, required: true })
      ]
      const indexes = [Index.unique("zn", ["z", "n"], { orders: ["desc", "asc"] }), Index.key("by", ["$createdAt"])]
      const created = yield* db.createCollection("c", {
        name: "Things",
        permissions: ['read("any")'],
        documentSecurity: true,
        enabled: false,
        attributes,
        indexes
      })
      assert.deepStrictEqual(created.attributes, attributes)
      assert.deepStrictEqual(created.indexes, indexes)
      assert.deepStrictEqual(
        [created.name, created.$permissions, created.documentSecurity, created.enabled],
        ["Things", ['read("any")'], true, false]
      )
      assert.deepStrictEqual(yield* db.getCollection("c"), created)
      assert.deepStrictEqual(yield* db.listAttributes("c"), attributes)
      assert.deepStrictEqual(yield* db.listIndexes("c"), indexes)
    })
  )

  promise("the list of collections is whole and in order of creation, however many there are", (db) =>
    Effect.gen(function* () {
      const ids = Array.from({ length: 27 }, (_, index) => `c${(index * 7) % 27}`)
      for (const id of ids) yield* db.createCollection(id)
      const listed = yield* db.listCollections
      assert.deepStrictEqual(idsOf(listed), ids)
      assert.deepStrictEqual(listed[3], yield* db.getCollection(ids[3]!))
    })
  )

  promise("ids of collections compare without case, and keep the case they were created with", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("Up")
      const reason = yield* refused(db.createCollection("up"), "AlreadyExists", "table_already_exists")
      assert.strictEqual(reason.resource, "collection")
      assert.strictEqual((yield* db.getCollection("uP")).$id, "Up")
      yield* db.createAttribute("UP", Attribute.boolean("b"))
      yield* db.createDocument("up", { $id: "d", b: true })
      assert.strictEqual((yield* db.getDocument("Up", "d"))["b"], true)
    })
  )

  promise("an id of up to 36 characters is taken, and others that the server does not take are refused", (db) =>
    Effect.gen(function* () {
      for (const id of [longestId, "A.b-c_D", "0x"]) yield* db.createCollection(id)
      for (const id of invalidIds) {
        yield* refused(db.createCollection(id, { name: "n" }), "InvalidArgument", "general_argument_invalid")
      }
      assert.deepStrictEqual(idsOf(yield* db.listCollections), [longestId, "A.b-c_D", "0x"])
    })
  )

  promise("an empty name is refused", (db) =>
    refused(db.createCollection("c", { name: "" }), "InvalidArgument", "general_argument_invalid")
  )

  promise("`write` of a collection is kept as create, update and delete; doubles are dropped", (db) =>
    Effect.gen(function* () {
      const permissions = ['read("any")', 'write("user:u1")', 'read("any")', 'update("user:u1")']
      const spelt = ['read("any")', 'create("user:u1")', 'update("user:u1")', 'delete("user:u1")']
      assert.deepStrictEqual((yield* db.createCollection("c", { permissions })).$permissions, spelt)
      yield* db.createCollection("d")
      assert.deepStrictEqual((yield* db.updateCollection("d", { permissions })).$permissions, spelt)
      assert.deepStrictEqual((yield* db.getCollection("d")).$permissions, spelt)
    })
  )

  promise("what is no permission is refused, on creation and on update", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("there")
      const wrong = [
        ['nosuch("any")'],
        ["read(any)"],
        ['read("nosuch")'],
        ['read("user:")'],
        Array.from({ length: 101 }, (_, index) => `read("user:u${index}")`)
      ]
      for (const permissions of wrong) {
        yield* refused(db.createCollection("c", { permissions }), "InvalidArgument", "general_argument_invalid")
        yield* refused(db.updateCollection("there", { permissions }), "InvalidArgument", "general_argument_invalid")
      }
      assert.deepStrictEqual(idsOf(yield* db.listCollections), ["there"])
    })
  )

  promise("a collection with one bad attribute is refused whole", (db) =>
    Effect.gen(function* () {
      const good = Attribute.string("good", { size: 5 })
      const wrong = [
        [good, Attribute.string("good", { size: 5 })],
        [good, Attribute.string("s", { size: 0 })],
        [good, Attribute.string("s", { size: 2, default: "xyz" })],
        [good, Attribute.string("s", { size: 5, required: true, default: "x" })],
        [good, Attribute.string("s", { size: 5, array: true, default: "x" })],
        [good, Attribute.integer("i", { min: 5, max: 1 })],
        [good, Attribute.boolean("$b")]
      ]
      for (const attributes of wrong) {
        yield* refused(db.createCollection("c", { attributes }), "InvalidArgument", "general_argument_invalid")
        yield* refused(db.getCollection("c"), "NotFound", "table_not_found")
      }
      yield* db.createCollection("c", { attributes: [good] })
    })
  )

  promise("a collection with an index on what is not there is refused whole", (db) =>
    Effect.gen(function* () {
      const attributes = [Attribute.string("a", { size: 5 })]
      const indexes = [Index.key("good", ["a"]), Index.key("bad", ["zz"])]
      yield* refused(db.createCollection("c", { attributes, indexes }), "InvalidArgument", "column_index_invalid")
      assert.deepStrictEqual(yield* db.listCollections, [])
    })
  )

  promise("an update of a collection keeps what is left out, its attributes, indexes and date of creation", (db) =>
    Effect.gen(function* () {
      const created = yield* db.createCollection("c", {
        name: "Things",
        permissions: ['read("any")'],
        documentSecurity: true,
        enabled: false,
        attributes: [Attribute.boolean("b")],
        indexes: [Index.key("i", ["b"])]
      })
      const changes = [{ name: "Other" }, { permissions: [] }, { documentSecurity: false }, { enabled: true }] as const
      let expected = created
      for (const change of changes) {
        yield* nextMillisecond
        const updated = yield* db.updateCollection("c", change)
        assert.isTrue(updated.$updatedAt > expected.$updatedAt)
        const { permissions, ...rest } = { permissions: expected.$permissions, ...change }
        expected = { ...expected, ...rest, $permissions: permissions, $updatedAt: updated.$updatedAt }
        assert.deepStrictEqual(updated, expected)
        assert.deepStrictEqual(yield* db.getCollection("c"), expected)
      }
      yield* refused(db.updateCollection("c", { name: "" }), "InvalidArgument", "general_argument_invalid")
    })
  )

  promise("a disabled collection serves API keys as before", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { enabled: false, attributes: [Attribute.boolean("b")] })
      yield* db.createDocument("c", { $id: "d", b: true })
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), ["d"])
    })
  )

  promise("a deleted collection is gone with its documents, and its id can be used again for another shape", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.string("s", { size: 5 })],
        indexes: [Index.unique("u", ["s"])]
      })
      yield* db.createDocument("c", { $id: "d", s: "x" })
      yield* db.deleteCollection("C")
      yield* refused(db.getCollection("c"), "NotFound", "table_not_found")
      assert.deepStrictEqual(yield* db.listCollections, [])
      yield* db.createCollection("c", { attributes: [Attribute.integer("s")] })
      assert.strictEqual((yield* db.listDocuments("c")).total, 0)
      assert.deepStrictEqual(yield* db.listIndexes("c"), [])
      yield* db.createDocument("c", { $id: "d", s: 1 })
      yield* db.createDocument("c", { $id: "e", s: 1 })
    })
  )

  for (const [operation, run] of Object.entries(inside)) {
    promise(`${operation} of a collection that is not there is refused`, (db) =>
      Effect.gen(function* () {
        const reason = yield* refused(run(db, "nope"), "NotFound", "table_not_found")
        assert.deepStrictEqual([reason.resource, reason.id], ["collection", "nope"])
      })
    )
  }
}
