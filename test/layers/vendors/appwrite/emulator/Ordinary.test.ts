/** A script that knows nothing of Holdfast, test/fixtures/ordinary/script.mjs, in a process of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { key, project, start } from "../../../../support/Emulator.ts"

const root = join(import.meta.dirname, "../../../../..")
const script = join(root, "test/fixtures/ordinary/script.mjs")

describe("an ordinary script of node-appwrite", () => {
  it.live.each([{}, { quirks: true }, { settle: 100 }])("runs against the emulator %j", (options) =>
    Effect.gen(function* () {
      const endpoint = yield* start(options)
      const env = { ...process.env, APPWRITE_ENDPOINT: endpoint, APPWRITE_PROJECT_ID: project, APPWRITE_API_KEY: key }
      const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, [script], { env }))
      assert.strictEqual(stdout, "all as expected\n")
    })
  )

  it("is the one that docs/emulator.md shows", () => {
    const page = readFileSync(join(root, "docs/emulator.md"), "utf8")
    assert.include(page, `\`\`\`js\n${readFileSync(script, "utf8")}\`\`\`\n`)
    assert.notInclude(readFileSync(script, "utf8").toLowerCase(), "holdfast")
  })
})
