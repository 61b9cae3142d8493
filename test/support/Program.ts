/**
 * The program as a child process, in a folder of its own: what it is given, what it prints, how it ends.
 *
 * The folders are below the project, so that migrations in them find `holdfast` and `effect` by name.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import * as Embedded from "../../src/layers/databases/Embedded.ts"
import type { State } from "../../src/MigrationState.ts"
import { whenever } from "./whenever.ts"

export const root = join(import.meta.dirname, "../..")

/** Where the program puts its things, in the folder that it is started in, when nothing else is said. */
export const database = ".data/holdfast.db"
export const state = "backups/migration-state.json"

/** Files by their paths in a folder. */
export type Files = { readonly [path: string]: string }

export const write = (folder: string, files: Files): void => {
  for (const [path, text] of Object.entries(files)) {
    const location = join(folder, path)
    mkdirSync(dirname(location), { recursive: true })
    writeFileSync(location, text)
  }
}

/** A new folder with these files, removed with the scope. */
export const folder = (files: Files = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(join(root, ".data"), { recursive: true })
      const made = mkdtempSync(join(root, ".data", "test-"))
      write(made, files)
      return made
    }),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )

export interface MigrationText {
  /** Statements of `up`, which has `databases`. */
  readonly up: string
  /** Statements of `verify`, which has `databases` too. */
  readonly verify?: string
  /** Other members, as they are written: `id: "a"`. */
  readonly members?: ReadonlyArray<string>
  /** Stands before all others: imports of its own, helpers. */
  readonly head?: string
}

/** A file of migrations with all imports that these tests need. */
export const migration = ({ head = "", members = [], up, verify }: MigrationText): string => {
  const body = (statements: string) =>
    `Effect.gen(function* () {\n    const databases = yield* Databases\n    ${statements}\n  })`
  const all = [...members, `up: ${body(up)}`, ...(verify === undefined ? [] : [`verify: ${body(verify)}`])]
  return `import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import * as Attribute from "holdfast/Attribute"
import { Databases } from "holdfast/Databases"
import * as Migration from "holdfast/Migration"
${head}
export default Migration.make({
  ${all.join(",\n  ")}
})
`
}

/** A migration that creates an empty collection. */
export const creates = (collection: string, ...members: ReadonlyArray<string>): string =>
  migration({ up: `yield* databases.createCollection("${collection}")`, members })

export interface Options {
  readonly env?: { readonly [name: string]: string }
  /** Flags of Node itself. */
  readonly node?: ReadonlyArray<string>
}
export interface Answer {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}
export interface Running {
  readonly pid: number
  /** Waits until it has printed this on either channel. Dies where it ends first. */
  readonly said: (text: string) => Effect.Effect<void>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Reads no more of this channel: what the program writes there from now on fails. */
  readonly leave: (channel: "stdout" | "stderr") => Effect.Effect<void>
  readonly ended: Effect.Effect<Answer>
}

/** Nothing of the settings, or of the colours, of whoever runs the tests. */
const environment = Object.fromEntries(
  ["PATH", "HOME", "SystemRoot", "TMPDIR"].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]]
  )
)

/** Starts the program in a folder; killed with the scope at the latest. */
export const start = (home: string, parameters: ReadonlyArray<string>, options: Options = {}) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(
          process.execPath,
          [...(options.node ?? []), "--conditions=source", join(root, "src/programs/migrate.ts"), ...parameters],
          { cwd: home, env: { ...environment, ...options.env }, stdio: ["ignore", "pipe", "pipe"] }
        )
        const output = { stdout: "", stderr: "" }
        const listeners = new Set<() => void>()
        const tell = () => {
          for (const listener of listeners) listener()
        }
        let answer: Answer | undefined
        for (const channel of ["stdout", "stderr"] as const) {
          child[channel].setEncoding("utf8").on("data", (text: string) => {
            output[channel] += text
            tell()
          })
        }
        // `close` comes when all that it printed has been read too.
        child.on("close", (code, signal) => {
          answer = { code, signal, ...output }
          tell()
        })
        return { child, output, listeners, answer: () => answer }
      }),
      ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
    ),
    ({ answer, child, listeners, output }): Running => {
      const when = whenever(listeners)
      return {
        pid: child.pid!,
        said: (text) =>
          Effect.flatMap(
            when(() => (`${output.stdout}\n${output.stderr}`.includes(text) ? "said" : answer())),
            (found) =>
              found === "said"
                ? Effect.void
                : Effect.die(new Error(`it ended without saying ${text}: ${JSON.stringify(found)}`))
          ),
        kill: (signal) => Effect.sync(() => void child.kill(signal)),
        leave: (channel) =>
          Effect.callback<void>((resume) => {
            child[channel].once("close", () => resume(Effect.void)).destroy()
          }),
        ended: when(answer)
      }
    }
  )

/** Runs the program to its end. */
export const run = (home: string, parameters: ReadonlyArray<string>, options?: Options): Effect.Effect<Answer> =>
  Effect.scoped(Effect.flatMap(start(home, parameters, options), ({ ended }) => ended))

/** Runs the program; it must end with this code. */
export const runFor = (code: number, home: string, parameters: ReadonlyArray<string>, options?: Options) =>
  Effect.tap(run(home, parameters, options), (answer) =>
    Effect.sync(() =>
      assert.strictEqual(answer.code, code, `${parameters.join(" ")}:\n${answer.stdout}\n${answer.stderr}`)
    )
  )

// The shapes are the tests' to look at.
type Json = { readonly [member: string]: any }

/** All of standard output, which must be one JSON document. */
export const jsonOf = ({ stdout }: Answer): Json => JSON.parse(stdout) as Json

/** Runs the program with `--json`; it must end with this code. Answers its document. */
export const jsonFor = (code: number, home: string, parameters: ReadonlyArray<string>, options?: Options) =>
  Effect.map(runFor(code, home, [...parameters, "--json"], options), jsonOf)

/** Looks into the database of a folder, from this process. */
export const inside = <A, E>(home: string, body: (databases: Methods) => Effect.Effect<A, E>, file = database) =>
  Effect.flatMap(Databases, body).pipe(Effect.provide(Embedded.layer({ filename: join(home, file) })))

/** All that counts of a database file, dates included. */
export const hashOf = (home: string, file = database): Effect.Effect<string, DatabasesError> =>
  inside(home, (databases) => DatabaseHash.server(databases), file)

export const savedState = (home: string): State => JSON.parse(readFileSync(join(home, state), "utf8")) as State

/** Ids of the collections in a database file. */
export const collectionsOf = (home: string, file = database) =>
  inside(
    home,
    (databases) => Effect.map(databases.listCollections, (all) => all.map(({ $id }) => $id).toSorted()),
    file
  )
