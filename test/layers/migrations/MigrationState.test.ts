/** The state in memory and in a file, and what a file promises beyond the contract. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as FileState from "../../../src/layers/migrations/FileState.ts"
import * as MemoryState from "../../../src/layers/migrations/MemoryState.ts"
import { empty, MigrationState, succeeded } from "../../../src/MigrationState.ts"
import { contract } from "../../contract/MigrationState.ts"
import { temporaryFolder } from "../../support/Migrating.ts"

const inFolder = (folder: string) => FileState.layer(folder).pipe(Layer.provide(NodeServices.layer))
const fresh = Layer.unwrap(Effect.map(temporaryFolder, (folder) => inFolder(join(folder, "made", "on", "demand"))))

contract("memory", MemoryState.layer)
contract("a file", fresh)

const inside = <A, E>(folder: string, body: (state: MigrationState["Service"]) => Effect.Effect<A, E>) =>
  Effect.provide(Effect.flatMap(MigrationState, body), inFolder(folder))

const state = succeeded(
  empty({ id: "t1", label: "a target" }),
  "a",
  { at: "2026-01-02T03:04:05.678Z", duration: 12, hash: "abc", run: "r1" },
  ["a", "b"]
)
const whole = `${JSON.stringify(state, undefined, 2)}\n`
const withoutHoldfast = JSON.stringify({ completed: ["a"], pending: [], failed: [] })

const corrupt: ReadonlyArray<readonly [what: string, text: string]> = [
  ["an empty file", ""],
  ["no JSON", "hello"],
  ["zeros, as a crash of the file system leaves them", "\u0000".repeat(200)],
  ["a file of half its length", whole.slice(0, whole.length / 2)],
  ["a file without its last bracket", whole.trimEnd().slice(0, -1)],
  ["null", "null"],
  ["an empty object", "{}"],
  ["an empty list", "[]"],
  ["another program's JSON", JSON.stringify({ name: "x", version: "1.0.0" })],
  ["the specification's members alone, without the target", withoutHoldfast],
  ["a version to come", whole.replace('"version": 1', '"version": 2')],
  ["a member of another type", whole.replace('"pending": [', '"pending": {"x": [').replace("]", "]}")]
]

describe("FileState", () => {
  for (const [what, text] of corrupt) {
    it.effect(`${what} is corrupt, names the file, and is never "nothing ran"`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const location = join(folder, "migration-state.json")
        writeFileSync(location, text)
        const error = yield* Effect.flip(inside(folder, ({ load }) => load))
        assert.strictEqual(error._tag, "StateCorrupt")
        assert.strictEqual(error.location, location)
        assert.include(error.message, location)
        assert.include(error.message, "baseline")
        // Looking does not mend or move it.
        assert.strictEqual(readFileSync(location, "utf8"), text)
      })
    )
  }

  it.effect("a file cut at any of its bytes is corrupt, all but the last line break", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const bytes = Buffer.from(whole)
      yield* inside(folder, ({ load, location }) =>
        Effect.gen(function* () {
          for (let length = 0; length < bytes.length - 1; length++) {
            writeFileSync(location, bytes.subarray(0, length))
            assert.strictEqual((yield* Effect.flip(load))._tag, "StateCorrupt", `${length} bytes`)
          }
          writeFileSync(location, bytes.subarray(0, -1))
          assert.deepStrictEqual(yield* load, state)
        })
      )
    })
  )

  it.effect("reads as the specification shows it: completed, pending, failed, and one more member", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* inside(folder, ({ save }) => save(state))
      assert.deepStrictEqual(JSON.parse(readFileSync(join(folder, "migration-state.json"), "utf8")), {
        completed: ["a"],
        pending: ["b"],
        failed: [],
        holdfast: {
          version: 1,
          target: { id: "t1", label: "a target" },
          applied: { a: { at: "2026-01-02T03:04:05.678Z", duration: 12, hash: "abc", run: "r1" } }
        }
      })
    })
  )

  it.effect("another layer on the same folder loads what one saved", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* inside(folder, ({ save }) => save(state))
      assert.deepStrictEqual(yield* inside(folder, ({ load }) => load), state)
    })
  )

  it.effect(
    "is written beside and renamed: another file in its place, nothing else in the folder, for its owner only",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* inside(folder, ({ location, save }) =>
          Effect.gen(function* () {
            yield* save(empty(state.holdfast.target))
            const first = statSync(location).ino
            yield* save(state)
            assert.notStrictEqual(statSync(location).ino, first)
            assert.deepStrictEqual(readdirSync(folder), ["migration-state.json"])
            assert.strictEqual(statSync(location).mode & 0o777, 0o600)
          })
        )
      })
  )

  it.effect("a folder that can't be made is unavailable, for writing and for reading", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "file"), "")
      yield* inside(join(folder, "file", "below"), ({ load, location, save }) =>
        Effect.gen(function* () {
          const unsaved = yield* Effect.flip(save(state))
          assert.strictEqual(unsaved._tag, "StateUnavailable")
          assert.strictEqual(unsaved.location, location)
          assert.include(unsaved.message, location)
          // Whether it is there can't be known: that is not "nothing ran".
          assert.strictEqual((yield* Effect.flip(load))._tag, "StateUnavailable")
        })
      )
    })
  )

  it.effect("a folder where the file should be is unavailable, and a failed save leaves nothing behind", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      mkdirSync(join(folder, "migration-state.json", "x"), { recursive: true })
      yield* inside(folder, ({ load, save }) =>
        Effect.gen(function* () {
          assert.strictEqual((yield* Effect.flip(load))._tag, "StateUnavailable")
          assert.strictEqual((yield* Effect.flip(save(state)))._tag, "StateUnavailable")
          assert.deepStrictEqual(readdirSync(folder), ["migration-state.json"])
        })
      )
    })
  )

  it.effect("looking makes nothing", () =>
    Effect.gen(function* () {
      const folder = join(yield* temporaryFolder, "not-made")
      yield* inside(folder, ({ load }) => load)
      assert.isFalse(existsSync(folder))
    })
  )
})
