/** Backups whose disk is full, whose storage fails, whose process is killed: no half of one is ever listed. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { readdirSync } from "node:fs"
import { dirname } from "node:path"
import * as Attribute from "../../src/Attribute.ts"
import * as Backup from "../../src/Backup.ts"
import { BackupStorage, BackupStorageUnavailable } from "../../src/BackupStorage.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases } from "../../src/Databases.ts"
import * as Index from "../../src/Index.ts"
import * as BackupFolder from "../../src/layers/backups/FileSystem.ts"
import { MigrationJournal } from "../../src/MigrationJournal.ts"
import * as Migrator from "../../src/Migrator.ts"
import * as Child from "../support/Child.ts"
import { backups, memory, migration, onFile, prepare, temporaryFolder } from "../support/Migrating.ts"

const people = Effect.fnUntraced(function* (count: number) {
  const db = yield* Databases
  yield* db.createCollection("people", {
    attributes: [Attribute.string("name", { size: 40 }), Attribute.integer("n")],
    indexes: [Index.unique("name", ["name"])]
  })
  for (let from = 0; from < count; from += 100) {
    yield* db.createDocuments(
      "people",
      Array.from({ length: Math.min(100, count - from) }, (_, index) => ({
        $id: `p${from + index}`,
        name: `name ${from + index}`,
        n: from + index
      }))
    )
  }
  return db
})
const hash = Effect.flatMap(Databases, (db) => DatabaseHash.collection(db, "people"))

/** The next backup works, and is the only one. */
const nextWorks = Effect.gen(function* () {
  assert.deepStrictEqual(yield* Backup.list, [])
  const [made] = yield* Backup.create(["people"])
  const [verified] = yield* Backup.verify(made!.backupFile)
  assert.strictEqual(verified!.hashes?.exact, yield* hash)
  assert.lengthOf(yield* Backup.list, 1)
})

describe("a storage that fails", () => {
  for (const when of ["before it begins", "in its middle", "after it was done"] as const) {
    it.live(`at each write, ${when}: the backup fails, is not listed, and the next one works`, () =>
      Effect.gen(function* () {
        yield* people(50)
        const storage = yield* BackupStorage
        const lost = new BackupStorageUnavailable({ location: "there", detail: "permission denied" })
        let failures = 0
        for (let number = 1; number <= 4; number++) {
          let count = 0
          const failing = BackupStorage.of({
            ...storage,
            put: (name, bytes) => {
              if (++count !== number) return storage.put(name, bytes)
              if (when === "before it begins") return Effect.fail(lost)
              if (when === "in its middle") return storage.put(name, Stream.concat(bytes, Stream.fail(lost)))
              return Effect.andThen(storage.put(name, bytes), Effect.fail(lost))
            }
          })
          const outcome = yield* Effect.result(Effect.provideService(Backup.create(["people"]), BackupStorage, failing))
          if (outcome._tag === "Failure") {
            failures++
            assert.strictEqual(outcome.failure, lost)
          }
          assert.deepStrictEqual(yield* Backup.list, [])
          // What it had written does not take the room that others may need.
          assert.deepStrictEqual(yield* storage.list(""), [])
        }
        assert.strictEqual(failures, 4)
        yield* nextWorks
      }).pipe(Effect.provide(memory))
    )
  }

  it.live("a migration whose backup can't be made is not started, and says so", () =>
    Effect.gen(function* () {
      yield* prepare(() => Effect.void)
      yield* people(10)
      const storage = yield* BackupStorage
      const lost = new BackupStorageUnavailable({ location: "there", detail: "no space left on device" })
      const failing = BackupStorage.of({ ...storage, put: () => Effect.fail(lost) })
      const before = yield* hash
      const run = Migrator.execute({
        ...migration("m", (live) => live.deleteAttribute("people", "n")),
        backup: ["people"]
      })
      const error = yield* Effect.flip(Effect.provideService(run, BackupStorage, failing))
      assert.deepInclude(error, { _tag: "BackupFailed", collection: "people" })
      assert.include(error.message, "no space left on device")
      assert.include(error.message, "--skip-backup")
      assert.strictEqual(yield* hash, before)
      assert.deepStrictEqual(yield* (yield* MigrationJournal).open, [])
    }).pipe(Effect.provide(memory))
  )
})

describe("a full disk", () => {
  it.live("at any byte: the backup fails by name, is not listed, and the next one works", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.gen(function* () {
        yield* people(50)
        for (const room of [0, 1, 100, 1000, 3000, 5000]) {
          let left = room
          const full = Effect.fail(
            PlatformError.systemError({
              _tag: "WriteZero",
              module: "FileSystem",
              method: "writeAll",
              description: "ENOSPC: no space left on device"
            })
          )
          const small = Layer.effect(
            FileSystem.FileSystem,
            Effect.map(FileSystem.FileSystem, (fs) => ({
              ...fs,
              open: (...parameters: Parameters<typeof fs.open>) =>
                Effect.map(fs.open(...parameters), (file) =>
                  Object.create(file, {
                    writeAll: {
                      value: (bytes: Uint8Array) => {
                        const fits = bytes.subarray(0, left)
                        left -= fits.length
                        return fits.length === bytes.length
                          ? file.writeAll(bytes)
                          : Effect.andThen(file.writeAll(fits), full)
                      }
                    }
                  })
                )
            }))
          )
          const storage = BackupFolder.layer(backups(folder)).pipe(
            Layer.provide(small),
            Layer.provide(NodeServices.layer)
          )
          const error = yield* Effect.flip(Effect.provide(Backup.create(["people"]), storage))
          assert.strictEqual(error._tag, "BackupStorageUnavailable", `with ${room} bytes`)
          assert.include(error.message, "no space left on device")
          assert.deepStrictEqual(yield* Backup.list, [])
        }
        yield* nextWorks
      }).pipe(Effect.provide(onFile(folder)))
    })
  )
})

