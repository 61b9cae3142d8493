/** Databases themselves, and what all operations say to a database that is not there. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Index from "../../../src/Index.ts"
import type { Operation } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { dateShape, invalidIds, nextMillisecond, type Promised, refused } from "./support.ts"

type InDatabase = Extract<Operation, { readonly database: string }>["_tag"]

/** Each operation inside a database. A new one is missing here until it is written down: the type asks for it. */
const inside: {
  readonly [T in Exclude<InDatabase, "DescribeTarget" | "CreateDatabase">]: (
    databases: Methods
  ) => Effect.Effect<unknown, DatabasesError>
} = {
  GetDatabase: (db) => db.getDatabase(db.databaseId),
  UpdateDatabase: (db) => db.updateDatabase(db.databaseId, { name: "n" }),
  DeleteDatabase: (db) => db.deleteDatabase(db.databaseId),
  CreateCollection: (db) => db.createCollection("c"),
  GetCollection: (db) => db.getCollection("c"),
  ListCollections: (db) => db.listCollections,
  UpdateCollection: (db) => db.updateCollection("c", { name: "n" }),
  DeleteCollection: (db) => db.deleteCollection("c"),
  CreateAttribute: (db) => db.createAttribute("c", Attribute.boolean("b")),
  ListAttributes: (db) => db.listAttributes("c"),
  UpdateAttribute: (db) => db.updateAttribute("c", Attribute.boolean("b")),
  RenameAttribute: (db) => db.renameAttribute("c", "b", "d"),
  DeleteAttribute: (db) => db.deleteAttribute("c", "b"),
  CreateIndex: (db) => db.createIndex("c", Index.key("i", ["b"])),
  ListIndexes: (db) => db.listIndexes("c"),
  DeleteIndex: (db) => db.deleteIndex("c", "i"),
  CreateDocument: (db) => db.createDocument("c", { $id: "d", b: true }),
  CreateDocuments: (db) => db.createDocuments("c", [{ $id: "d", b: true }]),
  GetDocument: (db) => db.getDocument("c", "d"),
  ListDocuments: (db) => db.listDocuments("c"),
  UpdateDocument: (db) => db.updateDocument("c", "d", { b: true }),
  UpsertDocument: (db) => db.upsertDocument("c", { $id: "d", b: true }),
  DeleteDocument: (db) => db.deleteDocument("c", "d"),
  IncrementAttribute: (db) => db.incrementAttribute("c", "d", "n"),
  DecrementAttribute: (db) => db.decrementAttribute("c", "d", "n"),
  UpdateDocuments: (db) => db.updateDocuments("c", [], { b: true }),
  DeleteDocuments: (db) => db.deleteDocuments("c", [Query.isNotNull("b")]),
  UpsertDocuments: (db) => db.upsertDocuments("c", [{ $id: "d", b: true }]),
  WriteDocuments: (db) => db.writeDocuments("c", [{ _tag: "Delete", id: "d" }]),
  RestoreDocuments: (db) => db.restoreDocuments("c", [{ id: "d", expected: null, document: null }])
}

