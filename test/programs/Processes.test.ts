/** Runs beside each other, and runs that are interrupted or killed: what the next one finds. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import * as Program from "../support/Program.ts"

const { creates, folder, jsonFor, migration, runFor, savedState, start, write } = Program

const first = "migrations/0001_people.ts"
const second = "migrations/0002_second.ts"

/** People enough for many batches. */
const people = migration({
  up: `yield* databases.createCollection("people", {
      attributes: [Attribute.string("name", { size: 40 }), Attribute.integer("n", { default: 0 })]
    })
    for (let from = 0; from < 600; from += 100) {
      const batch = Array.from({ length: 100 }, (_, index) => ({ $id: "p" + (from + index), name: "Name " + index }))
      yield* databases.createDocuments("people", batch)
    }`
})

/** Writes, then waits in the middle for the file `go` to appear. */
const held = migration({
  up: `yield* databases.createCollection("half")
    yield* databases.updateDocument("people", "p1", { name: "changed" })
    yield* Effect.sync(() => process.stderr.write("half way\\n"))
    while (!existsSync("go")) yield* Effect.sleep("5 millis")
    yield* databases.createCollection("whole")`
})

/** Transforms without an end: whenever the signal comes, it comes in the middle. */
const endless = migration({
  up: `yield* databases.renameAttribute("people", "name", "title")
    yield* databases.createCollection("extra")
    const round = Migration.transformDocuments("people", (document) => ({ n: Number(document.n) + 1 }))
    yield* round
    yield* Effect.sync(() => process.stderr.write("half way\\n"))
    yield* Effect.forever(round)`
})

/** Its way back takes as long as it likes. */
const slowBack = migration({
  up: `yield* Migration.step({
      name: "the slow step",
      do: Effect.void,
      undo: Effect.andThen(
        Effect.sync(() => process.stderr.write("on the way back\\n")),
        Effect.callback(() => void setInterval(() => {}, 60_000))
      )
    })
    yield* databases.createCollection("half")
    yield* Effect.sync(() => process.stderr.write("half way\\n"))
    while (!existsSync("go")) yield* Effect.sleep("5 millis")`
})

/** A folder in which the first migration is applied and the second is to come. */
const prepared = Effect.fnUntraced(function* (next: string) {
  const home = yield* folder({ [first]: people })
  yield* runFor(0, home, ["up"])
  write(home, { [second]: next })
  return home
})

const stateBytes = (home: string) => readFileSync(join(home, Program.state), "utf8")

describe("two runs on one database", () => {
  it.live("the second is refused with exit code 3, and names the first, which goes on to its end", () =>
    Effect.gen(function* () {
      const home = yield* prepared(held)
      const one = yield* start(home, ["up"])
      yield* one.said("half way")
      const hash = yield* Program.hashOf(home)
      const state = stateBytes(home)

      const { error } = yield* jsonFor(3, home, ["up"])
      assert.strictEqual(error._tag, "LockHeld")
      assert.deepInclude(error.holder, { pid: one.pid, host: hostname() })
      assert.include(error.message, `process ${one.pid} on ${hostname()}`)
      // From another folder, by another path, with other backups: the database is the same.
      const elsewhere = ["--database", `sqlite:${join(home, Program.database)}`, "--backups", join(home, "other")]
      const absolute = yield* runFor(3, Program.root, ["up", "--migrations", join(home, "migrations"), ...elsewhere])
      assert.include(absolute.stderr, `process ${one.pid}`)
      // Writing down is refused as running is; looking is not.
      yield* runFor(3, home, ["baseline"])
      const { stdout } = yield* runFor(9, home, ["status", "--check"])
      assert.include(stdout, `process ${one.pid} on ${hostname()}`)
      assert.include(stdout, "is migrating now")
      assert.strictEqual(yield* Program.hashOf(home), hash)
      assert.strictEqual(stateBytes(home), state)

      write(home, { go: "" })
      const ended = yield* one.ended
      assert.deepStrictEqual([ended.code, ended.signal], [0, null], ended.stderr)
      assert.deepStrictEqual(savedState(home).completed, ["0001_people", "0002_second"])
      yield* runFor(0, home, ["up"])
    })
  )

  it.live("databases beside each other do not wait for each other", () =>
    Effect.gen(function* () {
      const home = yield* prepared(held)
      const one = yield* start(home, ["up"])
      yield* one.said("half way")
      write(home, { "other/0001_a.ts": creates("a") })
      yield* runFor(0, home, ["up", "--database", "sqlite:other.db", "--backups", "b", "--migrations", "other"])
    })
  )
})

