import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "vitest"

const script = join(import.meta.dirname, "../../../../../scripts/crash.ts")

describe("the emulator, killed in the middle of writing", () => {
  it("has every acknowledged write and no half of another", { timeout: 120_000 }, () => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [script, "--points", "12"], { encoding: "utf8" })
    assert.strictEqual(status, 0, stdout + stderr)
    assert.match(stdout, /^12 kills in /)
    assert.match(stdout, /\n0 problems/)
    assert.isAbove(Number(/(\d+) transactions/.exec(stdout)?.[1]), 0, stdout)
    assert.isAbove(Number(/on their way at a kill: (\d+)/.exec(stdout)?.[1]), 0, stdout)
  })

  it("refuses points that are none", () => {
    assert.strictEqual(spawnSync(process.execPath, [script, "--points", "x"]).status, 2)
  })
})
