import { parse } from "acorn"
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { delimiter, join } from "node:path"
import { assert, describe, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const file = join(root, "src/programs/nodeVersion.ts")
const floor = "22.19.0"

/** Runs the file on this Node, which takes itself for another version. */
const runAs = (version: string) => {
  const versions = JSON.stringify({ ...process.versions, node: version })
  const pretend = `Object.defineProperty(process, "versions", { value: ${versions} })`
  return spawnSync(process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, file], {
    encoding: "utf8"
  })
}

/** Nodes of this machine that are older than the floor, yet new enough for tsx itself. */
const oldNodes = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .map((folder) => join(folder, "node"))
  .filter((node) => existsSync(node))
  .map((node) => ({ node, version: execFileSync(node, ["--version"], { encoding: "utf8" }).trim().slice(1) }))
  .filter(({ version }) => Number(version.split(".")[0]) >= 18 && Number(version.split(".")[0]) < 22)
  .slice(0, 1)

const assertRefusal = (run: { status: number | null; stdout: string; stderr: string }, version: string) => {
  assert.strictEqual(
    run.stderr,
    `holdfast needs Node ${floor} or newer and this is Node ${version}: start it by npx or npm run, which use the ` +
      "Node that the project installed (npx tsx src/programs/migrate.ts), or install Node 24.\n"
  )
  assert.strictEqual(run.stdout, "")
  assert.strictEqual(run.status, 2)
}

describe("nodeVersion", () => {
  it.each(["12.22.12", "18.20.8", "20.20.2", "22.18.0", "22.9.9"])("refuses Node %s in one sentence", (version) => {
    assertRefusal(runAs(version), version)
  })

  it.each(["22.19.0", "22.20.0", "23.0.0", "24.21.0", "100.0.0"])("lets Node %s pass without a word", (version) => {
    const run = runAs(version)
    assert.deepStrictEqual([run.status, run.stdout, run.stderr], [0, "", ""])
  })

  // Not every machine has an old Node; the pretended versions above run everywhere.
  it("is told by an old Node that is really there", () => {
    for (const { node, version } of oldNodes) {
      const run = spawnSync(node, [join(root, "node_modules/tsx/dist/cli.mjs"), file], { encoding: "utf8" })
      assertRefusal(run, version)
    }
  })

  it("names the version that package.json names", () => {
    const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    assert.strictEqual(engines.node, `>=${floor}`)
  })

  it("is syntax that Node 12 reads, and imports nothing", () => {
    const program = parse(stripTypeScriptTypes(readFileSync(file, "utf8")), { ecmaVersion: 2019, sourceType: "module" })
    assert.deepStrictEqual(
      program.body.filter((statement) => /^(Import|Export)/.test(statement.type)),
      []
    )
  })
})
