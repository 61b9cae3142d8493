/** Compare-and-swap: an update or a deletion only while nobody else has changed the document since. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import { type Promised, refused } from "./support.ts"

const at = "2024-05-05T10:00:00.500+00:00"
const older = { ifUnmodifiedSince: "2024-05-05T10:00:00.499+00:00" }
const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [Attribute.string("a", { size: 64, required: true }), Attribute.integer("n")]
  })
  return yield* db.createDocument("c", { $id: "r", a: "v0", n: 1, $updatedAt: at })
})

/** Dates that are the document's own or later, and such as are older. */
const same = [
  at,
  "2024-05-05T10:00:00.501+00:00",
  "2100-01-01T00:00:00.000+00:00",
  "2024-05-05T10:00:00.500Z",
  "2024-05-05 10:00:00.500",
  "2024-05-05T12:00:00.500+02:00",
  "2024-05-05T10:00:00.500999+00:00",
  "2024-05-06"
]
const before = [
  "2024-05-05T10:00:00.499+00:00",
  "2024-05-05T10:00:00+00:00",
  "2024-05-05T11:00:00.500+02:00",
  "2024-05-05"
]

export const compareAndSwap = (promise: Promised): void => {
  for (const ifUnmodifiedSince of same) {
    promise(`${ifUnmodifiedSince} is not before ${at}: update and deletion go through`, (db) =>
      Effect.gen(function* () {
        yield* setUp(db)
        const updated = yield* db.updateDocument("c", "r", { a: "v1" }, { ifUnmodifiedSince })
        assert.strictEqual(updated["a"], "v1")
        yield* db.updateDocument("c", "r", { $updatedAt: at })
        yield* db.deleteDocument("c", "r", { ifUnmodifiedSince })
        yield* refused(db.getDocument("c", "r"), "NotFound", "row_not_found")
      })
    )
  }

  for (const ifUnmodifiedSince of before) {
    promise(`${ifUnmodifiedSince} is before ${at}: update and deletion are refused and change nothing`, (db) =>
      Effect.gen(function* () {
        const created = yield* setUp(db)
        const options = { ifUnmodifiedSince }
        yield* refused(db.updateDocument("c", "r", { a: "v1" }, options), "Conflict", "row_update_conflict")
        yield* refused(db.deleteDocument("c", "r", options), "Conflict", "row_update_conflict")
        assert.deepStrictEqual(yield* db.getDocument("c", "r"), created)
      })
    )
  }

  promise("what is no date is refused: a number as text, words, nothing (the server lets the last one through)", (db) =>
    Effect.gen(function* () {
      const created = yield* setUp(db)
      for (const ifUnmodifiedSince of ["1714903200", "garbage", ""]) {
        const options = { ifUnmodifiedSince }
        yield* refused(db.updateDocument("c", "r", { a: "v1" }, options), "InvalidArgument", "general_argument_invalid")
        yield* refused(db.deleteDocument("c", "r", options), "InvalidArgument", "general_argument_invalid")
      }
      assert.deepStrictEqual(yield* db.getDocument("c", "r"), created)
    })
  )

  promise("it guards an update of the same value, and of permissions alone", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const changes of [{ a: "v0" }, { $permissions: ['read("any")'] }]) {
        yield* refused(db.updateDocument("c", "r", changes, older), "Conflict", "row_update_conflict")
      }
    })
  )

  promise("it is asked after whether the document is there and anything is given, before whether that fits", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* refused(db.updateDocument("c", "nope", { a: "x" }, older), "NotFound", "row_not_found")
      yield* refused(db.deleteDocument("c", "nope", older), "NotFound", "row_not_found")
      yield* refused(db.updateDocument("c", "r", {}, older), "InvalidArgument", "row_missing_payload")
      for (const changes of [{ n: "x" }, { zz: 1 }, { a: null }]) {
        yield* refused(db.updateDocument("c", "r", changes, older), "Conflict", "row_update_conflict")
      }
    })
  )

  promise("of several who have read the same, one goes through", (db) =>
    Effect.gen(function* () {
      const { $updatedAt } = yield* setUp(db)
      const outcomes = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, n) => n),
        (n) => Effect.exit(db.updateDocument("c", "r", { n }, { ifUnmodifiedSince: $updatedAt })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(outcomes.filter(Exit.isSuccess).length, 1)
    })
  )

  promise("an addition counts as a change, and its answer's date is the one to compare with", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const added = yield* db.incrementAttribute("c", "r", "n")
      yield* refused(
        db.updateDocument("c", "r", { a: "v1" }, { ifUnmodifiedSince: at }),
        "Conflict",
        "row_update_conflict"
      )
      assert.strictEqual(
        (yield* db.updateDocument("c", "r", { a: "v1" }, { ifUnmodifiedSince: added.$updatedAt }))["a"],
        "v1"
      )
    })
  )
}
