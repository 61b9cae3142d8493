/** The journal in memory and in files, and what files promise beyond the contract. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { systemError } from "effect/PlatformError"
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import * as FileJournal from "../../../src/layers/migrations/FileJournal.ts"
import * as MemoryJournal from "../../../src/layers/migrations/MemoryJournal.ts"
import { MigrationJournal } from "../../../src/MigrationJournal.ts"
import { beginOf, contract, end, entries } from "../../contract/MigrationJournal.ts"
import { temporaryFolder } from "../../support/Migrating.ts"

const inFolder = (folder: string) => FileJournal.layer(folder).pipe(Layer.provide(NodeServices.layer))
const fresh = Layer.unwrap(Effect.map(temporaryFolder, (folder) => inFolder(join(folder, "made", "on", "demand"))))

contract("memory", MemoryJournal.layer)
contract("files", fresh)

/** Each call is another process, as far as the layer can tell. */
const inside = <A, E, R>(folder: string, body: (journal: MigrationJournal["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.provide(Effect.flatMap(MigrationJournal, body), inFolder(folder))
const openIn = (folder: string) => inside(folder, ({ open }) => open)

/** The disk is full for the writes of these numbers to the journal: half of one gets there, or all, unsynchronised. */
const fullAt = (fault: "writeAll" | "sync", ...numbers: ReadonlyArray<number>) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => {
      let count = 0
      let due = false
      const full = Effect.fail(systemError({ _tag: "Unknown", module: "FileSystem", method: fault }))
      const failing = (file: FileSystem.File): FileSystem.File =>
        new Proxy(file, {
          get: (inner, member) => {
            if (member === "writeAll") {
              return (bytes: Uint8Array) =>
                Effect.suspend(() => {
                  due = numbers.includes(++count)
                  return due && fault === "writeAll"
                    ? Effect.andThen(inner.writeAll(bytes.subarray(0, bytes.length / 2)), full)
                    : inner.writeAll(bytes)
                })
            }
            if (member === "sync") return Effect.suspend(() => (due && fault === "sync" ? full : inner.sync))
            const value: unknown = Reflect.get(inner, member)
            return typeof value === "function" ? value.bind(inner) : value
          }
        })
      return FileSystem.FileSystem.of({
        ...fs,
        open: (path, options) =>
          Effect.map(fs.open(path, options), (file) =>
            path.endsWith("journal.ndjson") && options?.flag !== "r" ? failing(file) : file
          )
      })
    })
  ).pipe(Layer.provideMerge(NodeServices.layer))

for (const fault of ["writeAll", "sync"] as const) {
  describe(`FileJournal on a disk that is full now and then, at ${fault}`, () => {
    it.effect("an append that fails leaves no part of its line: those after it read back, and so does the run", () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const layer = FileJournal.layer(folder).pipe(Layer.provide(fullAt(fault, 3, 4, 6)))
        const location = yield* Effect.gen(function* () {
          const journal = yield* (yield* MigrationJournal).begin(beginOf("r1"))
          const long = { ...entries.Captured.documents[0]!, long: "é😀".repeat(20_000) }
          const captured = (id: string) => ({ ...entries.Captured, documents: [{ ...long, $id: id }] })
          const appended = []
          // The first write is the beginning of the run.
          for (const number of [2, 3, 4, 5, 6, 7, 8]) {
            const entry = captured(`d${number}`)
            const result = yield* Effect.result(journal.append(entry))
            assert.strictEqual(result._tag, [3, 4, 6].includes(number) ? "Failure" : "Success", `write ${number}`)
            if (result._tag === "Success") appended.push({ position: result.success, entry })
            else assert.strictEqual(result.failure._tag, "JournalUnavailable")
          }
          yield* journal.append(entries.StepIntent)
          assert.lengthOf(appended, 4)
          for (const { entry, position } of appended) {
            assert.deepStrictEqual<unknown>(yield* journal.read(position), entry)
          }
          return journal.location
        }).pipe(Effect.provide(layer))
        const lines = readFileSync(location, "utf8").trimEnd().split("\n")
        assert.deepStrictEqual(
          lines.map((line) => (JSON.parse(line) as { readonly _tag: string })._tag),
          ["Begin", "Captured", "Captured", "Captured", "Captured", "StepIntent"]
        )
        const [run] = yield* openIn(folder)
        assert.strictEqual(run?.last, "step send it")
      })
    )

    it.effect("one whose last append fails can be read, and ends", () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const layer = FileJournal.layer(folder).pipe(Layer.provide(fullAt(fault, 3)))
        yield* Effect.gen(function* () {
          const { begin, open } = yield* MigrationJournal
          const journal = yield* begin(beginOf("r1"))
          yield* journal.append(entries.StepIntent)
          yield* Effect.flip(journal.append(end))
          assert.strictEqual((yield* open)[0]?.last, "step send it")
          yield* journal.append(end)
          assert.deepStrictEqual(yield* open, [])
        }).pipe(Effect.provide(layer))
      })
    )
  })
}

