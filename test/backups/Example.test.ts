/** Each collection of the example: backed up, changed at will, restored to its exact hash. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import * as Attribute from "../../src/Attribute.ts"
import * as Backup from "../../src/Backup.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases } from "../../src/Databases.ts"
import * as Folder from "../../src/layers/migrations/Folder.ts"
import * as Migrator from "../../src/Migrator.ts"
import * as Query from "../../src/Query.ts"
import { memory } from "../support/Migrating.ts"

describe("the collections of examples/recognitions", () => {
  it.live(
    "come back exactly",
    () =>
      Effect.gen(function* () {
        const folder = join(import.meta.dirname, "../../examples/recognitions/migrations")
        const sources = yield* Effect.provide(Folder.sources(folder), NodeServices.layer)
        yield* Migrator.executeAll(sources)
        const db = yield* Databases
        const collections = yield* db.listCollections
        assert.isAbove(collections.length, 3)
        for (const { $id, attributes } of collections) {
          const before = yield* DatabaseHash.collection(db, $id)
          const [made] = yield* Backup.create([$id])
          // Every third goes, every other third loses a value, one attribute goes, one comes.
          const optional = attributes.find(({ array, required }) => !required && !array)
          const { documents } = yield* db.listDocuments($id, [Query.limit(5000)])
          const ids = documents.map((document) => document.$id)
          for (let from = 0; from < ids.length; from += 300) {
            const some = ids.slice(from, from + 300).filter((_, index) => index % 3 === 0)
            yield* db.deleteDocuments($id, [Query.equal("$id", some)])
            const others = ids.slice(from, from + 300).filter((_, index) => index % 3 === 1)
            if (optional !== undefined && others.length > 0) {
              yield* db.updateDocuments($id, [Query.equal("$id", others)], { [optional.key]: null })
            }
          }
          yield* db.createAttribute($id, Attribute.integer("added"))
          yield* db.deleteAttribute($id, attributes.at(-1)!.key)
          assert.notStrictEqual(yield* DatabaseHash.collection(db, $id), before)
          yield* Backup.restore(made!.backupFile)
          assert.strictEqual(yield* DatabaseHash.collection(db, $id), before, $id)
        }
      }).pipe(Effect.provide(memory)),
    60_000
  )
})
