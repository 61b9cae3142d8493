/** Cases of operations on attributes and indexes. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import * as Index from "../../../src/Index.ts"

import { type Case, type Cases, is, keysOf, rows, valuesOf } from "./Base.ts"

const update = (title: string, attribute: Attribute.Attribute): Case => ({
  title,
  operation: (db) => db.updateAttribute("c", attribute),
  check: is(
    (db) => Effect.map(db.listAttributes("c"), (all) => all.find(({ key }) => key === attribute.key)),
    attribute
  )
})
const withoutAttribute = (title: string, key: string): Case => ({
  title,
  operation: (db) => db.deleteAttribute("c", key),
  check: (db) =>
    Effect.gen(function* () {
      assert.notInclude(yield* keysOf(db), key)
      assert.notProperty(yield* db.getDocument("c", "d1"), key)
      for (const index of yield* db.listIndexes("c")) assert.notInclude(index.attributes, key)
    })
})

export const attributes = {
  CreateAttribute: [
    {
      title: "with values written to it",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.createAttribute("c", Attribute.string("extra", { size: 10, default: "e" }))
          yield* db.updateDocument("c", "d1", { extra: "x" })
          // A default is filled by any update.
          yield* db.updateDocument("c", "d2", { count: 21 })
        }),
      check: is(valuesOf("extra"), { d1: "x", d2: "e", d3: null, d4: null })
    },
    {
      title: "required, over documents that have none",
      operation: (db) => db.createAttribute("c", Attribute.integer("extra", { required: true })),
      check: is(valuesOf("extra"), { d1: null, d2: null, d3: null, d4: null })
    }
  ],
  UpdateAttribute: [
    update("a greater size", Attribute.string("text", { size: 90, required: true })),
    update("no longer required, with a default", Attribute.string("text", { size: 40, default: "t" })),
    update("a default that goes", Attribute.string("word", { size: 20 })),
    update("another default", Attribute.integer("count", { min: -5, max: 500, default: 8 })),
    update("bounds narrower than the data", Attribute.integer("count", { min: 0, max: 15 })),
    update("bounds and default that go", Attribute.integer("count")),
    update("required over nulls", Attribute.string("word", { size: 20, required: true })),
    update("elements without one that documents hold", Attribute.enumeration("color", { elements: ["red", "blue"] })),
    update("the size of a list", Attribute.string("list", { size: 5, array: true })),
    {
      title: "a greater size, and a value that only fits there",
      operation: (db) =>
        Effect.andThen(
          db.updateAttribute("c", Attribute.string("text", { size: 90, required: true })),
          db.updateDocument("c", "d1", { text: "x".repeat(90) })
        ),
      check: is((db) => Effect.map(db.getDocument("c", "d1"), (one) => String(one["text"]).length), 90)
    }
  ],
  RenameAttribute: [
    {
      title: "with its values and indexes",
      operation: (db) => db.renameAttribute("c", "text", "title"),
      check: (db) =>
        Effect.gen(function* () {
          assert.include(yield* keysOf(db), "title")
          assert.deepStrictEqual((yield* db.listIndexes("c"))[0], Index.unique("u", ["title"]))
        })
    },
    {
      title: "of its case alone",
      operation: (db) => db.renameAttribute("c", "TEXT", "Text"),
      check: (db) => Effect.map(keysOf(db), (keys) => assert.include(keys, "Text"))
    },
    {
      title: "of two that swap",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.renameAttribute("c", "word", "between")
          yield* db.renameAttribute("c", "text", "word")
          yield* db.renameAttribute("c", "between", "text")
          yield* db.updateDocument("c", "d1", { text: "was word", word: "was text" })
        }),
      check: is((db) => Effect.map(valuesOf("word")(db), ({ d1 }) => d1), "was text")
    }
  ],
  DeleteAttribute: [
    withoutAttribute("required, alone in a unique index", "text"),
    withoutAttribute("in two indexes beside another, which each go on without it", "word"),
    withoutAttribute("with bounds, first in an index", "count"),
    withoutAttribute("a list", "list"),
    withoutAttribute("an enum", "color"),
    withoutAttribute("a date", "at"),
    {
      title: "and made anew under its key, of another type",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("c", "text")
          yield* db.createAttribute("c", Attribute.integer("TEXT"))
          yield* db.updateDocument("c", "d1", { TEXT: 12 })
          yield* db.createIndex("c", Index.unique("u", ["TEXT"]))
        }),
      check: is(valuesOf("TEXT"), { d1: 12, d2: null, d3: null, d4: null })
    },
    {
      title: "twice, made anew in between",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("c", "flag")
          yield* db.createAttribute("c", Attribute.integer("flag"))
          yield* db.updateDocument("c", "d1", { flag: 1 })
          yield* db.deleteAttribute("c", "flag")
        }),
      check: (db) => Effect.map(keysOf(db), (keys) => assert.notInclude(keys, "flag"))
    },
    {
      title: "of the longest key",
      setup: (db) => db.createAttribute("c", Attribute.integer("k".repeat(36))),
      operation: (db) => db.deleteAttribute("c", "k".repeat(36)),
      check: (db) => Effect.map(keysOf(db), (keys) => assert.lengthOf(keys, 8))
    },
    {
      title: "with documents written before and after",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.updateDocument("c", "d1", { word: "before", count: 1 })
          yield* db.deleteAttribute("c", "word")
          yield* db.updateDocument("c", "d1", { count: 2 })
          yield* db.deleteDocument("c", "d2")
          yield* db.createDocument("c", { $id: "d9", text: "nine" })
        }),
      check: is(valuesOf("count"), { d1: 2, d3: 30, d4: 40, d9: 7 })
    },
    {
      title: "whose bounds and elements are narrower than the data: it hinders no update of a document",
      setup: (db) =>
        Effect.andThen(
          db.updateAttribute("c", Attribute.integer("count", { min: 0, max: 15 })),
          db.updateAttribute("c", Attribute.enumeration("color", { elements: ["blue"] }))
        ),
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("c", "count")
          yield* db.deleteAttribute("c", "color")
          yield* db.updateDocument("c", "d4", { word: "new" })
        }),
      check: is((db) => Effect.map(db.getDocument("c", "d4"), (one) => one["word"]), "new")
    }
  ],
  CreateIndex: [
    {
      title: "unique, over three attributes",
      operation: (db) => db.createIndex("c", Index.unique("new", ["text", "count", "$id"], { orders: ["desc"] })),
      check: is((db) => Effect.map(db.listIndexes("c"), (all) => all.length), 4)
    }
  ],
  DeleteIndex: [
    {
      title: "with orders",
      operation: (db) => db.deleteIndex("c", "k"),
      check: is((db) => Effect.map(db.listIndexes("c"), (all) => all.map(({ key }) => key)), ["u", "uu"])
    },
    {
      title: "unique, by a key in other case, and then values that it would have refused",
      operation: (db) =>
        Effect.andThen(db.deleteIndex("c", "U"), db.updateDocument("c", "d1", { text: rows[1]!.text })),
      check: is((db) => Effect.map(db.getDocument("c", "d1"), (one) => one["text"]), rows[1]!.text)
    }
  ]
} satisfies {
  readonly [
    T in "CreateAttribute" | "UpdateAttribute" | "RenameAttribute" | "DeleteAttribute" | "CreateIndex" | "DeleteIndex"
  ]: Cases
}
