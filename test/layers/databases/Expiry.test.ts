/** Transactions that nobody ended in time, on a clock that the test moves. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Attribute from "../../../src/Attribute.ts"
import { Databases } from "../../../src/Databases.ts"
import * as Embedded from "../../../src/layers/databases/Embedded.ts"
import { staging } from "../../contract/databases/staging.ts"
import { refused } from "../../contract/databases/support.ts"

describe("expiry of transactions", () => {
  layer(Embedded.memory)((it) => {
    it.effect("one that is over its time takes and commits nothing; it stays pending, and reads inside go on", () =>
      Effect.gen(function* () {
        const db = yield* Databases
        yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
        yield* db.createDocument("c", { $id: "a", n: 1 })
        const { create, update } = staging(db.databaseId)
        const { $id: transaction, expiresAt } = yield* db.createTransaction({ ttl: 60 })
        const stage = (n: number) => db.stageOperations(transaction, [update("a", { n })])
        yield* TestClock.adjust("59 seconds")
        yield* stage(2)
        yield* db.stageOperations(transaction, [create({ $id: "b", n: 1 })])
        yield* TestClock.adjust("2 seconds")
        yield* refused(stage(3), "InvalidArgument", "transaction_expired")
        yield* refused(db.commitTransaction(transaction), "InvalidArgument", "transaction_expired")
        const expired = yield* db.getTransaction(transaction)
        assert.deepStrictEqual([expired.status, expired.operations, expired.expiresAt], ["pending", 2, expiresAt])
        assert.strictEqual((yield* db.getDocument("c", "a", { transaction }))["n"], 2)
        assert.strictEqual((yield* db.listDocuments("c", [], { transaction })).total, 2)
        assert.strictEqual((yield* db.getDocument("c", "a"))["n"], 1)
        assert.strictEqual((yield* db.rollbackTransaction(transaction)).status, "failed")
      })
    )

    it.effect("one of an hour lives on after five minutes", () =>
      Effect.gen(function* () {
        const db = yield* Databases
        const { $id } = yield* db.createTransaction({ ttl: 3600 })
        yield* TestClock.adjust("59 minutes")
        assert.strictEqual((yield* db.commitTransaction($id)).status, "committed")
      })
    )
  })
})
