/** Words in texts: full-text indexes, what `search` finds, and that it follows each write. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import * as DatabaseHash from "../../../src/DatabaseHash.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import * as Query from "../../../src/Query.ts"
import { staging } from "./staging.ts"
import { idsOf, type Promised, refused } from "./support.ts"

const texts = {
  a: "The quick brown fox",
  b: "Quick-witted foxes, really!",
  c: "café au lait",
  d: "order number AB-1234",
  e: "the the a",
  f: "brown bread and brown butter",
  g: null
}
const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [Attribute.text("tx"), Attribute.string("s", { size: 100 }), Attribute.integer("n")],
    indexes: [Index.fulltext("ft", ["tx"])]
  })
  return yield* db.createDocuments(
    "c",
    Object.entries(texts).map(([$id, tx]) => ({ $id, tx }))
  )
})

const find = (db: Methods, ...queries: ReadonlyArray<Query.Query>) =>
  Effect.map(db.listDocuments("c", [...queries, Query.orderAsc("$id")]), (found) => idsOf(found.documents).join(" "))
const search = (db: Methods, words: string) => find(db, Query.search("tx", words))

/** What is searched for, and the documents found. */
const searches: ReadonlyArray<readonly [string, string]> = [
  ["quick", "a b"],
  ["QUICK", "a b"],
  ["brown", "a f"],
  ["fox", "a b"],
  ["foxes", "b"],
  ["qui", "a b"],
  ["cafe", "c"],
  ["CAFÉ", "c"],
  ["quick fox", "a b"],
  ['"brown fox"', "a"],
  ['"quick brown"', "a"],
  ['"brown quick"', ""],
  ["1234", "d"],
  ["ab-1234", "d"],
  ["the", ""],
  ["zz", ""],
  ["", ""],
  ["a", "f"],
  ["brown*", "a f"],
  ["+brown -fox", "a b f"],
  ["user@example.com", ""],
  ["@", ""],
  ["(quick", "a b"],
  ['quick"', "a b"],
  ["quick) OR NOT NEAR(", "a b d"],
  ["tx:quick ^ * ' ; --", "a b"]
]

