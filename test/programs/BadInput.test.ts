/**
 * Each bad input, through the program: it says what is wrong on standard error and, with --json, in one document on
 * standard output; it ends with its code; and the database and the state are what they were.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Program from "../support/Program.ts"

interface Case {
  readonly title: string
  /** Default `up`. */
  readonly command?: ReadonlyArray<string>
  readonly files?: Program.Files
  readonly arrange?: (home: string) => void
  readonly options?: Program.Options
  /** Default 2. */
  readonly code?: number
  readonly tag: string
  /** All of these stand in the message. */
  readonly says: ReadonlyArray<string>
}

const second = "migrations/0002_second.ts"

const files: ReadonlyArray<Case> = [
  {
    title: "a syntax error",
    files: { [second]: "export default (" },
    tag: "MigrationNotLoaded",
    says: [second, "can't be loaded", "SyntaxError"]
  },
  {
    title: "a package that is not there",
    files: { [second]: `import "not-installed-anywhere"\n${Program.creates("second")}` },
    tag: "MigrationNotLoaded",
    says: [second, "not-installed-anywhere"]
  },
  {
    title: "a file that is not there",
    files: { [second]: `import "./_gone.ts"\n${Program.creates("second")}` },
    tag: "MigrationNotLoaded",
    says: [second, "_gone.ts"]
  },
  {
    title: "a name that the imported module does not have",
    files: { [second]: `import { Nothing } from "holdfast/Attribute"\n${Program.creates("second")}` },
    tag: "MigrationNotLoaded",
    says: [second, "Nothing"]
  },
  {
    title: "a file that Node takes for CommonJS",
    files: { "migrations/package.json": '{ "type": "commonjs" }', [second]: Program.creates("second") },
    tag: "MigrationNotLoaded",
    says: [second, '"type": "module"']
  },
  {
    title: "no default export",
    files: { [second]: "export const migration = 1\n" },
    tag: "MigrationNotLoaded",
    says: [second, "default export", "export default Migration.make("]
  },
  {
    title: "a default export that is no migration",
    files: { [second]: "export default { up: async () => {} }\n" },
    tag: "MigrationNotLoaded",
    says: [second, "default export is no migration"]
  },
  {
    title: "a file that throws while it is loaded",
    files: { [second]: `throw new Error("no licence")\n` },
    tag: "MigrationNotLoaded",
    says: [second, "no licence"]
  },
  {
    title: "TypeScript that takes more than stripping",
    files: { [second]: `enum Colour { Red }\n${Program.creates("second")}` },
    tag: "MigrationNotLoaded",
    says: [second, "only strips types", "enum"]
  },
  // Node strips types without a look at them, so the mistake reaches the program.
  ...[
    ["up is an async function", "up: async () => {}"],
    ["up is missing", 'description: "to come"'],
    ["verify is a function", 'up: Databases.use((databases) => databases.createCollection("a")), verify: () => "fine"']
  ].map(([title = "", members = ""]): Case => ({
    title,
    files: {
      [second]: `import { Databases } from "holdfast/Databases"
import * as Migration from "holdfast/Migration"
export default Migration.make({ ${members} })
`
    },
    tag: "MigrationNotLoaded",
    says: [second, title.split(" ")[0] ?? "", "Effect"]
  })),
  {
    title: "two files with one id",
    files: {
      [second]: Program.creates("second", 'id: "same"'),
      "migrations/0003_third.ts": Program.creates("third", 'id: "same"')
    },
    tag: "DuplicateMigration",
    says: ['"same"', second, "migrations/0003_third.ts"]
  },
  {
    title: "an id that is another file's name",
    files: { [second]: Program.creates("second", 'id: "0001_first"') },
    tag: "DuplicateMigration",
    says: ['"0001_first"', "migrations/0001_first.ts", second]
  },
  {
    title: "a .ts beside a .js",
    files: { "migrations/0002_a.js": Program.creates("a"), "migrations/0002_a.ts": Program.creates("a") },
    tag: "DuplicateMigration",
    says: ['"0002_a"', "0002_a.js", "0002_a.ts"]
  },
  {
    title: "a .ts beside a .js of a migration that is applied",
    files: { "migrations/0001_first.js": Program.creates("first") },
    tag: "DuplicateMigration",
    says: ['"0001_first"', "0001_first.js", "0001_first.ts"]
  }
]

