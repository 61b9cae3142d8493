/** Others who count meanwhile: the way back takes off what the run added, and nobody's addition is lost. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, make, type Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import * as Migrator from "../../src/Migrator.ts"
import type { Of, ResultOf, Tag } from "../../src/Operation.ts"
import { nextMillisecond } from "../contract/databases/support.ts"
import {
  assertNothingOpen,
  broken,
  exactHash,
  failWith,
  migration,
  prepare,
  runAndFail,
  targets
} from "../support/Migrating.ts"

const big = 2n ** 62n
const setup = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [
      Attribute.integer("n", { min: 0, max: 20 }),
      Attribute.integer("small", { bits: 32 }),
      Attribute.bigint("big"),
      Attribute.float("f"),
      Attribute.string("s", { size: 20 })
    ]
  })
  yield* db.createDocuments("c", [
    { $id: "a", n: 10, small: 0, big, f: 0.5, s: "a" },
    { $id: "b", s: "b" }
  ])
})
const valuesOf = (db: Methods, id: string) =>
  Effect.map(db.getDocument("c", id), ({ big: wide, f, n, s, small }) => [n, small, wide, f, s])

/** `Databases` over another, on which others add 100 to `n` of `a` right before each increment and decrement gets there. */
const others = Layer.effect(
  Databases,
  Effect.map(Databases, (databases) => {
    const execute = <T extends Tag>(operation: Of<T>): Effect.Effect<ResultOf<T>, DatabasesError> =>
      operation._tag === "IncrementAttribute" || operation._tag === "DecrementAttribute"
        ? Effect.andThen(databases.incrementAttribute("c", "a", "n", { by: 100 }), databases.execute(operation))
        : databases.execute(operation)
    return Databases.of(make({ execute, databaseId: databases.databaseId }))
  })
)

for (const [name, target] of targets) {
  describe(`counting with others, on ${name}`, () => {
    const test = (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
      it.live(title, () => Effect.provide(Effect.andThen(prepare(setup), body), target))

    test(
      "an increment and a decrement are taken off again where others have counted since, with no conflict",
      Effect.gen(function* () {
        const live = yield* Databases
        yield* runAndFail("m", (db) =>
          Effect.gen(function* () {
            yield* db.incrementAttribute("c", "a", "n", { by: 5, max: 15 })
            yield* db.decrementAttribute("c", "a", "small", { by: 7, min: -7 })
            yield* db.incrementAttribute("c", "a", "big", { by: 2n ** 61n })
            yield* db.incrementAttribute("c", "a", "f", { by: 0.25 })
            yield* nextMillisecond
            yield* live.incrementAttribute("c", "a", "n", { by: 3 })
            yield* live.decrementAttribute("c", "a", "small", { by: 30 })
            yield* live.incrementAttribute("c", "a", "big", { by: 1 })
            yield* live.updateDocument("c", "b", { s: "theirs" })
          })
        )
        assert.deepStrictEqual(yield* valuesOf(live, "a"), [13, -30, big + 1n, 0.5, "a"])
        yield* assertNothingOpen
      })
    )

    test(
      "where others changed another value of the document, theirs stays",
      Effect.gen(function* () {
        const live = yield* Databases
        yield* runAndFail("m", (db) =>
          Effect.gen(function* () {
            yield* db.incrementAttribute("c", "a", "n", { by: 5 })
            yield* db.incrementAttribute("c", "b", "big", { by: big })
            yield* live.updateDocument("c", "a", { s: "theirs" })
            yield* live.incrementAttribute("c", "b", "big", { by: 1 })
          })
        )
        assert.deepStrictEqual(yield* valuesOf(live, "a"), [10, 0, big, 0.5, "theirs"])
        assert.strictEqual((yield* live.getDocument("c", "b"))["big"], 1)
      })
    )

    test(
      "several of the run between several of theirs, past the attribute's own bounds",
      Effect.gen(function* () {
        const live = yield* Databases
        yield* runAndFail("m", (db) =>
          Effect.gen(function* () {
            yield* db.incrementAttribute("c", "a", "n", { by: 30 })
            yield* live.incrementAttribute("c", "a", "n", { by: 1 })
            yield* db.decrementAttribute("c", "a", "n", { by: 100 })
            yield* live.incrementAttribute("c", "a", "n", { by: 1 })
            yield* db.incrementAttribute("c", "a", "n")
          })
        )
        assert.strictEqual((yield* live.getDocument("c", "a"))["n"], 12)
      })
    )

    test(
      "without others the document comes back exactly, null and dates too",
      Effect.gen(function* () {
        const before = yield* exactHash
        yield* runAndFail("m", (db) =>
          Effect.gen(function* () {
            for (const key of ["n", "small", "big", "f"]) yield* db.incrementAttribute("c", "b", key)
            yield* db.decrementAttribute("c", "a", "f", { by: 0.1 })
            yield* db.decrementAttribute("c", "a", "f", { by: 1e20 })
          })
        )
        assert.strictEqual(yield* exactHash, before)
      })
    )

    test(
      "a document that others deleted since is named as a conflict",
      Effect.gen(function* () {
        const live = yield* Databases
        const error = yield* failWith(
          "RollbackIncomplete",
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.incrementAttribute("c", "a", "n")
              yield* db.incrementAttribute("c", "b", "n")
              yield* live.deleteDocument("c", "a")
              return yield* broken
            })
          )
        )
        assert.deepStrictEqual([error.conflicts, error.remaining], [["main/c/a"], []])
        assert.isNull((yield* live.getDocument("c", "b"))["n"])
        yield* assertNothingOpen
      })
    )

    test(
      "what can't be taken off, because others went to the end of its width, is named",
      Effect.gen(function* () {
        const live = yield* Databases
        const error = yield* failWith(
          "RollbackIncomplete",
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.incrementAttribute("c", "a", "small", { by: 5 })
              yield* live.decrementAttribute("c", "a", "small", { by: 2_147_483_650 })
              return yield* broken
            })
          )
        )
        assert.deepStrictEqual(error.conflicts, [])
        assert.lengthOf(error.remaining, 1)
        assert.include(error.remaining[0], "IncrementAttribute main/c/a")
        assert.strictEqual((yield* live.getDocument("c", "a"))["small"], -2_147_483_645)
      })
    )

    it.live("an addition of others between the look before and the increment itself is not lost", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        yield* runAndFail("m", (db) => db.incrementAttribute("c", "a", "n", { by: 5 }))
        const n = (yield* (yield* Databases).getDocument("c", "a"))["n"]
        // Theirs once; and once more where the way back itself counts.
        assert.include([110, 210], n)
      }).pipe(Effect.provide(others.pipe(Layer.provideMerge(target))))
    )
  })
}
