/** Running migrations: what is skipped, refused, remembered, and told. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Attribute from "../src/Attribute.ts"
import { Databases } from "../src/Databases.ts"
import * as Migration from "../src/Migration.ts"
import { MigrationJournal } from "../src/MigrationJournal.ts"
import { MigrationLock } from "../src/MigrationLock.ts"
import { MigrationState, StateUnavailable } from "../src/MigrationState.ts"
import * as Migrator from "../src/Migrator.ts"
import { MigrationNotLoaded } from "../src/MigratorError.ts"
import {
  assertNothingOpen,
  broken,
  errorOf,
  exactHash,
  failWith,
  memory,
  migration,
  prepare,
  savedState
} from "./support/Migrating.ts"
import { breaks, collections, fromFile, makes, tagOf } from "./support/Named.ts"

const test = (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
  it.live(title, () => Effect.provide(body, memory))

describe("Migrator.execute", () => {
  test(
    "answers as documented, and the state remembers it",
    Effect.gen(function* () {
      const result = yield* Migrator.execute(makes("a", { verify: "it is there" }))
      const { duration, ...rest } = result
      assert.isAtLeast(duration, 0)
      assert.deepStrictEqual(rest, {
        success: true,
        migrationName: "a",
        dryRun: false,
        backups: [],
        changes: ["created collection a (0 attributes, 0 indexes)"],
        verification: { success: true, message: "it is there" }
      })
      const state = yield* savedState
      assert.deepStrictEqual([state.completed, state.pending, state.failed], [["a"], [], []])
      const applied = state.holdfast.applied["a"]
      assert.strictEqual(applied?.duration, duration)
      assert.isNull(applied?.hash)
      assert.match(applied?.run ?? "", /^\d{8}T\d{9}Z-[0-9a-z]{6}$/)
      assert.match(applied?.at ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
      assert.deepStrictEqual(state.holdfast.target, yield* (yield* Databases).describeTarget)
      yield* assertNothingOpen
    })
  )

  test(
    "what the target has seen is a success that says so, and does not run",
    Effect.gen(function* () {
      yield* Migrator.execute(makes("a"))
      const before = yield* exactHash
      const again = yield* Migrator.execute(makes("a"))
      assert.deepStrictEqual(again, {
        success: true,
        migrationName: "a",
        duration: 0,
        dryRun: false,
        backups: [],
        changes: [],
        skipped: "already applied"
      })
      assert.strictEqual(yield* exactHash, before)
    })
  )

  test(
    "the name of a result is the migration's id, which may differ from its file's name, also where it is skipped",
    Effect.gen(function* () {
      const { source } = fromFile("0001_users", "h", makes("users"))
      assert.strictEqual((yield* Migrator.execute(source)).migrationName, "users")
      const again = yield* Migrator.execute(source)
      assert.deepStrictEqual([again.migrationName, again.skipped], ["users", "already applied"])
      assert.deepStrictEqual((yield* savedState).completed, ["users"])
    })
  )

  test(
    "its failure is in the error channel; the state lists it, until it succeeds",
    Effect.gen(function* () {
      const error = yield* failWith("MigrationFailed", breaks("a"))
      assert.deepStrictEqual([error.migration, error.detail], ["a", "the author's code broke"])
      assert.include(error.message, "nothing of it is left")
      assert.deepStrictEqual(yield* collections, [])
      const state = yield* savedState
      assert.deepStrictEqual([state.completed, state.pending], [[], ["a"]])
      assert.lengthOf(state.failed, 1)
      assert.deepInclude(state.failed[0], { name: "a", error: "the author's code broke" })
      assert.match(state.failed[0]?.timestamp ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
      yield* failWith("MigrationFailed", breaks("a"))
      assert.lengthOf((yield* savedState).failed, 1)
      yield* Migrator.execute(makes("a"))
      assert.deepStrictEqual((yield* savedState).failed, [])
    })
  )

  test(
    "one without an id is not loaded, and says how to give it one",
    Effect.gen(function* () {
      const error = yield* failWith("MigrationNotLoaded", Migration.make({ up: Effect.void }))
      assert.include(error.message, "Migration.make")
    })
  )

  test(
    "an id may be any text, also the name of what every object has",
    Effect.gen(function* () {
      for (const id of ["constructor", "toString", "__proto__", "é 😀", "a/b"]) {
        const one = () => fromFile(id, "hash", Migration.make({ id, up: Effect.void })).source
        assert.isTrue((yield* Migrator.execute(one())).success, id)
        assert.strictEqual((yield* Migrator.execute(one())).skipped, "already applied", id)
        const standing = (yield* Migrator.status([one()])).migrations.find((known) => known.id === id)
        assert.strictEqual(standing?.status, "applied", id)
        assert.strictEqual(standing?.applied?.hash, "hash", id)
      }
    })
  )

  test(
    "a state that can't be written behind a success is CommitIncomplete, and the run stays open",
    Effect.gen(function* () {
      const states = yield* MigrationState
      const full = MigrationState.of({
        ...states,
        save: () => Effect.fail(new StateUnavailable({ location: "there", detail: "the disk is full" }))
      })
      const error = yield* failWith("CommitIncomplete", makes("a")).pipe(Effect.provideService(MigrationState, full))
      assert.include(error.message, "the disk is full")
      const [open] = yield* (yield* MigrationJournal).open
      assert.isTrue(open?.committing)
      assert.strictEqual(yield* tagOf(Migrator.execute(makes("b"))), "RecoveryNeeded")
    })
  )

  test(
    "an interruption undoes it, and the state says `interrupted`",
    Effect.gen(function* () {
      const inside = yield* Deferred.make<void>()
      yield* prepare((db) => db.createCollection("c", { attributes: [Attribute.integer("n")] }))
      const before = yield* exactHash
      const fiber = yield* Effect.forkChild(
        Migrator.execute(
          migration("a", (db) =>
            Effect.gen(function* () {
              yield* db.deleteCollection("c")
              yield* Deferred.succeed(inside, undefined)
              return yield* Effect.never
            })
          )
        )
      )
      yield* Deferred.await(inside)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* exactHash, before)
      yield* assertNothingOpen
      const { completed, failed } = yield* savedState
      assert.deepStrictEqual(completed, [])
      assert.deepInclude(failed[0], { name: "a", error: "interrupted" })
      assert.isUndefined(yield* (yield* MigrationLock).holder)
    })
  )
})

describe("Migrator.executeAll", () => {
  test(
    "runs what the target has not seen, in order; the three in the middle are counts",
    Effect.gen(function* () {
      yield* Migrator.execute(makes("b"))
      const told: Array<string> = []
      const answer = yield* Migrator.executeAll([makes("a"), makes("b"), makes("c")], {
        allowOutOfOrder: true,
        onResult: ({ migrationName }) => Effect.sync(() => void told.push(migrationName))
      })
      assert.deepStrictEqual(
        { ...answer, results: answer.results.map(({ migrationName, success }) => [migrationName, success]) },
        {
          success: true,
          completed: 2,
          skipped: 1,
          failed: 0,
          results: [
            ["a", true],
            ["c", true]
          ]
        }
      )
      assert.deepStrictEqual(told, ["a", "c"])
      assert.deepStrictEqual(yield* collections, ["b", "a", "c"])
      assert.deepStrictEqual((yield* savedState).completed, ["b", "a", "c"])
      const again = yield* Migrator.executeAll([makes("a"), makes("b"), makes("c")])
      assert.deepStrictEqual(again, { success: true, completed: 0, skipped: 3, failed: 0, results: [] })
      assert.deepStrictEqual(yield* Migrator.executeAll([]), {
        success: true,
        completed: 0,
        skipped: 0,
        failed: 0,
        results: []
      })
    })
  )

  test(
    "stops at the first failure; what did not run is pending",
    Effect.gen(function* () {
      const answer = yield* Migrator.executeAll([makes("a"), breaks("b"), makes("c")])
      assert.deepInclude(answer, { success: false, completed: 1, failed: 1, skipped: 0 })
      assert.lengthOf(answer.results, 2)
      const last = answer.results[1]!
      assert.deepInclude(last, { success: false, migrationName: "b", changes: [], dryRun: false })
      assert.strictEqual(errorOf("MigrationFailed", last).detail, "the author's code broke")
      assert.deepStrictEqual(yield* collections, ["a"])
      const state = yield* savedState
      assert.deepStrictEqual([state.completed, state.pending], [["a"], ["b", "c"]])
    })
  )

  test(
    "with stopOnError false it goes on, but for what requires the failed one",
    Effect.gen(function* () {
      const answer = yield* Migrator.executeAll(
        [breaks("a"), makes("b", { requires: ["a"] }), makes("c"), makes("d", { requires: ["c"] })],
        { stopOnError: false }
      )
      assert.deepStrictEqual(
        answer.results.map(({ migrationName, success }) => [migrationName, success]),
        [
          ["a", false],
          ["b", false],
          ["c", true],
          ["d", true]
        ]
      )
      assert.deepInclude(answer, { success: false, completed: 2, failed: 2 })
      const error = errorOf("RequirementMissing", answer.results[1]!)
      assert.strictEqual(error.requires, "a")
      assert.deepStrictEqual(yield* collections, ["c", "d"])
    })
  )

  test(
    "a verification that fails is told in the result as well",
    Effect.gen(function* () {
      const up = Databases.use((db) => db.createCollection("a"))
      const [result] = (yield* Migrator.executeAll([
        Migration.make({ id: "a", up, verify: Effect.fail(new Error("too few")) })
      ])).results
      assert.deepStrictEqual(result?.verification, { success: false, message: "too few" })
      errorOf("VerificationFailed", result!)
      assert.deepStrictEqual(yield* collections, [])
    })
  )

  test(
    "a rollback that is incomplete stops all that follow, whatever was asked",
    Effect.gen(function* () {
      const stuck = Migration.make({
        id: "a",
        irreversible: "mail",
        up: Effect.andThen(Migration.step({ name: "send it", do: Effect.void }), broken)
      })
      const answer = yield* Migrator.executeAll([stuck, makes("b")], { stopOnError: false })
      assert.lengthOf(answer.results, 1)
      errorOf("RollbackIncomplete", answer.results[0]!)
      assert.strictEqual(yield* tagOf(Migrator.executeAll([makes("b")])), "RecoveryNeeded")
    })
  )

  test(
    "`to` is the last one to run; an id that is not there is refused, with the nearest one",
    Effect.gen(function* () {
      const all = [makes("2026_users"), makes("2026_weights"), makes("2026_roles")]
      const unknown = yield* Effect.flip(Migrator.executeAll(all, { to: "2026_wieghts" }))
      assert.strictEqual(unknown._tag, "UnknownMigration")
      assert.include(unknown.message, "Did you mean 2026_weights?")
      const strange = yield* Effect.flip(Migrator.executeAll(all, { to: "something quite different" }))
      assert.include(strange.message, "status")
      assert.deepStrictEqual(yield* collections, [])
      const answer = yield* Migrator.executeAll(all, { to: "2026_weights" })
      assert.strictEqual(answer.completed, 2)
      assert.deepStrictEqual((yield* savedState).pending, ["2026_roles"])
    })
  )

  test(
    "two with one id are refused with their places, before anything runs",
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Migrator.executeAll([makes("a"), fromFile("x", null, makes("b")).source, fromFile("b", null).source])
      )
      assert.strictEqual(error._tag, "DuplicateMigration")
      assert.include(error.message, "migrations/x.ts and migrations/b.ts")
      assert.deepStrictEqual(yield* collections, [])
      yield* Migrator.execute(makes("b"))
      assert.strictEqual(yield* tagOf(Migrator.executeAll([makes("b"), makes("b")])), "DuplicateMigration")
    })
  )

  test(
    "one that stands before an applied one is refused, unless that is asked for",
    Effect.gen(function* () {
      yield* Migrator.execute(makes("b"))
      const all = [makes("a"), makes("b"), makes("c")]
      const error = yield* Effect.flip(Migrator.executeAll(all))
      assert.strictEqual(error._tag, "OutOfOrder")
      if (error._tag === "OutOfOrder") assert.deepStrictEqual([error.migrations, error.after], [["a"], "b"])
      assert.deepStrictEqual(yield* collections, ["b"])
      assert.isTrue((yield* Migrator.executeAll(all, { allowOutOfOrder: true })).success)
    })
  )

  test(
    "a source that changed after it was applied is drift, unless that is allowed; one without a hash can't be told",
    Effect.gen(function* () {
      const first = [fromFile("a", "1").source, fromFile("b", null).source]
      yield* Migrator.executeAll(first)
      const changed = [fromFile("a", "2").source, fromFile("b", "2").source, fromFile("c", "2").source]
      const error = yield* Effect.flip(Migrator.executeAll(changed))
      assert.strictEqual(error._tag, "MigrationDrift")
      if (error._tag === "MigrationDrift") assert.deepStrictEqual(error.migrations, ["a"])
      assert.deepStrictEqual(yield* collections, ["a", "b"])
      assert.strictEqual((yield* Migrator.executeAll(changed, { allowDrift: true })).completed, 1)
      // What ran stays what ran.
      assert.strictEqual((yield* savedState).holdfast.applied["a"]?.hash, "1")
    })
  )

  test(
    "sources that are applied are not loaded; all others are, before the first one runs",
    Effect.gen(function* () {
      const [a, b] = [fromFile("a", "1"), fromFile("b", "1")]
      yield* Migrator.executeAll([a.source])
      assert.strictEqual(a.loads.count, 1)
      const broken: Migrator.Source = {
        ...fromFile("c", "1").source,
        load: Effect.fail(new MigrationNotLoaded({ location: "migrations/c.ts", detail: "no" }))
      }
      assert.strictEqual(yield* tagOf(Migrator.executeAll([a.source, b.source, broken])), "MigrationNotLoaded")
      assert.deepStrictEqual(yield* collections, ["a"])
      assert.deepStrictEqual([a.loads.count, b.loads.count], [1, 1])
    })
  )
})
