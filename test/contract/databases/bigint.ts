/** Whole numbers beyond 2^53: exact in values, defaults, bounds, queries, order, cursors, unique indexes, lists. */
import { assert } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Attribute from "../../../src/Attribute.ts"
import * as DatabaseHash from "../../../src/DatabaseHash.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, type Promised, refused } from "./support.ts"

const big = 9_007_199_254_740_993n
const least = -(2n ** 63n)
const greatest = 2n ** 63n - 1n

const kinds = { bigint: Attribute.bigint, "integer of 64 bits": Attribute.integer } as const

const find = (db: Methods, ...queries: ReadonlyArray<Query.Query>) =>
  Effect.map(db.listDocuments("c", [...queries, Query.limit(500)]), (found) => idsOf(found.documents).join(" "))

export const bigint = (promise: Promised): void => {
  for (const [name, make] of Object.entries(kinds)) {
    for (const indexed of [false, true]) {
      promise(`a ${name} compares to the last digit, ${indexed ? "with" : "without"} an index`, (db) =>
        Effect.gen(function* () {
          yield* db.createCollection("c", {
            attributes: [make("g")],
            indexes: indexed ? [Index.key("g", ["g"])] : []
          })
          yield* db.createDocuments("c", [
            { $id: "a", g: 10 },
            { $id: "b", g: big },
            { $id: "c", g: big - 1n },
            { $id: "d", g: least },
            { $id: "e", g: greatest },
            { $id: "f", g: greatest - 1n },
            { $id: "g" }
          ])
          const cases: ReadonlyArray<readonly [ReadonlyArray<Query.Query>, string]> = [
            [[Query.equal("g", big)], "b"],
            [[Query.equal("g", big - 1n)], "c"],
            [[Query.equal("g", [big, greatest, 10])], "a b e"],
            [[Query.notEqual("g", big)], "a c d e f"],
            [[Query.greaterThan("g", big - 1n)], "b e f"],
            [[Query.greaterThanEqual("g", greatest)], "e"],
            [[Query.lessThan("g", greatest - 1n)], "a b c d"],
            [[Query.lessThanEqual("g", least)], "d"],
            [[Query.between("g", big, greatest - 1n)], "b f"],
            [[Query.notBetween("g", big, greatest - 1n)], "a c d e"],
            [[Query.orderAsc("g")], "g d a c b f e"],
            [[Query.orderDesc("g")], "e f b c a d g"],
            [[Query.orderAsc("g"), Query.cursorAfter("c")], "b f e"],
            [[Query.orderDesc("g"), Query.cursorAfter("f")], "b c a d"],
            [[Query.orderAsc("g"), Query.cursorBefore("e"), Query.limit(2)], "b f"]
          ]
          for (const [queries, expected] of cases) {
            const { documents } = yield* db.listDocuments("c", queries)
            assert.strictEqual(idsOf(documents).join(" "), expected, queries.map(({ _tag }) => _tag).join())
          }
        })
      )
    }
  }

  promise("a value beyond 64 bits can't be asked for", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.bigint("g"), Attribute.integer("i")] })
      for (const key of ["g", "i"]) {
        for (const value of [greatest + 1n, least - 1n, "5", 1.5]) {
          yield* refused(db.listDocuments("c", [Query.equal(key, value)]), "InvalidQuery", "general_query_invalid")
        }
      }
    })
  )

  promise("defaults and bounds are kept to the last digit, and hold", (db) =>
    Effect.gen(function* () {
      const attributes = [
        Attribute.bigint("d", { default: greatest }),
        Attribute.bigint("g", { min: -big, max: big }),
        Attribute.integer("i", { min: -5, max: big, default: big }),
        Attribute.integer("n")
      ]
      const created = yield* db.createCollection("c", { attributes })
      assert.deepStrictEqual(created.attributes, attributes)
      assert.deepStrictEqual((yield* db.getCollection("c")).attributes, attributes)
      const first = yield* db.createDocument("c", { $id: "a", n: 1 })
      assert.deepStrictEqual([first["d"], first["i"]], [greatest, big])
      assert.strictEqual((yield* db.createDocument("c", { $id: "b", g: big }))["g"], big)
      for (const values of [{ g: big + 1n }, { g: -big - 1n }, { i: big + 1n }, { i: -6 }]) {
        yield* refused(db.createDocument("c", { $id: "z", ...values }), "InvalidDocument", "row_invalid_structure")
      }
      const wider = Attribute.bigint("g", { min: -big, max: big + 1n })
      assert.deepStrictEqual(yield* db.updateAttribute("c", wider), wider)
      assert.strictEqual((yield* db.updateDocument("c", "b", { g: big + 1n }))["g"], big + 1n)
    })
  )

  promise("a unique index tells numbers apart that a double does not", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.bigint("g")], indexes: [Index.unique("u", ["g"])] })
      yield* db.createDocuments("c", [
        { $id: "a", g: big },
        { $id: "b", g: big - 1n },
        { $id: "c", g: big + 1n }
      ])
      const reason = yield* refused(
        db.createDocument("c", { $id: "d", g: String(big) }),
        "UniqueConflict",
        "row_already_exists"
      )
      assert.strictEqual(reason.index, "u")
      yield* refused(db.updateDocument("c", "b", { g: big + 1n }), "UniqueConflict", "row_already_exists")
    })
  )

  promise("lists hold them exactly, and are looked into exactly", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.bigint("g", { array: true }), Attribute.integer("i", { array: true })]
      })
      const created = yield* db.createDocument("c", { $id: "a", g: [big, 1, least], i: [greatest, -1] })
      assert.deepStrictEqual(
        [created["g"], created["i"]],
        [
          [big, 1, least],
          [greatest, -1]
        ]
      )
      assert.deepStrictEqual(yield* db.getDocument("c", "a"), created)
      assert.strictEqual(yield* find(db, Query.contains("g", big)), "a")
      assert.strictEqual(yield* find(db, Query.contains("g", big - 1n)), "")
      assert.strictEqual(yield* find(db, Query.containsAll("i", [greatest, -1])), "a")
    })
  )

  promise("an update to the same number is no change, to the next one it is; a restore brings it back", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.bigint("g")] })
      const created = yield* db.createDocument("c", { $id: "a", g: big })
      assert.deepStrictEqual(yield* db.updateDocument("c", "a", { g: big }), created)
      const changed = yield* db.updateDocument("c", "a", { g: big - 1n })
      assert.strictEqual(changed["g"], big - 1n)
      const expected = DatabaseHash.document(changed)
      assert.deepStrictEqual(yield* db.restoreDocuments("c", [{ id: "a", expected, document: created }]), {
        conflicts: []
      })
      assert.deepStrictEqual(yield* db.getDocument("c", "a"), created)
    })
  )

  promise("any whole number of 64 bits comes back as it was given, and is found by itself", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.bigint("g"), Attribute.bigint("list", { array: true })]
      })
      let run = 0
      const any = Arbitrary.schema(Schema.BigInt).pipe(Arbitrary.map((value) => BigInt.asIntN(64, value)))
      const wide = Arbitrary.all([any, any]).pipe(
        Arbitrary.map(([left, right]) => BigInt.asIntN(64, left * (2n ** 31n + 1n) * (right * 2n + 1n)))
      )
      const result = yield* Arbitrary.checkEffect(
        wide,
        (value) =>
          Effect.gen(function* () {
            const $id = `r${run++}`
            yield* db.createDocument("c", { $id, g: value, list: [value] })
            const read = yield* db.getDocument("c", $id)
            const normal = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
            assert.deepStrictEqual([read["g"], read["list"]], [normal, [normal]])
            assert.include((yield* find(db, Query.equal("g", [value, 77n]))).split(" "), $id)
            assert.include((yield* find(db, Query.contains("list", normal))).split(" "), $id)
            return true
          }),
        { runs: 150 }
      )
      const failure = Arbitrary.formatCheckFailure(result)
      if (failure !== undefined) assert.fail(failure)
    })
  )
}
