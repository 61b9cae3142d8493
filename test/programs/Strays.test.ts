/** What a migration does beside its effect: failures that nobody awaits, an exit of its own, readers that have left. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Program from "../support/Program.ts"

const { creates, folder, jsonFor, migration, runFor, savedState, start, write } = Program

const first = "migrations/0001_first.ts"
const second = "migrations/0002_second.ts"

/** A folder in which the first migration is applied and the second is to come. */
const prepared = Effect.fnUntraced(function* (next: string) {
  const home = yield* folder({
    [first]: migration({
      up: `yield* databases.createCollection("people", { attributes: [Attribute.integer("n")] })
    yield* databases.createDocument("people", { $id: "p1", n: 1 })`
    })
  })
  yield* runFor(0, home, ["up"])
  write(home, { [second]: next })
  return home
})

/** Writes of each kind, then what is given. */
const writes = (then: string) =>
  migration({
    up: `yield* databases.createCollection("half")
    yield* databases.updateDocument("people", "p1", { n: 2 })
    yield* databases.deleteAttribute("people", "n")
    ${then}`
  })

/** What was applied before stands, nothing else does, and the migration can be run once it is mended. */
const assertNothingLeft = Effect.fnUntraced(function* (home: string, before: string) {
  assert.strictEqual(yield* Program.hashOf(home), before)
  assert.deepStrictEqual(yield* Program.collectionsOf(home), ["people"])
  assert.deepStrictEqual(savedState(home).completed, ["0001_first"])
  const { holder, open } = yield* jsonFor(9, home, ["status", "--check"])
  assert.deepStrictEqual([open, holder], [[], undefined])
  write(home, { [second]: creates("second") })
  yield* runFor(0, home, ["up"])
})

describe("a failure outside the migration's effect", () => {
  for (const [what, then] of [
    ["a promise that nobody awaits", `void Promise.reject(new Error("astray"))`],
    ["a promise that nobody awaits, of what is no error", `void Promise.reject({ toString: () => "astray" })`],
    ["a timer that throws", `setTimeout(() => { throw new Error("astray") }, 1)`],
    [
      "two of them",
      `setTimeout(() => { throw new Error("astray") }, 1); setTimeout(() => { throw new Error("too") }, 1)`
    ]
  ] as const) {
    it.live(`${what}: exit code 1, it says so, and nothing is left`, () =>
      Effect.gen(function* () {
        const home = yield* prepared(
          writes(`yield* Effect.sync(() => { ${then} })
    yield* Effect.never`)
        )
        const before = yield* Program.hashOf(home)
        const { stderr } = yield* runFor(1, home, ["up"])
        assert.include(stderr, "astray")
        assert.include(stderr, "undoing what was begun")
        assert.notInclude(stderr, "bug of holdfast")
        yield* assertNothingLeft(home, before)
      })
    )
  }

  it.live("with --json there is one document all the same", () =>
    Effect.gen(function* () {
      const home = yield* prepared(
        writes(`yield* Effect.sync(() => void Promise.reject(new Error("astray")))
    yield* Effect.never`)
      )
      const before = yield* Program.hashOf(home)
      assert.isFalse((yield* jsonFor(1, home, ["up"]))["success"])
      yield* assertNothingLeft(home, before)
    })
  )

  it.live("a migration that goes on writing meanwhile is stopped, and none begins after it", () =>
    Effect.gen(function* () {
      const home = yield* prepared(
        writes(`yield* Effect.sync(() => void setTimeout(() => { throw new Error("astray") }, 1))
    for (let n = 0; ; n++) {
      yield* databases.createCollection("more" + n)
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }`)
      )
      write(home, { "migrations/0003_third.ts": creates("third") })
      const before = yield* Program.hashOf(home)
      yield* runFor(1, home, ["up", "--continue-on-error"])
      assert.strictEqual(yield* Program.hashOf(home), before)
      assert.deepStrictEqual(savedState(home).completed, ["0001_first"])
    })
  )
})

