/** More cases of operations on attributes and indexes: of kinds that hold texts and wide numbers, words, lengths. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import type { Mutation } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { type Cases, is, keysOf, valuesOf } from "../../support/inverses/Base.ts"

const big = 2n ** 60n

const attributes = [
  Attribute.varchar("short", { size: 30, default: "short" }),
  Attribute.text("tx", { required: true }),
  Attribute.mediumtext("medium"),
  Attribute.longtext("long", { default: "long" }),
  Attribute.email("mail"),
  Attribute.url("link", { default: "https://example.org/" }),
  Attribute.ip("address"),
  Attribute.bigint("big", { min: -big * 4n, max: big * 4n }),
  Attribute.bigint("bigs", { array: true })
]
const indexes = [
  Index.fulltext("search", ["tx"]),
  Index.fulltext("both", ["medium", "tx"]),
  Index.key("begin", ["tx", "big"], { lengths: [5], orders: ["desc"] }),
  Index.unique("once", ["medium", "short"], { lengths: [4, 0] }),
  Index.unique("mail", ["mail"])
]
const documents = ["one", "two", "three"].map((word, n) => ({
  $id: word,
  tx: `a turtle ${word}`,
  medium: `${word} é😀\u0000`,
  mail: `${word}@example.org`,
  address: n === 2 ? "::1" : "127.0.0.1",
  big: big + BigInt(n),
  bigs: [big, 1, -big]
}))
/** A collection of these kinds, and indexes of words and by first characters. */
const kinds = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("k", { attributes, indexes })
  yield* db.createDocuments("k", documents)
})
const indexKeys = (db: Methods) => Effect.map(db.listIndexes("k"), (all) => all.map(({ key }) => key))
const found = (attribute: string, words: string) => (db: Methods) =>
  Effect.map(db.listDocuments("k", [Query.search(attribute, words), Query.orderAsc("$id")]), (list) =>
    list.documents.map(({ $id }) => $id)
  )
const definition = (key: string) => (db: Methods) =>
  Effect.map(db.listAttributes("k"), (all) => all.find((one) => one.key === key))

