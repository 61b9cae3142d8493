/** Programs log where they are told to, and nowhere else: a run is a trace, or part of the one that started it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type * as LogEvent from "../../src/LogEvent.ts"
import * as LogLine from "../../src/LogLine.ts"
import { folder, migration, runFor } from "../support/Program.ts"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const files = {
  "migrations/01_a.ts": migration({ up: `yield* databases.createCollection("c", { attributes: [] })` }),
  "migrations/02_b.ts": migration({ up: `yield* databases.getCollection("nowhere")` })
}
const eventsOf = (path: string): ReadonlyArray<LogEvent.LogEvent> =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const event = LogLine.parse(line)
      if (event._tag === "Failure") throw event.failure
      return event.success
    })

describe("migrate", () => {
  it.live("is part of the trace that TRACEPARENT names, its operations with it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const home = yield* folder(files)
        const environment = {
          HOLDFAST_LOG_TO: "log.jsonl",
          TRACEPARENT: `00-${traceId}-00f067aa0ba902b7-01`,
          HOLDFAST_SECRET: "a secret for tests, of 32 bytes or more"
        }
        yield* runFor(1, home, ["up"], { env: environment })
        const events = eventsOf(join(home, "log.jsonl"))
        for (const event of events) assert.strictEqual(event.traceId, traceId)
        const [first] = events
        assert.deepInclude(first, {
          type: "REQUEST_INCOMING",
          method: "RUN",
          path: "migrate up",
          parentSpanId: "00f067aa0ba902b7"
        })
        const named = (operation: string, collection: string) =>
          events.some(
            (event) =>
              event.type === "DATABASE_OPERATION" && event.operation === operation && event.collection === collection
          )
        assert.isTrue(named("CREATE_COLLECTION", "c"))
        assert.isTrue(named("GET_COLLECTION", "nowhere"))
        // The second migration failed, and so did the run.
        assert.deepInclude(events.at(-1), { type: "REQUEST_COMPLETE", statusCode: 500, level: "error" })
      })
    )
  )

  it.live("logs nothing by itself", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const home = yield* folder(files)
        const { stderr, stdout } = yield* runFor(0, home, ["status"])
        assert.notInclude(`${stdout}${stderr}`, "REQUEST_INCOMING")
        assert.isFalse(existsSync(join(home, "log.jsonl")))
      })
    )
  )

  it.live.each([
    [{ HOLDFAST_LOG_TO: "log.jsonl", HOLDFAST_LOG_LEVEL: "loud" }, "HOLDFAST_LOG_LEVEL"],
    [{ HOLDFAST_LOG_TO: "/nowhere/at/all" }, "/nowhere/at/all"],
    [{ HOLDFAST_LOG_TO: "log.jsonl", HOLDFAST_LOG_SAMPLING: "7" }, "sampling.ratio"]
  ])("refuses %j before it does anything", ([environment, named]) =>
    Effect.scoped(
      Effect.gen(function* () {
        const home = yield* folder(files)
        const { stderr } = yield* runFor(2, home, ["up"], { env: environment as Record<string, string> })
        assert.include(stderr, named as string)
      })
    )
  )
})
