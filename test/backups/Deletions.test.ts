/** What a migration deletes is in a backup, under its old name, whatever the migration did afterwards. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import * as Backup from "../../src/Backup.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Migrator from "../../src/Migrator.ts"
import { memory, migration, prepare } from "../support/Migrating.ts"

describe("what a migration deletes", () => {
  /** Runs a migration on t with n = 1, and answers its backups. */
  const runs = (up: (db: Methods) => Effect.Effect<unknown, unknown>) =>
    Effect.gen(function* () {
      yield* prepare((db) =>
        Effect.gen(function* () {
          yield* db.createCollection("t", {
            attributes: [Attribute.string("k", { size: 5 }), Attribute.integer("n")]
          })
          yield* db.createDocument("t", { $id: "x", k: "k", n: 1 })
        })
      )
      const { backups: made } = yield* Migrator.execute(migration("m", up))
      return made
    })
  /** A backup of t, restored elsewhere, with the values of n that it brings back. */
  const values = (backupFile: string, to: string) =>
    Effect.gen(function* () {
      const db = yield* Databases
      yield* Backup.restore(backupFile, { to })
      const { documents } = yield* db.listDocuments(to)
      return documents.map((document) => document["n"])
    })

  it.live("comes back under its old name, also where another attribute has taken it in the same run", () =>
    Effect.gen(function* () {
      const made = yield* runs((db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("t", "n")
          yield* db.createAttribute("t", Attribute.string("n", { size: 5 }))
          yield* db.updateDocument("t", "x", { n: "new" })
        })
      )
      assert.lengthOf(made, 1)
      assert.deepStrictEqual(yield* values(made[0]!.backupFile, "found"), [1])
    }).pipe(Effect.provide(memory))
  )

  it.live("twice under one name: each has its backup", () =>
    Effect.gen(function* () {
      const made = yield* runs((db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("t", "n")
          yield* db.createAttribute("t", Attribute.string("n", { size: 5 }))
          yield* db.updateDocument("t", "x", { n: "new" })
          yield* db.deleteAttribute("t", "n")
        })
      )
      const found = yield* Effect.forEach(made, ({ backupFile }, index) => values(backupFile, `found${index}`))
      assert.sameDeepMembers([...found], [[1], ["new"]])
    }).pipe(Effect.provide(memory))
  )

  it.live("a collection that is created anew in the same run is saved before it goes", () =>
    Effect.gen(function* () {
      const made = yield* runs((db) =>
        Effect.gen(function* () {
          yield* db.deleteCollection("t")
          yield* db.createCollection("t", { attributes: [Attribute.integer("other")] })
        })
      )
      assert.lengthOf(made, 1)
      assert.deepStrictEqual(yield* values(made[0]!.backupFile, "found"), [1])
    }).pipe(Effect.provide(memory))
  )
})