const ids: ReadonlyArray<Case> = [
  {
    title: "up --to an id that is nearly one",
    command: ["up", "--to", "0001_frist"],
    tag: "UnknownMigration",
    says: ['"0001_frist"', "Did you mean 0001_first?"]
  },
  {
    title: "up --to an id that is like none",
    command: ["up", "--to", "add-weight-to-evidence"],
    tag: "UnknownMigration",
    says: ['"add-weight-to-evidence"', "`status` lists"]
  },
  {
    title: "verify with part of an id",
    command: ["verify", "first"],
    tag: "UnknownMigration",
    says: ['"first"', "Did you mean 0001_first?"]
  },
  {
    title: "baseline --to an id that is none",
    command: ["baseline", "--to", "0001_firs"],
    tag: "UnknownMigration",
    says: ["Did you mean 0001_first?"]
  }
]

const settings: ReadonlyArray<Case> = [
  ...["foo:bar", "sqlite:", "sqlite://x", "sqlite::memory:", "data/app.db", ""].map((url): Case => ({
    title: `--database ${JSON.stringify(url)}`,
    command: ["up", "--database", url],
    tag: "InvalidSetting",
    says: ["--database", JSON.stringify(url), "sqlite:PATH", "memory:"]
  })),
  {
    title: "a folder of migrations that is not there",
    command: ["up", "--migrations", "nowhere"],
    tag: "MigrationsMissing",
    says: ["nowhere", "--migrations", "`new NAME`"]
  },
  {
    title: "a folder of migrations that is a file",
    command: ["status", "--migrations", "package.json"],
    files: { "package.json": "{}" },
    tag: "MigrationsMissing",
    says: ["package.json"]
  },
  {
    title: "a folder of the database that is a file",
    command: ["up", "--database", "sqlite:taken/app.db"],
    files: { taken: "" },
    tag: "InvalidSetting",
    says: ["--database", "taken"]
  },
  {
    title: "--backups is a file",
    command: ["up", "--backups", "taken"],
    files: { taken: "" },
    tag: "JournalUnavailable",
    says: ["taken/runs"]
  },
  {
    title: "a member that holdfast.config.ts does not have",
    files: { "holdfast.config.ts": 'export default { databse: "memory:" }\n' },
    tag: "InvalidSetting",
    says: ["holdfast.config.ts", "databse", "database, databaseId, migrations, backups"]
  },
  {
    title: "a holdfast.config.ts that Node takes for CommonJS",
    files: {
      "package.json": '{ "type": "commonjs" }',
      "holdfast.config.ts": 'export default { databaseId: "main" }\n'
    },
    tag: "InvalidSetting",
    says: ["holdfast.config.ts", '"type": "module"']
  },
  {
    title: "a holdfast.config.ts that can't be loaded",
    files: { "holdfast.config.ts": "export default {" },
    tag: "InvalidSetting",
    says: ["holdfast.config.ts"]
  }
]

const states: ReadonlyArray<Case> = [
  ...[
    ["cut short", (text: string) => text.slice(0, -20)],
    ["empty", () => ""],
    ["of another shape", () => '{ "completed": "0001_first" }'],
    ["of a later version", (text: string) => text.replace('"version": 1', '"version": 2')]
  ].map(([what, change]): Case => ({
    title: `a state that is ${String(what)}`,
    arrange: (home) => {
      const location = join(home, Program.state)
      writeFileSync(location, (change as (text: string) => string)(readFileSync(location, "utf8")))
    },
    tag: "StateCorrupt",
    says: [Program.state, "can't be read", "baseline --to ID"]
  })),
  {
    title: "the state of another target",
    arrange: (home) => cpSync(join(home, "other"), join(home, "backups"), { recursive: true, force: true }),
    tag: "StateOfAnotherTarget",
    says: [Program.state, "other.db", Program.database, "--backups"]
  },
  {
    title: "no state beside a database with collections",
    arrange: (home) => rmSync(join(home, Program.state)),
    tag: "StateMissing",
    says: [Program.state, "(first)", "baseline --to ID"]
  },
  {
    title: "status without a state beside a database with collections",
    command: ["status"],
    arrange: (home) => rmSync(join(home, Program.state)),
    tag: "StateMissing",
    says: [Program.state]
  },
  {
    title: "a database file that is no SQLite",
    arrange: (home) => writeFileSync(join(home, Program.database), "These are notes, no database. ".repeat(200)),
    code: 8,
    tag: "DatabasesError",
    says: [Program.database, "no SQLite database"]
  },
  {
    title: "a database file that is a folder",
    command: ["up", "--database", "sqlite:migrations"],
    code: 8,
    tag: "DatabasesError",
    says: ["migrations", "can't be opened"]
  }
]

/** Every second is the same, so that two names collide. */
const stoppedClock = `--import=data:text/javascript,${encodeURIComponent("Date.now = () => Date.UTC(2026, 0, 2, 3, 4, 5)")}`