export const databases = (promise: Promised): void => {
  promise("a new database is named by its id, enabled, and reads back as it was answered", (db) =>
    Effect.gen(function* () {
      const database = yield* db.getDatabase(db.databaseId)
      assert.deepStrictEqual([database.$id, database.name, database.enabled], [db.databaseId, db.databaseId, true])
      assert.match(database.$createdAt, dateShape)
      assert.strictEqual(database.$updatedAt, database.$createdAt)
      assert.deepStrictEqual(yield* db.listCollections, [])
    })
  )

  promise("name and enabled are kept as given, and the list of databases shows them", (db) =>
    Effect.gen(function* () {
      const id = `${db.databaseId}-2`
      const created = yield* db.createDatabase(id, { name: "Second", enabled: false })
      assert.deepStrictEqual([created.name, created.enabled], ["Second", false])
      const listed = yield* db.listDatabases
      assert.deepStrictEqual(
        listed.find((one) => one.$id === id),
        created
      )
      yield* db.deleteDatabase(id)
    })
  )

  promise("ids of databases compare without case: the second is refused, and either spelling finds the first", (db) =>
    Effect.gen(function* () {
      const other = db.databaseId.toUpperCase()
      const reason = yield* refused(db.createDatabase(other), "AlreadyExists", "database_already_exists")
      assert.strictEqual(reason.resource, "database")
      assert.strictEqual((yield* db.getDatabase(other)).$id, db.databaseId)
      yield* db.in(other).createCollection("c")
      assert.strictEqual((yield* db.getCollection("c")).$id, "c")
    })
  )

  promise("an id that the server does not take is refused", (db) =>
    Effect.forEach(
      invalidIds,
      (id) => refused(db.createDatabase(id, { name: "n" }), "InvalidArgument", "general_argument_invalid"),
      { discard: true }
    )
  )

  promise("an update of a database keeps what is left out, and its date of creation", (db) =>
    Effect.gen(function* () {
      const created = yield* db.getDatabase(db.databaseId)
      yield* nextMillisecond
      const off = yield* db.updateDatabase(db.databaseId, { enabled: false })
      assert.deepStrictEqual([off.name, off.enabled], [db.databaseId, false])
      const named = yield* db.updateDatabase(db.databaseId, { name: "New" })
      assert.deepStrictEqual([named.name, named.enabled, named.$createdAt], ["New", false, created.$createdAt])
      assert.isTrue(named.$updatedAt > created.$updatedAt)
      assert.deepStrictEqual(yield* db.getDatabase(db.databaseId), named)
    })
  )

  promise("an update of a database that changes nothing keeps its dates", (db) =>
    Effect.gen(function* () {
      const created = yield* db.getDatabase(db.databaseId)
      yield* nextMillisecond
      assert.deepStrictEqual(yield* db.updateDatabase(db.databaseId, {}), created)
      assert.deepStrictEqual(yield* db.updateDatabase(db.databaseId, { name: created.name, enabled: true }), created)
      assert.deepStrictEqual(yield* db.getDatabase(db.databaseId), created)
    })
  )

  promise("a name has 1 to 128 characters", (db) =>
    Effect.gen(function* () {
      for (const name of ["", "n".repeat(129)]) {
        yield* refused(db.updateDatabase(db.databaseId, { name }), "InvalidArgument", "general_argument_invalid")
        yield* refused(db.createDatabase("other", { name }), "InvalidArgument", "general_argument_invalid")
      }
      const longest = "é".repeat(128)
      assert.strictEqual((yield* db.updateDatabase(db.databaseId, { name: longest })).name, longest)
    })
  )

  promise("an id that may mean something to a store is an id like any other", (db) =>
    Effect.gen(function* () {
      const other = db.in(`sqlite_${db.databaseId}`)
      yield* db.createDatabase(other.databaseId)
      for (const id of ["sqlite_master", "table", "constructor", "holdfast_databases", "a.b", "a-b", "a_b"]) {
        yield* other.createCollection(id, {
          attributes: [Attribute.integer("rowid"), Attribute.integer("select")],
          indexes: [Index.unique("unique", ["rowid", "select"])]
        })
        yield* other.createDocument(id, { $id: "null", rowid: 1, select: 2 })
        assert.strictEqual((yield* other.getDocument(id, "null"))["rowid"], 1)
      }
      assert.strictEqual((yield* other.listCollections).length, 7)
      yield* other.deleteDatabase(other.databaseId)
    })
  )

  promise("a disabled database serves API keys as before", (db) =>
    Effect.gen(function* () {
      yield* db.updateDatabase(db.databaseId, { enabled: false })
      yield* db.createCollection("c", { attributes: [Attribute.boolean("b")] })
      yield* db.createDocument("c", { $id: "d", b: true })
      assert.strictEqual((yield* db.getDocument("c", "d"))["b"], true)
    })
  )

  promise("two databases keep their collections apart", (db) =>
    Effect.gen(function* () {
      const other = db.in(`${db.databaseId}-2`)
      yield* db.createDatabase(other.databaseId)
      for (const each of [db, other]) yield* each.createCollection("c", { attributes: [Attribute.boolean("b")] })
      yield* db.createDocument("c", { $id: "d", b: true })
      assert.strictEqual((yield* other.listDocuments("c")).total, 0)
      yield* other.deleteDatabase(other.databaseId)
      assert.strictEqual((yield* db.listDocuments("c")).total, 1)
    })
  )

  promise("a deleted database is gone with all it held, and its id can be used again", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.boolean("b")] })
      yield* db.createDocument("c", { $id: "d", b: true })
      yield* db.deleteDatabase(db.databaseId)
      yield* refused(db.getDatabase(db.databaseId), "NotFound", "database_not_found")
      yield* refused(db.getDocument("c", "d"), "NotFound", "database_not_found")
      yield* db.createDatabase(db.databaseId)
      yield* refused(db.getCollection("c"), "NotFound", "table_not_found")
      yield* db.createCollection("c", { attributes: [Attribute.boolean("b")] })
      assert.strictEqual((yield* db.listDocuments("c")).total, 0)
    })
  )

  for (const [operation, run] of Object.entries(inside)) {
    promise(`${operation} in a database that is not there is refused`, (db) =>
      Effect.gen(function* () {
        const missing = db.in(`${db.databaseId}-0`)
        const reason = yield* refused(run(missing), "NotFound", "database_not_found")
        assert.deepStrictEqual([reason.resource, reason.id], ["database", missing.databaseId])
      })
    )
  }

  promise("a database tells which one it is: always the same, and another than its neighbour", (db) =>
    Effect.gen(function* () {
      const target = yield* db.describeTarget
      yield* db.createCollection("c")
      assert.deepStrictEqual(yield* db.describeTarget, target)
      const other = db.in(`${db.databaseId}-2`)
      yield* db.createDatabase(other.databaseId)
      assert.notStrictEqual((yield* other.describeTarget).id, target.id)
      assert.isAbove(target.label.length, 0)
      yield* other.deleteDatabase(other.databaseId)
    })
  )
}
