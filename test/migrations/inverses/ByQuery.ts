/** Cases of upserts, and of changes and deletions by query. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import { batchLimit, type ResultOf } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { type Cases, countOf, is, rows, valuesOf } from "../../support/inverses/Base.ts"

const big = 2n ** 62n

/** A collection of so many documents: more than one batch. */
const many = (count: number) =>
  Effect.fnUntraced(function* (db: Methods) {
    yield* db.createCollection("many", {
      documentSecurity: true,
      attributes: [
        Attribute.integer("n"),
        Attribute.string("s", { size: 30, default: "s" }),
        Attribute.bigint("big"),
        Attribute.text("words"),
        Attribute.integer("list", { array: true })
      ],
      indexes: [
        Index.unique("once", ["s", "big"]),
        Index.key("by-words", ["words"], { lengths: [12] }),
        Index.fulltext("search", ["words"])
      ]
    })
    for (let from = 0; from < count; from += batchLimit) {
      yield* db.createDocuments(
        "many",
        Array.from({ length: Math.min(batchLimit, count - from) }, (_, index) => {
          const n = from + index
          return {
            $id: `m${n}`,
            n,
            s: `s${n}`,
            big: big + BigInt(n),
            words: n % 2 === 0 ? `even turtle ${n}` : `odd hare ${n}`,
            list: [n, n + 1],
            $permissions: n % 3 === 0 ? [`read("user:u${n}")`] : [],
            $createdAt: "2001-02-03T04:05:06.789Z"
          }
        })
      )
    }
  })
const counted =
  (...queries: ReadonlyArray<Query.Query>) =>
  (db: Methods) =>
    Effect.map(db.listDocuments("many", queries), ({ total }) => total)

/** The answer speaks of so many documents, and holds the first hundred of them. */
const answers = (total: number) => (answer: ResultOf<"UpdateDocuments">) =>
  Effect.sync(() => {
    assert.strictEqual(answer.total, total)
    assert.lengthOf(answer.documents, Math.min(total, 100))
  })

