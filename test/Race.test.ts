/** A few rounds of `npm run race`: processes that are stopped in the middle of a request, answers that are lost. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { describe, it } from "vitest"
import * as RedisServer from "./support/RedisServer.ts"
import { skipped } from "./support/skipped.ts"

const script = join(import.meta.dirname, "../scripts/race.ts")

const race = async (...flags: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, ["--conditions=source", script, ...flags])
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
  const [status] = await once(child, "close")
  return { output, status }
}
const few = ["--processes", "4", "--rounds", "12"]

describe("processes that race for the same keys", () => {
  it.concurrent("SQLite: keep every promise, whoever is stopped", async ({ expect }) => {
    const { output, status } = await race("--store", "sqlite", ...few)
    expect(status, output).toBe(0)
    expect(output).toMatch(/^sqlite: 12 rounds, 4 processes/)
    expect(output).toContain("every promise was kept")
  })

  it.concurrent("SQLite: are caught when completions overwrite", async ({ expect }) => {
    const { output, status } = await race("--store", "sqlite", ...few, "--break", "fencing")
    expect(status, output).toBe(1)
    expect(output).toContain("BROKEN: recorded answers of one life of a key differ")
  })

  it.skipIf(!RedisServer.isInstalled).concurrent("Redis: keep every promise", async ({ expect }) => {
    const { output, status } = await race("--store", "redis", ...few)
    expect(status, output).toBe(0)
    expect(output).toContain("every promise was kept")
  })

  it.concurrent("refuses a store that is none", async ({ expect }) => {
    const { output, status } = await race("--store", "paper")
    expect(status, output).toBe(2)
  })
})

if (!RedisServer.isInstalled) skipped("Race of processes on Redis", "redis-server", RedisServer.install)
