/**
 * What a migration's source says, as one hash: over the syntax of its file and of those it imports by relative paths.
 *
 * Comments, layout, quotes and types are no change, and a `.ts` file and its compiled `.js` are equal; the names of
 * packages it imports count, their contents do not.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { type Node, parse } from "acorn"
import { stripTypeScriptTypes } from "node:module"
import { canonicalJson } from "../../internal/CanonicalJson.ts"
import { growing } from "../../internal/Hash.ts"
import { MigrationNotLoaded } from "../../MigratorError.ts"

/** Node announces that stripping is young, once: not what somebody who migrates wants to read. */
const withoutWarning = <A>(body: () => A): A => {
  const emit = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  try {
    return body()
  } finally {
    process.emitWarning = emit
  }
}

const scriptEnding = /\.[cm]?[jt]s$/
const isRelative = (specifier: unknown): specifier is string =>
  typeof specifier === "string" && /^\.\.?\//.test(specifier)

interface Syntax {
  readonly text: string
  /** Relative imports, in order. */
  readonly imports: ReadonlyArray<string>
}

/** Where a module's name stands in a node that imports or exports. */
const sourceOf = (node: object): { readonly value: string } | undefined => {
  const source = "source" in node ? node.source : undefined
  return typeof source === "object" && source !== null && "value" in source && isRelative(source.value)
    ? { ...source, value: source.value }
    : undefined
}

/**
 * The syntax without places and raw text, relative imports without their ending, which compiling changes; and what it
 * imports, endings included.
 */
const readSyntax = (file: string, source: string): Syntax => {
  const code = /\.[cm]?ts$/.test(file) ? withoutWarning(() => stripTypeScriptTypes(source)) : source
  const program: Node = parse(code, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true })
  const imports: Array<string> = []
  const essence = (key: string, value: unknown): unknown => {
    if (key === "start" || key === "end" || key === "raw") return undefined
    if (typeof value === "bigint") return `${value}n`
    if (typeof value !== "object" || value === null) return value
    const imported = sourceOf(value)
    if (imported === undefined) return value
    imports.push(imported.value)
    return { ...value, source: { ...imported, value: imported.value.replace(scriptEnding, "") } }
  }
  const plain: unknown = JSON.parse(JSON.stringify(program, essence))
  return { text: canonicalJson(plain), imports }
}

/** Files that a relative import may mean, as people and compilers write it. */
const candidates = (file: string): ReadonlyArray<string> => {
  const bare = file.replace(scriptEnding, "")
  return [file, ...[".ts", ".js", ".mts", ".mjs", "/index.ts", "/index.js"].map((ending) => `${bare}${ending}`)]
}

/** The hash of the migration in `file`. */
export const ofFile = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const home = path.dirname(file)
  const hash = growing()
  const seen = new Set<string>()
  const refuse = (detail: string) => new MigrationNotLoaded({ location: file, detail })
  const waiting = [file]
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (seen.has(next)) continue
    seen.add(next)
    const current = next
    const source = yield* Effect.mapError(fs.readFileString(current), ({ message }) => refuse(message))
    const name = path.relative(home, current).replace(scriptEnding, "")
    if (!scriptEnding.test(current)) {
      hash.add(`\n${name}\n${source}`)
      continue
    }
    const { imports, text } = yield* Effect.try({
      try: () => readSyntax(current, source),
      catch: (error) =>
        refuse(error instanceof Error ? `${path.relative(home, current)}: ${error.message}` : String(error))
    })
    // The migration's own name is its id, which the state has.
    hash.add(`\n${current === file ? "" : name}\n${text}`)
    for (const specifier of imports) {
      const options = candidates(path.resolve(path.dirname(current), specifier))
      const isFile = (option: string) =>
        Effect.orElseSucceed(
          Effect.map(fs.stat(option), ({ type }) => type === "File"),
          () => false
        )
      const found = yield* Effect.filter(options, isFile)
      if (found[0] === undefined) {
        return yield* refuse(`${path.relative(home, current)} imports ${specifier}, which is not there`)
      }
      waiting.push(found[0])
    }
  }
  return hash.digest()
})
