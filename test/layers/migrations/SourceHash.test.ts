/** What is a change of a migration's source, and what is none. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as SourceHash from "../../../src/layers/migrations/SourceHash.ts"
import { type Files, root, write } from "../../support/Program.ts"

const folder = (files: Files) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const made = mkdtempSync(join(tmpdir(), "holdfast-source-"))
      write(made, files)
      return made
    }),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )

const hashOf = (location: string) => SourceHash.ofFile(location).pipe(Effect.provide(NodeServices.layer))

/** The hash of one of the files, in a folder of its own. */
const hashIn = (files: Files, name = "a.ts") =>
  Effect.scoped(Effect.flatMap(folder(files), (home) => hashOf(join(home, name))))

const source = `import * as Effect from "effect/Effect"
import { weigh } from "./_helper.ts"

export default { up: (votes: number) => Effect.succeed(weigh(votes, "by votes")), limit: 100 }
`
const helper = `const known = /^by [a-z]+/u
export const weigh = (votes: number, how: string) => [votes / 100_000, known.test(how), \`weighed \${how}\`]
`
const original: Files = { "a.ts": source, "_helper.ts": helper }

/** A folder like the original but for one file. */
const but = (name: string, from: string | RegExp, to: string): Files => {
  const text = original[name] ?? ""
  const changed = text.replace(from, to)
  assert.notStrictEqual(changed, text, "the case changes something")
  return { ...original, [name]: changed }
}

