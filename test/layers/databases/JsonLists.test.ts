/** Lists that SQLite writes as JSON say what the same lists say as documents. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Attribute from "../../../src/Attribute.ts"
import { Caller, guest } from "../../../src/Caller.ts"
import { Databases } from "../../../src/Databases.ts"
import * as ExactJson from "../../../src/internal/ExactJson.ts"
import * as Embedded from "../../../src/layers/databases/Embedded.ts"
import { JsonLists } from "../../../src/layers/vendors/JsonLists.ts"
import * as Query from "../../../src/Query.ts"
import { anyString, tellingString } from "../../support/Strings.ts"

const place = { $databaseId: "main", $tableId: `it's "c"` }

/** A list as JSON, parsed, and the same list as documents. */
const both = Effect.fnUntraced(function* (
  collection: string,
  queries: ReadonlyArray<Query.Query> = [],
  options?: { readonly total: boolean }
) {
  const db = yield* Databases
  const lists = yield* JsonLists
  const total = options?.total ?? true
  const bytes = yield* lists.list(
    { _tag: "ListDocuments", database: "main", collection, queries, total },
    { name: "rows", constants: place }
  )
  const text = new TextDecoder("utf8", { fatal: true }).decode(bytes)
  const { documents, total: count } = yield* db.listDocuments(collection, queries, { total })
  const rows = documents.map((document) => ({ ...document, ...place }))
  // Through JSON as well: a double of 2^60 and a whole number of 2^60 are one text.
  const listed = ExactJson.parse(ExactJson.stringify({ total: count, rows }))
  return { text, written: ExactJson.parse(text), listed, ids: documents.map(({ $id }) => $id) }
})
const same = (...parameters: Parameters<typeof both>) =>
  Effect.map(both(...parameters), ({ listed, written }) => assert.deepStrictEqual(written, listed))

const create = Effect.flatMap(Databases, (db) =>
  db.createCollection("c", {
    permissions: [`read("users")`],
    documentSecurity: true,
    attributes: [
      Attribute.string("text", { size: 64 }),
      Attribute.float("float"),
      Attribute.integer("integer", { bits: 64 }),
      Attribute.bigint("big"),
      Attribute.boolean("boolean"),
      Attribute.datetime("date"),
      Attribute.string("texts", { size: 64, array: true }),
      Attribute.float("floats", { array: true }),
      Attribute.boolean("booleans", { array: true }),
      Attribute.string(`its.a-key`, { size: 9 })
    ]
  })
)

const extremes = [
  0,
  0.1,
  0.1 + 0.2,
  1 / 3,
  6 / 7,
  1e15,
  1e15 + 2,
  1e-4,
  9.9e-5,
  1e21,
  1e22,
  5e-324,
  2.2250738585072014e-308,
  Number.MAX_VALUE,
  Number.MAX_SAFE_INTEGER,
  999999999999999.9,
  123456789012345.6,
  0.30000000000000004
]
const float = Arbitrary.schema(Schema.Finite)
const row = Arbitrary.all({
  text: anyString,
  float,
  integer: Arbitrary.schema(Schema.Int),
  boolean: Arbitrary.schema(Schema.Boolean),
  texts: Arbitrary.array(tellingString, { maxLength: 3 }),
  floats: Arbitrary.array(float, { maxLength: 3 })
})