describe("a run that was killed", () => {
  it.live("frees the lock, and is noticed: exit code 4 names run and migration, and nothing is touched", () =>
    Effect.gen(function* () {
      const home = yield* prepared(held)
      const before = yield* Program.hashOf(home)
      const one = yield* start(home, ["up"])
      yield* one.said("half way")
      yield* one.kill("SIGKILL")
      assert.strictEqual((yield* one.ended).signal, "SIGKILL")
      const hash = yield* Program.hashOf(home)
      assert.notStrictEqual(hash, before, "it was killed after its first writes")
      const state = stateBytes(home)

      for (const command of ["up", "baseline"]) {
        const { error } = yield* jsonFor(4, home, [command])
        assert.strictEqual(error._tag, "RecoveryNeeded")
        const [run] = error.runs
        assert.lengthOf(error.runs, 1)
        assert.deepInclude(run.begin, { migration: "0002_second" })
        assert.strictEqual(run.begin.holder.pid, one.pid)
        for (const text of [run.begin.run, "0002_second", `process ${one.pid}`, "UpdateDocument", run.location]) {
          assert.include(error.message, text)
        }
        assert.isTrue(existsSync(join(home, run.location)))
      }
      const status = yield* runFor(4, home, ["status", "--check"])
      assert.include(status.stdout, "was cut short")
      assert.strictEqual(yield* Program.hashOf(home), hash)
      assert.strictEqual(stateBytes(home), state)
    })
  )

  it.live("stops nobody once it was dealt with as the message says", () =>
    Effect.gen(function* () {
      const home = yield* prepared(held)
      const before = yield* Program.hashOf(home)
      const document = yield* Program.inside(home, (databases) => databases.getDocument("people", "p1"))
      const one = yield* start(home, ["up"])
      yield* one.said("half way")
      yield* one.kill("SIGKILL")
      yield* one.ended
      const { error } = yield* jsonFor(4, home, ["up"])

      yield* Program.inside(home, (databases) =>
        Effect.gen(function* () {
          yield* databases.deleteCollection("half")
          const { $id, $sequence: _, ...values } = document
          yield* databases.updateDocument("people", $id, values)
        })
      )
      assert.strictEqual(yield* Program.hashOf(home), before)
      const marker = / then remove (\S+\.open)/.exec(error.message)?.[1]
      assert.isDefined(marker, error.message)
      rmSync(join(home, marker))
      write(home, { go: "" })
      yield* runFor(0, home, ["up"])
    })
  )
})

describe("signals", () => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const) {
    it.live(`${signal} during a transform: exit code ${code}, and the exact hash as before`, () =>
      Effect.gen(function* () {
        const home = yield* prepared(endless)
        const before = yield* Program.hashOf(home)
        const one = yield* start(home, ["up", "--json"])
        yield* one.said("half way")
        assert.notStrictEqual(yield* Program.hashOf(home), before)
        yield* one.kill(signal)
        const ended = yield* one.ended
        assert.deepStrictEqual([ended.code, ended.signal], [code, null], ended.stderr)
        assert.include(ended.stderr, "undoing what was begun")
        const { error, success } = Program.jsonOf(ended)
        assert.deepStrictEqual([success, error._tag], [false, "Interrupted"])

        assert.strictEqual(yield* Program.hashOf(home), before)
        const state = savedState(home)
        assert.deepStrictEqual(state.completed, ["0001_people"])
        assert.deepStrictEqual(
          state.failed.map(({ error, name }) => [name, error]),
          [["0002_second", "interrupted"]]
        )
        // Nothing is open, nobody holds the lock: it can be run again, as something that ends.
        write(home, { [second]: creates("second") })
        yield* runFor(0, home, ["up"])
      })
    )
  }

  it.live("a second one leaves at once, and the next start says that a recovery is needed", () =>
    Effect.gen(function* () {
      const home = yield* prepared(slowBack)
      const one = yield* start(home, ["up"])
      yield* one.said("half way")
      yield* one.kill("SIGINT")
      yield* one.said("on the way back")
      yield* one.kill("SIGTERM")
      const ended = yield* one.ended
      assert.deepStrictEqual([ended.code, ended.signal], [143, null], ended.stderr)
      const hash = yield* Program.hashOf(home)
      const state = stateBytes(home)
      const { error } = yield* jsonFor(4, home, ["up"])
      assert.strictEqual(error._tag, "RecoveryNeeded")
      assert.include(error.message, "0002_second")
      assert.strictEqual(yield* Program.hashOf(home), hash)
      assert.strictEqual(stateBytes(home), state)
    })
  )

  it.live("one whose way back is incomplete: exit code 7, which says more than 130", () =>
    Effect.gen(function* () {
      const home = yield* prepared(
        migration({
          up: `yield* databases.createCollection("half")
    yield* Migration.step({ name: "send the letters", do: Effect.void })
    yield* Effect.sync(() => process.stderr.write("half way\\n"))
    while (!existsSync("go")) yield* Effect.sleep("5 millis")`,
          members: ['irreversible: "letters are sent"']
        })
      )
      const before = yield* Program.hashOf(home)
      const one = yield* start(home, ["up", "--json"])
      yield* one.said("half way")
      yield* one.kill("SIGINT")
      const ended = yield* one.ended
      assert.strictEqual(ended.code, 7, ended.stderr)
      const [{ error }] = Program.jsonOf(ended)["results"]
      assert.strictEqual(error._tag, "RollbackIncomplete")
      assert.include(error.message, "send the letters")
      assert.strictEqual(yield* Program.hashOf(home), before)
    })
  )

  it.live("one in a later migration leaves what was applied before, and nothing begins after it", () =>
    Effect.gen(function* () {
      const home = yield* prepared(held)
      write(home, { "migrations/0003_endless.ts": endless, "migrations/0004_never.ts": creates("never") })
      const one = yield* start(home, ["up", "--continue-on-error"])
      yield* one.said("half way")
      write(home, { go: "" })
      yield* one.said("applied  0002_second")
      yield* one.kill("SIGINT")
      assert.strictEqual((yield* one.ended).code, 130)
      assert.deepStrictEqual(savedState(home).completed, ["0001_people", "0002_second"])
      assert.deepStrictEqual(yield* Program.collectionsOf(home), ["half", "people", "whole"])
      yield* runFor(9, home, ["status", "--check"])
    })
  )
})