const same: ReadonlyArray<readonly [title: string, files: Files, name?: string]> = [
  ["comments", but("a.ts", "export default", "// why\n/** what */\nexport /* here */ default")],
  ["comments of a helper", but("_helper.ts", "export", "// why\nexport")],
  ["layout", but("a.ts", /[{(,] ?/g, "$&\n\n  ")],
  ["line endings", but("a.ts", /\n/g, "\r\n")],
  ["quotes", but("a.ts", /"/g, "'")],
  ["semicolons", but("a.ts", /(?<=.)$/gm, ";")],
  ["a comma behind the last", but("a.ts", "limit: 100 }", "limit: 100, }")],
  ["parentheses around a value", but("a.ts", "limit: 100", "limit: (100)")],
  ["how a number is written", but("a.ts", "100 }", "1_00 }")],
  ["how a string is written", but("a.ts", "by votes", "\\x62y votes")],
  ["types", but("a.ts", "(votes: number)", "(votes)")],
  ["a declared type", but("a.ts", "export default", "interface Votes { n: number }\nexport default")],
  ["a type of a helper", but("_helper.ts", "how: string", 'how: "by votes" | (string & {})')],
  ["an imported type", but("a.ts", /^/, 'import type { Document } from "./_not-there.ts"\n')],
  ["satisfies and as", but("a.ts", "limit: 100 }", "limit: 100 as number } satisfies object")],
  ["its own name", { ...original, "b.ts": source }, "b.ts"],
  ["imports as .js", but("a.ts", "_helper.ts", "_helper.js")],
  ["a folder that is named as a helper is", { ...original, "_helper/other.ts": "export const other = 1\n" }],
  ["a file that it does not import", { ...original, "_other.ts": "export const other = 1\n" }]
]

const different: ReadonlyArray<readonly [title: string, files: Files]> = [
  ["a number", but("a.ts", "limit: 100", "limit: 101")],
  ["a string", but("a.ts", "by votes", "by Votes")],
  ["a space in a string", but("a.ts", "by votes", "by  votes")],
  ["a name", but("a.ts", "limit", "limits")],
  ["an operator of a helper", but("_helper.ts", "votes /", "votes *")],
  ["the text of a template", but("_helper.ts", "weighed ", "Weighed ")],
  ["a pattern", but("_helper.ts", "[a-z]", "[a-y]")],
  ["a flag of a pattern", but("_helper.ts", "/u", "/v")],
  ["a value added", but("a.ts", "limit: 100", "limit: 100, other: true")],
  ["the order of statements", but("a.ts", /(import .+\n)(import .+\n)/, "$2$1")],
  ["a package's name", but("a.ts", "effect/Effect", "effect/Exit")],
  ["another import of a file", but("a.ts", "{ weigh }", "{ other as weigh }")],
  ["the name of an imported file", { "a.ts": source.replace("_helper", "_other"), "_other.ts": helper }],
  ["a side effect added", but("a.ts", "export default", 'import "./_helper.ts"\nexport default')]
]

/** `a` imports `_b`, which imports a text in a folder beside, both ways that there are. */
const far = (text: string): Files => ({
  "m/a.ts": 'import { b } from "./_b.ts"\nexport default b\n',
  "m/_b.ts": 'export * from "../shared/index.ts"\nexport const b = () => import("../shared/late.ts")\n',
  "shared/index.ts": "export const c = 1\n",
  "shared/late.ts": `export const text = ${JSON.stringify(text)}\n`
})

describe("SourceHash", () => {
  it.live.each(same.map(([title, files, name]) => ({ title, files, name })))("no change: $title", ({ files, name }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* hashIn(files, name), yield* hashIn(original))
    })
  )

  it.live.each(different.map(([title, files]) => ({ title, files })))("a change: $title", ({ files }) =>
    Effect.gen(function* () {
      assert.notStrictEqual(yield* hashIn(files), yield* hashIn(original))
    })
  )

  it.live("a helper counts through other files too, by re-export and by a late import", () =>
    Effect.gen(function* () {
      const one = yield* hashIn(far("one"), "m/a.ts")
      assert.strictEqual(yield* hashIn(far("one"), "m/a.ts"), one)
      assert.notStrictEqual(yield* hashIn(far("two"), "m/a.ts"), one)
      const renamed = { ...far("one"), "shared/index.ts": "export const d = 1\n" }
      assert.notStrictEqual(yield* hashIn(renamed, "m/a.ts"), one)
    })
  )

  it.live("a .ts and its compiled .js are equal, helpers and all", () =>
    Effect.gen(function* () {
      const home = yield* folder({
        ...original,
        "a.ts": `import data from "./data.json" with { type: "json" }
import type { Weight } from "./_types.ts"
import { type How, weigh } from "./_helper.ts"

/** A comment. */
abstract class Base<T extends object> {
  protected readonly value: T | undefined = undefined
  declare kind: string
  abstract get(this: Base<T>, other?: T): T
}
class Some extends Base<{ readonly n: number }> {
  #n = 1_000n
  override get = (): any => ({ n: this.#n, ...this.value }) as const satisfies unknown
}
const votesOf = (): { n: number } | undefined => undefined
export const how: How = 'by "votes"' as How
export default { up: async <T,>(votes: T & number): Promise<Weight> => (weigh(votes!, how) as Weight), data, Some,
  re: /[a-z]+"/giu, template: \`\${data}: \\u00e9 é
\`, ["computed" as string]: votesOf()?.n ?? undefined }
`,
        "_helper.ts": `${helper}export type How = string\n`,
        "_types.ts": "export type Weight = ReadonlyArray<number | string>\n",
        "data.json": '{ "n": 1 }\n'
      })
      const options = ["--module", "nodenext", "--target", "es2024", "--verbatimModuleSyntax", "--removeComments"]
      const compiled = ["--rewriteRelativeImportExtensions", "--resolveJsonModule", "--outDir", "out"]
      writeFileSync(join(home, "package.json"), '{ "type": "module" }')
      execFileSync(
        process.execPath,
        [join(root, "node_modules/typescript/bin/tsc"), ...options, ...compiled, "--ignoreConfig", "a.ts"],
        { cwd: home, encoding: "utf8" }
      )
      const hash = yield* hashOf(join(home, "a.ts"))
      assert.strictEqual(yield* hashOf(join(home, "out/a.js")), hash)
      // The compiled one is held to what it says, as the source is.
      writeFileSync(join(home, "out/_helper.js"), "export const weigh = () => []\n")
      assert.notStrictEqual(yield* hashOf(join(home, "out/a.js")), hash)
    })
  )

  it.live("JSON counts, to the letter", () =>
    Effect.gen(function* () {
      const files = (json: string) => ({
        "a.ts": 'import data from "./data.json" with { type: "json" }\nexport default data\n',
        "data.json": json
      })
      const one = yield* hashIn(files('{ "n": 1 }'))
      assert.strictEqual(yield* hashIn(files('{ "n": 1 }')), one)
      assert.notStrictEqual(yield* hashIn(files('{ "n": 2 }')), one)
    })
  )

  it.live("of two files that differ in their endings the one that is written counts", () =>
    Effect.gen(function* () {
      const files = (mjs: string, ts: string) => ({
        "a.ts": 'export { h as default } from "./_h.mjs"\n',
        "_h.mjs": `export const h = ${mjs}\n`,
        "_h.ts": `export const h = ${ts}\n`
      })
      const one = yield* hashIn(files("1", "1"))
      assert.notStrictEqual(yield* hashIn(files("2", "1")), one)
      assert.strictEqual(yield* hashIn(files("1", "2")), one)
    })
  )

  it.live("imports in a circle end", () =>
    Effect.gen(function* () {
      const files = (n: number) => ({
        "a.ts": 'import { b } from "./_b.ts"\nimport "./a.ts"\nexport const a = 1\nexport default b\n',
        "_b.ts": `import { a } from "./a.ts"\nimport "./_b.ts"\nexport const b = () => a + ${n}\n`
      })
      const one = yield* hashIn(files(1))
      assert.strictEqual(yield* hashIn(files(1)), one)
      assert.notStrictEqual(yield* hashIn(files(2)), one)
    })
  )

  it.live("an import that is not there is named, with the file that has it", () =>
    Effect.gen(function* () {
      const files = { ...original, "_helper.ts": 'export * from "./_gone.ts"\n' }
      const error = yield* Effect.flip(hashIn(files))
      assert.strictEqual(error._tag, "MigrationNotLoaded")
      assert.include(error.message, "_helper.ts imports ./_gone.ts, which is not there")
      assert.match(error.location, /a\.ts$/)
    })
  )

  it.live("what can't be read as a program is named: a file that is gone, a syntax error, an enum", () =>
    Effect.gen(function* () {
      const errors = yield* Effect.forEach(
        [{}, { ...original, "_helper.ts": "export const = 1" }, { "a.ts": "enum Colour { Red }" }],
        (files) => Effect.flip(hashIn(files))
      )
      assert.deepStrictEqual(
        errors.map(({ _tag }) => _tag),
        ["MigrationNotLoaded", "MigrationNotLoaded", "MigrationNotLoaded"]
      )
      const [gone, syntax, enumeration] = errors.map(({ message }) => message)
      assert.include(gone, "a.ts")
      assert.include(syntax, "_helper.ts: ")
      assert.include(enumeration, "enum")
    })
  )
})
