/** Where settings come from, and what the program says of itself. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { meanings } from "../../src/programs/exitCodes.ts"
import { version } from "../../src/programs/version.ts"
import * as Program from "../support/Program.ts"

const { creates, folder, jsonFor, run, runFor, write } = Program

const two = { "migrations/0001_first.ts": creates("first"), "migrations/0002_second.ts": creates("second") }

const escape = String.fromCharCode(27)

/** Both channels take themselves for a terminal, though the test reads them. */
const pretendedTerminal = `--import=data:text/javascript,${encodeURIComponent(`
import { WriteStream } from "node:tty"
const { getColorDepth, hasColors } = WriteStream.prototype
for (const stream of [process.stdout, process.stderr]) Object.assign(stream, { isTTY: true, getColorDepth, hasColors })
`)}`

describe("settings", () => {
  it.live("flag > environment > holdfast.config.ts > .env > default", () =>
    Effect.gen(function* () {
      const home = yield* folder(two)
      const target = Effect.fnUntraced(function* (parameters: ReadonlyArray<string>, options?: Program.Options) {
        const json = yield* jsonFor(0, home, ["status", ...parameters], options)
        return String(json["target"]).split(",")[0]
      })
      const env = { HOLDFAST_DATABASE: "sqlite:environment.db" }
      assert.strictEqual(yield* target([]), "sqlite:.data/holdfast.db")
      write(home, { ".env": "HOLDFAST_DATABASE=sqlite:dotenv.db\nHOLDFAST_BACKUPS=dotenv-backups\n" })
      assert.strictEqual(yield* target([]), "sqlite:dotenv.db")
      write(home, { "holdfast.config.ts": 'export default { database: "sqlite:config.db" }\n' })
      assert.strictEqual(yield* target([]), "sqlite:config.db")
      assert.strictEqual(yield* target([], { env }), "sqlite:environment.db")
      assert.strictEqual(yield* target(["--database", "sqlite:flag.db"], { env }), "sqlite:flag.db")
    })
  )

  it.live("each of the four, from each source, and a flag before or behind the command", () =>
    Effect.gen(function* () {
      const home = yield* folder({
        "holdfast.config.ts": 'export default { migrations: "from-config", databaseId: "third" }\n',
        ".env": "HOLDFAST_BACKUPS=from-dotenv\n",
        "from-config/0001_first.ts": creates("first")
      })
      const env = { HOLDFAST_DATABASE: "sqlite:from-environment.db" }
      yield* runFor(0, home, ["up"], { env })
      assert.isTrue(existsSync(join(home, "from-dotenv/migration-state.json")))
      assert.deepStrictEqual(
        yield* Program.inside(
          home,
          (databases) => Effect.map(databases.in("third").listCollections, (all) => all.map(({ $id }) => $id)),
          "from-environment.db"
        ),
        ["first"]
      )
      const flags = ["--backups", "b", "--database", "sqlite:b.db", "--database-id", "other"]
      yield* runFor(0, home, [...flags, "up"], { env })
      assert.isTrue(existsSync(join(home, "b/migration-state.json")))
      const { target } = yield* jsonFor(0, home, ["status", ...flags], { env })
      assert.strictEqual(target, "sqlite:b.db (other)")
    })
  )
})

describe("the program", () => {
  it.live("is found from anywhere by absolute paths", () =>
    Effect.gen(function* () {
      const home = yield* folder(two)
      const flags = [`--database=sqlite:${join(home, "a.db")}`, `--migrations=${join(home, "migrations")}`]
      yield* runFor(0, Program.root, ["up", ...flags, `--backups=${join(home, "b")}`])
      assert.deepStrictEqual(yield* Program.collectionsOf(home, "a.db"), ["first", "second"])
    })
  )

  it.live("writes escape codes on a terminal alone, and not under NO_COLOR", () =>
    Effect.gen(function* () {
      const home = yield* folder(two)
      yield* runFor(0, home, ["up", "--to", "0001_first"])
      const commands = [
        [9, ["status", "--check"]],
        [2, ["verify", "nothing"]],
        [0, ["--help"]]
      ] as const
      const printed = Effect.fnUntraced(function* (options?: Program.Options) {
        const answers = yield* Effect.forEach(commands, ([code, parameters]) => runFor(code, home, parameters, options))
        return answers.map(({ stderr, stdout }) => (stdout + stderr).includes(escape))
      })
      const terminal = { node: [pretendedTerminal], env: { TERM: "xterm-256color" } }
      assert.deepStrictEqual(yield* printed(), [false, false, false])
      assert.deepStrictEqual(yield* printed(terminal), [true, true, true])
      const plain = { ...terminal, env: { ...terminal.env, NO_COLOR: "1" } }
      assert.deepStrictEqual(yield* printed(plain), [false, false, false])
    })
  )

  it.live("its help lists the exit codes, the commands and examples, and those of each command", () =>
    Effect.gen(function* () {
      const home = yield* folder()
      const { stdout } = yield* runFor(0, home, ["--help"])
      for (const [code, meaning] of meanings) assert.include(stdout, `${code.padEnd(9)} ${meaning}`)
      for (const command of ["status", "up", "verify", "baseline", "new"]) {
        assert.match(stdout, new RegExp(`^ +${command} +\\w`, "m"))
      }
      assert.include(stdout, "holdfast new add-weight")
      const own = yield* runFor(0, home, ["up", "--help"])
      for (const flag of ["--to ID", "--continue-on-error", "--allow-out-of-order", "--allow-drift", "--backups DIR"]) {
        assert.include(own.stdout, flag)
      }
      assert.include(own.stdout, "holdfast up --to")
      // Nothing was asked for: the help, and nothing done.
      const bare = yield* run(home, [])
      assert.include(bare.stdout + bare.stderr, "holdfast status")
      assert.deepStrictEqual(readdirSync(home), [])
    })
  )

  it.live("its help and its version are there even where holdfast.config.ts is broken; nothing else is", () =>
    Effect.gen(function* () {
      for (const text of ["export default {", "throw new Error('no')\n", "export default { databse: 1 }\n"]) {
        const home = yield* folder({ ...two, "holdfast.config.ts": text })
        for (const asked of [["--help"], ["-h"], ["up", "--help"], ["--version"]]) {
          const { stderr, stdout } = yield* runFor(0, home, asked)
          assert.isNotEmpty(stdout, asked.join(" "))
          assert.strictEqual(stderr, "", asked.join(" "))
        }
        assert.include((yield* runFor(2, home, ["status"])).stderr, "holdfast.config.ts")
      }
    })
  )

  it.live("--version is the package's, and --completions prints a script", () =>
    Effect.gen(function* () {
      const { version: own } = JSON.parse(readFileSync(join(Program.root, "package.json"), "utf8"))
      assert.strictEqual(version, own)
      const home = yield* folder()
      assert.include((yield* runFor(0, home, ["--version"])).stdout, own)
      const { stdout } = yield* runFor(0, home, ["--completions", "bash"])
      assert.match(stdout, /complete .*holdfast/)
      assert.include(stdout, "--allow-out-of-order")
    })
  )
})