export const kindCases = {
  CreateCollection: [
    {
      title: "of every kind, with indexes of words and by first characters",
      operation: kinds,
      check: is(
        (db) => Effect.map(db.getCollection("k"), (one) => [one.attributes, one.indexes]),
        [attributes, indexes]
      )
    }
  ],
  DeleteCollection: [
    {
      title: "of every kind, and made anew: its indexes and its wide numbers come back",
      setup: kinds,
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteCollection("k")
          yield* db.createCollection("k", { attributes: [Attribute.integer("tx")] })
          yield* db.createDocument("k", { $id: "one", tx: 2n ** 62n })
        }),
      check: is((db) => Effect.map(db.getDocument("k", "one"), (one) => one["tx"]), 2n ** 62n)
    }
  ],
  CreateAttribute: [
    {
      title: "of wide numbers, with a default and bounds beyond 2^53",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.createAttribute("c", Attribute.bigint("big", { default: big, min: -big, max: big * 2n }))
          yield* db.createAttribute("c", Attribute.integer("wide", { default: -big }))
          yield* db.updateDocument("c", "d1", { count: 11 })
        }),
      check: is(valuesOf("big"), { d1: big, d2: null, d3: null, d4: null })
    },
    {
      title: "of each kind of text, of addresses and of wide numbers, with values written to them",
      operation: (db) =>
        Effect.gen(function* () {
          for (const attribute of attributes) yield* db.createAttribute("c", attribute)
          yield* db.upsertDocument("c", { ...documents[0]!, text: "new" })
          yield* db.createIndex("c", Index.fulltext("search", ["tx"]))
          yield* db.updateDocuments("c", [Query.notSearch("tx", "turtle")], { tx: "hare", bigs: [big] })
        }),
      check: is(valuesOf("tx"), { d1: "hare", d2: "hare", d3: "hare", d4: "hare", one: "a turtle one" })
    }
  ],
  UpdateAttribute: [
    {
      title: "a default beyond 2^53",
      setup: kinds,
      operation: (db) => db.updateAttribute("k", Attribute.bigint("big", { default: big * 4n + 1n })),
      check: is(definition("big"), Attribute.bigint("big", { default: big * 4n + 1n }))
    },
    {
      title: "bounds of 32 bits over wider values, which stay",
      setup: (db) =>
        Effect.andThen(
          db.createAttribute("c", Attribute.integer("wide")),
          db.updateDocument("c", "d1", { wide: big + 1n })
        ),
      operation: (db) => db.updateAttribute("c", Attribute.integer("wide", { max: 5 })),
      check: is(valuesOf("wide"), { d1: big + 1n, d2: null, d3: null, d4: null })
    },
    {
      title: "sizes, bounds, defaults and whether a value is required",
      setup: kinds,
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.updateAttribute("k", Attribute.varchar("short", { size: 90 }))
          yield* db.updateAttribute("k", Attribute.text("tx", { default: "tx" }))
          yield* db.updateAttribute("k", Attribute.email("mail", { required: true }))
          yield* db.updateAttribute("k", Attribute.url("link", { default: "mailto:ada@example.org" }))
          yield* db.updateAttribute("k", Attribute.bigint("big", { max: 2n ** 63n - 1n }))
        }),
      check: is(definition("big"), Attribute.bigint("big", { max: 2n ** 63n - 1n }))
    }
  ],
  RenameAttribute: [
    {
      title: "with an index of words, which finds those written before and after",
      setup: kinds,
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.renameAttribute("k", "tx", "renamed")
          yield* db.updateDocument("k", "two", { renamed: "a hare" })
        }),
      check: is(found("renamed", "turtle"), ["one", "three"])
    }
  ],
  DeleteAttribute: [
    {
      title: "in indexes of words and by first characters",
      setup: kinds,
      operation: (db) => db.deleteAttribute("k", "tx"),
      check: (db) =>
        Effect.gen(function* () {
          assert.notInclude(yield* keysOf(db, "k"), "tx")
          for (const index of yield* db.listIndexes("k")) assert.notInclude(index.attributes, "tx")
        })
    },
    {
      title: "a wide number, an address and a list, and documents written after",
      setup: kinds,
      operation: (db) =>
        Effect.gen(function* () {
          for (const key of ["bigs", "mail", "address"]) yield* db.deleteAttribute("k", key)
          yield* db.updateDocuments("k", [Query.isNotNull("$id")], { long: "after" })
          yield* db.incrementAttribute("k", "one", "big", { by: big })
        }),
      check: is((db) => Effect.map(db.getDocument("k", "one"), (one) => one["big"]), big * 2n)
    },
    {
      title: "of words, and made anew under its key with an index of the same key",
      setup: kinds,
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteIndex("k", "begin")
          yield* db.deleteAttribute("k", "tx")
          yield* db.createAttribute("k", Attribute.longtext("tx"))
          yield* db.createIndex("k", Index.fulltext("search", ["tx"]))
          yield* db.updateDocument("k", "three", { tx: "turtle soup" })
        }),
      check: is(found("tx", "turtle"), ["three"])
    }
  ],
  CreateIndex: [
    {
      title: "of words, and by first characters, and changes that find by them",
      setup: kinds,
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.createIndex("k", Index.fulltext("more", ["long", "tx"]))
          yield* db.createIndex("k", Index.key("first", ["long", "medium"], { lengths: [10, 20] }))
          yield* db.updateDocuments("k", [Query.search("long", "long"), Query.limit(2)], { long: "turtle" })
        }),
      check: is(found("long", "turtle"), ["one", "two"])
    }
  ],
  DeleteIndex: [
    {
      title: "of words, unique by first characters, and then texts that it would have refused",
      setup: kinds,
      operation: (db) =>
        Effect.gen(function* () {
          for (const key of ["SEARCH", "once", "begin"]) yield* db.deleteIndex("k", key)
          yield* db.updateDocuments("k", [Query.isNotNull("$id")], { medium: "the same" })
        }),
      check: is(indexKeys, ["both", "mail"])
    }
  ]
} satisfies { readonly [T in Mutation["_tag"]]?: Cases }
