import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { send } from "../support/Emulator.ts"

const program = join(import.meta.dirname, "../../src/programs/emulator.ts")

/** The program until the scope closes; `stop` ends it as Ctrl-C does, and answers its code. */
const launch = (...flags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [program, ...flags], { stdio: ["ignore", "pipe", "pipe"] })),
      (process) => Effect.sync(() => process.kill("SIGKILL"))
    )
    const exit = once(child, "exit")
    const line = yield* Effect.promise(async () => {
      for await (const text of createInterface({ input: child.stdout })) return text
      return ""
    })
    const errors: Array<string> = []
    child.stderr.on("data", (data) => errors.push(String(data)))
    const end = Effect.promise(async () => ({ code: (await exit)[0] as number | null, errors: errors.join("") }))
    const stop = (signal: "SIGINT" | "SIGTERM") =>
      Effect.andThen(
        Effect.sync(() => child.kill(signal)),
        end
      )
    return { line, stop, end }
  })

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-emulator-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

describe("src/programs/emulator.ts", () => {
  it.live("says in one line where it listens, and stops at a signal", () =>
    Effect.gen(function* () {
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const { line, stop } = yield* launch("--port", "0", "--json")
        const { endpoint, ...rest } = JSON.parse(line)
        assert.match(endpoint, /^http:\/\/127\.0\.0\.1:\d+\/v1$/)
        assert.deepStrictEqual(rest, { project: "holdfast", key: "holdfast-key", database: "memory:" })
        const headers = { "x-appwrite-project": "holdfast", "x-appwrite-key": "holdfast-key" }
        assert.strictEqual((yield* send(`${endpoint}/health`, "GET", { headers })).status, 200)
        assert.deepStrictEqual(yield* stop(signal), { code: 0, errors: "" })
      }
    })
  )

  it.live("keeps files beside the database, has the keys it is given, and tells faults", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const url = `sqlite:${join(folder, "deep/app.db")}`
      const flags = [
        "--port",
        "0",
        "--json",
        "--database",
        url,
        "--project",
        "mine",
        "--key",
        "a",
        "--key",
        "b=files.read"
      ]
      const buckets = (endpoint: string, key: string, method: string, body?: object) =>
        send(`${endpoint}/storage/buckets`, method, {
          headers: { "x-appwrite-project": "mine", "x-appwrite-key": key },
          ...(body === undefined ? {} : { body })
        })
      const first = yield* launch(...flags)
      const before = JSON.parse(first.line).endpoint
      assert.strictEqual((yield* buckets(before, "a", "POST", { bucketId: "x", name: "x" })).status, 201)
      assert.strictEqual((yield* buckets(before, "b", "GET")).status, 401)
      yield* first.stop("SIGTERM")
      assert.include(readdirSync(join(folder, "deep")), "app.db-storage")
      const second = yield* launch(...flags, "--fail", "0")
      const after = JSON.parse(second.line).endpoint
      assert.strictEqual((yield* buckets(after, "a", "GET")).json.total, 1)
      const counts = (yield* send(`${after}/holdfast/faults`, "GET", { headers: {} })).json
      assert.deepStrictEqual([counts.calls, counts.unexpected], [1, 0])
    })
  )

  it.live("says what is wrong and ends with 2", () =>
    Effect.gen(function* () {
      const busy = yield* launch("--port", "0", "--json")
      const { port } = new URL(JSON.parse(busy.line).endpoint)
      const taken = yield* Effect.flatMap(launch("--port", port), ({ end }) => end)
      assert.strictEqual(taken.code, 2)
      assert.include(taken.errors, "EADDRINUSE")
      for (const flags of [["--database", "mysql:x"], ["--fail", "2"], ["--nosuch"]]) {
        const { end } = yield* launch("--port", "0", ...flags)
        assert.strictEqual((yield* end).code, 2, flags.join(" "))
      }
    })
  )
})
