/** Restores that go wrong half way, or meet what others left; what a backup may not take, and what pruning may not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Attribute from "../../src/Attribute.ts"
import * as Backup from "../../src/Backup.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, failure, make, type Methods } from "../../src/Databases.ts"
import { Unavailable } from "../../src/DatabasesError.ts"
import * as Index from "../../src/Index.ts"
import { MigrationJournal, waysOn } from "../../src/MigrationJournal.ts"
import * as Migrator from "../../src/Migrator.ts"
import type { Operation } from "../../src/Operation.ts"
import { backups, exactHash, memory, migration, onFile, prepare, temporaryFolder } from "../support/Migrating.ts"

const one = <A>(all: ReadonlyArray<A>): A => all[0]!
const hashOf = (db: Methods, collection: string) => DatabaseHash.collection(db, collection)

/** x and y hold the unique values v and w. */
const swapped = Effect.gen(function* () {
  const db = yield* Databases
  yield* db.createCollection("t", {
    attributes: [Attribute.string("b", { size: 10 })],
    indexes: [Index.unique("u", ["b"])]
  })
  yield* db.createDocuments("t", [
    { $id: "x", b: "v" },
    { $id: "y", b: "w" }
  ])
  const { backupFile } = one(yield* Backup.create(["t"]))
  yield* db.updateDocument("t", "x", { b: "aside" })
  yield* db.updateDocument("t", "y", { b: "v" })
  yield* db.updateDocument("t", "x", { b: "w" })
  return { db, backupFile }
})

/** The first restored batches are written, then the store fails. */
const failingAfter = (db: Methods, batches: number): Methods => {
  let count = 0
  return make({
    databaseId: db.databaseId,
    execute: (operation) => {
      const one: Operation = operation
      return one._tag === "RestoreDocuments" && ++count > batches
        ? Effect.fail(failure(operation, new Unavailable({ type: "general_unknown", detail: "gone" })))
        : db.execute(operation)
    }
  })
}
const through = (databases: Methods) => Effect.provideService(Databases, Databases.of(databases))

/** 300 documents, backed up, all changed. */
const changed = Effect.gen(function* () {
  const db = yield* Databases
  yield* db.createCollection("t", { attributes: [Attribute.integer("n")] })
  for (let from = 0; from < 300; from += 100) {
    yield* db.createDocuments(
      "t",
      Array.from({ length: 100 }, (_, index) => ({ $id: `d${from + index}`, n: from + index }))
    )
  }
  const { backupFile } = one(yield* Backup.create(["t"]))
  const before = yield* hashOf(db, "t")
  for (let index = 0; index < 300; index++) yield* db.updateDocument("t", `d${index}`, { n: -1 })
  return { db, backupFile, before, broken: yield* hashOf(db, "t") }
})
const openRestores = Effect.flatMap(MigrationJournal, ({ open }) =>
  Effect.map(open, (runs) => runs.map(({ restore }) => restore))
)

describe("a restore of single documents", () => {
  it.live("that others' unique values stand against leaves them as they are, and says how to go on", () =>
    Effect.gen(function* () {
      const { backupFile, db } = yield* swapped
      const before = yield* hashOf(db, "t")
      const error = yield* Effect.flip(Backup.restore(backupFile, { only: ["x"] }))
      assert.strictEqual(error._tag, "RestoreIncomplete")
      assert.include(error.message, `holdfast restore ${backupFile} --only x`)
      assert.strictEqual(yield* hashOf(db, "t"), before)
      // Together they can.
      yield* Backup.restore(backupFile)
      assert.strictEqual((yield* db.getDocument("t", "x"))["b"], "v")
    }).pipe(Effect.provide(memory))
  )

  it.live("does not end a restore of all that was cut short", () =>
    Effect.gen(function* () {
      const { backupFile, before, db } = yield* changed
      yield* Effect.flip(through(failingAfter(db, 1))(Backup.restore(backupFile)))
      const error = yield* Effect.flip(Backup.restore(backupFile, { only: ["d299"] }))
      assert.strictEqual(error._tag, "RecoveryNeeded")
      yield* Backup.restore(backupFile)
      assert.strictEqual(yield* hashOf(db, "t"), before)
      assert.deepStrictEqual(yield* openRestores, [])
    }).pipe(Effect.provide(memory))
  )
})