const commandLines: ReadonlyArray<Case> = [
  { title: "an unknown flag", command: ["up", "--forse"], tag: "Usage", says: ["--forse"] },
  { title: "an unknown command", command: ["upp"], tag: "Usage", says: ["upp"] },
  { title: "a flag without its value", command: ["up", "--to"], tag: "Usage", says: ["to"] },
  { title: "an argument too many", command: ["verify", "0001_first", "0002_second"], tag: "Usage", says: ["0002"] },
  { title: "new without a name", command: ["new"], tag: "Usage", says: ["name"] },
  {
    title: "new with a name that is no file's everywhere",
    command: ["new", "Add Weight/é"],
    tag: "InvalidSetting",
    says: ["NAME", '"Add Weight/é"', "as in add-weight"]
  },
  {
    title: "new with a name that leads elsewhere",
    command: ["new", "../escape"],
    tag: "InvalidSetting",
    says: ["NAME", '"../escape"']
  },
  {
    title: "new with a name that is taken",
    command: ["new", "taken"],
    files: { "migrations/20260102030405_taken.ts": Program.creates("taken") },
    options: { node: [stoppedClock] },
    tag: "NameTaken",
    says: ["migrations/20260102030405_taken.ts", "another name"]
  },
  {
    title: "new in a folder that is a file",
    command: ["new", "a", "--migrations", "taken"],
    files: { taken: "" },
    tag: "InvalidSetting",
    says: ["--migrations", "taken"]
  }
]

/** What must stay: the data, the state to the byte, and which files there are. */
const snapshot = Effect.fnUntraced(function* (home: string) {
  const bytes = (file: string) => (existsSync(join(home, file)) ? readFileSync(join(home, file), "base64") : undefined)
  const isDatabase = atob(bytes(Program.database) ?? "").startsWith("SQLite format 3")
  return {
    database: isDatabase ? yield* Program.hashOf(home) : bytes(Program.database),
    state: bytes(Program.state),
    // SQLite's own, and the lock's, come and go.
    files: globSync("{*,.*}/**", { cwd: home })
      .filter((file) => !/-(wal|shm|migration-lock.*)$/.test(file))
      .toSorted()
  }
})

/** A folder with one migration applied, and the state of another database; each test gets a copy. */
let template = ""
const scope = Scope.makeUnsafe()

describe("bad input", () => {
  beforeAll(() =>
    Effect.runPromise(
      Effect.gen(function* () {
        template = yield* Program.folder({ "migrations/0001_first.ts": Program.creates("first") })
        yield* Program.runFor(0, template, ["up"])
        yield* Program.runFor(0, template, ["up", "--database", "sqlite:.data/other.db", "--backups", "other"])
      }).pipe(Scope.provide(scope))
    )
  )
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const prepared = Effect.fnUntraced(function* (one: Case) {
    const home = yield* Program.folder()
    cpSync(template, home, { recursive: true })
    // Something is pending, so that a run which does not stop is seen.
    Program.write(home, { [second]: Program.creates("second"), ...one.files })
    one.arrange?.(home)
    return home
  })

  it.live.each([...files, ...ids, ...settings, ...states, ...commandLines])("$title", (one) =>
    Effect.gen(function* () {
      const home = yield* prepared(one)
      const before = yield* snapshot(home)
      const answer = yield* Program.run(home, [...(one.command ?? ["up"]), "--json"], one.options)
      for (const text of one.says) assert.include(answer.stderr, text)
      // A sentence, not a stack.
      assert.notMatch(answer.stderr, /^\s+at .+:\d+/m)
      assert.notInclude(answer.stderr, "bug of holdfast")
      assert.strictEqual(answer.code, one.code ?? 2)
      assert.deepStrictEqual(yield* snapshot(home), before)
      const { error, success, version } = Program.jsonOf(answer)
      assert.deepStrictEqual([version, success, error._tag], [1, false, one.tag])
      for (const text of one.says) assert.include(error.message, text)
    })
  )

  it.live("without --json the message stands on standard error alone, and says where the help is", () =>
    Effect.gen(function* () {
      const home = yield* prepared({ title: "", tag: "", says: [] })
      const unknown = yield* Program.runFor(2, home, ["verify", "0001_frist"])
      assert.strictEqual(unknown.stdout, "")
      assert.strictEqual(unknown.stderr, 'error: there is no migration "0001_frist". Did you mean 0001_first?\n')
      const usage = yield* Program.runFor(2, home, ["up", "--forse"])
      assert.strictEqual(usage.stdout, "")
      assert.include(usage.stderr, "See: holdfast up --help")
    })
  )
})
