import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AppwriteConsole from "holdfast/layers/logging/AppwriteConsole"
import * as Capture from "holdfast/layers/logging/Capture"
import * as JsonLines from "holdfast/layers/logging/JsonLines"
import { contract, type Subject } from "../../contract/LogSink.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-log-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)
const linesOf = (text: string) => text.split("\n").filter((line) => line !== "")

const file = (options: JsonLines.Options) =>
  Effect.gen(function* () {
    const to = join(yield* folder, "log.jsonl")
    const sink = yield* JsonLines.make({ ...options, to })
    return { sink, read: Effect.sync(() => linesOf(readFileSync(to, "utf8"))) } satisfies Subject
  })

contract("a file, a write for each line", file({}))
contract("a file, in batches", file({ batch: 4096 }))
contract(
  "memory",
  Effect.sync(() => {
    const { capture, sink } = Capture.make()
    return { sink, read: capture.lines } satisfies Subject
  })
)
contract(
  "Appwrite's console",
  Effect.sync(() => {
    const calls: Array<string> = []
    let isBroken = false
    const write = (text: string) => {
      if (isBroken) throw new Error("gone")
      calls.push(text)
    }
    return {
      sink: AppwriteConsole.sink({ log: write, error: write }),
      read: Effect.sync(() => calls.flatMap(linesOf)),
      breakDown: Effect.sync(() => {
        isBroken = true
      })
    } satisfies Subject
  })
)

describe("Appwrite's console", () => {
  it.live("gets chunks of whole lines, each below what a call is cut at; errors apart", () =>
    Effect.gen(function* () {
      const calls: Array<readonly [string, string]> = []
      const sink = AppwriteConsole.sink({
        log: (text) => void calls.push(["log", text]),
        error: (text) => void calls.push(["error", text])
      })
      for (let index = 0; index < 100; index++)
        sink.write(`${index} ${"x".repeat(300)}`, index % 10 === 0 ? "error" : "info")
      yield* sink.flush
      assert.isBelow(calls.length, 10)
      for (const [, text] of calls) {
        assert.isBelow(text.length, 8000)
        for (const line of text.split("\n")) assert.match(line, /^\d+ x{300}$/)
      }
      const errors = calls.filter(([to]) => to === "error").flatMap(([, text]) => text.split("\n"))
      assert.deepStrictEqual(
        errors.map((text) => Number(text.split(" ")[0])),
        [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
      )
    })
  )
})

describe("a sink of lines", () => {
  it.live("that can't be opened, or has an impossible option, refuses to build", () =>
    Effect.gen(function* () {
      const refused = (options: JsonLines.Options) => Effect.flip(Effect.scoped(JsonLines.make(options)))
      assert.include((yield* refused({ to: "/nowhere/at/all/log" })).message, "/nowhere/at/all/log")
      assert.include((yield* refused({ limit: 10 })).message, "limit is 10")
      assert.include((yield* refused({ batch: -1 })).message, "batch is -1")
      assert.include((yield* refused({ buffer: 0.5 })).message, "buffer is 0.5")
    })
  )

  it.live("on a full disk counts each line, and goes on", () =>
    Effect.scoped(
      Effect.gen(function* () {
        for (const batch of [0, 4096]) {
          const sink = yield* JsonLines.make({ to: "/dev/full", batch })
          for (let index = 0; index < 100; index++) sink.write(JSON.stringify({ index, text: "x".repeat(100) }), "info")
          yield* sink.flush
          assert.strictEqual(sink.lost(), 100)
        }
      })
    )
  )
})