describe("FileJournal", () => {
  it.effect("entries are there for another process, a line each, before the run has ended", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const location = join(folder, "runs", "r1", "journal.ndjson")
      yield* inside(folder, ({ begin }) =>
        Effect.gen(function* () {
          const journal = yield* begin(beginOf("r1"))
          assert.strictEqual(journal.location, location)
          yield* journal.append(entries.Intent)
          yield* journal.append(entries.Captured)
          const [run] = yield* openIn(folder)
          assert.strictEqual(run?.location, location)
          assert.strictEqual(run?.last, "UpdateDocument main/c/d1")
        })
      )
      const lines = readFileSync(location, "utf8").trimEnd().split("\n")
      assert.deepStrictEqual<unknown>(
        lines.map((line) => JSON.parse(line) as unknown),
        [beginOf("r1"), entries.Intent, entries.Captured]
      )
      assert.lengthOf(yield* openIn(folder), 1)
    })
  )

  it.effect("only its owner reads it: it holds documents", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const journal = yield* inside(folder, ({ begin }) => begin(beginOf("r1")))
      assert.strictEqual(statSync(journal.location).mode & 0o777, 0o600)
      assert.strictEqual(statSync(join(folder, "runs", "r1")).mode & 0o777, 0o700)
    })
  )

  it.effect("a last line cut at any of its bytes is ignored, as if it had never begun", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { location } = yield* inside(folder, ({ begin }) =>
        Effect.tap(begin(beginOf("r1")), (journal) => journal.append(entries.StepIntent))
      )
      const start = statSync(location).size
      const line = Buffer.from(`${JSON.stringify(entries.Intent)}\n`)
      const wrong: Array<string> = []
      yield* inside(folder, ({ open }) =>
        Effect.gen(function* () {
          for (let length = 0; length < line.length - 1; length++) {
            truncateSync(location, start)
            appendFileSync(location, line.subarray(0, length))
            const result = yield* Effect.result(open)
            const found = result._tag === "Failure" ? result.failure.message : result.success[0]?.last
            if (found !== "step send it")
              wrong.push(`${length} bytes, …${line.subarray(0, length).toString().slice(-30)}: ${found}`)
          }
        })
      )
      assert.deepStrictEqual(wrong, [])
    })
  )

  it.effect("a run of whose first line not all was written has not begun: nothing was touched before it was", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { location } = yield* inside(folder, ({ begin }) => begin(beginOf("r1")))
      for (const length of [0, 1, 40]) {
        truncateSync(location, length)
        assert.deepStrictEqual(yield* openIn(folder), [], `${length} bytes`)
      }
    })
  )

  it.effect("damage before the last line is a failure that names the file, never a run less", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { location } = yield* inside(folder, ({ begin }) =>
        Effect.tap(begin(beginOf("r1")), (journal) => journal.append(entries.StepIntent))
      )
      const text = readFileSync(location, "utf8")
      for (const damaged of [text.replace('"Begin"', '"Begun"'), text.replace("{", "{{"), `nonsense}\n${text}`]) {
        writeFileSync(location, damaged)
        const error = yield* Effect.flip(openIn(folder))
        assert.strictEqual(error._tag, "JournalUnavailable")
        assert.include(error.message, location)
      }
      for (const damaged of [`nonsense\n${text}`, text.replace("}\n", "\n")]) {
        writeFileSync(location, damaged)
        const result = yield* Effect.result(openIn(folder))
        if (result._tag === "Success") assert.lengthOf(result.success, 1, damaged)
        else assert.include(result.failure.message, location)
      }
    })
  )

  it.effect("a run that has ended is not open, even where its mark could not be removed", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* inside(folder, ({ begin }) =>
        Effect.flatMap(begin(beginOf("r1")), (journal) =>
          Effect.andThen(journal.append(entries.Intent), journal.append(end))
        )
      )
      assert.deepStrictEqual(readdirSync(join(folder, "runs")), ["r1"])
      writeFileSync(join(folder, "runs", "r1.open"), "")
      assert.deepStrictEqual(yield* openIn(folder), [])
    })
  )

  it.effect("a mark whose run is not there is a failure that says so", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      mkdirSync(join(folder, "runs"))
      writeFileSync(join(folder, "runs", "gone.open"), "")
      const error = yield* Effect.flip(openIn(folder))
      assert.include(error.message, join(folder, "runs", "gone", "journal.ndjson"))
    })
  )

  it.effect("reads by position while the run goes on, also far behind and in a long journal", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* inside(folder, ({ begin }) =>
        Effect.gen(function* () {
          const journal = yield* begin(beginOf("r1"))
          const document = { ...entries.Captured.documents[0]!, long: "é😀".repeat(20_000) }
          const positions = []
          for (let count = 0; count < 20; count++) {
            const documents = [{ ...document, $id: `d${count}` }]
            positions.push(yield* journal.append({ _tag: "Captured", collection: "main/c", documents }))
          }
          for (const [count, position] of [...positions.entries()].toReversed()) {
            const entry = yield* journal.read(position)
            assert.strictEqual(entry._tag === "Captured" ? entry.documents[0]?.$id : undefined, `d${count}`)
          }
        })
      )
    })
  )

  it.effect("the id of a run is used once", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* inside(folder, ({ begin }) => begin(beginOf("r1")))
      assert.strictEqual(
        (yield* Effect.flip(inside(folder, ({ begin }) => begin(beginOf("r1")))))._tag,
        "JournalUnavailable"
      )
      assert.lengthOf(yield* openIn(folder), 1)
    })
  )

  it.effect("a folder that can't be made is unavailable, and looking makes none", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "file"), "")
      const below = join(folder, "file", "below")
      const error = yield* Effect.flip(inside(below, ({ begin }) => begin(beginOf("r1"))))
      assert.strictEqual(error._tag, "JournalUnavailable")
      assert.include(error.message, below)
      yield* openIn(join(folder, "not-made"))
      assert.isFalse(existsSync(join(folder, "not-made")))
    })
  )
})
