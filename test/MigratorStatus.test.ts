/** What a run asks of the target before it starts, and looking at a target without running anything. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Databases, type Methods } from "../src/Databases.ts"
import * as Migration from "../src/Migration.ts"
import { MigrationJournal } from "../src/MigrationJournal.ts"
import { empty, MigrationState } from "../src/MigrationState.ts"
import * as Migrator from "../src/Migrator.ts"
import { beginOf } from "./contract/MigrationJournal.ts"
import { exactHash, failWith, memory, savedState } from "./support/Migrating.ts"
import { breaks, collections, fromFile, makes, tagOf } from "./support/Named.ts"

const test = (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
  it.live(title, () => Effect.provide(body, memory))

describe("what a run that went on after a failure left behind", () => {
  test(
    "the failed one is run again, though a later one is applied: it was tried in its turn",
    Effect.gen(function* () {
      const first = yield* Migrator.executeAll([breaks("a"), makes("c")], { stopOnError: false })
      assert.deepInclude(first, { success: false, completed: 1, failed: 1 })
      const failing = yield* Migrator.executeAll([breaks("a"), makes("c")])
      assert.deepStrictEqual(
        failing.results.map(({ error, migrationName }) => [migrationName, error?._tag]),
        [["a", "MigrationFailed"]]
      )
      const mended = yield* Migrator.executeAll([makes("a"), makes("c")])
      assert.deepInclude(mended, { success: true, completed: 1, skipped: 1 })
      assert.deepStrictEqual(yield* collections, ["c", "a"])
    })
  )

  test(
    "the one in the middle of three too, and one that did not run because of what it requires",
    Effect.gen(function* () {
      const third = () => makes("third", { requires: ["second"] })
      const first = yield* Migrator.executeAll([makes("first"), breaks("second"), third(), makes("fourth")], {
        stopOnError: false
      })
      assert.deepStrictEqual(
        first.results.map(({ error, migrationName }) => [migrationName, error?._tag]),
        [
          ["first", undefined],
          ["second", "MigrationFailed"],
          ["third", "RequirementMissing"],
          ["fourth", undefined]
        ]
      )
      const again = yield* Migrator.executeAll([makes("first"), makes("second"), third(), makes("fourth")])
      assert.deepInclude(again, { success: true, completed: 2, skipped: 2, failed: 0 })
      assert.deepStrictEqual((yield* savedState).failed, [])
      assert.deepStrictEqual(yield* collections, ["first", "fourth", "second", "third"])
    })
  )

  test(
    "one that nobody has tried is out of order all the same, and is the only one that is named",
    Effect.gen(function* () {
      yield* Migrator.executeAll([breaks("b"), makes("c")], { stopOnError: false })
      const error = yield* Effect.flip(Migrator.executeAll([makes("a"), makes("b"), makes("c")]))
      assert.strictEqual(error._tag, "OutOfOrder")
      if (error._tag === "OutOfOrder") assert.deepStrictEqual([error.migrations, error.after], [["a"], "c"])
      assert.deepStrictEqual(yield* collections, ["c"])
    })
  )
})

describe("the state of the target", () => {
  test(
    "collections without a state are refused, and baseline is the remedy",
    Effect.gen(function* () {
      const databases = yield* Databases
      yield* databases.createCollection("a")
      const before = yield* exactHash
      const all = [fromFile("a", "1").source, makes("b")]
      const error = yield* Effect.flip(Migrator.executeAll(all))
      assert.strictEqual(error._tag, "StateMissing")
      assert.include(error.message, "baseline --to")
      assert.include(error.message, "(a)")
      assert.strictEqual(yield* tagOf(Migrator.status(all)), "StateMissing")
      assert.isUndefined(yield* (yield* MigrationState).load)
      assert.deepStrictEqual(yield* Migrator.baseline(all, { to: "a" }), ["a"])
      assert.strictEqual(yield* exactHash, before)
      const state = yield* savedState
      assert.deepStrictEqual([state.completed, state.pending], [["a"], ["b"]])
      assert.deepInclude(state.holdfast.applied["a"], { duration: 0, hash: "1", run: null })
      assert.strictEqual((yield* Migrator.executeAll(all)).completed, 1)
      assert.deepStrictEqual(yield* Migrator.baseline(all), [])
      assert.strictEqual(yield* tagOf(Migrator.baseline(all, { to: "zzz" })), "UnknownMigration")
    })
  )

  test(
    "the state of another target is refused, with both their names",
    Effect.gen(function* () {
      const states = yield* MigrationState
      yield* states.save(empty({ id: "elsewhere", label: "another database" }))
      const error = yield* failWith("StateOfAnotherTarget", makes("a"))
      assert.include(error.message, "another database")
      assert.include(error.message, "memory:")
      assert.strictEqual(yield* tagOf(Migrator.status([])), "StateOfAnotherTarget")
      assert.strictEqual(yield* tagOf(Migrator.verify([])), "StateOfAnotherTarget")
      assert.strictEqual(yield* tagOf(Migrator.baseline([])), "StateOfAnotherTarget")
      assert.deepStrictEqual(yield* collections, [])
    })
  )
})

describe("one at a time", () => {
  test(
    "of two runs at once in one process the second is refused, and learns who holds the lock",
    Effect.gen(function* () {
      const [inside, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = Migration.make({
        id: "slow",
        up: Effect.andThen(Deferred.succeed(inside, undefined), Deferred.await(gate))
      })
      const fiber = yield* Effect.forkChild(Migrator.execute(slow))
      yield* Deferred.await(inside)
      const error = yield* failWith("LockHeld", makes("a"))
      assert.strictEqual(error.holder?.pid, process.pid)
      assert.strictEqual(yield* tagOf(Migrator.baseline([])), "LockHeld")
      // Looking waits for nobody.
      const status = yield* Migrator.status([makes("a")])
      assert.strictEqual(status.holder?.pid, process.pid)
      assert.deepStrictEqual(
        status.open.map(({ begin }) => begin.migration),
        ["slow"]
      )
      yield* Deferred.succeed(gate, undefined)
      assert.isTrue((yield* Fiber.join(fiber)).success)
      assert.isTrue((yield* Migrator.executeAll([slow, makes("a")])).success)
      assert.isUndefined((yield* Migrator.status([])).holder)
    })
  )

  test(
    "an open run of this target stops everything, untouched; one of another target does not",
    Effect.gen(function* () {
      const databases = yield* Databases
      const target = yield* databases.describeTarget
      yield* Migrator.execute(makes("first"))
      const journals = yield* MigrationJournal
      yield* Effect.scoped(journals.begin(beginOf("of-another-target", "another")))
      assert.isTrue((yield* Migrator.execute(makes("a"))).success)
      const begin = { ...beginOf("cut-short"), target, migration: "half-done" }
      yield* Effect.scoped(journals.begin(begin))
      const [before, state] = [yield* exactHash, yield* savedState]
      const error = yield* failWith("RecoveryNeeded", makes("b"))
      assert.deepStrictEqual(
        error.runs.map((run) => run.begin.run),
        ["cut-short"]
      )
      for (const word of ["cut-short", "half-done", "process 42", "here", "nothing yet"]) {
        assert.include(error.message, word)
      }
      assert.strictEqual(yield* tagOf(Migrator.executeAll([])), "RecoveryNeeded")
      assert.strictEqual(yield* tagOf(Migrator.baseline([])), "RecoveryNeeded")
      assert.strictEqual(yield* exactHash, before)
      assert.deepStrictEqual(yield* savedState, state)
      assert.deepStrictEqual(
        (yield* Migrator.status([])).open.map((run) => run.begin.run),
        ["cut-short"]
      )
    })
  )
})

describe("Migrator.status", () => {
  test(
    "says applied, pending, failed, changed and missing, and where the state is; changes nothing",
    Effect.gen(function* () {
      yield* Migrator.executeAll([fromFile("gone", "1").source, fromFile("a", "1").source, fromFile("b", "1").source])
      yield* Effect.exit(Migrator.execute(breaks("c")))
      const [before, state] = [yield* exactHash, yield* savedState]
      const all = [fromFile("a", "1").source, fromFile("b", "2").source, breaks("c"), makes("d")]
      const status = yield* Migrator.status(all)
      assert.deepStrictEqual(
        status.migrations.map((one) => [one.id, one.status]),
        [
          ["gone", "missing"],
          ["a", "applied"],
          ["b", "changed"],
          ["c", "failed"],
          ["d", "pending"]
        ]
      )
      assert.strictEqual(status.migrations[1]?.applied?.hash, "1")
      assert.strictEqual(status.migrations[3]?.failure?.error, "the author's code broke")
      assert.strictEqual(status.target, "memory: (main)")
      assert.strictEqual(status.state, "memory:")
      assert.deepStrictEqual(status.open, [])
      assert.notProperty(status, "holder")
      assert.deepStrictEqual([yield* exactHash, yield* savedState], [before, state])
    })
  )

  test(
    "of a new target everything is pending, and nothing is written",
    Effect.gen(function* () {
      const { migrations } = yield* Migrator.status([makes("a"), makes("b")])
      assert.deepStrictEqual(migrations, [
        { id: "a", status: "pending" },
        { id: "b", status: "pending" }
      ])
      assert.isUndefined(yield* (yield* MigrationState).load)
    })
  )
})

describe("Migrator.verify", () => {
  /** While they are applied, these verifications pass. */
  const applying = { now: false }
  const verified = (id: string, body: (db: Methods) => Effect.Effect<unknown, unknown>) =>
    Migration.make({ id, up: Effect.void, verify: Databases.use(body) })

  test(
    "runs the verifications of what is applied, and writes nothing",
    Effect.gen(function* () {
      const all = [
        verified("a", (db) => Effect.map(db.listCollections, ({ length }) => `${length} collections`)),
        makes("plain"),
        verified("c", (db) =>
          Effect.flatMap(db.listCollections, ({ length }) =>
            length > 1 ? Effect.fail(new Error("too many")) : Effect.void
          )
        )
      ]
      yield* Migrator.executeAll(all)
      const state = yield* savedState
      const later = verified("d", () => Effect.succeed("never applied"))
      assert.deepStrictEqual(yield* Migrator.verify([...all, later]), [
        { id: "a", success: true, message: "1 collections" },
        { id: "c", success: true, message: "verified" }
      ])
      yield* (yield* Databases).createCollection("another")
      const answers = yield* Migrator.verify(all)
      assert.deepStrictEqual(answers[1], { id: "c", success: false, message: "too many" })
      assert.deepStrictEqual(yield* Migrator.verify(all, "a"), [{ id: "a", success: true, message: "2 collections" }])
      assert.strictEqual(yield* tagOf(Migrator.verify(all, "pain")), "UnknownMigration")
      assert.deepStrictEqual(yield* savedState, state)
    })
  )

  test(
    "can't write, and a defect is an answer too",
    Effect.gen(function* () {
      const all = [
        verified("a", (db) => (applying.now ? Effect.void : db.createCollection("x"))),
        verified("b", () => (applying.now ? Effect.void : Effect.die(new Error("a bug"))))
      ]
      applying.now = true
      yield* Migrator.executeAll(all)
      applying.now = false
      const answers = yield* Migrator.verify(all)
      assert.deepStrictEqual(
        answers.map(({ success }) => success),
        [false, false]
      )
      assert.include(answers[0]?.message, "verification")
      assert.strictEqual(answers[1]?.message, "a bug")
      assert.deepStrictEqual(yield* collections, [])
    })
  )
})
