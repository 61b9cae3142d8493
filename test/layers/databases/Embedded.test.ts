/** The embedded engine: the contract in memory and in a file, and what a file promises beyond it. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Attribute from "../../../src/Attribute.ts"
import { Databases, type Methods } from "../../../src/Databases.ts"
import { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Index from "../../../src/Index.ts"
import * as Embedded from "../../../src/layers/databases/Embedded.ts"
import * as Sqlite from "../../../src/layers/vendors/Sqlite.ts"
import * as Query from "../../../src/Query.ts"
import { contract } from "../../contract/Databases.ts"
import { idsOf, refused } from "../../contract/databases/support.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-embedded-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)
/** A folder of its own for each building of the layer, removed with it. */
const inFile = Layer.unwrap(
  Effect.map(temporaryFolder, (folder) => Embedded.layer({ filename: join(folder, "contract.db") }))
)

contract("embedded, memory", Embedded.memory)
contract("embedded, file", inFile)

/** Opens the file as another process would: a connection of its own, closed with the scope. */
const open = (filename: string, databaseId?: string): Effect.Effect<Methods, DatabasesError, Scope.Scope> =>
  Effect.map(
    Layer.build(Embedded.layer({ filename, ...(databaseId === undefined ? {} : { databaseId }) })),
    Context.get(Databases)
  )

