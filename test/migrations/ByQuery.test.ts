/** Changes by query inside a run: refused as outside, told in the report, and with others who write meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import * as Migrator from "../../src/Migrator.ts"
import type { Changes } from "../../src/Operation.ts"
import * as Query from "../../src/Query.ts"
import { nextMillisecond, withoutSequence } from "../contract/databases/support.ts"
import { assertNothingOpen, broken, exactHash, failWith, migration, prepare, targets } from "../support/Migrating.ts"

const count = 250
const setup = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", { attributes: [Attribute.integer("n"), Attribute.text("s")] })
  for (let from = 0; from < count; from += 50) {
    yield* db.createDocuments(
      "c",
      Array.from({ length: 50 }, (_, index) => ({ $id: `d${from + index}`, n: from + index }))
    )
  }
})

const all = Query.isNotNull("$id")
const nobody = Query.equal("n", -1)
/** What a change by query gets, and is refused for. */
const refusals: ReadonlyArray<readonly [title: string, queries: ReadonlyArray<Query.Query>, changes: Changes]> = [
  ["an attribute that is not there", [Query.equal("zz", 1)], { n: 1 }],
  ["an order by what is not there", [all, Query.orderAsc("zz")], { n: 1 }],
  ["a limit of 0", [all, Query.limit(0)], { n: 1 }],
  ["a cursor", [all, Query.cursorAfter("d1")], { n: 1 }],
  ["a search without an index", [Query.search("s", "x")], { n: 1 }],
  ["values that do not fit", [all], { n: "x" }],
  ["nothing to change", [all], {}],
  ["values that do not fit, though nobody matches", [nobody], { zz: 1 }],
  ["nothing to change, though nobody matches", [nobody], {}]
]
const deletions: ReadonlyArray<readonly [title: string, queries: ReadonlyArray<Query.Query>]> = [
  ["no query", []],
  ["an attribute that is not there", [Query.equal("zz", 1)]],
  ["a cursor", [all, Query.cursorBefore("d9")]]
]

const described = (effect: Effect.Effect<unknown, DatabasesError>) =>
  Effect.map(Effect.result(effect), (result) =>
    result._tag === "Success" ? "it succeeded" : [result.failure.reason._tag, result.failure.message]
  )

for (const [name, target] of targets) {
  describe(`changes by query, on ${name}`, () => {
    const test = (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
      it.live(title, () => Effect.provide(Effect.andThen(prepare(setup), body), target))

    for (const [title, refused] of [
      ...refusals.map(
        ([what, queries, changes]) =>
          [`an update for ${what}`, (db: Methods) => db.updateDocuments("c", queries, changes)] as const
      ),
      ...deletions.map(
        ([what, queries]) => [`a deletion for ${what}`, (db: Methods) => db.deleteDocuments("c", queries)] as const
      )
    ]) {
      test(
        `refuse ${title} in the same words as outside, and change nothing`,
        Effect.gen(function* () {
          const before = yield* exactHash
          const outside = yield* described(refused(yield* Databases))
          assert.notStrictEqual(outside, "it succeeded")
          yield* Migrator.execute(
            migration("m", (db) =>
              Effect.map(described(refused(db)), (inside) => assert.deepStrictEqual(inside, outside))
            )
          )
          assert.strictEqual(yield* exactHash, before)
        })
      )
    }

    test(
      "take as many queries as outside",
      Effect.gen(function* () {
        const queries = [
          ...Array.from({ length: 98 }, () => Query.isNotNull("n")),
          Query.orderAsc("n"),
          Query.offset(200)
        ]
        const { changes } = yield* Migrator.execute(
          migration("m", (db) =>
            Effect.andThen(
              db.updateDocuments(
                "c",
                Array.from({ length: 100 }, () => Query.isNotNull("n")),
                { s: "x" }
              ),
              db.updateDocuments("c", queries, { s: "y" })
            )
          )
        )
        assert.deepStrictEqual(changes, ["updated 300 documents in c"])
      })
    )

    test(
      "are told by how many documents they were about",
      Effect.gen(function* () {
        const { changes } = yield* Migrator.execute(
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.updateDocuments("c", [], { s: "x" })
              yield* db.updateDocuments("c", [nobody], { s: "x" })
              yield* db.deleteDocuments("c", [Query.lessThan("n", 120)])
              yield* db.upsertDocuments("c", [
                { $id: "d1", n: 1 },
                { $id: "d200", n: 1 }
              ])
              yield* db.upsertDocument("c", { $id: "d2", n: 1 })
              yield* db.incrementAttribute("c", "d2", "n")
              yield* db.decrementAttribute("c", "d2", "n")
            })
          )
        )
        assert.deepStrictEqual(changes, [
          "updated 250 documents in c",
          "deleted 120 documents in c",
          "wrote 3 documents in c",
          "counted in 2 documents in c"
        ])
      })
    )

    test(
      "what others changed meanwhile is left alone and named; the others come back, in each batch",
      Effect.gen(function* () {
        const live = yield* Databases
        const before = (yield* live.listDocuments("c", [Query.limit(count)])).documents
        const error = yield* failWith(
          "RollbackIncomplete",
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.updateDocuments("c", [Query.lessThan("n", 240)], { s: "ours" })
              yield* db.deleteDocuments("c", [Query.greaterThanEqual("n", 240)])
              yield* db.upsertDocuments("c", [
                { $id: "d5", s: "upserted" },
                { $id: "made", s: "upserted" }
              ])
              yield* nextMillisecond
              yield* live.updateDocument("c", "d3", { s: "theirs" })
              yield* live.deleteDocument("c", "d150")
              yield* live.updateDocument("c", "made", { s: "theirs" })
              yield* live.createDocument("c", { $id: "d245", s: "theirs" })
              return yield* broken
            })
          )
        )
        const theirs = ["d150", "d245", "d3", "made"]
        assert.deepStrictEqual(
          error.conflicts.toSorted(),
          theirs.map((id) => `main/c/${id}`)
        )
        assert.deepStrictEqual(error.remaining, [])
        const after = new Map(
          (yield* live.listDocuments("c", [Query.limit(count + 2)])).documents.map((one) => [one.$id, one])
        )
        assert.deepStrictEqual([after.size, after.has("d150")], [count, false])
        for (const id of ["d3", "d245", "made"]) assert.strictEqual(after.get(id)?.["s"], "theirs")
        for (const document of before) {
          // What was deleted comes back under another `$sequence`, which nobody can set.
          if (!theirs.includes(document.$id)) {
            assert.deepStrictEqual(withoutSequence(after.get(document.$id)!), withoutSequence(document))
          }
        }
        yield* assertNothingOpen
      })
    )
  })
}
