/** Transactions inside a run: a commit could not be taken back, so each step of one is refused. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import * as Migrator from "../../src/Migrator.ts"
import { access, type Stage, Staged } from "../../src/Operation.ts"
import { exactHash, failWith, migration, prepare, targets } from "../support/Migrating.ts"

const setup = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
  yield* db.createDocument("c", { $id: "d", n: 1 })
  yield* db.createTransaction({ id: "open" })
  yield* db.stageOperations("open", [
    Staged.members[2].make({ database: db.databaseId, collection: "c", id: "d", changes: { n: 2 } })
  ])
})

/** Complete by type. */
const attempts: { readonly [T in Stage["_tag"]]: (db: Methods) => Effect.Effect<unknown, DatabasesError> } = {
  CreateTransaction: (db) => db.createTransaction({ id: "new" }),
  StageOperations: (db) =>
    db.stageOperations("open", [{ _tag: "DeleteDocument", database: db.databaseId, collection: "c", id: "d" }]),
  CommitTransaction: (db) => db.commitTransaction("open"),
  RollbackTransaction: (db) => db.rollbackTransaction("open"),
  DeleteTransaction: (db) => db.deleteTransaction("open")
}

/** What there is of transactions. */
const transactions = Effect.flatMap(Databases, (db) =>
  Effect.all([db.listTransactions, db.execute({ _tag: "ListStaged", transaction: "open" })])
)

for (const [name, target] of targets) {
  describe(`a transaction inside a migration, on ${name}`, () => {
    it("has a test for each of its steps", () => {
      assert.sameMembers(
        Object.keys(attempts),
        Object.entries(access).flatMap(([tag, kind]) => (kind === "stage" ? [tag] : []))
      )
    })

    for (const [tag, attempt] of Object.entries(attempts)) {
      it.live(`${tag} is refused as Unsupported, and names what to do instead`, () =>
        Effect.gen(function* () {
          yield* prepare(setup)
          const [hash, before] = [yield* exactHash, yield* transactions]
          const error = yield* failWith("MigrationFailed", migration("m", attempt))
          assert.include(error.message, "writeDocuments")
          yield* Migrator.execute(
            migration("caught", (db) =>
              Effect.gen(function* () {
                const refused = yield* Effect.flip(attempt(db))
                assert.deepStrictEqual([refused.operation, refused.reason._tag], [tag, "Unsupported"])
              })
            )
          )
          assert.strictEqual(yield* exactHash, hash)
          assert.deepStrictEqual(yield* transactions, before)
        }).pipe(Effect.provide(target))
      )
    }

    it.live("one of others can be looked at, and be committed by them", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const live = yield* Databases
        yield* Migrator.execute(
          migration("m", (db) =>
            Effect.gen(function* () {
              assert.strictEqual((yield* db.getTransaction("open")).status, "pending")
              assert.lengthOf(yield* db.listTransactions, 1)
              assert.strictEqual((yield* db.getDocument("c", "d", { transaction: "open" }))["n"], 2)
              yield* db.createDocument("c", { $id: "ours", n: 3 })
              yield* live.commitTransaction("open")
              assert.strictEqual((yield* db.getDocument("c", "d"))["n"], 2)
            })
          )
        )
        assert.strictEqual((yield* live.getDocument("c", "d"))["n"], 2)
      }).pipe(Effect.provide(target))
    )
  })
}
