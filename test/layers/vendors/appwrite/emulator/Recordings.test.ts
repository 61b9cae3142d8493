import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { key, project, start } from "../../../../support/Emulator.ts"

/** What was recorded on a real server. These need no databases. */
const scenarios = ["storage_basic", "storage_chunks", "storage_range"]

interface Outcome {
  readonly calls: number
  readonly failed: number
  readonly diffs: ReadonlyArray<string>
}

describe("as recorded", () => {
  it.live.each(scenarios)("%s", (scenario) =>
    Effect.gen(function* () {
      const endpoint = yield* start()
      const fixtures = new URL("../../../../fixtures/appwrite/", import.meta.url)
      const replay = yield* Effect.promise(() => import(new URL("replay.mjs", fixtures).href))
      const outcome = yield* Effect.promise<Outcome>(() =>
        replay.runFile(
          new URL(`${scenario}.jsonl`, fixtures).pathname,
          { endpoint, project, key, settleMs: 0 },
          { maxDiff: 8, without: [], messages: true, bytes: true }
        )
      )
      assert.deepStrictEqual(outcome.diffs, [])
      assert.isAbove(outcome.calls, 0)
    })
  )
})
