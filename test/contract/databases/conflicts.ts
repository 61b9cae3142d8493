/** Transactions at their commit: what conflicts, what is refused then, fences, and that nothing is done by half. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Methods } from "../../../src/Databases.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Query from "../../../src/Query.ts"
import { setUp, staged, values } from "./staging.ts"
import { type Promised, refused } from "./support.ts"

/** The commit fails for this reason, the transaction is over, and nothing of it is applied. */
const fails = Effect.fnUntraced(function* (
  db: Methods,
  transaction: string,
  tag: DatabasesError["reason"]["_tag"],
  type: string
) {
  const before = yield* db.listDocuments("c")
  const reason = yield* refused(db.commitTransaction(transaction), tag, type)
  assert.strictEqual((yield* db.getTransaction(transaction)).status, "failed")
  assert.deepStrictEqual(yield* db.listDocuments("c"), before)
  yield* refused(db.commitTransaction(transaction), "InvalidArgument", "transaction_not_ready")
  return reason
})

export const conflicts = (promise: Promised): void => {
  promise("structure is checked at the commit, not before", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      for (const bad of [
        op.create({ $id: "x", n: 1 }),
        op.update("r1", { zz: 1 }),
        op.updateAll([Query.equal("n", 1)], { n: "x" }),
        op.upsert({ $id: "r2", n: 5 })
      ]) {
        const transaction = yield* staged(db, op.create({ $id: "fine", a: "fine" }), bad)
        yield* fails(db, transaction, "InvalidDocument", "document_invalid_structure")
      }
    })
  )

  promise("a taken id or value is a conflict at the commit, and reading inside shows what was sent", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      for (const bad of [
        op.create({ $id: "r1", a: "new" }),
        op.create({ $id: "x", a: "ONE" }),
        op.create({ $id: "OK", a: "x" }),
        op.update("r2", { a: "one " }),
        op.updateAll([Query.equal("$id", "r2")], { a: "one" }),
        op.upsert({ $id: "x", a: "one" })
      ]) {
        const transaction = yield* staged(db, op.create({ $id: "ok", a: "ok" }), bad)
        assert.strictEqual((yield* db.getDocument("c", "ok", { transaction })).$id, "ok")
        yield* fails(db, transaction, "Conflict", "transaction_conflict")
      }
    })
  )

  promise("a document that others have changed since it was staged is a conflict, whichever attribute it was", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      for (const [index, operation] of [
        op.update("r2", { n: 20 }),
        op.remove("r2"),
        op.upsert({ $id: "r2", a: "ups" }),
        op.updateAll([Query.equal("$id", "r2")], { n: 20 })
      ].entries()) {
        const transaction = yield* staged(db, operation)
        yield* db.updateDocument("c", "r2", { a: `outside${index}` })
        yield* fails(db, transaction, "Conflict", "transaction_conflict")
      }
    })
  )

  promise("a document that others have deleted since it was staged is not found", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      const operations = [
        op.update("gone", { n: 20 }),
        op.remove("gone"),
        op.increment("gone"),
        op.updateAll([Query.equal("$id", "gone")], { n: 1 })
      ]
      for (const operation of operations) {
        yield* db.createDocument("c", { $id: "gone", a: "gone" })
        const transaction = yield* staged(db, operation)
        yield* db.deleteDocument("c", "gone")
        yield* fails(db, transaction, "NotFound", "document_not_found")
      }
    })
  )

  promise("of two transactions that change one document the first to commit wins", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      const [one, two] = [
        yield* staged(db, op.update("r1", { n: 100 })),
        yield* staged(db, op.update("r1", { n: 200 }))
      ]
      yield* db.commitTransaction(two)
      yield* fails(db, one, "Conflict", "transaction_conflict")
      assert.strictEqual((yield* db.getDocument("c", "r1"))["n"], 200)
    })
  )

  promise("an addition never conflicts with what others have done, and its bounds hold at the commit", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      const transaction = yield* staged(db, op.increment("r1", { by: 5 }))
      yield* db.updateDocument("c", "r1", { n: 40 })
      yield* db.commitTransaction(transaction)
      assert.strictEqual((yield* db.getDocument("c", "r1"))["n"], 45)
      const over = yield* staged(db, op.increment("r1", { by: 100, max: 50 }))
      yield* fails(db, over, "LimitExceeded", "attribute_limit_exceeded")
      yield* fails(db, yield* staged(db, op.increment("r1", { attribute: "zz" })), "NotFound", "document_not_found")
      yield* fails(
        db,
        yield* staged(db, op.increment("r1", { attribute: "a" })),
        "InvalidArgument",
        "attribute_type_invalid"
      )
    })
  )

  promise("a fence lets a transaction through only while it stands where it was read", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      const fenced = (token: number, $id: string) =>
        staged(db, op.increment("f", { max: token + 1 }), op.decrement("f", { min: token }), op.create({ $id, a: $id }))
      yield* db.commitTransaction(yield* fenced(7, "b1"))
      assert.strictEqual((yield* db.getDocument("c", "f"))["n"], 7)
      const late = yield* fenced(7, "b2")
      yield* db.updateDocument("c", "f", { n: 8 })
      yield* fails(db, late, "LimitExceeded", "attribute_limit_exceeded")
      yield* fails(db, yield* fenced(9, "b3"), "LimitExceeded", "attribute_limit_exceeded")
      assert.strictEqual(yield* values(db), "f:8 r1:1 r2:2 r3:3 b1:null")
    })
  )

  promise("of several that create one id, one commits, and the others' documents are not stored", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      const ids = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, index) => `w${index}`),
        ($id) => staged(db, op.create({ $id, a: $id }), op.create({ $id: "lock", a: "lock" }))
      )
      const outcomes = yield* Effect.forEach(ids, (id) => Effect.exit(db.commitTransaction(id)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(outcomes.filter(Exit.isSuccess).length, 1)
      assert.strictEqual((yield* db.listDocuments("c", [Query.startsWith("a", "w")])).total, 1)
    })
  )

  promise("1000 documents are one operation", (db) =>
    Effect.gen(function* () {
      const op = yield* setUp(db)
      const documents = Array.from({ length: 1000 }, (_, n) => ({ $id: `m${n}`, a: `m${n}`, n }))
      const transaction = yield* staged(db, op.createAll(documents))
      assert.strictEqual((yield* db.getTransaction(transaction)).operations, 1)
      assert.strictEqual((yield* db.listDocuments("c", [], { transaction })).total, 1004)
      yield* db.commitTransaction(transaction)
      assert.strictEqual((yield* db.listDocuments("c")).total, 1004)
      const all = yield* staged(
        db,
        op.createAll([...documents, ...documents].map((one) => ({ ...one, $id: `x${one.$id}` })))
      )
      yield* fails(db, all, "Conflict", "transaction_conflict")
    })
  )
}
