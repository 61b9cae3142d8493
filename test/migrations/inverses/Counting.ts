/** Cases of increments and decrements. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import { type Cases, is, valuesOf } from "../../support/inverses/Base.ts"

const big = 2n ** 62n

/** Beside what all have: whole numbers beyond 2^53, 32 bits, and null. */
const counters = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createAttribute("c", Attribute.bigint("big"))
  yield* db.createAttribute("c", Attribute.integer("small", { bits: 32 }))
  yield* db.updateDocument("c", "d1", { big, small: 2 ** 31 - 3 })
  yield* db.updateDocument("c", "d2", { big: -big, small: -(2 ** 31) + 2 })
})

export const counting = {
  IncrementAttribute: [
    {
      title: "by 1, and by more, by an id in other case",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.incrementAttribute("c", "d1", "count")
          yield* db.incrementAttribute("c", "D1", "count", { by: 5, max: 16 })
        }),
      check: is(valuesOf("count"), { d1: 16, d2: 20, d3: 30, d4: 40 })
    },
    {
      title: "past the attribute's own bounds, and of a float by a fraction that no sum takes back",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.incrementAttribute("c", "d1", "count", { by: 1000 })
          for (const by of [0.1, 1e16, 0.3]) yield* db.incrementAttribute("c", "d1", "share", { by })
        }),
      check: is(valuesOf("count"), { d1: 1010, d2: 20, d3: 30, d4: 40 })
    },
    {
      title: "of null, and of whole numbers beyond 2^53",
      setup: counters,
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.incrementAttribute("c", "d3", "big", { by: big + 1n })
          yield* db.incrementAttribute("c", "d1", "big", { by: 1 })
          yield* db.incrementAttribute("c", "d2", "big", { by: big - 2n })
          yield* db.incrementAttribute("c", "d1", "small", { by: 2 })
        }),
      check: is(valuesOf("big"), { d1: big + 1n, d2: -2, d3: big + 1n, d4: null })
    },
    {
      title: "between other writes of the same document, and of one that the run made",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.incrementAttribute("c", "d1", "count")
          yield* db.updateDocument("c", "d1", { count: 100, text: "one" })
          yield* db.incrementAttribute("c", "d1", "count")
          yield* db.createDocument("c", { $id: "d9", text: "nine" })
          yield* db.incrementAttribute("c", "d9", "count", { by: 2 })
          yield* db.incrementAttribute("c", "d2", "count")
          yield* db.deleteDocument("c", "d2")
        }),
      check: is(valuesOf("count"), { d1: 101, d3: 30, d4: 40, d9: 9 })
    },
    {
      title: "that is refused at its bound changes nothing, and the migration goes on",
      operation: (db) =>
        Effect.gen(function* () {
          const error = yield* Effect.orDie(Effect.flip(db.incrementAttribute("c", "d1", "count", { by: 6, max: 15 })))
          assert.strictEqual(error.reason._tag, "LimitExceeded")
          yield* db.incrementAttribute("c", "d1", "count", { by: 5, max: 15 })
        }),
      check: is(valuesOf("count"), { d1: 15, d2: 20, d3: 30, d4: 40 })
    },
    {
      title: "of an attribute that is renamed, and then deleted",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.incrementAttribute("c", "d1", "count")
          yield* db.renameAttribute("c", "count", "number")
          yield* db.incrementAttribute("c", "d1", "number")
          yield* db.incrementAttribute("c", "d2", "share")
          yield* db.deleteAttribute("c", "share")
          const counted = yield* db.incrementAttribute("c", "d2", "number")
          assert.deepStrictEqual(
            Object.keys(counted).filter((key) => key.startsWith("zz_")),
            []
          )
        }),
      check: is(valuesOf("number"), { d1: 12, d2: 21, d3: 30, d4: 40 })
    }
  ],
  DecrementAttribute: [
    {
      title: "by 1, and by more down to its bound",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.decrementAttribute("c", "d1", "count")
          yield* db.decrementAttribute("c", "d1", "count", { by: 9, min: 0 })
        }),
      check: is(valuesOf("count"), { d1: 0, d2: 20, d3: 30, d4: 40 })
    },
    {
      title: "of null, and of whole numbers beyond 2^53",
      setup: counters,
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.decrementAttribute("c", "d3", "big", { by: big + 1n })
          yield* db.decrementAttribute("c", "d2", "big", { by: big })
          yield* db.decrementAttribute("c", "d1", "big", { by: 3 })
          yield* db.decrementAttribute("c", "d2", "small", { by: 2 })
        }),
      check: is(valuesOf("big"), { d1: big - 3n, d2: -(2n ** 63n), d3: -big - 1n, d4: null })
    },
    {
      title: "that an increment takes back, of a float",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.decrementAttribute("c", "d1", "share", { by: 0.1 })
          yield* db.incrementAttribute("c", "d1", "share", { by: 0.1 })
          yield* db.decrementAttribute("c", "d1", "count", { by: 3 })
        }),
      check: is(valuesOf("count"), { d1: 7, d2: 20, d3: 30, d4: 40 })
    }
  ]
} satisfies { readonly [T in "IncrementAttribute" | "DecrementAttribute"]: Cases }