describe("a restore that fails in the middle", () => {
  it.live("twice: the way back is to what was there before the first", () =>
    Effect.gen(function* () {
      const { backupFile, broken, db } = yield* changed
      for (const batches of [1, 1]) {
        const error = yield* Effect.flip(through(failingAfter(db, batches))(Backup.restore(backupFile)))
        assert.strictEqual(error._tag, "RestoreIncomplete")
      }
      const [first, second] = yield* openRestores
      assert.strictEqual(second!.safety, first!.safety)
      assert.notStrictEqual(yield* hashOf(db, "t"), broken)
      yield* Backup.restore(first!.safety!)
      assert.strictEqual(yield* hashOf(db, "t"), broken)
      assert.deepStrictEqual(yield* openRestores, [])
    }).pipe(Effect.provide(memory))
  )

  it.live("of several collections: none is written before all are checked", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const db = yield* Databases
        for (const id of ["aa", "bb"]) {
          yield* db.createCollection(id, { attributes: [Attribute.integer("n")] })
          yield* db.createDocument(id, { $id: "x", n: 1 })
        }
        const made = yield* Backup.create(["aa", "bb"])
        for (const id of ["aa", "bb"]) yield* db.updateDocument(id, "x", { n: 2 })
        const before = yield* exactHash
        const chunk = join(dirname(made[1]!.backupFile), "documents-000001.ndjson.gz")
        const bytes = readFileSync(chunk)
        bytes[20]! ^= 1
        writeFileSync(chunk, bytes)
        const id = made[0]!.backupFile.split("/").at(-3)!
        assert.strictEqual((yield* Effect.flip(Backup.restore(id)))._tag, "BackupDamaged")
        assert.strictEqual(yield* exactHash, before)
      }).pipe(Effect.provide(onFile(folder)))
    })
  )
})

describe("a schema with no room for both", () => {
  const full = (size: number) => "x".repeat(size)
  for (const [title, before, after] of [
    [
      "varchars that change places",
      [Attribute.varchar("a", { size: 15_000 }), Attribute.varchar("b", { size: 10 })],
      [Attribute.varchar("a", { size: 10 }), Attribute.varchar("b", { size: 15_000 })]
    ],
    [
      "strings that change places",
      [Attribute.string("a", { size: 12_000 }), Attribute.string("b", { size: 100 })],
      [Attribute.string("a", { size: 100 }), Attribute.string("b", { size: 12_000 })]
    ],
    [
      "an index over both",
      [Attribute.string("a", { size: 700 }), Attribute.string("b", { size: 10 })],
      [Attribute.string("a", { size: 10 }), Attribute.string("b", { size: 700 })]
    ],
    [
      "enums of a hundred elements each",
      [Attribute.enumeration("a", { elements: Array.from({ length: 100 }, (_, n) => `old${n}`) })],
      [Attribute.enumeration("a", { elements: Array.from({ length: 100 }, (_, n) => `new${n}`) })]
    ]
  ] as const) {
    it.live(`${title}: comes back all the same`, () =>
      Effect.gen(function* () {
        const db = yield* Databases
        const indexes = title.startsWith("an index") ? [Index.key("k", ["a", "b"])] : []
        yield* db.createCollection("t", { attributes: before, indexes })
        const [first] = before
        const value = first.kind === "enum" ? first.elements[3]! : full(first.size)
        yield* db.createDocument("t", { $id: "x", a: value })
        const hash = yield* hashOf(db, "t")
        const { backupFile } = one(yield* Backup.create(["t"]))
        yield* db.deleteCollection("t")
        yield* db.createCollection("t", { attributes: after, indexes })
        yield* db.createDocument("t", { $id: "y", a: null })
        yield* Backup.restore(backupFile)
        assert.strictEqual(yield* hashOf(db, "t"), hash)
      }).pipe(Effect.provide(memory))
    )
  }
})

describe("bounds and defaults of doubles", () => {
  for (const options of [
    { default: 1e20 },
    { default: 2 ** 53 },
    { default: -9223372036854775808 },
    { min: -1e20, max: 1e20 },
    { min: 0, max: 1e16, default: 1e15 }
  ]) {
    it.live(`${JSON.stringify(options)}: backed up, restored, and undone by a migration`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* Effect.gen(function* () {
          yield* prepare((db) =>
            Effect.gen(function* () {
              yield* db.createCollection("t", {
                attributes: [Attribute.float("f", options), Attribute.string("a", { size: 5 })]
              })
              yield* db.createDocument("t", { $id: "x", a: "a", f: options.max ?? 3 })
            })
          )
          const db = yield* Databases
          const before = yield* hashOf(db, "t")
          const { backupFile } = one(yield* Backup.create(["t"]))
          yield* Backup.verify(backupFile)
          const error = yield* Effect.flip(
            Migrator.execute(
              migration("m", (live) =>
                Effect.gen(function* () {
                  yield* live.renameAttribute("t", "a", "b")
                  yield* live.deleteAttribute("t", "f")
                  return yield* Effect.fail(new Error("on purpose"))
                })
              )
            )
          )
          assert.strictEqual(error._tag, "MigrationFailed")
          assert.strictEqual(yield* hashOf(db, "t"), before)
          yield* db.deleteCollection("t")
          yield* Backup.restore(backupFile)
          assert.strictEqual(yield* hashOf(db, "t"), before)
        }).pipe(Effect.provide(onFile(folder)))
      })
    )
  }
})

