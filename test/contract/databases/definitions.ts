/** Definitions of attributes: how they are listed and named, and which are refused. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import { invalidIds, longestId, type Promised, refused } from "./support.ts"

/** A definition that is refused, and under which name. */
const wrong: ReadonlyArray<readonly [string, Attribute.Attribute, string]> = [
  ["a size of 0", Attribute.string("k", { size: 0 }), "general_argument_invalid"],
  ["a size over 1,073,741,824", Attribute.string("k", { size: 1_073_741_825 }), "general_argument_invalid"],
  [
    "a required string with a default",
    Attribute.string("k", { size: 5, required: true, default: "x" }),
    "column_default_unsupported"
  ],
  [
    "an array with a default",
    Attribute.string("k", { size: 5, array: true, default: "x" }),
    "column_default_unsupported"
  ],
  ["a default longer than the size", Attribute.string("k", { size: 2, default: "xyz" }), "column_value_invalid"],
  ["an integer whose min is over its max", Attribute.integer("k", { min: 5, max: 1 }), "column_value_invalid"],
  ["a default out of bounds", Attribute.integer("k", { min: 1, max: 5, default: 9 }), "column_value_invalid"],
  ["an integer with a fraction as default", Attribute.integer("k", { default: 1.5 }), "general_argument_invalid"],
  ["a float whose min is over its max", Attribute.float("k", { min: 2, max: 1 }), "column_value_invalid"],
  ["a float's default out of bounds", Attribute.float("k", { max: 1, default: 2 }), "column_value_invalid"],
  ["a default that is no date", Attribute.datetime("k", { default: "notadate" }), "general_argument_invalid"],
  ["an empty element", Attribute.enumeration("k", { elements: ["a", ""] }), "general_argument_invalid"],
  [
    "101 elements",
    Attribute.enumeration("k", { elements: Array.from({ length: 101 }, (_, index) => `e${index}`) }),
    "general_argument_invalid"
  ],
  ["a varchar of 16,382", Attribute.varchar("k", { size: 16_382 }), "general_argument_invalid"],
  ["a varchar of 0", Attribute.varchar("k", { size: 0 }), "general_argument_invalid"],
  ["a default that is no address", Attribute.email("k", { default: "notmail" }), "general_argument_invalid"],
  ["a default that is no URL", Attribute.url("k", { default: "not a url" }), "general_argument_invalid"],
  ["a default that is no IP address", Attribute.ip("k", { default: "999.1.1.1" }), "general_argument_invalid"],
  [
    "a required text with a default",
    Attribute.text("k", { required: true, default: "x" }),
    "column_default_unsupported"
  ],
  ["a list of texts with a default", Attribute.text("k", { array: true, default: "x" }), "column_default_unsupported"],
  ["a bigint whose min is over its max", Attribute.bigint("k", { min: 2n ** 60n, max: 1 }), "column_value_invalid"],
  [
    "a bigint's default out of bounds",
    Attribute.bigint("k", { max: 2n ** 60n, default: 2n ** 60n + 1n }),
    "column_value_invalid"
  ],
  [
    "a default that is no element",
    Attribute.enumeration("k", { elements: ["a"], default: "z" }),
    "column_value_invalid"
  ]
]

export const definitions = (promise: Promised): void => {
  promise("attributes are listed in order of creation, those added later at the end, however many there are", (db) =>
    Effect.gen(function* () {
      const first = Array.from({ length: 30 }, (_, index) => Attribute.boolean(`b${(index * 7) % 30}`))
      yield* db.createCollection("c", { attributes: first })
      const added = yield* db.createAttribute("c", Attribute.string("a", { size: 5, default: "x" }))
      assert.deepStrictEqual(added, Attribute.string("a", { size: 5, default: "x" }))
      assert.deepStrictEqual(yield* db.listAttributes("c"), [...first, added])
      assert.deepStrictEqual((yield* db.getCollection("c")).attributes, [...first, added])
    })
  )

  promise("keys of attributes compare without case, are up to 36 characters, and start with a letter or digit", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.boolean("Flag")] })
      for (const key of ["Flag", "flag"]) {
        const reason = yield* refused(
          db.createAttribute("c", Attribute.integer(key)),
          "AlreadyExists",
          "column_already_exists"
        )
        assert.strictEqual(reason.resource, "attribute")
      }
      for (const key of [...invalidIds, "$id"]) {
        yield* refused(db.createAttribute("c", Attribute.boolean(key)), "InvalidArgument", "general_argument_invalid")
      }
      yield* db.createAttribute("c", Attribute.boolean(longestId))
      yield* db.createAttribute("c", Attribute.boolean("0.a-_"))
      assert.deepStrictEqual(
        (yield* db.listAttributes("c")).map((attribute) => attribute.key),
        ["Flag", longestId, "0.a-_"]
      )
    })
  )

  for (const [what, attribute, type] of wrong) {
    promise(`a definition is refused for ${what}`, (db) =>
      Effect.gen(function* () {
        yield* db.createCollection("c")
        yield* refused(db.createAttribute("c", attribute), "InvalidArgument", type)
        assert.deepStrictEqual(yield* db.listAttributes("c"), [])
      })
    )
  }

  promise("attributes wider together than a row of the server are refused", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.string("a", { size: 15_500 })] })
      yield* refused(
        db.createAttribute("c", Attribute.string("b", { size: 700 })),
        "LimitExceeded",
        "column_limit_exceeded"
      )
      // Texts beyond 16,381 characters are kept apart from the row.
      yield* db.createAttribute("c", Attribute.string("b", { size: 20_000 }))
      assert.deepStrictEqual(
        (yield* db.listAttributes("c")).map((attribute) => attribute.key),
        ["a", "b"]
      )
    })
  )
}
