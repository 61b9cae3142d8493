/** Adding and taking off in the store: bounds, widths, null, and that no addition is lost. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import { nextMillisecond, type Promised, refused } from "./support.ts"

const greatest64 = 2n ** 63n - 1n
const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [
      Attribute.integer("n"),
      Attribute.integer("small", { bits: 32 }),
      Attribute.integer("lim", { min: 0, max: 10 }),
      Attribute.bigint("g"),
      Attribute.float("f"),
      Attribute.string("s", { size: 64 }),
      Attribute.integer("dv", { default: 5 }),
      Attribute.integer("arr", { array: true }),
      Attribute.boolean("b"),
      Attribute.datetime("d")
    ]
  })
  return yield* db.createDocument("c", {
    $id: "r",
    n: 1,
    small: 2_147_483_646,
    lim: 5,
    f: 0.5,
    s: "x",
    g: 9_007_199_254_740_990n
  })
})
const stored = (db: Methods, key: string, id = "r") => Effect.map(db.getDocument("c", id), (one) => one[key])

export const increments = (promise: Promised): void => {
  promise("an addition answers and stores the sum, by 1 where nothing is said, and moves $updatedAt", (db) =>
    Effect.gen(function* () {
      const created = yield* setUp(db)
      yield* nextMillisecond
      const one = yield* db.incrementAttribute("c", "r", "n")
      assert.deepStrictEqual({ ...one, $updatedAt: "" }, { ...created, n: 2, $updatedAt: "" })
      const five = yield* db.incrementAttribute("c", "R", "n", { by: 5 })
      assert.strictEqual(five["n"], 7)
      assert.strictEqual((yield* db.decrementAttribute("c", "r", "n"))["n"], 6)
      assert.strictEqual((yield* db.decrementAttribute("c", "r", "n", { by: 8 }))["n"], -2)
      const now = yield* db.getDocument("c", "r")
      assert.strictEqual(now["n"], -2)
      assert.isTrue(now.$updatedAt > created.$updatedAt)
      assert.strictEqual(now.$createdAt, created.$createdAt)
    })
  )

  promise("an addition stops at the bound of the call, which itself may be reached", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const over = yield* refused(
        db.incrementAttribute("c", "r", "n", { by: 4, max: 4 }),
        "LimitExceeded",
        "column_limit_exceeded"
      )
      assert.include(over.message, "4")
      assert.strictEqual((yield* db.incrementAttribute("c", "r", "n", { by: 3, max: 4 }))["n"], 4)
      yield* refused(db.decrementAttribute("c", "r", "n", { by: 5, min: 0 }), "LimitExceeded", "column_limit_exceeded")
      assert.strictEqual((yield* db.decrementAttribute("c", "r", "n", { by: 4, min: 0 }))["n"], 0)
      yield* refused(
        db.incrementAttribute("c", "r", "f", { by: 1, max: 0.5 }),
        "LimitExceeded",
        "column_limit_exceeded"
      )
      assert.strictEqual(yield* stored(db, "f"), 0.5)
    })
  )

  promise("the attribute's own bounds are not asked; the next update of that document is", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      assert.strictEqual((yield* db.incrementAttribute("c", "r", "lim", { by: 6 }))["lim"], 11)
      yield* refused(db.updateDocument("c", "r", { s: "y" }), "InvalidDocument", "row_invalid_structure")
      assert.strictEqual((yield* db.decrementAttribute("c", "r", "lim", { by: 16 }))["lim"], -5)
    })
  )

  promise("by is above 0", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const by of [0, -2, -0.5, 0n, -1n, Number.NaN]) {
        for (const run of [db.incrementAttribute, db.decrementAttribute]) {
          yield* refused(run("c", "r", "f", { by }), "InvalidArgument", "general_argument_invalid")
          yield* refused(run("c", "r", "n", { by }), "InvalidArgument", "general_argument_invalid")
        }
      }
      assert.deepStrictEqual([yield* stored(db, "f"), yield* stored(db, "n")], [0.5, 1])
    })
  )

  promise("null counts as 0, and the sum is stored (the server answers it and keeps null)", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.createDocument("c", { $id: "nulls", s: "nulls" })
      for (const [key, by] of [
        ["n", 3],
        ["g", 2n ** 60n],
        ["f", 0.25]
      ] as const) {
        assert.strictEqual((yield* db.incrementAttribute("c", "nulls", key, { by }))[key], by)
        assert.strictEqual(yield* stored(db, key, "nulls"), by)
      }
      assert.strictEqual((yield* db.incrementAttribute("c", "nulls", "dv"))["dv"], 6)
      yield* refused(
        db.incrementAttribute("c", "nulls", "lim", { by: 3, max: 1 }),
        "LimitExceeded",
        "column_limit_exceeded"
      )
      yield* refused(
        db.decrementAttribute("c", "nulls", "lim", { by: 3, min: 0 }),
        "LimitExceeded",
        "column_limit_exceeded"
      )
      assert.isNull(yield* stored(db, "lim", "nulls"))
      assert.strictEqual((yield* db.decrementAttribute("c", "nulls", "lim", { by: 3 }))["lim"], -3)
    })
  )

  promise("a fraction is refused on whole numbers (the server rounds what it stores), and added to floats", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const key of ["n", "small", "g"]) {
        for (const run of [db.incrementAttribute, db.decrementAttribute]) {
          yield* refused(run("c", "r", key, { by: 1.5 }), "InvalidArgument", "general_argument_invalid")
        }
      }
      assert.strictEqual((yield* db.incrementAttribute("c", "r", "f", { by: 0.25 }))["f"], 0.75)
      assert.strictEqual((yield* db.decrementAttribute("c", "r", "f", { by: 1 }))["f"], -0.25)
      assert.strictEqual((yield* db.incrementAttribute("c", "r", "f", { by: 2n }))["f"], 1.75)
    })
  )

  promise("a float takes sums of any size that it can hold, and refuses the others", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.updateDocument("c", "r", { f: 1e300 })
      assert.strictEqual((yield* db.incrementAttribute("c", "r", "f", { by: 1e300 }))["f"], 2e300)
      assert.strictEqual(yield* stored(db, "f"), 2e300)
      yield* db.updateDocument("c", "r", { f: Number.MAX_VALUE })
      yield* refused(
        db.incrementAttribute("c", "r", "f", { by: Number.MAX_VALUE }),
        "LimitExceeded",
        "column_limit_exceeded"
      )
      assert.strictEqual(yield* stored(db, "f"), Number.MAX_VALUE)
    })
  )

  promise("what holds no number is refused, and so is what is not there", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const key of ["s", "arr", "b", "d"]) {
        yield* refused(db.incrementAttribute("c", "r", key), "InvalidArgument", "attribute_type_invalid")
        yield* refused(db.decrementAttribute("c", "r", key), "InvalidArgument", "attribute_type_invalid")
      }
      const attribute = yield* refused(db.incrementAttribute("c", "r", "zz"), "NotFound", "column_not_found")
      assert.deepStrictEqual([attribute.resource, attribute.id], ["attribute", "zz"])
      const document = yield* refused(db.decrementAttribute("c", "nope", "n"), "NotFound", "column_not_found")
      assert.deepStrictEqual([document.resource, document.id], ["document", "nope"])
      yield* refused(db.incrementAttribute("c", "r", "$sequence"), "InvalidArgument", "general_argument_invalid")
    })
  )

  promise("a sum beyond the width of 32 or 64 bits is refused, whatever bound the call gives", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.incrementAttribute("c", "r", "small")
      for (const max of [null, 1e12]) {
        yield* refused(db.incrementAttribute("c", "r", "small", { max }), "LimitExceeded", "column_limit_exceeded")
      }
      yield* db.updateDocument("c", "r", { small: -2_147_483_648, g: greatest64, n: -(2n ** 63n) })
      for (const min of [null, -1e12]) {
        yield* refused(db.decrementAttribute("c", "r", "small", { min }), "LimitExceeded", "column_limit_exceeded")
      }
      for (const max of [null, 2n ** 70n]) {
        yield* refused(db.incrementAttribute("c", "r", "g", { max }), "LimitExceeded", "column_limit_exceeded")
      }
      for (const min of [null, -(2n ** 70n)]) {
        yield* refused(db.decrementAttribute("c", "r", "n", { min }), "LimitExceeded", "column_limit_exceeded")
      }
      const now = yield* db.getDocument("c", "r")
      assert.deepStrictEqual([now["small"], now["g"], now["n"]], [-2_147_483_648, greatest64, -(2n ** 63n)])
    })
  )

  promise("a bigint is added to the last digit", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      assert.strictEqual((yield* db.incrementAttribute("c", "r", "g", { by: 11 }))["g"], 9_007_199_254_741_001n)
      assert.strictEqual(
        (yield* db.incrementAttribute("c", "r", "g", { by: 2n ** 60n + 1n }))["g"],
        2n ** 60n + 9_007_199_254_741_002n
      )
      assert.strictEqual(yield* stored(db, "g"), 2n ** 60n + 9_007_199_254_741_002n)
      const bound = 2n ** 60n + 9_007_199_254_741_002n
      yield* refused(db.incrementAttribute("c", "r", "g", { max: bound }), "LimitExceeded", "column_limit_exceeded")
      assert.strictEqual((yield* db.decrementAttribute("c", "r", "g", { by: 2n ** 60n }))["g"], 9_007_199_254_741_002n)
      // Back where a number holds it, it is a number.
      assert.strictEqual((yield* db.decrementAttribute("c", "r", "g", { by: 9_007_199_254_741_000n }))["g"], 2)
    })
  )

  promise("additions at once all count, and a bound lets through as many as fit", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const at50 = Array.from({ length: 50 }, (_, index) => index)
      yield* Effect.forEach(at50, (by) => db.incrementAttribute("c", "r", "n", { by: by + 1 }), {
        concurrency: "unbounded",
        discard: true
      })
      assert.strictEqual(yield* stored(db, "n"), 1 + (50 * 51) / 2)
      yield* db.updateDocument("c", "r", { n: 0 })
      const outcomes = yield* Effect.forEach(
        at50,
        () => Effect.exit(db.incrementAttribute("c", "r", "n", { max: 7 })),
        {
          concurrency: "unbounded"
        }
      )
      assert.strictEqual(outcomes.filter(Exit.isSuccess).length, 7)
      assert.strictEqual(yield* stored(db, "n"), 7)
    })
  )
}