describe("a migration that ends the process", () => {
  for (const code of ["0", "1", ""]) {
    it.live(`by process.exit(${code}): exit code 4, it says so, and the next start does too`, () =>
      Effect.gen(function* () {
        const home = yield* prepared(writes(`yield* Effect.sync(() => process.exit(${code}))`))
        const { stderr } = yield* runFor(4, home, ["up"])
        assert.include(stderr, "`status` says what is left")
        assert.deepStrictEqual(savedState(home).completed, ["0001_first"])
        const { open } = yield* jsonFor(4, home, ["status", "--check"])
        assert.strictEqual(open[0].begin.migration, "0002_second")
        const { error } = yield* jsonFor(4, home, ["up"])
        assert.strictEqual(error._tag, "RecoveryNeeded")
      })
    )
  }
})

describe("a reader that leaves", () => {
  for (const channel of ["stderr", "stdout"] as const) {
    it.live(`${channel} is closed in the middle: the migration goes on to its end, exit code 0`, () =>
      Effect.gen(function* () {
        // Waits for the failure of its own write, so that it has come before the migration ends.
        const tell = `yield* Effect.callback((resume) => {
      process.${channel}.write("on a closed pipe\\n", (error) => resume(Effect.succeed(error)))
    })`
        const home = yield* prepared(
          writes(`yield* Effect.sync(() => process.${channel}.write("half way\\n"))
    while (!existsSync("go")) yield* Effect.sleep("5 millis")
    const error = ${tell}
    if (!error) return yield* Effect.fail(new Error("somebody read it"))
    ${tell}
    console.error("for people")
    yield* databases.createCollection("whole")`)
        )
        write(home, { "migrations/0003_third.ts": creates("third") })
        const one = yield* start(home, ["up"])
        yield* one.said("half way")
        yield* one.leave(channel)
        write(home, { go: "" })
        const ended = yield* one.ended
        assert.deepStrictEqual([ended.code, ended.signal], [0, null], ended.stdout + ended.stderr)
        assert.deepStrictEqual(savedState(home).completed, ["0001_first", "0002_second", "0003_third"])
        assert.deepStrictEqual(yield* Program.collectionsOf(home), ["half", "people", "third", "whole"])
        assert.deepStrictEqual((yield* jsonFor(0, home, ["status", "--check"]))["open"], [])
      })
    )
  }
})

describe("what a migration prints", () => {
  const prints = migration({
    head: `import * as Console from "effect/Console"
console.log("while it is loaded")`,
    up: `console.log("by console.log")
    console.info("by console.info")
    yield* Console.log("by Console.log")
    yield* Effect.log("by Effect.log")
    console.table([{ column: "by console.table" }])
    yield* databases.createCollection("second")`,
    verify: `console.log("in verify")
    return "fine"`
  })
  const lines = ["while it is loaded", "console.log", "console.info", "Console.log", "Effect.log", "console.table"]

  it.live("stands on standard error under --json, and standard output is one document", () =>
    Effect.gen(function* () {
      const home = yield* prepared(prints)
      const answer = yield* runFor(0, home, ["up", "--json"])
      assert.deepInclude(Program.jsonOf(answer), { success: true, completed: 1 })
      for (const line of [...lines, "in verify"]) assert.include(answer.stderr, line)
      const verified = yield* runFor(0, home, ["verify", "--json"])
      assert.isTrue(Program.jsonOf(verified)["success"])
      assert.include(verified.stderr, "in verify")
    })
  )

  it.live("stands on standard error under --json also where the migration fails", () =>
    Effect.gen(function* () {
      const home = yield* prepared(prints.replace('return "fine"', 'return yield* Effect.fail(new Error("odd"))'))
      const answer = yield* runFor(6, home, ["up", "--json"])
      assert.isFalse(Program.jsonOf(answer)["success"])
      assert.include(answer.stderr, "in verify")
    })
  )

  it.live("stands on standard output without --json", () =>
    Effect.gen(function* () {
      const home = yield* prepared(prints)
      const { stdout } = yield* runFor(0, home, ["up"])
      for (const line of ["by console.log", "by Console.log", "applied  0002_second"]) assert.include(stdout, line)
    })
  )
})
