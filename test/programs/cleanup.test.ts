/** `src/programs/cleanup.ts` as a child process, on files and on what it can't use. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Idempotency from "../../src/Idempotency.ts"
import * as Embedded from "../../src/layers/databases/Embedded.ts"
import * as Database from "../../src/layers/idempotency/Database.ts"
import * as HandClock from "../support/HandClock.ts"

const program = join(import.meta.dirname, "../../src/programs/cleanup.ts")

const run = (flags: ReadonlyArray<string>, environment: Record<string, string> = {}) =>
  Effect.promise(
    () =>
      new Promise<{ readonly code: number | null; readonly out: string; readonly errors: string }>((resolve) => {
        const { HOLDFAST_SECRET: _secret, ...inherited } = process.env
        const child = spawn(process.execPath, [program, ...flags], {
          env: { ...inherited, ...environment },
          cwd: tmpdir()
        })
        let [out, errors] = ["", ""]
        child.stdout.on("data", (data) => (out += data))
        child.stderr.on("data", (data) => (errors += data))
        child.on("close", (code) => resolve({ code, out, errors }))
      })
  )

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-cleanup-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const hour = 3_600_000

/** Keys that were finished so many hours ago, each in two rows. */
const finished = (file: string, hoursAgo: ReadonlyArray<number>) =>
  Effect.forEach(
    hoursAgo,
    (hours) =>
      Effect.gen(function* () {
        const time = yield* HandClock.make
        yield* Idempotency.run(Effect.succeed(hours), {
          operation: "o",
          key: `k${hours}`,
          success: Schema.Number
        }).pipe(
          Effect.provide(
            Idempotency.layer().pipe(
              Layer.provide(Database.layer({ secret: Redacted.make("s".repeat(32)) })),
              Layer.provide(Embedded.layer({ filename: file }))
            )
          ),
          Effect.provideService(Clock.Clock, time.clock(-hours * hour))
        )
      }),
    { discard: true }
  )

describe("src/programs/cleanup.ts", () => {
  it.live("removes what is over, counts it, and touches no live key, whatever it is told", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "app.db")
      // A key lives a day, and its rows an hour more.
      yield* finished(file, [0, 23, 25, 26, 50, 100])
      const store = ["--store", `sqlite:${file}`]
      const counted = yield* run([...store, "--dry-run", "--json"])
      assert.strictEqual(counted.code, 0, counted.errors)
      assert.deepStrictEqual(JSON.parse(counted.out), {
        version: 1,
        command: "cleanup",
        success: true,
        dryRun: true,
        deletedCount: 6
      })
      const old = yield* run([...store, "--older-than", "2 days", "--json"])
      assert.strictEqual(JSON.parse(old.out).deletedCount, 2)
      const all = yield* run([...store, "--older-than", "0", "--batch", "1"])
      assert.strictEqual(all.code, 0, all.errors)
      assert.include(all.out, "deletedCount: 4")
      const rest = yield* run([...store, "--older-than", "0", "--json"])
      assert.strictEqual(JSON.parse(rest.out).deletedCount, 0)
      assert.strictEqual(statSync(`${file}-secret`).mode & 0o777, 0o600)
    })
  )

  it.live("a database that never had a key is left as it was", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "app.db")
      yield* Effect.scoped(Layer.build(Embedded.layer({ filename: file })))
      const { code, out } = yield* run(["--json"], { HOLDFAST_STORE: `sqlite:${file}` })
      assert.strictEqual(code, 0)
      assert.strictEqual(JSON.parse(out).deletedCount, 0)
    })
  )

  it.live("says what is wrong, and what to do", () =>
    Effect.gen(function* () {
      const missing = join(yield* folder, "none.db")
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, number, string]> = [
        [[], 2, "--store"],
        [["--store", "mysql:x"], 2, "sqlite:PATH"],
        [["--store", `sqlite:${missing}`], 2, missing],
        [["--store", "memory:", "--older-than", "soon"], 2, "2 hours"],
        [["--store", "memory:", "--batch", "0"], 2, "1 to 1000"],
        [["--store", "redis://127.0.0.1:1"], 2, "HOLDFAST_SECRET"]
      ]
      for (const [flags, code, words] of cases) {
        const ended = yield* run(flags)
        assert.strictEqual(ended.code, code, flags.join(" "))
        assert.include(ended.errors, words)
      }
      assert.isFalse(existsSync(missing))
      const short = yield* run(["--store", "redis://127.0.0.1:1"], { HOLDFAST_SECRET: "short" })
      assert.strictEqual(short.code, 2)
      assert.include(short.errors, "it has 5 bytes")
      const gone = yield* run(["--store", "redis://127.0.0.1:1"], { HOLDFAST_SECRET: "s".repeat(32) })
      assert.strictEqual(gone.code, 8)
      assert.include(gone.errors, "redis://127.0.0.1:1")
    })
  )
})
