import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

/**
 * The floors of docs/architecture.md are rules of the linter: files that break them are written into a folder shaped
 * like this one, and the real linter reads them with the real settings.
 */

const root = join(import.meta.dirname, "..")
const folders = (path: string) =>
  readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
const families = folders("src/layers").filter((name) => name !== "vendors")

interface Case {
  readonly title: string
  readonly file: string
  readonly code: string
  /** A part of the message, which says the reason; absent where the file is innocent. */
  readonly reason?: string
}

const importing = (title: string, file: string, specifier: string, reason?: string): Case => ({
  title,
  file,
  code: `import * as Probe from "${specifier}"\nexport const probe = Probe\n`,
  ...(reason === undefined ? {} : { reason })
})

const using = (title: string, file: string, expression: string, reason?: string): Case => ({
  title,
  file,
  code: `export const probe = () => ${expression}\n`,
  ...(reason === undefined ? {} : { reason })
})

const lines = (count: number) => Array.from({ length: count }, (_, index) => `export const line${index} = ${index}\n`)

const concept = "src/Probe.ts"
const internal = "src/internal/backups/Probe.ts"
const layer = "src/layers/backups/Probe.ts"
const nested = "src/layers/databases/embedded/Probe.ts"
const vendor = "src/layers/vendors/Probe.ts"
const program = "src/programs/migrate/probe.ts"

const down = "Imports point down"
const noVendor = "knows no vendor"
const service = "what has effects comes as a service"
const otherFamily = "A layer knows no other family of layers"
const barrel = "The barrel makes a function's bundle large"

const forbidden: ReadonlyArray<Case> = [
  importing("a concept imports a layer", concept, "./layers/backups/Local.ts", down),
  importing("a concept imports a program", concept, "./programs/migrate.ts", down),
  importing("a concept imports node:fs", concept, "node:fs", service),
  importing("a concept imports node:fs/promises", concept, "node:fs/promises", service),
  importing("a concept imports pure computation of Node", concept, "node:crypto", "goes to src/internal"),
  importing("a concept imports node-appwrite", concept, "node-appwrite", noVendor),
  importing("a concept imports redis", concept, "redis", noVendor),
  importing("a concept imports acorn", concept, "acorn", noVendor),
  importing("a concept imports the platform", concept, "@effect/platform-node/NodeFileSystem", noVendor),
  importing("a concept imports a package that nobody has heard of", concept, "left-pad/deep", noVendor),
  importing("a concept imports the barrel of effect", concept, "effect", barrel),
  {
    title: "a concept imports a type of a vendor",
    file: concept,
    code: `import type { Models } from "node-appwrite"\nexport type Probe = Models.Row\n`,
    reason: noVendor
  },
  using("a concept imports a vendor late", concept, `import("node-appwrite")`, noVendor),
  using("a concept reads the clock", concept, "Date.now()", "Time comes as a service"),
  using("a concept waits", concept, "setTimeout(() => {}, 1)", "Time comes as a service"),
  using("a concept throws dice", concept, "Math.random()", "Chance comes as a service"),
  using("a concept reads the environment", concept, "process.env", "settings come by effect/Config"),
  using("a concept speaks to a network", concept, `fetch("/")`, "does not speak to a network"),

  importing("a piece of a concept imports node:fs", internal, "node:fs", service),
  importing("a piece of a concept imports node:fs/promises", internal, "node:fs/promises", service),
  importing("a piece of a concept imports a vendor", internal, "node-appwrite", noVendor),
  importing("a piece of a concept imports a layer", internal, "../../layers/vendors/Sqlite.ts", down),
  importing("a piece of a concept imports a program", internal, "../../programs/migrate.ts", down),
  importing("a piece of a concept imports the barrel of effect", internal, "effect", barrel),
  using("a piece of a concept reads the clock", internal, "Date.now()", "Time comes as a service"),
  {
    title: "a piece of a concept throws dice",
    file: internal,
    code: `import { randomUUID } from "node:crypto"\nexport const probe = randomUUID\n`,
    reason: "Chance comes as a service"
  },

  importing("a layer imports another family", layer, "../databases/Embedded.ts", otherFamily),
  importing("a nested layer imports another family", nested, "../../backups/Local.ts", otherFamily),
  importing("a layer imports another family by the package's name", layer, "holdfast/layers/logging/X", otherFamily),
  importing("a layer imports a program", layer, "../../programs/migrate.ts", down),
  importing("a layer imports the barrel of effect", layer, "effect", barrel),
  importing("a vendor imports a program", vendor, "../../programs/migrate.ts", down),
  ...families.flatMap((family) => [
    importing(
      `a layer imports ${family}`,
      `src/layers/${family === "databases" ? "backups" : "databases"}/Probe.ts`,
      `../${family}/Local.ts`,
      otherFamily
    ),
    importing(`a vendor imports ${family}`, vendor, `../${family}/Local.ts`, "shared by all families and knows none")
  ]),

  importing("a program imports the barrel of effect", program, "effect", barrel),
  importing("an example imports what is internal", "examples/probe.ts", "holdfast/internal/Hash", "what a user can do"),
  importing("an example imports by path", "examples/probe.ts", "../src/index.ts", "what a user can do"),
  { title: "a file grows past 400 lines", file: concept, code: lines(401).join(""), reason: "Maximum allowed is 400" }
]

