/** How migrations are put together: several as one, notes, transforms, verifications. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import type { Document } from "../../src/Document.ts"
import * as Progress from "../../src/internal/Progress.ts"
import * as Migration from "../../src/Migration.ts"
import * as Migrator from "../../src/Migrator.ts"
import { Write } from "../../src/Operation.ts"
import * as Query from "../../src/Query.ts"
import { refused } from "../contract/databases/support.ts"
import {
  type Body,
  Broken,
  broken,
  exactHash,
  failWith,
  migration,
  prepare,
  savedState,
  type Target,
  targets
} from "../support/Migrating.ts"

const count = 250
const setup = (db: Methods) =>
  Effect.gen(function* () {
    yield* db.createCollection("c", { attributes: [Attribute.integer("n"), Attribute.string("s", { size: 20 })] })
    for (let from = 0; from < count; from += 50) {
      yield* db.createDocuments(
        "c",
        Array.from({ length: 50 }, (_, index) => ({ $id: `d${from + index}`, n: from + index }))
      )
    }
  })
const on = (target: Target) => (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
  it.live(title, () => Effect.provide(Effect.andThen(prepare(setup), body), target))

for (const [name, target] of targets) {
  const test = on(target)

  describe(`Migration.transformDocuments on ${name}`, () => {
    const transform = (up: (db: Methods) => Body) => Migrator.execute(migration("m", up))

    test(
      "writes only the documents that change, and counts what it read and changed",
      Effect.gen(function* () {
        const live = yield* Databases
        const before = (yield* live.listDocuments("c", [Query.limit(count)])).documents
        const { changes } = yield* transform(() =>
          Effect.gen(function* () {
            const counts = yield* Migration.transformDocuments("c", (document) =>
              Number(document["n"]) % 10 === 0 ? { n: Number(document["n"]) + 1000 } : undefined
            )
            assert.deepStrictEqual(counts, { read: count, changed: 25 })
          })
        )
        assert.deepStrictEqual(changes, ["updated 25 documents in c"])
        const after = (yield* live.listDocuments("c", [Query.limit(count)])).documents
        for (const [index, document] of after.entries()) {
          const old = before[index]!
          if (index % 10 > 0) assert.deepStrictEqual(document, old)
          else {
            assert.strictEqual(document["n"], Number(old["n"]) + 1000)
            assert.notStrictEqual(document.$updatedAt, old.$updatedAt)
          }
        }
      })
    )

    test(
      "reads only what matches, in order of creation, each once though it matches no more or still",
      Effect.gen(function* () {
        const seen: Array<Document> = []
        yield* transform(() =>
          Effect.gen(function* () {
            const counts = yield* Migration.transformDocuments(
              "c",
              (document) => {
                seen.push(document)
                return { n: Number(document["n"]) + 120 }
              },
              { where: [Query.lessThan("n", 200)] }
            )
            assert.deepStrictEqual(counts, { read: 200, changed: 200 })
          })
        )
        assert.deepStrictEqual(
          seen.map(({ $id }) => $id),
          Array.from({ length: 200 }, (_, index) => `d${index}`)
        )
      })
    )

    test(
      "a change may be an effect, which needs what it needs and fails as it fails: then all is undone",
      Effect.gen(function* () {
        const before = yield* exactHash
        yield* transform((db) =>
          Effect.gen(function* () {
            const { total } = yield* db.listDocuments("c", [Query.limit(1)])
            yield* Migration.transformDocuments("c", (document) =>
              Effect.map(Databases, ({ databaseId }) => ({ s: `${databaseId} ${document.$id} ${total}` }))
            )
            assert.strictEqual((yield* db.getDocument("c", "d7"))["s"], "main d7 250")
          })
        )
        assert.notStrictEqual(yield* exactHash, before)
        const second = yield* exactHash
        const error = yield* failWith(
          "MigrationFailed",
          migration("m2", () =>
            Migration.transformDocuments("c", ({ $id }) =>
              $id === "d200" ? Effect.fail(new Broken("d200 is odd")) : Effect.succeed({ s: "x" })
            )
          )
        )
        assert.strictEqual(error.detail, "d200 is odd")
        assert.strictEqual(yield* exactHash, second)
      })
    )

    test(
      "tells how far it is: a beginning, steps that only grow, an end, with the total",
      Effect.gen(function* () {
        const updates: Array<Progress.Update> = []
        yield* transform(() => Migration.transformDocuments("c", () => ({ s: "x" }))).pipe(
          Effect.provideService(Progress.Progress, (update) => Effect.sync(() => void updates.push(update)))
        )
        assert.deepStrictEqual(updates[0], { label: "transforming c", done: 0, total: count })
        assert.deepStrictEqual(updates.at(-1), { label: "transforming c", done: count, total: count, finished: true })
        const steps = updates.slice(0, -1)
        assert.isAbove(steps.length, 3)
        assert.strictEqual(steps.at(-1)?.fraction, 1)
        const done = steps.map((update) => update.done)
        assert.deepStrictEqual(
          done,
          [...new Set(done)].toSorted((left, right) => left - right)
        )
      })
    )

    test(
      "an empty collection is no work, and one that is not there is a failure",
      Effect.gen(function* () {
        yield* transform((db) =>
          Effect.gen(function* () {
            yield* db.createCollection("empty")
            const counts = yield* Migration.transformDocuments("empty", () => ({ n: 1 }))
            assert.deepStrictEqual(counts, { read: 0, changed: 0 })
            yield* refused(
              Migration.transformDocuments("nowhere", () => undefined).pipe(Effect.provideService(Databases, db)),
              "NotFound",
              "table_not_found"
            )
          })
        )
      })
    )
  })

  describe(`Migration.all and Migration.note on ${name}`, () => {
    test(
      "several are one: each `up` in order, each verification, one line of them in the state",
      Effect.gen(function* () {
        const part = (n: number, message?: string) =>
          Migration.make({
            up: Effect.andThen(
              Migration.note(`part ${n}`),
              Databases.use((db) => db.updateDocument("c", "d0", { n: n * 100 }))
            ),
            verify: message === undefined ? undefined : Effect.succeed(message)
          })
        const all = Migration.all([part(1, "one is fine"), part(2), part(3, "three too")], { id: "all" })
        const result = yield* Migrator.execute(all)
        assert.deepStrictEqual(result.verification, { success: true, message: "one is fine; three too" })
        assert.deepStrictEqual(result.changes, [
          "part 1",
          "updated 1 document in c",
          "part 2",
          "updated 1 document in c",
          "part 3",
          "updated 1 document in c"
        ])
        assert.deepStrictEqual((yield* savedState).completed, ["all"])
      })
    )

    test(
      "the failure of the last undoes all of them",
      Effect.gen(function* () {
        const before = yield* exactHash
        const first = Migration.make({ up: Databases.use((db) => db.deleteAttribute("c", "s")) })
        yield* failWith("MigrationFailed", Migration.all([first, Migration.make({ up: broken })], { id: "all" }))
        assert.strictEqual(yield* exactHash, before)
      })
    )

    test(
      "requirements and reasons of all count: without a verification there is none",
      Effect.gen(function* () {
        const parts = [
          Migration.make({ up: Effect.void, requires: ["x"], irreversible: "mail" }),
          Migration.make({ up: Effect.void, requires: ["y"], irreversible: "money" })
        ]
        const all = Migration.all(parts, { id: "all", description: "both" })
        assert.deepStrictEqual(
          [all.requires, all.irreversible, all.verify, all.description],
          [["x", "y"], "mail; money", undefined, "both"]
        )
        assert.isUndefined(Migration.all([]).irreversible)
        assert.isTrue(Migration.isMigration(all))
        assert.isFalse(Migration.isMigration({ up: Effect.void }))
        assert.isFalse(Migration.isMigration(null))
        yield* Effect.void
      })
    )
  })

  describe(`a refusal inside a run, on ${name}`, () => {
    const refusals = (db: Methods) =>
      Effect.forEach(
        [
          db.deleteCollection("nope"),
          db.deleteDatabase("nope"),
          db.deleteAttribute("c", "nope"),
          db.deleteIndex("c", "nope"),
          db.updateDocument("c", "nope", { n: 1 }),
          db.deleteDocument("c", "x".repeat(5000)),
          db.writeDocuments("c", []),
          db.writeDocuments(
            "c",
            Array.from({ length: 150 }, (_, n) => Write.cases.Delete.make({ id: `${"x".repeat(30)}${n}` }))
          ),
          db.restoreDocuments("c", []),
          db.createCollection("c"),
          db.createDocuments("c", [{ $id: "new", n: 1 }, { $id: "D0" }])
        ] as ReadonlyArray<Effect.Effect<unknown, DatabasesError>>,
        (asked) => Effect.map(Effect.flip(asked), ({ message }) => message)
      )

    test(
      "says what it says without a run, and leaves nothing to undo",
      Effect.gen(function* () {
        const expected = yield* refusals(yield* Databases)
        const before = yield* exactHash
        let found: ReadonlyArray<string> = []
        const { changes } = yield* Migrator.execute(
          migration("m", (db) => Effect.map(refusals(db), (messages) => void (found = messages)))
        )
        assert.deepStrictEqual(found, expected)
        assert.deepStrictEqual(changes, [])
        assert.strictEqual(yield* exactHash, before)
      })
    )
  })

  describe(`a verification on ${name}`, () => {
    test(
      "reads what `up` wrote and can't write: an attempt is a failure of it, and all is undone",
      Effect.gen(function* () {
        const before = yield* exactHash
        for (const write of [
          (db: Methods) => db.updateDocument("c", "d0", { n: 1 }),
          (db: Methods) => db.in("main").deleteCollection("c"),
          (db: Methods) => db.createDatabase("second")
        ]) {
          const error = yield* failWith(
            "VerificationFailed",
            Migration.make({
              id: "m",
              up: Databases.use((db) => db.updateDocument("c", "d0", { n: 5000 })),
              verify: Effect.gen(function* () {
                const db = yield* Databases
                assert.strictEqual((yield* db.getDocument("c", "d0"))["n"], 5000)
                yield* refused(write(db) as Effect.Effect<unknown>, "Unsupported", "general_access_forbidden")
                yield* write(db)
              })
            })
          )
          assert.include(error.detail, "verification")
          assert.strictEqual(yield* exactHash, before)
        }
      })
    )

    test(
      "its text is the message; without one it says that it verified; without a verification there is none",
      Effect.gen(function* () {
        const up = Effect.void
        const one = yield* Migrator.execute(Migration.make({ id: "1", up, verify: Effect.succeed("250 are fine") }))
        assert.deepStrictEqual(one.verification, { success: true, message: "250 are fine" })
        const two = yield* Migrator.execute(Migration.make({ id: "2", up, verify: Effect.succeed(42) }))
        assert.deepStrictEqual(two.verification, { success: true, message: "verified" })
        assert.notProperty(yield* Migrator.execute(Migration.make({ id: "3", up })), "verification")
      })
    )

    test(
      "a defect in it rolls back as well",
      Effect.gen(function* () {
        const before = yield* exactHash
        const error = yield* failWith(
          "VerificationFailed",
          Migration.make({
            id: "m",
            up: Databases.use((db) => db.deleteCollection("c")),
            verify: Effect.die(new Error("undefined is not a function"))
          })
        )
        assert.strictEqual(error.detail, "undefined is not a function")
        assert.strictEqual(yield* exactHash, before)
      })
    )
  })
}
