/** What callers without a key may do: roles against the permissions of collections and documents. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import { Caller, guest } from "../../../src/Caller.ts"
import type { CollectionOptions, Methods } from "../../../src/Databases.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Index from "../../../src/Index.ts"
import type { Operation } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { staging } from "./staging.ts"
import { idsOf, nextMillisecond, type Options, type Promised, refused } from "./support.ts"

type Run = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
const as =
  (caller: Caller): Run =>
  (effect) =>
    Effect.provideService(effect, Caller, caller)
const asGuest = as(guest)
const user = (id: string) =>
  as({ _tag: "Roles", roles: ["any", "users", `user:${id}`, `user:${id}/unverified`, "users/unverified"] })
const [ada, bob] = [user("ada"), user("bob")]

const anyReads = ['read("any")']
const setUp = Effect.fnUntraced(function* (db: Methods, options?: CollectionOptions) {
  yield* db.createCollection("c", {
    ...options,
    attributes: [Attribute.string("a", { size: 64 }), Attribute.integer("n")]
  })
  return yield* db.createDocuments("c", [
    { $id: "r1", a: "x", n: 1, $permissions: anyReads },
    { $id: "r2", a: "y", n: 2 },
    { $id: "r3", a: "x", n: 3, $permissions: ['read("users")', 'update("user:ada")', 'delete("user:ada")'] }
  ])
})
const unauthorized = <A>(operation: Effect.Effect<A, DatabasesError>) =>
  refused(operation, "Unauthorized", "user_unauthorized")
const unseen = <A>(operation: Effect.Effect<A, DatabasesError>) => refused(operation, "NotFound", "row_not_found")

type OnDocuments =
  | "CreateDocument"
  | "CreateDocuments"
  | "GetDocument"
  | "ListDocuments"
  | "UpdateDocument"
  | "UpsertDocument"
  | "DeleteDocument"
  | "IncrementAttribute"
  | "DecrementAttribute"
  | "UpdateDocuments"
  | "DeleteDocuments"
  | "UpsertDocuments"
type ForKeys = Exclude<
  Operation["_tag"],
  OnDocuments | Extract<Operation, { readonly transaction: string }>["_tag"] | "ListTransactions" | "DescribeTarget"
>
/** Operations that answer keys alone. The type asks for new ones. */
const forKeys: { readonly [T in ForKeys]: (db: Methods) => Effect.Effect<unknown, DatabasesError> } = {
  CreateDatabase: (db) => db.createDatabase(`${db.databaseId}-2`),
  GetDatabase: (db) => db.getDatabase(db.databaseId),
  ListDatabases: (db) => db.listDatabases,
  UpdateDatabase: (db) => db.updateDatabase(db.databaseId, { name: "n" }),
  DeleteDatabase: (db) => db.deleteDatabase(db.databaseId),
  CreateCollection: (db) => db.createCollection("c2"),
  GetCollection: (db) => db.getCollection("c"),
  ListCollections: (db) => db.listCollections,
  UpdateCollection: (db) => db.updateCollection("c", { name: "n" }),
  DeleteCollection: (db) => db.deleteCollection("c"),
  CreateAttribute: (db) => db.createAttribute("c", Attribute.boolean("b")),
  ListAttributes: (db) => db.listAttributes("c"),
  UpdateAttribute: (db) => db.updateAttribute("c", Attribute.integer("n", { max: 9 })),
  RenameAttribute: (db) => db.renameAttribute("c", "n", "m"),
  DeleteAttribute: (db) => db.deleteAttribute("c", "n"),
  CreateIndex: (db) => db.createIndex("c", Index.key("i", ["n"])),
  ListIndexes: (db) => db.listIndexes("c"),
  DeleteIndex: (db) => db.deleteIndex("c", "i"),
  WriteDocuments: (db) => db.writeDocuments("c", [{ _tag: "Delete", id: "r1" }]),
  RestoreDocuments: (db) => db.restoreDocuments("c", [{ id: "r1", expected: null, document: null }])
}

const everything = ['read("any")', 'write("any")']

