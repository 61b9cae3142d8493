import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"
import { assert, describe, it } from "vitest"

/** docs/architecture.md says how the house is built; these tests keep it true, and the house as it says. */

const root = join(import.meta.dirname, "..")
const read = (file: string) => readFileSync(join(root, file), "utf8")
const filesIn = (...patterns: ReadonlyArray<string>) =>
  globSync(patterns, { cwd: root })
    .map((file) => file.replaceAll("\\", "/"))
    .toSorted()

const sources = filesIn("src/**/*.ts")
const page = read("docs/architecture.md")

/** The fenced tree of the page: a file or a folder a line, two spaces deeper in each folder, then a few words. */
const tree = (() => {
  const fence = /```text\n(src\/\n[\s\S]*?)```/.exec(page)?.[1]
  assert.isDefined(fence, "docs/architecture.md has no fenced tree that begins with src/")
  const path: Array<string> = []
  return fence
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, indent = "", name = "", words = ""] = /^( *)(\S+) *(.*)$/.exec(line) ?? []
      path.splice(indent.length / 2, path.length, name.replace(/\/$/, ""))
      return { path: path.join("/"), isFolder: name.endsWith("/"), words }
    })
})()
const namedFiles = tree.flatMap((entry) => (entry.isFolder ? [] : [entry.path]))

/** The table "to change X, open Y": a row for each change, with the paths it names. */
const changes = page
  .slice(page.indexOf("| To change"))
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .slice(2)
  .map((row) => ({
    change: row.split("|")[1]?.trim() ?? "",
    paths: [...row.matchAll(/`((?:src|test|docs|examples|scripts)\/[^`]*)`/g)].map((match) => match[1] ?? "")
  }))

const withoutComments = (code: string) => code.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")

/** The files that a file imports, of types or values, early or late. */
const importsOf = (file: string) =>
  [...withoutComments(read(file)).matchAll(/\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].map((match) =>
    normalize(join(dirname(file), match[1] ?? "")).replaceAll("\\", "/")
  )

/**
 * Where use begins: what `exports` offers to users, and what a person runs. The rooms of vendors and the folders
 * inside a family are there for layers alone.
 */
const isEntrance = (file: string) =>
  /^src\/[^/]+\.ts$/.test(file) ||
  /^src\/programs\/[^/]+\.ts$/.test(file) ||
  /^src\/layers\/(?!vendors\/)[^/]+\/[^/]+\.ts$/.test(file)

describe("docs/architecture.md", () => {
  it("names every file of src, and none that is not there", () => {
    assert.deepStrictEqual(
      {
        missing: sources.filter((file) => !namedFiles.includes(file)),
        gone: tree.map((entry) => entry.path).filter((path) => !existsSync(join(root, path)))
      },
      { missing: [], gone: [] }
    )
  })

  it("names a file once, and says what it is", () => {
    assert.deepStrictEqual(namedFiles.toSorted(), [...new Set(namedFiles)].toSorted())
    assert.deepStrictEqual(
      tree.filter((entry) => entry.words === "" && !entry.isFolder),
      []
    )
  })

  it("says for each change which files to open, and they exist", () => {
    assert.isNotEmpty(changes)
    assert.deepStrictEqual(
      changes.filter(({ change, paths }) => change === "" || paths.length === 0),
      []
    )
    assert.deepStrictEqual(
      changes.flatMap(({ paths }) => paths).filter((path) => !existsSync(join(root, path))),
      []
    )
  })
})

describe("the house", () => {
  it("has no file that nobody uses", () => {
    const used = new Set(sources.filter(isEntrance))
    // A set goes on through what is added on the way.
    for (const file of used) {
      for (const imported of importsOf(file)) if (sources.includes(imported)) used.add(imported)
    }
    assert.deepStrictEqual(
      sources.filter((file) => !used.has(file)),
      []
    )
  })

  it("imports modules of effect, never the barrel", () => {
    const files = [...sources, ...filesIn("{test,examples,scripts}/**/*.ts")]
    assert.deepStrictEqual(
      files.filter((file) => /\b(?:from|import)\s*\(?\s*"effect"/.test(withoutComments(read(file)))),
      []
    )
  })

  // The linter sees Date.now(), not this.
  it("reads no clock by `new Date()` in concepts and their pieces", () => {
    assert.deepStrictEqual(
      filesIn("src/*.ts", "src/internal/**/*.ts").filter((file) => /\bDate\(\s*\)/.test(withoutComments(read(file)))),
      []
    )
  })

  it("gives every family of layers the rule that keeps it from the others", () => {
    const families = filesIn("src/layers/*/**/*.ts").map((file) => relative("src/layers", file).split("/")[0] ?? "")
    const rules: string = read(".oxlintrc.json")
    const ruled = [...rules.matchAll(/layers\/\)\(([a-z|]+)\)\//g)].map((match) => (match[1] ?? "").split("|"))
    assert.lengthOf(ruled, 2, "one rule for layers, one for vendors")
    for (const family of new Set(families)) {
      if (family !== "vendors") for (const names of ruled) assert.include(names, family)
    }
  })
})
