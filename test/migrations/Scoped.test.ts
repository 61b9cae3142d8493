/** Savepoints inside a migration, and what a migration sees of what it has deleted. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Attribute from "../../src/Attribute.ts"
import * as Backup from "../../src/Backup.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Index from "../../src/Index.ts"
import * as Migration from "../../src/Migration.ts"
import * as Migrator from "../../src/Migrator.ts"
import * as Query from "../../src/Query.ts"
import { idsOf, refused, withoutSequence } from "../contract/databases/support.ts"
import * as Failing from "../support/Failing.ts"
import {
  assertNothingOpen,
  broken,
  exactHash,
  memory,
  migration,
  prepare,
  putAside,
  runAndFail,
  targets
} from "../support/Migrating.ts"

const setup = (db: Methods) =>
  Effect.gen(function* () {
    yield* db.createCollection("c", {
      attributes: [Attribute.string("s", { size: 20 }), Attribute.integer("n")],
      indexes: [Index.unique("u", ["s"])]
    })
    yield* db.createDocuments("c", [
      { $id: "a", s: "one", n: 1 },
      { $id: "b", s: "two", n: 2 }
    ])
  })
const numbers = (db: Methods) =>
  Effect.map(db.listDocuments("c"), ({ documents }) => documents.map((one) => [one.$id, one["n"]]))

for (const [name, target] of targets) {
  describe(`Migration.scoped on ${name}`, () => {
    it.live("its failure undoes only itself, the migration goes on, and `changes` has no line of it", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const live = yield* Databases
        const { changes, success } = yield* Migrator.execute(
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.updateDocument("c", "a", { n: 10 })
              const before = yield* DatabaseHash.server(live)
              const inner = Migration.scoped(
                Effect.gen(function* () {
                  yield* db.updateDocument("c", "a", { n: 11 })
                  yield* db.createAttribute("c", Attribute.float("gone"))
                  yield* db.createCollection("gone")
                  yield* db.deleteAttribute("c", "s")
                  yield* db.deleteDocument("c", "b")
                  yield* Migration.note("a note that is gone")
                  return yield* broken
                })
              )
              const error = yield* Effect.flip(inner)
              assert.strictEqual(error.message, "the author's code broke")
              assert.strictEqual(yield* DatabaseHash.server(live), before)
              yield* db.updateDocument("c", "b", { n: 20 })
              yield* Migration.note("a note that stays")
            })
          )
        )
        assert.isTrue(success)
        assert.deepStrictEqual(changes, ["updated 2 documents in c", "a note that stays"])
        assert.deepStrictEqual(yield* numbers(live), [
          ["a", 10],
          ["b", 20]
        ])
        assert.deepStrictEqual(yield* putAside, [])
        yield* assertNothingOpen
      }).pipe(Effect.provide(target))
    )

    it.live("nested: each undoes its own, and what stood in a kept one goes with the outer one that fails", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const set = (db: Methods, n: number) => db.updateDocument("c", "a", { n })
        const seen: Array<unknown> = []
        const look = (db: Methods) => Effect.map(db.getDocument("c", "a"), (document) => void seen.push(document["n"]))
        const { changes } = yield* Migrator.execute(
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* set(db, 10)
              yield* Migration.scoped(
                Effect.gen(function* () {
                  yield* set(db, 11)
                  yield* Migration.scoped(set(db, 12))
                  yield* Effect.ignore(Migration.scoped(Effect.andThen(set(db, 13), broken)))
                  yield* look(db)
                  yield* Effect.ignore(
                    Migration.scoped(
                      Effect.gen(function* () {
                        yield* set(db, 14)
                        yield* Migration.scoped(set(db, 15))
                        return yield* broken
                      })
                    )
                  )
                  yield* look(db)
                  return yield* broken
                })
              ).pipe(Effect.ignore)
              yield* look(db)
            })
          )
        )
        assert.deepStrictEqual(seen, [12, 12, 10])
        assert.deepStrictEqual(changes, ["updated 1 document in c"])
      }).pipe(Effect.provide(target))
    )

    it.live("what a savepoint kept is undone with the migration", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const before = yield* exactHash
        yield* runAndFail("m", (db) =>
          Effect.gen(function* () {
            const answer = yield* Migration.scoped(Effect.as(db.deleteAttribute("c", "s"), "the answer"))
            assert.strictEqual(answer, "the answer")
            yield* Migration.scoped(db.createAttribute("c", Attribute.float("s")))
          })
        )
        assert.strictEqual(yield* exactHash, before)
      }).pipe(Effect.provide(target))
    )

    it.live("a defect or an interruption inside undoes it as a failure does", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const live = yield* Databases
        yield* Migrator.execute(
          migration("m", (db) =>
            Effect.gen(function* () {
              const write = db.updateDocument("c", "a", { n: 99 })
              yield* Effect.exit(Migration.scoped(Effect.andThen(write, Effect.die(new Error("a bug")))))
              assert.strictEqual((yield* db.getDocument("c", "a"))["n"], 1)
              yield* Effect.timeoutOption(Migration.scoped(Effect.andThen(write, Effect.never)), "1 millis")
              assert.strictEqual((yield* db.getDocument("c", "a"))["n"], 1)
            })
          )
        )
        assert.deepStrictEqual(yield* numbers(live), [
          ["a", 1],
          ["b", 2]
        ])
      }).pipe(Effect.provide(target))
    )

    it.live("one of several side by side undoes its own, not its neighbours'", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const live = yield* Databases
        yield* Migrator.execute(
          migration("m", (db) =>
            Effect.forEach(
              Array.from({ length: 10 }, (_, index) => index),
              (n) =>
                Effect.ignore(
                  Migration.scoped(
                    Effect.gen(function* () {
                      yield* db.createDocument("c", { $id: `new${n}`, n })
                      yield* Effect.yieldNow
                      yield* db.updateDocument("c", `new${n}`, { n: n + 100 })
                      if (n % 2 === 0) return yield* broken
                    })
                  )
                ),
              { concurrency: "unbounded" }
            )
          )
        )
        const { documents } = yield* live.listDocuments("c", [Query.greaterThan("n", 99), Query.orderAsc("n")])
        assert.deepStrictEqual(idsOf(documents), ["new1", "new3", "new5", "new7", "new9"])
        assert.strictEqual((yield* live.listDocuments("c")).total, 7)
      }).pipe(Effect.provide(target))
    )
  })

  describe(`what is deleted inside a run, on ${name}`, () => {
    it.live("an attribute is gone for the migration and for its verification, and for good when the run is over", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const live = yield* Databases
        const look = Effect.gen(function* () {
          const db = yield* Databases
          assert.deepStrictEqual(keysOf(yield* db.listAttributes("c")), ["n"])
          assert.deepStrictEqual(keysOf((yield* db.getCollection("c")).attributes), ["n"])
          assert.deepStrictEqual(keysOf((yield* db.listCollections)[0]!.attributes), ["n"])
          assert.deepStrictEqual(yield* db.listIndexes("c"), [])
          const one = yield* db.getDocument("c", "a")
          assert.deepStrictEqual(
            Object.keys(one).filter((key) => !key.startsWith("$")),
            ["n"]
          )
          for (const document of (yield* db.listDocuments("c")).documents) {
            assert.deepStrictEqual(
              Object.keys(document).filter((key) => !key.startsWith("$")),
              ["n"]
            )
          }
          yield* refused(db.listDocuments("c", [Query.equal("s", "one")]), "InvalidQuery", "general_query_invalid")
        })
        yield* Migrator.execute(
          Migration.make({
            id: "m",
            up: Effect.gen(function* () {
              const db = yield* Databases
              yield* db.deleteAttribute("c", "s")
              yield* look
              yield* refused(db.deleteAttribute("c", "s"), "NotFound", "column_not_found")
              yield* refused(db.renameAttribute("c", "s", "t"), "NotFound", "column_not_found")
              yield* refused(db.updateDocument("c", "a", { s: "x" }), "InvalidDocument", "row_invalid_structure")
              const keys = (document: object | null) => Object.keys(document!).filter((key) => !key.startsWith("$"))
              assert.deepStrictEqual(keys(yield* db.updateDocument("c", "a", { n: 5 })), ["n"])
              assert.deepStrictEqual(keys(yield* db.createDocument("c", { $id: "new", n: 5 })), ["n"])
              assert.deepStrictEqual(keys((yield* db.createDocuments("c", [{ $id: "new2" }]))[0]!), ["n"])
              assert.deepStrictEqual(keys(yield* db.updateCollection("c", { name: "N" })).includes("attributes"), true)
              assert.deepStrictEqual(keysOf((yield* db.updateCollection("c", { name: "M" })).attributes), ["n"])
              // It is there all the same, under another key, until the run is over.
              assert.lengthOf(yield* live.listAttributes("c"), 2)
            }),
            verify: look
          })
        )
        yield* look
        assert.lengthOf(yield* live.listAttributes("c"), 1)
      }).pipe(Effect.provide(target))
    )

    it.live("a collection and a database are gone, whatever is asked of them", () =>
      Effect.gen(function* () {
        yield* prepare((db) =>
          Effect.gen(function* () {
            yield* setup(db)
            yield* db.createCollection("d")
            yield* db.createDatabase("second")
            yield* db.in("second").createCollection("s")
          })
        )
        const live = yield* Databases
        const look = Effect.gen(function* () {
          const db = yield* Databases
          assert.deepStrictEqual(idsOf(yield* db.listCollections), ["d"])
          assert.deepStrictEqual(idsOf(yield* db.listDatabases), ["main"])
          for (const asked of [
            db.getCollection("c"),
            db.getCollection("C"),
            db.listAttributes("c"),
            db.listIndexes("c"),
            db.getDocument("c", "a"),
            db.listDocuments("c")
          ]) {
            yield* refused(asked as Effect.Effect<unknown>, "NotFound", "table_not_found")
          }
          yield* refused(db.getDatabase("Second"), "NotFound", "database_not_found")
          yield* refused(db.in("second").listCollections, "NotFound", "database_not_found")
        })
        yield* Migrator.execute(
          Migration.make({
            id: "m",
            up: Effect.gen(function* () {
              const db = yield* Databases
              yield* db.deleteCollection("c")
              yield* db.deleteDatabase("second")
              yield* look
              for (const asked of [
                db.updateCollection("c", { name: "x" }),
                db.deleteCollection("c"),
                db.createDocument("c", { $id: "x", n: 1 }),
                db.createAttribute("c", Attribute.float("f"))
              ]) {
                yield* refused(asked as Effect.Effect<unknown>, "NotFound", "table_not_found")
              }
              yield* refused(db.updateDatabase("second", { name: "x" }), "NotFound", "database_not_found")
              assert.lengthOf(yield* live.listCollections, 2)
            }),
            verify: look
          })
        )
        yield* look
        assert.lengthOf(yield* live.listDatabases, 1)
      }).pipe(Effect.provide(target))
    )

    it.live("what a purge destroys is saved before the commit: values of an attribute, documents of a collection", () =>
      Effect.gen(function* () {
        yield* prepare((db) =>
          Effect.gen(function* () {
            yield* setup(db)
            yield* db.createAttribute("c", Attribute.string("list", { size: 5, array: true }))
            yield* db.updateDocument("c", "a", { list: ["x"] })
            yield* db.createCollection("d", { attributes: [Attribute.integer("n")] })
            yield* db.createDocument("d", { $id: "only", n: 1 })
          })
        )
        const db = yield* Databases
        const documents = yield* db.listDocuments("c")
        const schema = yield* db.getCollection("c")
        const { backups } = yield* Migrator.execute(
          migration("m", (live) =>
            Effect.gen(function* () {
              yield* live.deleteAttribute("c", "s")
              yield* live.deleteAttribute("c", "list")
              yield* live.deleteCollection("d")
            })
          )
        )
        assert.sameMembers(
          backups.map(({ collection }) => collection),
          ["c", "d"]
        )
        for (const { backupFile, collection } of backups) {
          yield* Backup.restore(backupFile, collection === "c" ? { to: "found" } : {})
        }
        // Under their old names, with their old definitions.
        const found = yield* db.getCollection("found")
        assert.sameDeepMembers([...found.attributes], [...schema.attributes])
        assert.deepStrictEqual(
          (yield* db.listDocuments("found")).documents.map(withoutSequence),
          documents.documents.map(withoutSequence)
        )
        assert.strictEqual((yield* db.getDocument("d", "only"))["n"], 1)
        assert.isTrue((yield* db.getCollection("d")).enabled)
      }).pipe(Effect.provide(target))
    )
  })
}

const keysOf = (attributes: ReadonlyArray<Attribute.Attribute>) => attributes.map(({ key }) => key)

describe("a savepoint that can't be undone", () => {
  it.live("is never passed over: a migration that goes on fails, and its rollback tries again", () =>
    Effect.gen(function* () {
      yield* prepare(setup)
      const fault = yield* Failing.Fault
      // The write is the first mutation, its way back the second.
      fault.arm(2)
      const result = yield* Effect.result(
        Migrator.execute(
          migration("m", (db) =>
            Effect.ignore(Migration.scoped(Effect.andThen(db.updateDocument("c", "a", { n: 99 }), broken)))
          )
        )
      )
      assert.strictEqual((yield* (yield* Databases).getDocument("c", "a"))["n"], 1)
      assert.strictEqual(
        result._tag === "Failure"
          ? result.failure._tag
          : `success, with changes ${JSON.stringify(result.success.changes)}`,
        "MigrationFailed"
      )
    }).pipe(Effect.provide(Failing.layer.pipe(Layer.provideMerge(memory))))
  )
})