export const fulltext = (promise: Promised): void => {
  promise("each search finds what the recorded server finds", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const [words, expected] of searches) assert.strictEqual(yield* search(db, words), expected, words)
    })
  )

  promise("notSearch finds the others, those without a text among them", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      assert.strictEqual(yield* find(db, Query.notSearch("tx", "brown")), "b c d e g")
      assert.strictEqual(yield* find(db, Query.notSearch("tx", "nothing")), "a b c d e f g")
    })
  )

  promise("a search goes together with other filters, a choice and a limit, and total counts it", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      assert.strictEqual(yield* find(db, Query.search("tx", "brown"), Query.equal("tx", "the QUICK brown fox")), "a")
      assert.strictEqual(yield* find(db, Query.or([Query.search("tx", "cafe"), Query.isNull("tx")])), "c g")
      const one = yield* db.listDocuments("c", [Query.search("tx", "brown"), Query.limit(1)])
      assert.deepStrictEqual([one.total, idsOf(one.documents)], [2, ["a"]])
    })
  )

  promise("a search without an index that begins with its attribute is refused, and so is one on no text", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const reject = (query: Query.Query) =>
        refused(db.listDocuments("c", [query]), "InvalidQuery", "general_query_invalid")
      yield* reject(Query.search("s", "x"))
      yield* reject(Query.notSearch("s", "x"))
      yield* reject(Query.search("n", "1"))
      yield* reject(Query.search("zz", "x"))
      yield* reject(Query.search("tx", 5 as unknown as string))
      // A key index finds no words, and the second of a full-text index stands behind the first.
      yield* db.createIndex("c", Index.key("key", ["s"]))
      yield* db.createIndex("c", Index.fulltext("both", ["tx", "s"]))
      yield* reject(Query.search("s", "x"))
      yield* db.createIndex("c", Index.fulltext("own", ["s"]))
      assert.strictEqual(yield* find(db, Query.search("s", "x")), "")
    })
  )

  promise("an index over several texts answers for the first of them", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.string("s", { size: 100 }), Attribute.text("tx")],
        indexes: [Index.fulltext("both", ["s", "tx"])]
      })
      yield* db.createDocuments("c", [
        { $id: "a", s: "green tea", tx: "black coffee" },
        { $id: "b", s: null, tx: "green tea" },
        { $id: "c", s: "coffee" }
      ])
      assert.strictEqual(yield* find(db, Query.search("s", "tea")), "a")
      assert.strictEqual(yield* find(db, Query.search("s", "coffee")), "c")
    })
  )

  promise("an index made over documents that exist finds them", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.deleteIndex("c", "ft")
      yield* refused(db.listDocuments("c", [Query.search("tx", "x")]), "InvalidQuery", "general_query_invalid")
      yield* db.createIndex("c", Index.fulltext("again", ["tx"]))
      for (const [words, expected] of searches) assert.strictEqual(yield* search(db, words), expected, words)
    })
  )

  promise("a search follows updates, upserts, bulk changes and deletions", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.updateDocument("c", "a", { tx: "a slow turtle" })
      assert.deepStrictEqual([yield* search(db, "fox"), yield* search(db, "turtle")], ["b", "a"])
      yield* db.updateDocument("c", "a", { n: 1 })
      assert.strictEqual(yield* search(db, "turtle"), "a")
      yield* db.updateDocument("c", "a", { tx: null })
      assert.strictEqual(yield* search(db, "turtle"), "")
      yield* db.upsertDocument("c", { $id: "g", tx: "turtle soup" })
      yield* db.upsertDocument("c", { $id: "h", tx: "soup" })
      assert.strictEqual(yield* search(db, "soup"), "g h")
      yield* db.updateDocuments("c", [Query.search("tx", "soup")], { tx: "stew" })
      assert.deepStrictEqual([yield* search(db, "soup"), yield* search(db, "stew")], ["", "g h"])
      yield* db.deleteDocument("c", "g")
      assert.strictEqual(yield* search(db, "stew"), "h")
      assert.strictEqual((yield* db.deleteDocuments("c", [Query.search("tx", "stew")])).total, 1)
      assert.strictEqual(yield* search(db, "stew"), "")
      yield* db.writeDocuments("c", [{ _tag: "Create", document: { $id: "g", tx: "stew" } }])
      assert.strictEqual(yield* search(db, "stew"), "g")
    })
  )

  promise("a write that is refused leaves the words as they were", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* refused(
        db.createDocuments("c", [
          { $id: "h", tx: "turtle" },
          { $id: "a", tx: "turtle" }
        ]),
        "AlreadyExists",
        "row_already_exists"
      )
      assert.deepStrictEqual([yield* search(db, "turtle"), yield* search(db, "quick")], ["", "a b"])
    })
  )

  promise("a search follows a document that is put back", (db) =>
    Effect.gen(function* () {
      const [a, b] = yield* setUp(db)
      const changed = yield* db.updateDocument("c", "a", { tx: "turtle" })
      yield* db.deleteDocument("c", "b")
      yield* db.restoreDocuments("c", [
        { id: "a", expected: DatabaseHash.document(changed), document: a! },
        { id: "b", expected: null, document: b! }
      ])
      assert.deepStrictEqual([yield* search(db, "turtle"), yield* search(db, "quick")], ["", "a b"])
    })
  )

  promise("a search inside a transaction finds what is staged, and outside what was there", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const { $id } = yield* db.createTransaction()
      const { create, update } = staging(db.databaseId)
      yield* db.stageOperations($id, [update("a", { tx: "turtle" }), create({ $id: "h", tx: "turtle soup" })])
      const inside = yield* db.listDocuments("c", [Query.search("tx", "turtle")], { transaction: $id })
      assert.deepStrictEqual(idsOf(inside.documents), ["a", "h"])
      assert.deepStrictEqual([yield* search(db, "turtle"), yield* search(db, "fox")], ["", "a b"])
      yield* db.commitTransaction($id)
      assert.deepStrictEqual([yield* search(db, "turtle"), yield* search(db, "fox")], ["a h", "b"])
    })
  )

  promise("an index follows its attribute under a new name, and goes with it", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.renameAttribute("c", "tx", "words")
      assert.deepStrictEqual(yield* db.listIndexes("c"), [Index.fulltext("ft", ["words"])])
      assert.strictEqual(yield* find(db, Query.search("words", "fox")), "a b")
      yield* db.updateDocument("c", "a", { words: "turtle" })
      yield* db.createDocument("c", { $id: "h", words: "turtle" })
      assert.strictEqual(yield* find(db, Query.search("words", "turtle")), "a h")
      yield* db.createIndex("c", Index.fulltext("both", ["words", "s"]))
      yield* db.deleteAttribute("c", "words")
      assert.deepStrictEqual(yield* db.listIndexes("c"), [Index.fulltext("both", ["s"])])
      yield* db.updateDocument("c", "a", { s: "hare" })
      assert.strictEqual(yield* find(db, Query.search("s", "hare")), "a")
      yield* db.deleteCollection("c")
      yield* setUp(db)
      assert.strictEqual(yield* search(db, "turtle"), "")
    })
  )
}