describe("Embedded", () => {
  it.live("the database main is there from the start, and so is one of another name", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "a.db")
      const main = yield* open(filename)
      assert.strictEqual(main.databaseId, "main")
      assert.strictEqual((yield* main.getDatabase("main")).$id, "main")
      const other = yield* open(filename, "Other")
      assert.strictEqual(other.databaseId, "Other")
      yield* other.createCollection("c")
      assert.deepStrictEqual(idsOf(yield* main.listDatabases), ["main", "Other"])
      assert.deepStrictEqual(yield* main.listCollections, [])
      // Opening again, in any case, makes no second one.
      yield* open(filename, "OTHER")
      assert.deepStrictEqual(idsOf(yield* main.listDatabases), ["main", "Other"])
      assert.deepStrictEqual(idsOf(yield* (yield* open(filename, "OTHER")).listCollections), ["c"])
    })
  )

  it.live("each in-memory database is its own", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* open(":memory:"), yield* open(":memory:")]
      yield* first.createCollection("c")
      assert.deepStrictEqual(yield* second.listCollections, [])
      assert.notStrictEqual((yield* first.describeTarget).id, (yield* second.describeTarget).id)
    })
  )

  it.live("everything holds after the file is closed and opened again", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "a.db")
      const everything = (db: Methods) =>
        Effect.all([
          db.describeTarget,
          db.listDatabases,
          db.listCollections,
          db.listDocuments("c", [Query.orderDesc("s"), Query.limit(100)])
        ])
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const db = yield* open(filename)
          yield* db.createDatabase("second", { name: "Second", enabled: false })
          yield* db.createCollection("c", {
            name: "Things",
            permissions: ['write("user:u1")'],
            documentSecurity: true,
            attributes: [
              Attribute.string("s", { size: 20, default: "dflt" }),
              Attribute.integer("i", { min: -5, max: 5 }),
              Attribute.float("f"),
              Attribute.boolean("b"),
              Attribute.datetime("t"),
              Attribute.enumeration("e", { elements: ["x", "y"] }),
              Attribute.float("list", { array: true })
            ],
            indexes: [Index.unique("u", ["s"]), Index.key("k", ["i", "f"], { orders: ["desc", "asc"] })]
          })
          yield* db.createDocuments("c", [
            { $id: "a", s: "é\u0000😀 ", i: -5, f: 0.1, b: true, t: "2024-01-01", e: "x", list: [0.5, null] },
            { $id: "b", $createdAt: "2001-01-01", $permissions: ['read("any")'] },
            { $id: "gone", s: "z" }
          ])
          yield* db.renameAttribute("c", "b", "renamed")
          yield* db.deleteDocument("c", "gone")
          return yield* everything(db)
        })
      )
      const db = yield* open(filename)
      assert.deepStrictEqual(yield* everything(db), before)
      yield* refused(db.createDocument("c", { $id: "d", s: "DFLT" }), "UniqueConflict", "row_already_exists")
      // The number of the deleted document, which was the last, is not used again.
      const next = yield* db.createDocument("c", { $id: "d", s: "new" })
      assert.isAbove(Number(next.$sequence), 3)
    })
  )

  it.live("two that have the same file open see each other's schema changes and documents at once", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "a.db")
      const [one, two] = [yield* open(filename), yield* open(filename)]
      yield* one.createCollection("c", { attributes: [Attribute.string("s", { size: 20 })] })
      yield* two.createDocument("c", { $id: "a", s: "x" })
      assert.strictEqual((yield* one.getDocument("c", "a"))["s"], "x")
      yield* one.renameAttribute("c", "s", "renamed")
      yield* two.updateDocument("c", "a", { renamed: "y" })
      yield* two.createAttribute("c", Attribute.integer("n", { default: 7 }))
      assert.strictEqual((yield* one.createDocument("c", { $id: "b", renamed: null }))["n"], 7)
      yield* two.createIndex("c", Index.unique("u", ["renamed"]))
      yield* refused(one.createDocument("c", { $id: "d", renamed: "Y" }), "UniqueConflict", "row_already_exists")
      yield* one.deleteAttribute("c", "n")
      assert.deepStrictEqual(
        (yield* two.listAttributes("c")).map((attribute) => attribute.key),
        ["renamed"]
      )
      assert.notProperty(yield* two.getDocument("c", "b"), "n")
      yield* two.deleteCollection("c")
      yield* refused(one.getDocument("c", "a"), "NotFound", "table_not_found")
      yield* one.createCollection("c", { attributes: [Attribute.boolean("s")] })
      assert.deepStrictEqual((yield* two.createDocument("c", { $id: "a", s: true }))["s"], true)
      yield* one.createDatabase("second")
      yield* two.in("second").createCollection("in-second")
      yield* one.deleteDatabase("second")
      yield* refused(two.in("second").listCollections, "NotFound", "database_not_found")
      assert.deepStrictEqual(yield* one.describeTarget, yield* two.describeTarget)
    })
  )

  it.live("two writers at once over one file lose nothing, and an id goes to one of them", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "a.db")
      const both = [yield* open(filename), yield* open(filename)]
      yield* both[0]!.createCollection("c", { attributes: [Attribute.integer("n")] })
      const outcomes = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, index) => index),
        (n) => Effect.exit(both[n % 2]!.createDocument("c", { $id: `d${n >> 1}`, n })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(outcomes.filter(Exit.isSuccess).length, 30)
      const { documents } = yield* both[1]!.listDocuments("c", [Query.limit(100)])
      assert.strictEqual(new Set(idsOf(documents)).size, 30)
      assert.strictEqual(new Set(documents.map((one) => one.$sequence)).size, 30)
    })
  )

  it.live("100 queries of 500 values each are one list", () =>
    Effect.gen(function* () {
      const db = yield* open(":memory:")
      yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
      yield* db.createDocument("c", { $id: "a", n: 7 })
      const values = Array.from({ length: Query.limits.values }, (_, index) => index)
      const queries = Array.from({ length: Query.limits.queries }, () => Query.equal("n", values))
      assert.strictEqual((yield* db.listDocuments("c", queries)).total, 1)
    })
  )

  it.live("a file that is no database is refused as unavailable, says so, and is left as it was", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "notes.txt")
      const text = "These are notes, not a database. ".repeat(200)
      writeFileSync(filename, text)
      const error = yield* Effect.flip(open(filename))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.include(error.message, filename)
      assert.include(error.message, "Check the path")
      assert.strictEqual(readFileSync(filename, "utf8"), text)
    })
  )

  it.live("a file in a folder that is not there is refused as unavailable", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open(join(yield* temporaryFolder, "no", "such", "a.db")))
      assert.strictEqual(error.reason._tag, "Unavailable")
    })
  )

  it.live("a database of somebody else's program is not written over", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "other.db")
      const other = new DatabaseSync(filename)
      other.exec("create table notes (text); insert into notes values ('mine')")
      other.close()
      yield* Effect.exit(Effect.scoped(open(filename)))
      const again = new DatabaseSync(filename)
      assert.deepStrictEqual({ ...again.prepare("select text from notes").get() }, { text: "mine" })
      again.close()
    })
  )

  it.live("a file is written ahead and synced on each commit: journal_mode wal, synchronous full", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "a.db")
      yield* open(filename)
      const reader = new DatabaseSync(filename, { readOnly: true })
      assert.deepStrictEqual({ ...reader.prepare("pragma journal_mode").get() }, { journal_mode: "wal" })
      reader.close()
      // Whether each commit is synced belongs to the connection, so one of the layer's own is asked: 2 is FULL.
      const connection = Sqlite.open({ filename })
      assert.deepStrictEqual(connection.first("pragma synchronous"), [2])
      connection.close()
    })
  )

  it.live("a write that cannot get the file fails as unavailable after its time, and leaves nothing", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "a.db")
      const db = Context.get(yield* Layer.build(Embedded.layer({ filename, busyTimeout: 20 })), Databases)
      yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
      const other = new DatabaseSync(filename)
      other.exec("begin immediate")
      const error = yield* Effect.flip(db.createDocument("c", { $id: "a", n: 1 }))
      assert.strictEqual(error instanceof DatabasesError ? error.reason._tag : "not refused", "Unavailable")
      // Reading goes on meanwhile.
      assert.strictEqual((yield* db.listDocuments("c")).total, 0)
      other.exec("rollback")
      other.close()
      yield* db.createDocument("c", { $id: "a", n: 1 })
    })
  )

  it.live("what is asked after closing is a failure, not a lost write", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "a.db")
      const db = yield* Effect.scoped(open(filename))
      const exit = yield* Effect.exit(db.createCollection("c"))
      assert.isTrue(Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
    })
  )
})