describe("a process that is killed", () => {
  it.live(
    "at each change of the disk: no half backup is listed, and the next one works",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* Effect.provide(people(20), onFile(folder))
        let at = 0
        let killed = 0
        const one = Effect.suspend(() => {
          const number = ++at
          return Effect.scoped(
            Effect.flatMap(Child.start("backingUp.ts", folder, "backup", String(number)), (child) =>
              Effect.map(child.ended, (ending) => ({ ending, number, lines: child.lines() }))
            )
          )
        })
        for (let done = false; !done;) {
          for (const { ending, lines } of yield* Effect.all([one, one, one, one], { concurrency: 2 })) {
            if (ending.signal === "SIGKILL") killed++
            else {
              assert.match(lines.at(-1) ?? "", /^done \d+$/)
              done = true
            }
          }
        }
        assert.isAtLeast(killed, 20)
        yield* Effect.gen(function* () {
          // Whole ones only: those of the last round, and one that was killed behind its manifest.
          const listed = yield* Backup.list
          assert.isBelow(listed.length, killed / 2)
          for (const { backupFile, problem } of listed) {
            assert.isUndefined(problem)
            yield* Backup.verify(backupFile)
          }
          const [made] = yield* Backup.create(["people"])
          assert.strictEqual((yield* Backup.verify(made!.backupFile))[0]!.hashes?.exact, yield* hash)
          assert.isAbove(readdirSync(backups(folder)).length, listed.length + 1)
          assert.include(dirname(made!.backupFile), "people")
        }).pipe(Effect.provide(onFile(folder)))
      }),
    180_000
  )

  it.live("in a quiesced backup: the run stays open, and nothing migrates until that is dealt with", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.provide(people(20), onFile(folder))
      const child = yield* Child.start("backingUp.ts", folder, "quiesced", "9")
      assert.strictEqual((yield* child.ended).signal, "SIGKILL")
      yield* Effect.gen(function* () {
        const db = yield* Databases
        assert.isFalse((yield* db.getCollection("people")).enabled)
        const error = yield* Effect.flip(Migrator.executeAll([]))
        assert.strictEqual(error._tag, "RecoveryNeeded")
        assert.include(error.message, "UpdateCollection main/people")
      }).pipe(Effect.provide(onFile(folder)))
    })
  )

  it.live(
    "in the middle of a restore: migrations wait, and the same restore, or that of the safety backup, finishes it",
    () =>
      Effect.gen(function* () {
        for (const [number, way] of [
          [1, "again"],
          [2, "again"],
          [3, "back"],
          [5, "again"],
          [6, "back"]
        ] as const) {
          yield* Effect.gen(function* () {
            const folder = yield* temporaryFolder
            const target = onFile(folder)
            const { backupFile, before, changed } = yield* Effect.gen(function* () {
              yield* prepare(() => Effect.void)
              const db = yield* people(600)
              const before = yield* hash
              const [made] = yield* Backup.create(["people"])
              for (let index = 0; index < 300; index++) yield* db.updateDocument("people", `p${index}`, { n: -1 })
              for (let index = 300; index < 500; index += 2) yield* db.deleteDocument("people", `p${index}`)
              yield* db.createDocument("people", { $id: "new", name: "new" })
              yield* db.createAttribute("people", Attribute.integer("extra"))
              return { backupFile: made!.backupFile, before, changed: yield* hash }
            }).pipe(Effect.provide(target))
            const child = yield* Child.start("backingUp.ts", folder, "restore", String(number), backupFile)
            assert.strictEqual((yield* child.ended).signal, "SIGKILL")
            yield* Effect.gen(function* () {
              const waiting = yield* Effect.flip(Migrator.executeAll([]))
              assert.strictEqual(waiting._tag, "RecoveryNeeded")
              assert.include(waiting.message, `holdfast restore ${backupFile}`)
              const [run] = yield* (yield* MigrationJournal).open
              const safety = run!.restore!.safety!
              yield* Backup.restore(way === "again" ? backupFile : safety)
              assert.strictEqual(yield* hash, way === "again" ? before : changed)
              assert.deepStrictEqual(yield* (yield* MigrationJournal).open, [])
              yield* Migrator.executeAll([])
            }).pipe(Effect.provide(target))
          }).pipe(Effect.scoped)
        }
      }),
    120_000
  )
})