describe("a backup", () => {
  it.live("is not taken while a run is open: what is parked would be saved as it is called then", () =>
    Effect.gen(function* () {
      const { backupFile, db } = yield* changed
      yield* Effect.flip(through(failingAfter(db, 1))(Backup.restore(backupFile)))
      for (const consistency of ["fuzzy", "converged", "quiesced"] as const) {
        assert.strictEqual((yield* Effect.flip(Backup.create(["t"], { consistency })))._tag, "RecoveryNeeded")
      }
    }).pipe(Effect.provide(memory))
  )

  it.live("of another database is restored only where that is said", () =>
    Effect.gen(function* () {
      const db = yield* Databases
      yield* db.createDatabase("second")
      yield* db.in("second").createCollection("t", { attributes: [Attribute.integer("n")] })
      yield* db.createCollection("t", { attributes: [Attribute.string("s", { size: 5 })] })
      const { backupFile } = one(yield* through(db.in("second"))(Backup.create(["t"])))
      const before = yield* exactHash
      const error = yield* Effect.flip(Backup.restore(backupFile))
      assert.deepInclude(error, { _tag: "BackupOfAnotherDatabase", expected: "main", found: "second" })
      assert.strictEqual(yield* exactHash, before)
      yield* Backup.restore(backupFile, { to: "from-second" })
    }).pipe(Effect.provide(memory))
  )
})

describe("pruning", () => {
  it.live("takes nothing that is unreadable, absent, of another database or a safety backup for the newest", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const { backupFile, db } = yield* changed
        yield* Backup.restore(backupFile)
        yield* db.createDatabase("second")
        yield* db.in("second").createCollection("t")
        const second = one(yield* through(db.in("second"))(Backup.create(["t"]))).backupFile
        yield* db.deleteCollection("t")
        const absent = one(yield* Backup.create(["t"])).backupFile
        // A copy in the wrong place can't be read as what it claims to be.
        const misplaced = join(backups(folder), "29990101T000000000Z-zzzzzz", "t")
        mkdirSync(misplaced, { recursive: true })
        copyFileSync(backupFile, join(misplaced, "manifest.json"))
        const decisions = yield* Backup.prune({ keepLast: 0 })
        const kept = decisions.filter(({ keep }) => keep !== undefined).map(({ backup }) => backup.backupFile)
        assert.includeMembers(kept, [backupFile, second, absent, join(misplaced, "manifest.json")])
        assert.lengthOf(kept, 5)
      }).pipe(Effect.provide(onFile(folder)))
    })
  )

  it.live("keeps what a restore that was cut short names, however the folder is spelt", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { backupFile } = yield* Effect.gen(function* () {
        const found = yield* changed
        yield* Effect.flip(through(failingAfter(found.db, 1))(Backup.restore(found.backupFile)))
        return found
      }).pipe(Effect.provide(onFile(folder)))
      yield* Effect.gen(function* () {
        const decisions = yield* Backup.prune({ keepLast: 0 })
        const names = decisions.filter(({ keep }) => keep?.includes("may need it") === true)
        assert.lengthOf(names, 2)
        yield* Backup.restore(backupFile)
      }).pipe(Effect.provide(onFile(join(folder, ".", "x", ".."))))
    })
  )
})

describe("what a cut run may need", () => {
  it.live("stays when backups are pruned: what was saved before it and since", () =>
    Effect.gen(function* () {
      const { db } = yield* changed
      const { begin } = yield* MigrationJournal
      const target = yield* db.describeTarget
      const saved = one(yield* Backup.create(["t"]))
      const holder = { host: "here", pid: 1, since: "2026-01-02T03:04:05.678Z" }
      const run = saved.backupFile.split("/").at(-3)!.replace("memory:", "")
      const other = one(yield* Backup.create(["t"]))
      yield* Effect.scoped(
        begin({ _tag: "Begin", format: 1, run, migration: "m", hash: null, target, holder, at: holder.since })
      )
      const decisions = yield* Backup.prune({ keepLast: 1 })
      const kept = decisions.filter(({ keep }) => keep?.includes("may need it") === true)
      assert.sameMembers(
        kept.map(({ backup }) => backup.backupFile),
        [saved.backupFile, other.backupFile]
      )
    }).pipe(Effect.provide(memory))
  )

  it.live("is told with the collection, the database and quotes that a shell needs", () =>
    Effect.sync(() => {
      const way = {
        backup: "a b/people/20260102T030405678Z-abcdef/t/manifest.json",
        database: "d2",
        collection: "people"
      }
      assert.include(
        waysOn({ ...way, safety: "s/t/manifest.json", only: ["x"] }),
        "`holdfast restore 'a b/people/20260102T030405678Z-abcdef/t/manifest.json' --to people --only x --database-id d2`"
      )
      assert.notInclude(waysOn({ ...way, collection: "t", database: "main", safety: null }), "--")
    })
  )
})