describe("JsonLists", () => {
  it.effect("whatever the values are", () =>
    Effect.gen(function* () {
      yield* create
      const db = yield* Databases
      let batch = 0
      const result = yield* Arbitrary.checkEffect(
        Arbitrary.array(row, { minLength: 1, maxLength: 20 }),
        Effect.fnUntraced(function* (rows) {
          batch++
          yield* db.createDocuments(
            "c",
            rows.map((values, index) => ({ $id: `${batch}-${index}`, ...values }))
          )
          yield* same("c", [Query.orderDesc("$sequence"), Query.limit(rows.length)])
          return true
        }),
        { runs: 100 }
      )
      const failure = Arbitrary.formatCheckFailure(result)
      if (failure !== undefined) assert.fail(failure)
    }).pipe(Effect.provide(Embedded.memory))
  )

  it.effect("doubles read back the same, at all magnitudes", () =>
    Effect.gen(function* () {
      yield* create
      const db = yield* Databases
      const all = [...extremes, ...extremes.map((value) => -value)].flatMap((value) => [value, value / 10, value * 7])
      const finite = all.filter(Number.isFinite)
      for (let from = 0; from < finite.length; from += 100) {
        const some = finite.slice(from, from + 100)
        yield* db.createDocuments(
          "c",
          some.map((value, index) => ({ $id: `f${from + index}`, float: value }))
        )
      }
      yield* same("c", [Query.limit(1000)])
      const { text } = yield* both("c", [Query.equal("$id", ["f0", "f3"]), Query.select(["float"])])
      assert.include(text, `"float":0,`)
      assert.include(text, `"float":0.1,`)
    }).pipe(Effect.provide(Embedded.memory))
  )

  it.effect("nulls, whole numbers beyond 2^53, empty lists, selections, orders, cursors, offsets and counts", () =>
    Effect.gen(function* () {
      yield* create
      const db = yield* Databases
      yield* same("c")
      yield* db.createDocuments("c", [
        { $id: "a", text: null },
        { $id: "b", big: 2n ** 63n - 1n, integer: -(2n ** 63n), $permissions: [`read("any")`, `update("user:x")`] },
        { $id: "c", text: 'a "quoted"\\\n\u0000\u2028 one', booleans: [true, false], date: "2026-02-03T04:05:06.789Z" },
        { $id: "d", text: "é", floats: [1.5, 1e300, -0.1], texts: ["ü", '"'], "its.a-key": "'" }
      ])
      for (const queries of [
        [],
        [Query.select(["text", "big"])],
        [Query.select(["*"])],
        [Query.orderDesc("text"), Query.limit(2)],
        [Query.cursorAfter("b")],
        [Query.cursorBefore("c")],
        [Query.cursorBefore("d"), Query.limit(2)],
        [Query.cursorBefore("a")],
        [Query.offset(3)],
        [Query.offset(9)],
        [Query.isNotNull("text"), Query.limit(1)]
      ]) {
        yield* same("c", queries)
        yield* same("c", queries, { total: false })
      }
      const asGuest = yield* both("c").pipe(Effect.provideService(Caller, guest))
      assert.deepStrictEqual(asGuest.written, asGuest.listed)
      assert.deepStrictEqual(asGuest.ids, ["b"])
    }).pipe(Effect.provide(Embedded.memory))
  )

  it.effect("more attributes than one function of SQLite takes arguments", () =>
    Effect.gen(function* () {
      const db = yield* Databases
      const keys = Array.from({ length: 180 }, (_, index) => `key${index}`)
      yield* db.createCollection("wide", { attributes: keys.map((key) => Attribute.integer(key)) })
      yield* db.createDocument("wide", Object.fromEntries(keys.map((key, index) => [key, index])))
      yield* same("wide")
    }).pipe(Effect.provide(Embedded.memory))
  )

  it.effect("the same refusals", () =>
    Effect.gen(function* () {
      yield* create
      for (const queries of [[Query.select(["nothing"])], [Query.limit(0)], [Query.cursorAfter("nobody")]]) {
        const lists = yield* JsonLists
        const db = yield* Databases
        const shape = { name: "rows", constants: place }
        const operation = { _tag: "ListDocuments", database: "main", collection: "c", queries, total: true } as const
        const one = yield* Effect.flip(lists.list(operation, shape))
        assert.deepStrictEqual(one.message, (yield* Effect.flip(db.listDocuments("c", queries))).message)
      }
    }).pipe(Effect.provide(Embedded.memory))
  )
})
