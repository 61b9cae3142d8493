/** What backups and restores promise, on whatever databases, storage and journal. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import * as Attribute from "../../src/Attribute.ts"
import * as Backup from "../../src/Backup.ts"
import type { BackupStorage } from "../../src/BackupStorage.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Index from "../../src/Index.ts"
import { MigrationJournal } from "../../src/MigrationJournal.ts"
import type { MigrationLock } from "../../src/MigrationLock.ts"
import * as Query from "../../src/Query.ts"
import { commands } from "../support/Commands.ts"
import { begin, perform } from "../support/Performing.ts"
import { allDocuments } from "../support/Documents.ts"

export type Services = Databases | BackupStorage | MigrationLock | MigrationJournal

const hashOf = (db: Methods, collection: string) => DatabaseHash.collection(db, collection)
const one = <A>(all: ReadonlyArray<A>): A => {
  assert.lengthOf(all, 1)
  return all[0]!
}

/** A collection with texts, a unique index and some documents. */
const people = Effect.gen(function* () {
  const db = yield* Databases
  yield* db.createCollection("people", {
    name: "People",
    permissions: [`read("any")`],
    attributes: [
      Attribute.string("name", { size: 40, required: true }),
      Attribute.integer("age", { min: 0, max: 200 }),
      Attribute.string("tags", { size: 20, array: true }),
      Attribute.string("mood", { size: 20, default: "calm" })
    ],
    indexes: [Index.unique("name", ["name"]), Index.key("age", ["age"], { orders: ["desc"] })]
  })
  for (let from = 0; from < 300; from += 100) {
    yield* db.createDocuments(
      "people",
      Array.from({ length: 100 }, (_, index) => ({
        $id: `p${from + index}`,
        name: `name ${from + index}`,
        age: (from + index) % 90,
        ...(index % 3 === 0 ? { tags: ["a", `é${index}`] } : {}),
        ...(index % 7 === 0 ? { $permissions: [`read("user:u${index}")`] } : {})
      }))
    )
  }
  return db
})

export interface Options {
  /** Generated cases. */
  readonly runs: number
}

