/** The commands, as they are typed: what they print, what they do, what they end with. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Program from "../support/Program.ts"

const first = "migrations/0001_first.ts"
const second = "migrations/0002_second.ts"
const third = "migrations/0003_third.ts"
const { collectionsOf, creates, folder, jsonFor, migration, runFor, savedState, write } = Program

/** Two that create a collection each. */
const two = { [first]: creates("first"), [second]: creates("second") }

const fails = (collection: string, ...members: ReadonlyArray<string>) =>
  migration({
    up: `yield* databases.createCollection("${collection}")
    return yield* Effect.fail(new Error("on purpose"))`,
    members
  })

const standing = (document: { readonly [member: string]: any }) =>
  (document["migrations"] as ReadonlyArray<{ readonly id: string; readonly status: string }>).map(
    ({ id, status }) => `${id} ${status}`
  )

describe("status", () => {
  it.live("of what never ran: all is pending, and no file is made", () =>
    Effect.gen(function* () {
      const home = yield* folder(two)
      const { stdout } = yield* runFor(0, home, ["status"])
      assert.match(stdout, /^sqlite:\.data\/holdfast\.db, which is not there yet \(main\), state in backups\//)
      assert.match(stdout, /^0001_first +pending$/m)
      assert.match(stdout, /^0002_second +pending$/m)
      assert.match(stdout, /^2 migrations pending: `up` runs them\.$/m)
      const json = yield* jsonFor(9, home, ["status", "--check"])
      assert.deepStrictEqual(json, {
        version: 1,
        command: "status",
        success: true,
        target: "sqlite:.data/holdfast.db, which is not there yet (main)",
        state: Program.state,
        migrations: [
          { id: "0001_first", status: "pending" },
          { id: "0002_second", status: "pending" }
        ],
        open: []
      })
      assert.deepStrictEqual(readdirSync(home), ["migrations"])
    })
  )

  it.live("tells applied, failed, changed and missing, and --check which of them matters most", () =>
    Effect.gen(function* () {
      const home = yield* folder({ ...two, [third]: fails("third") })
      yield* runFor(1, home, ["up"])
      const failed = yield* runFor(9, home, ["status", "--check"])
      assert.match(failed.stdout, /^0001_first +applied +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d in \d/m)
      assert.match(failed.stdout, /^0003_third +failed +\d{4}-/m)
      assert.match(failed.stdout, /^last failure of 0003_third: on purpose$/m)
      assert.match(failed.stdout, /^1 migration pending/m)

      rmSync(join(home, third))
      const whole = yield* runFor(0, home, ["status", "--check"])
      assert.match(whole.stdout, /^Nothing is pending\.$/m)

      rmSync(join(home, first))
      write(home, { [second]: creates("another"), "migrations/_helper.ts": "", "migrations/a.test.ts": "" })
      const changed = yield* jsonFor(5, home, ["status", "--check"])
      assert.deepStrictEqual(standing(changed), ["0001_first missing", "0002_second changed"])
    })
  )

  it.live("a folder without migrations is fine", () =>
    Effect.gen(function* () {
      const home = yield* folder({ "migrations/_helper.ts": "" })
      const { stdout } = yield* runFor(0, home, ["status", "--check"])
      assert.include(stdout, "There are no migrations yet: `new NAME` writes the first.")
      assert.include((yield* runFor(0, home, ["up"])).stdout, "Nothing to apply: 0 migrations applied already.")
    })
  )
})

describe("up", () => {
  it.live("runs what is pending, --to the one named, and the second time nothing", () =>
    Effect.gen(function* () {
      const home = yield* folder({
        [first]: creates("first"),
        [second]: migration({
          up: `yield* databases.createCollection("second")
    yield* Migration.note("the second is the best")`,
          verify: `return \`\${(yield* databases.listCollections).length} collections\``
        }),
        [third]: creates("third", 'id: "the-third"')
      })
      const part = yield* runFor(0, home, ["up", "--to", "0001_first"])
      assert.match(part.stdout, /^applied {2}0001_first in /)
      assert.match(part.stdout, /^1 migration applied, 0 failed, 0 applied before\.\n$/m)
      assert.strictEqual(part.stderr, "")
      assert.deepStrictEqual(yield* collectionsOf(home), ["first"])
      assert.deepStrictEqual(savedState(home).pending, ["0002_second", "the-third"])

      const rest = yield* runFor(0, home, ["up", "--json"])
      const { results, ...counts } = Program.jsonOf(rest)
      assert.deepStrictEqual(counts, {
        version: 1,
        command: "up",
        success: true,
        completed: 2,
        skipped: 1,
        failed: 0
      })
      const [result] = results
      assert.isNumber(result.duration)
      assert.deepStrictEqual(
        { ...result, duration: 0 },
        {
          success: true,
          migrationName: "0002_second",
          duration: 0,
          dryRun: false,
          backups: [],
          changes: ["created collection second (0 attributes, 0 indexes)", "the second is the best"],
          verification: { success: true, message: "2 collections" }
        }
      )
      assert.strictEqual(results[1].migrationName, "the-third")
      // For people, and so not on standard output.
      assert.match(rest.stderr, /^applied {2}0002_second in /)
      assert.include(rest.stderr, "verified: 2 collections")

      const hash = yield* Program.hashOf(home)
      const again = yield* runFor(0, home, ["up"])
      assert.strictEqual(again.stdout, "Nothing to apply: 3 migrations applied already.\n")
      assert.strictEqual(yield* Program.hashOf(home), hash)
      const state = savedState(home)
      assert.deepStrictEqual(state.completed, ["0001_first", "0002_second", "the-third"])
      assert.deepStrictEqual([state.pending, state.failed], [[], []])
    })
  )

  it.live("stops at a failure with exit code 1, of which nothing is left; a success clears it", () =>
    Effect.gen(function* () {
      const home = yield* folder({ [first]: creates("first"), [second]: fails("second"), [third]: creates("third") })
      yield* runFor(0, home, ["up", "--to", "0001_first"])
      const hash = yield* Program.hashOf(home)
      const { stdout } = yield* runFor(1, home, ["up"])
      assert.match(stdout, /^failed {3}0002_second failed and was undone, nothing of it is left: on purpose$/m)
      assert.match(stdout, /^0 migrations applied, 1 failed, 1 applied before\.$/m)
      assert.strictEqual(yield* Program.hashOf(home), hash)
      const [failure] = savedState(home).failed
      assert.deepInclude(failure, { name: "0002_second", error: "on purpose" })
      assert.deepStrictEqual(savedState(home).pending, ["0002_second", "0003_third"])

      writeFileSync(join(home, second), creates("second"))
      yield* runFor(0, home, ["up"])
      assert.deepStrictEqual(savedState(home).failed, [])
      assert.deepStrictEqual(yield* collectionsOf(home), ["first", "second", "third"])
    })
  )

  it.live("--continue-on-error goes on, but not with what requires the one that failed", () =>
    Effect.gen(function* () {
      const home = yield* folder({
        [first]: fails("first"),
        [second]: creates("second", 'requires: ["0001_first"]'),
        [third]: creates("third")
      })
      const json = yield* jsonFor(1, home, ["up", "--continue-on-error"])
      const tags = json["results"].map((one: any) => [one.success, one.error?._tag])
      assert.deepStrictEqual(tags, [
        [false, "MigrationFailed"],
        [false, "RequirementMissing"],
        [true, undefined]
      ])
      assert.deepStrictEqual([json["success"], json["completed"], json["failed"]], [false, 1, 2])
      assert.include(json["results"][1].error.message, "requires 0001_first")
      assert.deepStrictEqual(yield* collectionsOf(home), ["third"])
    })
  )

  it.live("a migration before one that is applied: exit code 5, unless --allow-out-of-order", () =>
    Effect.gen(function* () {
      const home = yield* folder({ [second]: creates("second") })
      yield* runFor(0, home, ["up"])
      write(home, { [first]: creates("first") })
      const hash = yield* Program.hashOf(home)
      const { error } = yield* jsonFor(5, home, ["up"])
      assert.strictEqual(error._tag, "OutOfOrder")
      assert.include(error.message, "0001_first stands before 0002_second")
      assert.include(error.message, "--allow-out-of-order")
      assert.strictEqual(yield* Program.hashOf(home), hash)
      yield* runFor(0, home, ["up", "--allow-out-of-order"])
      assert.deepStrictEqual(yield* collectionsOf(home), ["first", "second"])
    })
  )

  it.live("an applied one that changed: exit code 5, unless --allow-drift; a comment and a type are no change", () =>
    Effect.gen(function* () {
      const home = yield* folder({ [first]: creates("first") })
      yield* runFor(0, home, ["up"])
      write(home, {
        [first]: `/** A comment. */\ntype Id = string\n${creates("first").replace("databases = ", "databases: Databases['Service'] = ")}`,
        [second]: creates("second")
      })
      yield* runFor(0, home, ["up"])

      write(home, { [first]: creates("first-one"), [third]: creates("third") })
      const hash = yield* Program.hashOf(home)
      const { stderr } = yield* runFor(5, home, ["up"])
      assert.include(stderr, "0001_first changed after being applied")
      assert.include(stderr, "--allow-drift")
      assert.strictEqual(yield* Program.hashOf(home), hash)
      yield* runFor(0, home, ["up", "--allow-drift"])
      // It went on; what is applied was not run again.
      assert.deepStrictEqual(yield* collectionsOf(home), ["first", "second", "third"])
    })
  )

  it.live("a verification that fails undoes the migration: exit code 6", () =>
    Effect.gen(function* () {
      const home = yield* folder({
        [first]: creates("first"),
        [second]: migration({
          up: 'yield* databases.createCollection("second")',
          verify: 'return yield* Effect.fail(new Error("not as it should be"))'
        })
      })
      yield* runFor(0, home, ["up", "--to", "0001_first"])
      const hash = yield* Program.hashOf(home)
      const json = yield* jsonFor(6, home, ["up"])
      const [result] = json["results"]
      assert.strictEqual(result.error._tag, "VerificationFailed")
      assert.deepStrictEqual(result.verification, { success: false, message: "not as it should be" })
      assert.strictEqual(yield* Program.hashOf(home), hash)
    })
  )

  it.live("what can't be undone is named: exit code 7, and 4 until somebody has dealt with it", () =>
    Effect.gen(function* () {
      const home = yield* folder({
        [first]: migration({
          up: `yield* databases.createCollection("first")
    yield* Migration.step({ name: "send the letters", do: Effect.void })
    return yield* Effect.fail(new Error("on purpose"))`,
          members: ['irreversible: "letters are sent"']
        }),
        [second]: creates("second")
      })
      // Worse than a failure, and nothing may build on it, whatever was asked for.
      const json = yield* jsonFor(7, home, ["up", "--continue-on-error"])
      assert.lengthOf(json["results"], 1)
      const [{ error }] = json["results"]
      assert.strictEqual(error._tag, "RollbackIncomplete")
      assert.include(error.message, "send the letters")
      assert.isTrue(existsSync(join(home, error.journal)), error.journal)
      // The rest is undone all the same.
      assert.deepStrictEqual(yield* collectionsOf(home), [])
      yield* runFor(4, home, ["status", "--check"])
      const { error: refused } = yield* jsonFor(4, home, ["up"])
      assert.strictEqual(refused._tag, "RecoveryNeeded")
      assert.include(refused.message, "0001_first")
    })
  )

  it.live("memory: runs all, and leaves nothing in the folder", () =>
    Effect.gen(function* () {
      const home = yield* folder(two)
      const { completed } = yield* jsonFor(0, home, ["up", "--database", "memory:"])
      assert.strictEqual(completed, 2)
      assert.deepStrictEqual(readdirSync(home), ["migrations"])
    })
  )
})

describe("verify", () => {
  it.live("runs the verifications of what is applied, or of the one named: 6 when one fails now", () =>
    Effect.gen(function* () {
      const hasFirst = `if ((yield* databases.listCollections).some(({ $id }) => $id === "first")) return "first is there"
    return yield* Effect.fail(new Error("first is gone"))`
      const home = yield* folder({
        [first]: migration({ up: 'yield* databases.createCollection("first")', verify: hasFirst }),
        [second]: migration({ up: "yield* databases.listCollections", verify: 'return "fine"' }),
        [third]: creates("third")
      })
      yield* runFor(0, home, ["up"])
      const { stdout } = yield* runFor(0, home, ["verify"])
      assert.match(stdout, /^0001_first +passed +first is there\n0002_second +passed +fine\n$/m)
      assert.notInclude(stdout, "0003_third")

      yield* Program.inside(home, (databases) => databases.deleteCollection("first"))
      const hash = yield* Program.hashOf(home)
      const json = yield* jsonFor(6, home, ["verify"])
      assert.deepStrictEqual(json, {
        version: 1,
        command: "verify",
        success: false,
        verifications: [
          { id: "0001_first", success: false, message: "first is gone" },
          { id: "0002_second", success: true, message: "fine" }
        ]
      })
      assert.include((yield* runFor(0, home, ["verify", "0002_second"])).stdout, "fine")
      assert.strictEqual(yield* Program.hashOf(home), hash)
    })
  )
})

describe("baseline", () => {
  it.live("writes down what a database has, --to the one named, and runs nothing", () =>
    Effect.gen(function* () {
      const home = yield* folder({ ...two, [third]: creates("third") })
      // There before its migrations: what two of them do is done already.
      yield* Program.runFor(0, home, ["up", "--to", "0002_second"])
      rmSync(join(home, Program.state))
      yield* runFor(2, home, ["up"])
      const hash = yield* Program.hashOf(home)
      const { stdout } = yield* runFor(0, home, ["baseline", "--to", "0002_second"])
      assert.strictEqual(stdout, "Written down as applied, without running them: 0001_first, 0002_second.\n")
      assert.strictEqual(yield* Program.hashOf(home), hash)
      assert.match((yield* runFor(0, home, ["status"])).stdout, /^0001_first +applied +.+ \(baseline\)$/m)
      const { completed } = yield* jsonFor(0, home, ["up"])
      assert.strictEqual(completed, 1)
      assert.deepStrictEqual(yield* collectionsOf(home), ["first", "second", "third"])
      const json = yield* jsonFor(0, home, ["baseline"])
      assert.deepStrictEqual(json, { version: 1, command: "baseline", success: true, baselined: [] })
      // What was written down is held against its source, too.
      write(home, { [first]: creates("another") })
      yield* runFor(5, home, ["up"])
    })
  )
})

describe("new", () => {
  it.live("writes a file that is named by the time, loads, runs and verifies", () =>
    Effect.gen(function* () {
      const home = yield* folder()
      const before = new Date().toISOString().slice(0, 19).replaceAll(/\D/g, "")
      const { id, location, success } = yield* jsonFor(0, home, ["new", "add-notes"])
      const after = new Date().toISOString().slice(0, 19).replaceAll(/\D/g, "")
      assert.isTrue(success)
      assert.match(id, /^\d{14}_add-notes$/)
      assert.isTrue(before <= id.slice(0, 14) && id.slice(0, 14) <= after, id)
      assert.strictEqual(location, `migrations/${id}.ts`)
      assert.isTrue(existsSync(join(home, location)))
      const { results } = yield* jsonFor(0, home, ["up"])
      assert.deepStrictEqual([results[0].migrationName, results[0].verification.success], [id, true])
      const elsewhere = yield* runFor(0, home, ["new", "more", "--migrations", "app/migrations"])
      assert.match(elsewhere.stdout, /^Wrote app\/migrations\/\d{14}_more\.ts\n$/)
    })
  )
})
