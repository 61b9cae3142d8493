/** Backups in a folder: the contract, and what a folder promises beyond it. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BackupStorage } from "../../../src/BackupStorage.ts"
import * as FileSystem from "../../../src/layers/backups/FileSystem.ts"
import { contract } from "../../contract/BackupStorage.ts"
import { temporaryFolder } from "../../support/Migrating.ts"

const inFolder = (folder: string) => Layer.provide(FileSystem.layer(folder), NodeServices.layer)

contract(
  "a folder",
  Layer.unwrap(Effect.map(temporaryFolder, (folder) => inFolder(join(folder, "made", "when", "needed"))))
)

const put = (name: string) =>
  Effect.flatMap(BackupStorage, (storage) => storage.put(name, Stream.make(new Uint8Array([1, 2, 3]))))

describe("backups in a folder", () => {
  it.live("files are for their owner alone, and no other file stays", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.provide(put("b/c/manifest.json"), inFolder(folder))
      assert.strictEqual(statSync(join(folder, "b", "c", "manifest.json")).mode & 0o777, 0o600)
      for (const home of ["b", "b/c"]) assert.strictEqual(statSync(join(folder, home)).mode & 0o777, 0o700)
      assert.deepStrictEqual(readdirSync(join(folder, "b", "c")), ["manifest.json"])
    })
  )

  it.live("a folder goes with its last object, also with what a killed write has left", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.gen(function* () {
        yield* put("b/c/manifest.json")
        writeFileSync(join(folder, "b", "c", ".documents-000001.index.99.tmp"), "half")
        const storage = yield* BackupStorage
        assert.lengthOf(yield* storage.list(""), 1)
        yield* storage.remove("b/c/manifest.json")
        assert.isFalse(existsSync(join(folder, "b")))
      }).pipe(Effect.provide(inFolder(folder)))
    })
  )

  it.live("symbolic links are neither followed nor listed, wherever they stand", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const outside = yield* temporaryFolder
      writeFileSync(join(outside, "secret"), "secret")
      mkdirSync(join(folder, "b"))
      symlinkSync(join(outside, "secret"), join(folder, "b", "file"))
      symlinkSync(outside, join(folder, "link"))
      yield* Effect.gen(function* () {
        const storage = yield* BackupStorage
        assert.deepStrictEqual(yield* storage.list(""), [])
        for (const name of ["b/file", "link/secret", "link/new"]) {
          for (const action of [Stream.runDrain(storage.get(name)), put(name), storage.remove(name)]) {
            const error = yield* Effect.flip(Effect.asVoid(action as Effect.Effect<unknown, unknown, BackupStorage>))
            assert.deepInclude(error, { _tag: "BackupNameRefused", name })
            assert.include(String(error), "symbolic link")
          }
        }
        assert.deepStrictEqual(readdirSync(outside), ["secret"])
      }).pipe(Effect.provide(inFolder(folder)))
    })
  )

  it.live("a file where a folder should be is a failure that names it", () =>
    Effect.gen(function* () {
      const folder = join(yield* temporaryFolder, "file")
      writeFileSync(folder, "")
      const error = yield* Effect.flip(Effect.provide(put("b/c"), inFolder(folder)))
      assert.include(error.message, folder)
    })
  )
})