const allowed: ReadonlyArray<Case> = [
  importing("a concept imports effect, by module", concept, "effect/http/HttpClient"),
  importing("a concept imports a concept", concept, "./Databases.ts"),
  importing("a concept imports its pieces", concept, "./internal/backups/Format.ts"),
  {
    title: "a piece of a concept imports hashes of node:crypto",
    file: internal,
    code: `import { createHash } from "node:crypto"\nexport const probe = createHash\n`
  },
  importing("a piece of a concept imports node:zlib", internal, "node:zlib"),
  importing("a piece of a concept imports a concept", internal, "../../Databases.ts"),
  importing("a layer imports a concept", layer, "../../Databases.ts"),
  importing("a layer imports pieces of a concept whose name a family has", layer, "../../internal/migrations/Probe.ts"),
  importing("a layer imports a vendor's room", layer, "../vendors/AtomicFile.ts"),
  importing("a layer imports a vendor's package", layer, "node-appwrite"),
  importing("a layer imports node:fs", layer, "node:fs"),
  importing("a nested layer imports its family", nested, "../Embedded.ts"),
  importing("a vendor imports a vendor", vendor, "./appwrite/Client.ts"),
  importing("a program imports a layer", program, "../../layers/databases/Embedded.ts"),
  importing("a program imports its sibling", program, "../exitCodes.ts"),
  importing("an example imports the package by its name", "examples/probe.ts", "holdfast/layers/databases/Embedded"),
  using("a layer reads the clock", layer, "Date.now()"),
  { title: "a file of 400 lines", file: concept, code: lines(400).join("") }
]

let folder: string

/** What the linter finds, as `npm run lint` calls it; without types, which none of these rules asks for. */
const lint = (files: Readonly<Record<string, string>>) => {
  for (const [file, code] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), code)
  }
  const run = spawnSync(join(root, "node_modules/.bin/oxlint"), ["--deny-warnings", "--format=json"], {
    cwd: folder,
    encoding: "utf8"
  })
  for (const file of Object.keys(files)) rmSync(join(folder, file))
  const report: { diagnostics: ReadonlyArray<{ message: string; help?: string }> } = JSON.parse(run.stdout)
  return { status: run.status, messages: report.diagnostics.map(({ help, message }) => `${message} ${help ?? ""}`) }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-lint-"))
  copyFileSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe("npm run lint fails, and says why, when", () => {
  it.each(forbidden)("$title", ({ code, file, reason }) => {
    const { messages, status } = lint({ [file]: code })
    assert.strictEqual(status, 1)
    assert.lengthOf(messages, 1)
    assert.include(messages[0], reason)
  })

  it("two files import each other", () => {
    const { messages, status } = lint({
      "src/Probe.ts": `import { two } from "./Other.ts"\nexport const one = () => two()\n`,
      "src/Other.ts": `import { one } from "./Probe.ts"\nexport const two = () => one()\n`
    })
    assert.strictEqual(status, 1)
    assert.match(messages.join("\n"), /Dependency cycle/)
  })
})

describe("npm run lint lets pass that", () => {
  it.each(allowed)("$title", ({ code, file }) => {
    assert.deepStrictEqual(lint({ [file]: code }), { status: 0, messages: [] })
  })
})