/** The emulator has no users, so none has signed in: what users may is not to be asked over the wire. */
const noUsers = (db: Methods) => Effect.asVoid(refused(ada(db.listDocuments("c")), "Unauthorized", "user_jwt_invalid"))

export const permissions = (promise: Promised, { overWire }: Options): void => {
  const someone = overWire ? asGuest : ada

  promise("a guest does nothing with a collection that grants nothing, whatever its documents grant", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      yield* unauthorized(asGuest(db.listDocuments("c")))
      yield* unseen(asGuest(db.getDocument("c", "r1")))
      yield* unauthorized(asGuest(db.createDocument("c", { $id: "g", a: "g" })))
      yield* unauthorized(asGuest(db.upsertDocument("c", { $id: "g", a: "g" })))
      yield* unauthorized(asGuest(db.upsertDocument("c", { $id: "r1", a: "g" })))
      yield* unauthorized(asGuest(db.updateDocument("c", "r1", { a: "g" })))
      yield* unauthorized(asGuest(db.incrementAttribute("c", "r1", "n")))
      yield* unauthorized(asGuest(db.decrementAttribute("c", "r1", "n")))
      yield* unauthorized(asGuest(db.deleteDocument("c", "r1")))
      yield* unauthorized(someone(db.updateDocument("c", "r3", { a: "g" })))
      assert.deepStrictEqual((yield* db.listDocuments("c")).documents, before)
    })
  )

  promise("what the collection grants holds for all its documents, and for nothing else", (db) =>
    Effect.gen(function* () {
      yield* setUp(db, { permissions: anyReads })
      const list = yield* asGuest(db.listDocuments("c"))
      assert.deepStrictEqual([list.total, idsOf(list.documents)], [3, ["r1", "r2", "r3"]])
      assert.strictEqual((yield* asGuest(db.getDocument("c", "r2")))["a"], "y")
      yield* unauthorized(asGuest(db.createDocument("c", { $id: "g", a: "g" })))
      yield* unauthorized(asGuest(db.updateDocument("c", "r1", { a: "g" })))
      yield* db.updateCollection("c", { permissions: ['create("any")', 'update("guests")'] })
      assert.strictEqual((yield* asGuest(db.updateDocument("c", "r1", { a: "g" })))["a"], "g")
      assert.strictEqual((yield* asGuest(db.incrementAttribute("c", "r1", "n")))["n"], 2)
      yield* unseen(asGuest(db.getDocument("c", "r1")))
      yield* unauthorized(asGuest(db.listDocuments("c")))
      yield* unauthorized(asGuest(db.deleteDocument("c", "r1")))
      if (overWire) return yield* noUsers(db)
      yield* unauthorized(ada(db.updateDocument("c", "r2", { a: "g" })))
      yield* db.updateCollection("c", { permissions: ['read("users")', 'delete("user:bob")'] })
      assert.strictEqual((yield* ada(db.listDocuments("c"))).total, 3)
      yield* unauthorized(asGuest(db.listDocuments("c")))
      yield* unauthorized(ada(db.deleteDocument("c", "r1")))
      yield* bob(db.deleteDocument("c", "r1"))
    })
  )

  promise("a guest creates documents that nobody but keys may see, unless it grants what it has", (db) =>
    Effect.gen(function* () {
      yield* setUp(db, { permissions: ['create("any")'], documentSecurity: true })
      assert.deepStrictEqual((yield* asGuest(db.createDocument("c", { $id: "g1", a: "g" }))).$permissions, [])
      yield* unseen(asGuest(db.getDocument("c", "g1")))
      const open = yield* asGuest(db.createDocument("c", { $id: "g2", a: "g", $permissions: anyReads }))
      assert.deepStrictEqual(open.$permissions, anyReads)
      assert.deepStrictEqual(yield* asGuest(db.getDocument("c", "g2")), open)
    })
  )

  promise("a user's documents are its own where nothing else is said", (db) =>
    Effect.gen(function* () {
      yield* setUp(db, { permissions: ['create("users")'], documentSecurity: true })
      if (overWire) return yield* noUsers(db)
      const own = ['read("user:ada")', 'update("user:ada")', 'delete("user:ada")']
      assert.deepStrictEqual((yield* ada(db.createDocument("c", { $id: "u1", a: "mine" }))).$permissions, own)
      assert.deepStrictEqual((yield* ada(db.upsertDocument("c", { $id: "u2", a: "mine" }))).$permissions, own)
      yield* unseen(bob(db.getDocument("c", "u1")))
      yield* unauthorized(bob(db.updateDocument("c", "u1", { a: "stolen" })))
      yield* unauthorized(bob(db.upsertDocument("c", { $id: "u1", a: "stolen" })))
      yield* unauthorized(bob(db.deleteDocument("c", "u1")))
      yield* refused(bob(db.createDocument("c", { $id: "u1", a: "dup" })), "AlreadyExists", "row_already_exists")
      assert.deepStrictEqual(idsOf((yield* ada(db.listDocuments("c"))).documents), ["r1", "r3", "u1", "u2"])
      const given = ['read("any")', 'write("user:ada")']
      assert.deepStrictEqual(
        (yield* ada(db.createDocument("c", { $id: "u3", a: "x", $permissions: given }))).$permissions,
        ['read("any")', 'update("user:ada")', 'delete("user:ada")']
      )
      yield* ada(db.deleteDocument("c", "u1"))
    })
  )

  promise("with document security a list has what the caller may read, and its total counts that", (db) =>
    Effect.gen(function* () {
      yield* setUp(db, { documentSecurity: true })
      const list = (run: Run, ...queries: ReadonlyArray<Query.Query>) =>
        Effect.map(run(db.listDocuments("c", queries)), ({ documents, total }) => [total, ...idsOf(documents)])
      assert.deepStrictEqual(yield* list(asGuest), [1, "r1"])
      assert.deepStrictEqual(yield* list(as({ _tag: "Key" })), [3, "r1", "r2", "r3"])
      assert.strictEqual((yield* asGuest(db.getDocument("c", "r1")))["a"], "x")
      yield* unseen(asGuest(db.getDocument("c", "r2")))
      yield* unauthorized(asGuest(db.updateDocument("c", "r1", { a: "g" })))
      if (overWire) return yield* noUsers(db)
      assert.deepStrictEqual(yield* list(ada), [2, "r1", "r3"])
      assert.deepStrictEqual(yield* list(ada, Query.equal("a", "x"), Query.limit(1)), [2, "r1"])
      assert.deepStrictEqual(yield* list(ada, Query.cursorAfter("r2")), [2, "r3"])
      assert.strictEqual((yield* ada(db.updateDocument("c", "r3", { a: "by ada" })))["a"], "by ada")
      yield* unauthorized(bob(db.updateDocument("c", "r3", { a: "by bob" })))
      yield* ada(db.deleteDocument("c", "r3"))
    })
  )

  promise("a role that one does not hold can't be granted, neither on creation nor on update", (db) =>
    Effect.gen(function* () {
      yield* setUp(db, { permissions: everything })
      for (const permission of ['read("user:u1")', 'read("users")', 'delete("team:t")']) {
        const document = { $id: "g3", a: "g", $permissions: [permission] }
        const reason = yield* unauthorized(asGuest(db.createDocument("c", document)))
        assert.include(reason.message, "(any, guests)")
        yield* unauthorized(asGuest(db.upsertDocument("c", document)))
        yield* unauthorized(asGuest(db.updateDocument("c", "r1", { a: "g", $permissions: [permission] })))
      }
      yield* unauthorized(someone(db.updateDocument("c", "r1", { $permissions: ['read("user:bob")'] })))
      const changed = yield* asGuest(
        db.updateDocument("c", "r2", { $permissions: ['read("any")', 'update("guests")'] })
      )
      assert.deepStrictEqual(changed.$permissions, ['read("any")', 'update("guests")'])
      assert.strictEqual((yield* db.listDocuments("c")).total, 3)
    })
  )

  promise("dates are for keys to set: what a user gives is not kept", (db) =>
    Effect.gen(function* () {
      yield* setUp(db, { permissions: everything })
      const past = "2001-01-01T00:00:00.000+00:00"
      const dates = { $createdAt: past, $updatedAt: past }
      const created = yield* someone(db.createDocument("c", { $id: "u", a: "x", ...dates }))
      assert.notInclude([created.$createdAt, created.$updatedAt], past)
      yield* nextMillisecond
      const updated = yield* someone(db.updateDocument("c", "u", { a: "y", ...dates }))
      assert.strictEqual(updated.$createdAt, created.$createdAt)
      assert.isTrue(updated.$updatedAt > created.$updatedAt)
    })
  )

  promise("what is disabled is not there without a key", (db) =>
    Effect.gen(function* () {
      yield* setUp(db, { permissions: everything, enabled: false })
      const calls: ReadonlyArray<() => Effect.Effect<unknown, DatabasesError>> = [
        () => db.listDocuments("c"),
        () => db.getDocument("c", "r1"),
        () => db.createDocument("c", { $id: "g", a: "g" }),
        () => db.upsertDocument("c", { $id: "g", a: "g" }),
        () => db.updateDocument("c", "r1", { a: "g" }),
        () => db.incrementAttribute("c", "r1", "n"),
        () => db.deleteDocument("c", "r1")
      ]
      for (const call of calls) yield* refused(asGuest(call()), "NotFound", "table_not_found")
      yield* db.updateDatabase(db.databaseId, { enabled: false })
      for (const call of calls) yield* refused(someone(call()), "NotFound", "database_not_found")
      assert.strictEqual((yield* db.listDocuments("c")).total, 3)
      yield* db.updateDatabase(db.databaseId, { enabled: true })
      yield* db.updateCollection("c", { enabled: true })
      assert.strictEqual((yield* asGuest(db.listDocuments("c"))).total, 3)
    })
  )

  for (const [operation, run] of Object.entries(forKeys)) {
    promise(`${operation} answers keys alone`, (db) =>
      Effect.gen(function* () {
        yield* setUp(db, { permissions: everything })
        for (const caller of [asGuest, someone]) {
          yield* refused(caller(run(db)), "Unauthorized", "general_unauthorized_scope")
        }
        assert.strictEqual((yield* db.listDocuments("c")).total, 3)
      })
    )
  }

  promise("batches are for keys: creations, upserts, changes and deletions of many are refused to others", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db, { permissions: everything })
      for (const caller of [asGuest, someone]) {
        yield* refused(
          caller(db.createDocuments("c", [{ $id: "b", a: "b" }])),
          "Unauthorized",
          "general_unauthorized_scope"
        )
        yield* refused(
          caller(db.upsertDocuments("c", [{ $id: "b", a: "b" }])),
          "Unauthorized",
          "general_unauthorized_scope"
        )
        // For a change by query the server says that there is no such database.
        for (const operation of [
          db.updateDocuments("c", [], { a: "q" }),
          db.deleteDocuments("c", [Query.isNotNull("a")])
        ]) {
          const error = yield* Effect.flip(caller(operation)).pipe(
            Effect.catch((answer) => Effect.die(`${answer.total} documents were changed without a key`))
          )
          assert.include(["general_unauthorized_scope", "database_not_found"], error.reason.type)
        }
      }
      assert.deepStrictEqual((yield* db.listDocuments("c")).documents, before)
    })
  )

  promise("a user's transaction is its own: nobody else finds it, and its writes are the user's", (db) =>
    Effect.gen(function* () {
      yield* setUp(db, { documentSecurity: true })
      if (overWire) return yield* noUsers(db)
      const { update } = staging(db.databaseId)
      const { $id } = yield* ada(db.createTransaction())
      yield* ada(db.stageOperations($id, [update("r3", { a: "tx" })]))
      for (const other of [bob, asGuest]) {
        yield* refused(other(db.getTransaction($id)), "NotFound", "transaction_not_found")
        yield* refused(other(db.commitTransaction($id)), "NotFound", "transaction_not_found")
        assert.notInclude(idsOf(yield* other(db.listTransactions)), $id)
      }
      assert.strictEqual((yield* ada(db.commitTransaction($id))).status, "committed")
      assert.strictEqual((yield* db.getDocument("c", "r3"))["a"], "tx")
    })
  )
}