export const contract = <E>(name: string, implementation: Layer.Layer<Services, E>, { runs }: Options): void => {
  describe(`Backup on ${name}`, () => {
    const promise = (title: string, body: Effect.Effect<void, unknown, Services | Scope>) =>
      it.live(title, () => Effect.provide(body, implementation), 120_000)

    promise(
      "a backup says where it is, how many documents it has and what was reached; it verifies and is listed",
      Effect.gen(function* () {
        const db = yield* people
        const made = one(yield* Backup.create(["people"]))
        assert.deepInclude(made, { success: true, collection: "people", documentCount: 300, consistency: "converged" })
        const verified = one(yield* Backup.verify(made.backupFile))
        assert.strictEqual(verified.hashes?.exact, yield* hashOf(db, "people"))
        assert.strictEqual(verified.hashes?.content, yield* DatabaseHash.collection(db, "people", "content"))
        const listed = one(yield* Backup.list)
        assert.deepInclude(listed, { collection: "people", backupFile: made.backupFile, problem: undefined })
        // Its folder, its id, and its id with the collection mean the same.
        for (const same of [
          made.backupFile.replace(/manifest\.json$/, ""),
          verified.backup,
          `${verified.backup}/people`
        ]) {
          assert.strictEqual(one(yield* Backup.verify(same)).backupFile, made.backupFile)
        }
        assert.deepStrictEqual(yield* (yield* MigrationJournal).open, [])
      })
    )

    promise(
      "what changed is changed back, what went comes back in order, what came goes; nothing else is written",
      Effect.gen(function* () {
        const db = yield* people
        const before = yield* hashOf(db, "people")
        const { backupFile } = one(yield* Backup.create(["people"]))
        yield* db.updateDocument("people", "p1", { age: 99, tags: [] })
        yield* db.updateDocument("people", "p7", { $permissions: [] })
        yield* db.deleteDocument("people", "p10")
        yield* db.deleteDocument("people", "p9")
        yield* db.createDocument("people", { $id: "new", name: "new" })
        const untouched = yield* db.getDocument("people", "p3")
        const planned = one(yield* Backup.restore(backupFile, { dryRun: true }))
        assert.deepInclude(planned, { dryRun: true, same: 296, changed: 2, missing: 2, extra: 1, schema: [] })
        assert.isUndefined(planned.safety)
        const changed = yield* hashOf(db, "people")
        const done = one(yield* Backup.restore(backupFile))
        assert.deepInclude(done, { dryRun: false, same: 296, changed: 2, missing: 2, extra: 1, exact: before })
        assert.strictEqual(yield* hashOf(db, "people"), before)
        assert.deepStrictEqual(yield* db.getDocument("people", "p3"), untouched)
        const last = yield* db.listDocuments("people", [Query.orderDesc("$sequence"), Query.limit(2)])
        assert.deepStrictEqual(
          last.documents.map(({ $id }) => $id),
          ["p10", "p9"]
        )
        // The safety backup takes it where it was.
        yield* Backup.restore(done.safety!.backupFile)
        assert.strictEqual(yield* hashOf(db, "people"), changed)
        assert.deepStrictEqual(yield* (yield* MigrationJournal).open, [])
      })
    )

    promise(
      "unique values that were swapped, in a circle longer than a batch too",
      Effect.gen(function* () {
        const db = yield* people
        const before = yield* hashOf(db, "people")
        const { backupFile } = one(yield* Backup.create(["people"]))
        // Each takes the next one's name.
        const count = 230
        yield* db.updateDocument("people", "p0", { name: "aside" })
        for (let index = 1; index < count; index++) {
          yield* db.updateDocument("people", `p${index}`, { name: `name ${index - 1}` })
        }
        yield* db.updateDocument("people", "p0", { name: `name ${count - 1}` })
        yield* Backup.restore(backupFile)
        assert.strictEqual(yield* hashOf(db, "people"), before)
      })
    )

    promise(
      "a schema that changed comes back, whatever stands there now",
      Effect.gen(function* () {
        const db = yield* people
        const before = yield* hashOf(db, "people")
        const { backupFile } = one(yield* Backup.create(["people"]))
        yield* db.deleteIndex("people", "name")
        yield* db.updateDocuments("people", [Query.lessThan("age", 50)], { name: "all the same" })
        yield* db.deleteAttribute("people", "age")
        yield* db.createAttribute("people", Attribute.string("age", { size: 5 }))
        yield* db.updateDocuments("people", [Query.limit(5000)], { age: "old" })
        yield* db.renameAttribute("people", "tags", "labels")
        yield* db.updateAttribute("people", Attribute.string("name", { size: 400, default: "nobody" }))
        yield* db.createAttribute("people", Attribute.integer("extra", { default: 3 }))
        yield* db.createIndex("people", Index.key("mood", ["mood"]))
        yield* db.updateCollection("people", { name: "Folk", enabled: false, permissions: [] })
        const planned = one(yield* Backup.restore(backupFile, { dryRun: true }))
        assert.includeMembers([...planned.schema], ["deleted attribute people.extra", "deleted index mood on people"])
        yield* Backup.restore(backupFile)
        assert.strictEqual(yield* hashOf(db, "people"), before)
      })
    )

    promise(
      "into another collection; the first one stays as it is",
      Effect.gen(function* () {
        const db = yield* people
        const { backupFile } = one(yield* Backup.create(["people"]))
        yield* db.deleteDocument("people", "p5")
        const before = yield* hashOf(db, "people")
        const done = one(yield* Backup.restore(backupFile, { to: "folk" }))
        assert.deepInclude(done, { collection: "folk", missing: 300 })
        // Nothing was there: that is what the way back leads to.
        assert.isTrue(done.safety?.absent)
        assert.strictEqual(done.exact, yield* hashOf(db, "folk"))
        assert.strictEqual(yield* hashOf(db, "people"), before)
        assert.lengthOf(yield* allDocuments(db, "folk"), 300)
        // Again, by difference.
        yield* db.deleteDocument("folk", "p7")
        assert.deepInclude(one(yield* Backup.restore(backupFile, { to: "folk" })), { same: 299, missing: 1 })
        yield* Backup.restore(done.safety.backupFile)
        assert.deepStrictEqual(
          (yield* db.listCollections).map(({ $id }) => $id),
          ["people"]
        )
      })
    )

    promise(
      "only some documents: others stay, and so does what is new",
      Effect.gen(function* () {
        const db = yield* people
        const p1 = yield* db.getDocument("people", "p1")
        const { backupFile } = one(yield* Backup.create(["people"]))
        yield* db.updateDocument("people", "p1", { age: 99 })
        yield* db.updateDocument("people", "p2", { age: 99 })
        yield* db.deleteDocument("people", "p3")
        yield* db.createDocument("people", { $id: "new", name: "new" })
        const done = one(yield* Backup.restore(backupFile, { only: ["p1", "P3", "p4"] }))
        assert.deepInclude(done, { same: 1, changed: 1, missing: 1, extra: 0 })
        assert.deepStrictEqual(yield* db.getDocument("people", "p1"), p1)
        assert.strictEqual((yield* db.getDocument("people", "p2"))["age"], 99)
        assert.strictEqual((yield* db.getDocument("people", "p3"))["name"], "name 3")
        yield* db.getDocument("people", "new")
        const before = yield* hashOf(db, "people")
        const unknown = yield* Effect.flip(Backup.restore(backupFile, { only: ["p1", "nobody"] }))
        assert.deepInclude(unknown, { _tag: "DocumentsNotInBackup", ids: ["nobody"] })
        yield* db.createAttribute("people", Attribute.integer("extra"))
        const differs = yield* Effect.flip(Backup.restore(backupFile, { only: ["p2"] }))
        assert.deepInclude(differs, { _tag: "RestoreSchemaDiffers", collection: "people" })
        yield* db.deleteAttribute("people", "extra")
        assert.strictEqual(yield* hashOf(db, "people"), before)
      })
    )

    promise(
      "a collection that was not there is recorded as absent; restoring that deletes it, and can be taken back",
      Effect.gen(function* () {
        const db = yield* Databases
        const absent = one(yield* Backup.create(["people"]))
        assert.deepInclude(absent, { absent: true, documentCount: 0 })
        assert.deepInclude(one(yield* Backup.restore(absent.backupFile)), { absent: true, schema: [] })
        yield* people
        const before = yield* hashOf(db, "people")
        const planned = one(yield* Backup.restore(absent.backupFile, { dryRun: true }))
        assert.deepStrictEqual(planned.schema, ["deleted collection people"])
        const done = one(yield* Backup.restore(absent.backupFile))
        assert.deepStrictEqual(yield* db.listCollections, [])
        yield* Backup.restore(done.safety!.backupFile)
        assert.strictEqual(yield* hashOf(db, "people"), before)
      })
    )

    promise(
      "an empty collection, and one without attributes",
      Effect.gen(function* () {
        const db = yield* Databases
        yield* db.createCollection("bare")
        yield* db.createDocuments("bare", [{ $id: "a" }])
        yield* db.createCollection("empty", { attributes: [Attribute.integer("n")] })
        const made = yield* Backup.create(["bare", "empty", "bare"])
        const before = [yield* hashOf(db, "bare"), yield* hashOf(db, "empty")]
        yield* db.deleteCollection("bare")
        yield* db.createDocument("empty", { $id: "x", n: 1 })
        for (const { backupFile } of made) yield* Backup.restore(backupFile)
        assert.deepStrictEqual([yield* hashOf(db, "bare"), yield* hashOf(db, "empty")], before)
        assert.lengthOf(made, 2)
      })
    )

    promise(
      "quiesced: the collection is as it was afterwards, and the backup says so",
      Effect.gen(function* () {
        const db = yield* people
        const before = yield* hashOf(db, "people")
        const made = one(yield* Backup.create(["people"], { consistency: "quiesced" }))
        assert.strictEqual(made.consistency, "quiesced")
        assert.strictEqual(yield* hashOf(db, "people"), before)
        assert.strictEqual(one(yield* Backup.verify(made.backupFile)).hashes?.exact, before)
        assert.deepStrictEqual(yield* (yield* MigrationJournal).open, [])
      })
    )

    promise(
      "names that are no backup, or no collection, are refused with what they should be",
      Effect.gen(function* () {
        for (const name of [
          "",
          "nothing",
          "../x",
          "20260102T030405678Z-abcdef",
          "20260102T030405678Z-abcdef/c",
          "/etc/passwd"
        ]) {
          const error = yield* Effect.flip(Backup.restore(name))
          assert.strictEqual(error._tag, "BackupUnknown", name)
        }
        for (const id of ["", "../x", "_x", "x".repeat(37), "a/b"]) {
          assert.strictEqual((yield* Effect.flip(Backup.create([id])))._tag, "BackupNameRefused", id)
        }
        assert.deepStrictEqual(yield* Backup.list, [])
      })
    )

    promise(
      "pruning keeps what the rule keeps, the newest of each collection, and says why",
      Effect.gen(function* () {
        yield* people
        const files: Array<string> = []
        for (let count = 0; count < 4; count++) files.push(one(yield* Backup.create(["people"])).backupFile)
        const other = one(yield* Backup.create(["other"])).backupFile
        const decisions = yield* Backup.prune({ keepLast: 2 })
        const kept = decisions.filter(({ keep }) => keep !== undefined).map(({ backup }) => backup.backupFile)
        assert.sameMembers(kept, [...files.slice(2), other])
        const left = (yield* Backup.list).map(({ backupFile }) => backupFile)
        assert.sameMembers(left, kept)
      })
    )

    it.live(
      `whatever happens between a backup and its restore, the exact hash is that of the backup (${runs} cases)`,
      () =>
        Effect.gen(function* () {
          let [cases, changed] = [0, 0]
          const result = yield* Arbitrary.checkEffect(
            Arbitrary.all([commands, commands]),
            ([first, then]) =>
              Effect.gen(function* () {
                const db = yield* Databases
                yield* begin(db)
                for (const command of first) yield* Effect.result(perform(db, command))
                const before = new Map<string, string>()
                for (const { $id } of yield* db.listCollections) before.set($id, yield* hashOf(db, $id))
                const made = yield* Backup.create([...before.keys()], { consistency: "fuzzy" })
                for (const command of then) yield* Effect.result(perform(db, command))
                for (const { backupFile, collection } of made) {
                  const now = (yield* db.listCollections).find(
                    ({ $id }) => $id.toLowerCase() === collection.toLowerCase()
                  )
                  // One that came back spelt in other case is another collection to the hash.
                  if (now !== undefined && now.$id !== collection) yield* db.deleteCollection(now.$id)
                  const done = one(yield* Backup.restore(backupFile))
                  cases++
                  if (done.changed + done.missing + done.extra + done.schema.length > 0) changed++
                  assert.strictEqual(yield* hashOf(db, collection), before.get(collection))
                }
                return true
              }).pipe(Effect.provide(implementation), Effect.scoped),
            { runs }
          )
          const failure = Arbitrary.formatCheckFailure(result)
          if (failure !== undefined) assert.fail(failure)
          assert.isAbove(cases, runs / 2)
          assert.isAbove(changed, cases / 4)
        }),
      300_000
    )
  })
}