export const byQuery = {
  UpsertDocument: [
    {
      title: "that creates, with permissions and dates",
      operation: (db) =>
        db.upsertDocument("c", { $id: "new", text: "new", $permissions: ['read("any")'], $createdAt: "2001-01-01" }),
      check: is(valuesOf("count"), { d1: 10, d2: 20, d3: 30, d4: 40, new: 7 })
    },
    {
      title: "that merges: values, null, permissions and dates, by an id in other case",
      operation: (db) =>
        db.upsertDocument("c", {
          $id: "D1",
          text: "x",
          at: null,
          $permissions: [],
          $createdAt: "2001-01-01",
          $updatedAt: "2002-02-02"
        }),
      check: is(
        (db) =>
          Effect.map(db.getDocument("c", "d1"), (one) => [one["text"], one["at"], one["count"], one.$permissions]),
        ["x", null, 10, []]
      )
    },
    {
      title: "that creates and then merges, and of a unique value that another gave up",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.upsertDocument("c", { $id: "new", text: "between" })
          yield* db.upsertDocument("c", { $id: "d1", text: "one" })
          yield* db.upsertDocument("c", { $id: "NEW", text: rows[0]!.text, count: 5 })
        }),
      check: is(valuesOf("count"), { d1: 10, d2: 20, d3: 30, d4: 40, new: 5 })
    },
    {
      title: "beside a deleted attribute that was required",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("c", "text")
          const merged = yield* db.upsertDocument("c", { $id: "d1", count: 11 })
          assert.deepStrictEqual(
            Object.keys(merged).filter((key) => key.startsWith("zz_")),
            []
          )
          yield* db.upsertDocument("c", { $id: "new", count: 12 })
        }),
      check: is(valuesOf("count"), { d1: 11, d2: 20, d3: 30, d4: 40, new: 12 })
    }
  ],
  UpsertDocuments: [
    {
      title: "some that create and some that merge, 100 of them",
      operation: (db) =>
        db.upsertDocuments("c", [
          { $id: "D2", text: "two", list: ["l"] },
          ...Array.from({ length: 98 }, (_, n) => ({ $id: `new${n}`, text: `new ${n}`, count: n, word: `w${n}` })),
          { $id: "d1", text: rows[0]!.text, count: 500, $permissions: ['read("users")'] }
        ]),
      check: is(countOf("c"), 102)
    },
    {
      title: "unique values that one gives up and the next takes, and documents written before and after",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.updateDocument("c", "d3", { count: 31 })
          yield* db.upsertDocuments("c", [
            { $id: "d1", text: "one" },
            { $id: "d2", text: rows[0]!.text },
            { $id: "d3", text: rows[1]!.text },
            { $id: "d9", text: rows[2]!.text }
          ])
          yield* db.deleteDocument("c", "d2")
        }),
      check: is(valuesOf("count"), { d1: 10, d3: 31, d4: 40, d9: 7 })
    },
    {
      title: "that are refused as a whole leave nothing, and the migration goes on",
      operation: (db) =>
        Effect.gen(function* () {
          const error = yield* Effect.orDie(
            Effect.flip(
              db.upsertDocuments("c", [
                { $id: "d9", text: "nine" },
                { $id: "d8", text: rows[0]!.text }
              ])
            )
          )
          assert.strictEqual(error.reason._tag, "UniqueConflict")
          yield* db.upsertDocuments("c", [{ $id: "d8", text: "eight" }])
        }),
      check: is(countOf("c"), 5)
    },
    {
      title: "beside a deleted attribute",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("c", "word")
          const [one] = yield* db.upsertDocuments("c", [
            { $id: "d1", text: "one", count: 1 },
            { $id: "d9", text: "nine", count: 9 }
          ])
          assert.deepStrictEqual(
            Object.keys(one!).filter((key) => key.startsWith("zz_")),
            []
          )
        }),
      check: is(valuesOf("count"), { d1: 1, d2: 20, d3: 30, d4: 40, d9: 9 })
    }
  ],
  UpdateDocuments: [
    {
      title: "of all, in several batches",
      setup: many(250),
      operation: (db) =>
        Effect.flatMap(
          db.updateDocuments("many", [], { n: -1, list: [], words: "new words", $permissions: ['read("any")'] }),
          answers(250)
        ),
      check: is(counted(Query.equal("n", -1), Query.search("words", "new")), 250)
    },
    {
      title: "of more than a page, by a filter that the change itself makes false",
      setup: many(1100),
      operation: (db) =>
        Effect.flatMap(
          db.updateDocuments("many", [Query.greaterThanEqual("n", 5), Query.isNotNull("s")], { n: 0, s: null }),
          answers(1095)
        ),
      check: is(counted(Query.isNull("s")), 1095)
    },
    {
      title: "by order, limit and offset, more than a batch",
      setup: many(250),
      operation: (db) =>
        Effect.gen(function* () {
          const queries = [Query.orderDesc("n"), Query.limit(120), Query.offset(30), Query.greaterThan("n", 9)]
          const answer = yield* db.updateDocuments("many", queries, { n: 1000, $updatedAt: "2002-02-02" })
          yield* answers(120)(answer)
          assert.strictEqual(answer.documents[0]?.$id, "m219")
        }),
      check: is(counted(Query.equal("n", 1000)), 120)
    },
    {
      title: "by an offset alone, past the 25 of a list",
      setup: many(130),
      operation: (db) => Effect.flatMap(db.updateDocuments("many", [Query.offset(3)], { n: -7 }), answers(127)),
      check: is(counted(Query.equal("n", -7)), 127)
    },
    {
      title: "by a search, and by one that finds the words that the change before wrote",
      setup: many(250),
      operation: (db) =>
        Effect.gen(function* () {
          yield* Effect.flatMap(
            db.updateDocuments("many", [Query.search("words", "turtle")], { words: "Schildkröte" }),
            answers(125)
          )
          yield* db.updateDocuments("many", [Query.search("words", "schildkrote"), Query.lessThan("n", 100)], {
            words: "soup"
          })
        }),
      check: is(counted(Query.search("words", "soup")), 50)
    },
    {
      title: "twice over the same documents, with one deleted, one made and one changed in between",
      setup: many(130),
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.updateDocuments("many", [Query.isNotNull("n")], { n: 1 })
          yield* db.deleteDocument("many", "m7")
          yield* db.createDocument("many", { $id: "M7", n: 1, s: "again" })
          yield* db.updateDocument("many", "m8", { n: 2 })
          yield* db.updateDocuments("many", [Query.equal("n", 1)], { n: 3 })
        }),
      check: is(counted(Query.equal("n", 3)), 129)
    },
    {
      title: "of whole numbers beyond 2^53 to others of the kind",
      setup: many(110),
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.updateDocuments("many", [Query.greaterThan("big", big + 4n)], { big: -big - 1n })
          yield* db.updateDocuments("many", [Query.equal("big", -big - 1n), Query.limit(1)], { big: 2n ** 63n - 1n })
        }),
      check: is(counted(Query.equal("big", -big - 1n)), 104)
    },
    {
      title: "unique values that all give up, and another takes",
      setup: many(150),
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.updateDocuments("many", [], { s: null })
          yield* db.updateDocuments("many", [Query.equal("$id", "m149")], { s: "s0", big })
          yield* db.createDocument("many", { $id: "new", s: "s5", big: big + 5n })
        }),
      check: is(counted(Query.equal("s", ["s0", "s5"])), 2)
    },
    {
      title: "that breaks a unique index in its second batch is refused whole, and the migration goes on",
      setup: (db) =>
        Effect.andThen(many(150)(db), db.updateDocument("many", "m149", { big, $updatedAt: "2002-02-02" })),
      operation: (db) =>
        Effect.gen(function* () {
          const error = yield* Effect.orDie(Effect.flip(db.updateDocuments("many", [], { s: "same" })))
          assert.strictEqual(error.reason._tag, "UniqueConflict")
          assert.strictEqual(yield* counted(Query.equal("s", "same"))(db), 0)
          yield* db.updateDocuments("many", [Query.notEqual("$id", "m0")], { s: "same" })
        }),
      check: is(counted(Query.equal("s", "same")), 149)
    },
    {
      title: "beside a deleted attribute, and of one made anew under its key",
      setup: many(110),
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("many", "n")
          const { documents } = yield* db.updateDocuments("many", [Query.notSearch("words", "hare")], { s: null })
          assert.deepStrictEqual(
            Object.keys(documents[0]!).filter((key) => key.startsWith("zz_") || key === "n"),
            []
          )
          yield* db.createAttribute("many", Attribute.varchar("n", { size: 5 }))
          yield* db.updateDocuments("many", [Query.isNull("n"), Query.limit(101)], { n: "text" })
        }),
      check: is(counted(Query.equal("n", "TEXT")), 101)
    }
  ],
  DeleteDocuments: [
    {
      title: "of all, in several batches of more than a page",
      setup: many(1050),
      operation: (db) => Effect.flatMap(db.deleteDocuments("many", [Query.isNotNull("$id")]), answers(1050)),
      check: is(counted(), 0)
    },
    {
      title: "by order, limit and offset, answered as they were",
      setup: many(250),
      operation: (db) =>
        Effect.gen(function* () {
          const queries = [Query.orderDesc("big"), Query.limit(120), Query.offset(30)]
          const answer = yield* db.deleteDocuments("many", queries)
          yield* answers(120)(answer)
          assert.deepStrictEqual([answer.documents[0]?.$id, answer.documents[0]?.["big"]], ["m219", big + 219n])
        }),
      check: is(counted(), 130)
    },
    {
      title: "by an offset alone, and by a search",
      setup: many(250),
      operation: (db) =>
        Effect.gen(function* () {
          yield* Effect.flatMap(db.deleteDocuments("many", [Query.search("words", '"odd hare"')]), answers(125))
          yield* Effect.flatMap(db.deleteDocuments("many", [Query.offset(20)]), answers(105))
        }),
      check: is(counted(), 20)
    },
    {
      title: "and others made under their ids in other case, with their unique values",
      setup: many(120),
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.updateDocuments("many", [Query.lessThan("n", 50)], { list: [9] })
          yield* db.deleteDocuments("many", [Query.lessThan("n", 110)])
          yield* db.createDocuments("many", [
            { $id: "M1", s: "s2", big: big + 2n },
            { $id: "M2", s: "s1", big: big + 1n }
          ])
          yield* db.deleteDocuments("many", [Query.equal("$id", "m2")])
        }),
      check: is(counted(), 11)
    },
    {
      title: "beside a deleted attribute",
      setup: many(110),
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("many", "s")
          const { documents } = yield* db.deleteDocuments("many", [Query.lessThan("n", 105)])
          assert.deepStrictEqual(
            Object.keys(documents[0]!).filter((key) => key.startsWith("zz_") || key === "s"),
            []
          )
        }),
      check: is(counted(), 5)
    }
  ]
} satisfies {
  readonly [T in "UpsertDocument" | "UpsertDocuments" | "UpdateDocuments" | "DeleteDocuments"]: Cases
}
