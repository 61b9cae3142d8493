/** Backups beside somebody who writes: what is recorded is what happened, and the hash is that of what was saved. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import * as Backup from "../../src/Backup.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, make, type Methods } from "../../src/Databases.ts"
import type { Operation } from "../../src/Operation.ts"
import { memory } from "../support/Migrating.ts"

const setUp = Effect.gen(function* () {
  const db = yield* Databases
  yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
  yield* db.createDocuments(
    "c",
    Array.from({ length: 100 }, (_, n) => ({ $id: `d${n}`, n }))
  )
  return db
})

/** A handle beside which somebody else writes: `others` runs behind each list of documents, told how many there were. */
const beside = (db: Methods, others: (lists: number) => Effect.Effect<unknown, unknown>): Methods => {
  let lists = 0
  return make({
    databaseId: db.databaseId,
    execute: (operation) =>
      Effect.tap(db.execute(operation), () => {
        const one: Operation = operation
        return one._tag === "ListDocuments" && one.queries.length > 1 ? Effect.orDie(others(++lists)) : Effect.void
      })
  })
}
const backup = (db: Methods, consistency: "fuzzy" | "converged" | "quiesced") =>
  Effect.gen(function* () {
    const [made] = yield* Effect.provideService(Backup.create(["c"], { consistency }), Databases, Databases.of(db))
    const [verified] = yield* Backup.verify(made!.backupFile)
    const listed = (yield* Backup.list).find(({ backupFile }) => backupFile === made!.backupFile)
    return {
      consistency: listed!.manifest!.consistency,
      documents: made!.documentCount,
      exact: verified!.hashes!.exact
    }
  })

describe("consistency", () => {
  it.live("undisturbed, two passes are enough", () =>
    Effect.gen(function* () {
      const db = yield* setUp
      const made = yield* backup(db, "converged")
      assert.deepStrictEqual(made.consistency, { asked: "converged", reached: "converged", passes: 2 })
      assert.strictEqual(made.exact, yield* DatabaseHash.collection(db, "c"))
      const fuzzy = yield* backup(db, "fuzzy")
      assert.deepStrictEqual(fuzzy.consistency, { asked: "fuzzy", reached: "fuzzy", passes: 1 })
    }).pipe(Effect.provide(memory))
  )

  for (const [what, write] of [
    ["a change", (db: Methods) => db.updateDocument("c", "d3", { n: -1 })],
    ["a deletion", (db: Methods) => db.deleteDocument("c", "d3")],
    ["a creation", (db: Methods) => db.createDocument("c", { $id: "new", n: 1 })],
    [
      "a deletion and a creation of the same id",
      (db: Methods) => Effect.andThen(db.deleteDocument("c", "d3"), db.createDocument("c", { $id: "d3", n: 9 }))
    ],
    ["a change of the schema", (db: Methods) => db.createAttribute("c", Attribute.integer("m"))],
    ["a change of permissions", (db: Methods) => db.updateDocument("c", "d3", { $permissions: [`read("any")`] })],
    [
      "all documents deleted",
      (db: Methods) =>
        Effect.forEach(
          Array.from({ length: 100 }, (_, n) => n),
          (n) => db.deleteDocument("c", `d${n}`)
        )
    ]
  ] as const) {
    it.live(`${what} behind the first pass is in the backup, which has converged`, () =>
      Effect.gen(function* () {
        const db = yield* setUp
        let done = false
        const made = yield* backup(
          beside(db, (lists) =>
            Effect.suspend((): Effect.Effect<unknown, unknown> => {
              // Behind the last list of the first pass, which found nothing more.
              if (lists < 3 || done) return Effect.void
              done = true
              return write(db)
            })
          ),
          "converged"
        )
        assert.isTrue(done)
        assert.strictEqual(made.consistency.reached, "converged")
        assert.isAtLeast(made.consistency.passes, 2)
        assert.strictEqual(made.exact, yield* DatabaseHash.collection(db, "c"))
      }).pipe(Effect.provide(memory))
    )
  }

  for (const consistency of ["converged", "quiesced"] as const) {
    it.live(`${consistency}, beside one who writes without a pause, ends and says fuzzy`, () =>
      Effect.gen(function* () {
        const db = yield* setUp
        let n = 0
        const made = yield* backup(
          beside(db, () => Effect.suspend(() => db.updateDocument("c", `d${n++ % 100}`, { n: 1000 + n }))),
          consistency
        )
        assert.deepStrictEqual(made.consistency, { asked: consistency, reached: "fuzzy", passes: 10 })
        assert.strictEqual(made.documents, 100)
        assert.isTrue((yield* db.getCollection("c")).enabled)
      }).pipe(Effect.provide(memory))
    )
  }
})
