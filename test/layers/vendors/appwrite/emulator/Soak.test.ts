import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "vitest"

const script = join(import.meta.dirname, "../../../../../scripts/soak.ts")

describe("the emulator, under many clients and faults", () => {
  it("leaves no call hanging, fails none but as asked, and keeps its memory", { timeout: 60_000 }, () => {
    const flags = ["--seconds", "3", "--clients", "32", "--fail", "0.03"]
    const { status, stderr, stdout } = spawnSync(process.execPath, [script, ...flags], { encoding: "utf8" })
    assert.strictEqual(status, 0, stdout + stderr)
    assert.include(stdout, "5xx that nobody asked for: 0; hung: 0")
    assert.isAbove(Number(/(\d+) connections cut/.exec(stdout)?.[1]), 0, stdout)
  })

  it("refuses numbers that are none", () => {
    assert.strictEqual(spawnSync(process.execPath, [script, "--clients", "x"]).status, 2)
  })
})
