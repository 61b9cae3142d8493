/**
 * All that was recorded on a real server, played against the emulator, with and without `--quirks`. What differs is in
 * the table of docs/emulator.md: no more, no less.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll } from "vitest"
import { key, project, start } from "../../../../support/Emulator.ts"

const root = join(import.meta.dirname, "../../../../..")
const fixtures = join(root, "test/fixtures/appwrite")
const scenarios = readdirSync(fixtures).flatMap((file) =>
  file.endsWith(".jsonl") ? [file.replace(/\.jsonl$/, "")] : []
)
/** There are no users, and keys are not made over HTTP. */
const without = ["users", "keys"]

interface Outcome {
  readonly calls: number
  readonly failed: number
  /** A step that differs, then how, indented. */
  readonly diffs: ReadonlyArray<string>
  readonly skipped?: string
}

// A column that is to get stuck, and does not, is waited for; here for half a second instead of half a minute.
const folder = mkdtempSync(join(tmpdir(), "holdfast-replay-"))
afterAll(() => rmSync(folder, { recursive: true }))
const player = readFileSync(join(fixtures, "replay.mjs"), "utf8")
const impatient = player.replace("Date.now() + 30000", "Date.now() + 500")
assert.notStrictEqual(impatient, player)
writeFileSync(join(folder, "replay.mjs"), impatient)

const play = (scenario: string, quirks: boolean) =>
  Effect.gen(function* () {
    const endpoint = yield* start({ quirks })
    // Files are compared to the byte, refusals of storage to the letter.
    const exact = scenario.startsWith("storage_")
    const { runFile } = yield* Effect.promise(() => import(pathToFileURL(join(folder, "replay.mjs")).href))
    return yield* Effect.promise<Outcome>(() =>
      runFile(
        join(fixtures, `${scenario}.jsonl`),
        { endpoint, project, key, settleMs: 0 },
        { maxDiff: 8, without, messages: exact, bytes: exact }
      )
    )
  })

/** A row of the table: `| scenario | steps | when | reason |`, where steps are as `4, 6–8`. */
const listed = readFileSync(join(root, "docs/emulator.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, scenario = "", steps = "", when = "", reason = ""] = line.split("|").map((cell) => cell.trim())
    if (!scenarios.includes(scenario)) return []
    const numbers = steps.split(", ").flatMap((range) => {
      const [from, to = from] = range.split("–").map(Number)
      return Array.from({ length: to! - from! + 1 }, (_, index) => from! + index)
    })
    return numbers.map((step) => ({ scenario, step, when, reason }))
  })
const differing = (scenario: string, quirks: boolean) =>
  listed
    .filter((one) => one.scenario === scenario && (one.when === "always" || !quirks))
    .map(({ step }) => step)
    .toSorted((left, right) => left - right)

describe("docs/emulator.md", () => {
  it("says of each difference when it is there, and why", () => {
    assert.isNotEmpty(listed)
    for (const one of listed) {
      assert.include(["always", "without `--quirks`"], one.when, JSON.stringify(one))
      assert.isAbove(one.step, 0, JSON.stringify(one))
      assert.notStrictEqual(one.reason, "", JSON.stringify(one))
    }
  })

  it("lists at most 40 differences", () => {
    assert.isAtMost(listed.length, 40)
  })
})

describe.each([
  ["with --quirks", true],
  ["without --quirks", false]
] as const)("as recorded, but for what docs/emulator.md lists, %s", (_, quirks) => {
  it.live.each(scenarios)("%s", (scenario) =>
    Effect.gen(function* () {
      const outcome = yield* play(scenario, quirks)
      const steps = outcome.diffs.flatMap((line) => /^#(\d+) /.exec(line)?.[1] ?? []).map(Number)
      assert.deepStrictEqual(steps, differing(scenario, quirks), outcome.diffs.join("\n"))
      assert.strictEqual(outcome.failed, steps.length)
      if (outcome.skipped === undefined) assert.isAbove(outcome.calls, 0)
      else assert.include(without, outcome.skipped.replace("needs ", ""))
    })
  )
})
