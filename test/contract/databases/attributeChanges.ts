/** Attributes of collections with documents: added, redefined, renamed, deleted. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import * as Index from "../../../src/Index.ts"
import * as Query from "../../../src/Query.ts"
import { idsOf, nextMillisecond, type Promised, refused } from "./support.ts"

export const attributeChanges = (promise: Promised): void => {
  promise("an added default is not filled into documents that exist, but by the next update of each", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
      const old = yield* db.createDocument("c", { $id: "old", n: 1 })
      yield* db.createDocument("c", { $id: "other", n: 1 })
      yield* db.createAttribute("c", Attribute.string("s", { size: 5, default: "dflt" }))
      assert.deepStrictEqual(yield* db.getDocument("c", "old"), { ...old, s: null })
      assert.strictEqual((yield* db.createDocument("c", { $id: "new", n: 1 }))["s"], "dflt")
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c", [Query.isNull("s")])).documents), ["old", "other"])
      assert.strictEqual((yield* db.updateDocument("c", "old", { n: 2 }))["s"], "dflt")
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c", [Query.isNull("s")])).documents), ["other"])
    })
  )

  promise("an added required attribute reads null, and the next update of a document must give it", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
      const old = yield* db.createDocument("c", { $id: "d", n: 1 })
      yield* db.createAttribute("c", Attribute.integer("r", { required: true }))
      assert.deepStrictEqual(yield* db.getDocument("c", "d"), { ...old, r: null })
      for (const changes of [{ n: 2 }, { $permissions: ['read("any")'] }]) {
        const reason = yield* refused(db.updateDocument("c", "d", changes), "InvalidDocument", "row_invalid_structure")
        assert.strictEqual(reason.attribute, "r")
      }
      assert.strictEqual((yield* db.updateDocument("c", "d", { n: 2, r: 1 }))["r"], 1)
      assert.strictEqual((yield* db.updateDocument("c", "d", { n: 3 }))["n"], 3)
    })
  )

  promise("an added array reads as empty", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
      yield* db.createDocument("c", { $id: "d", n: 1 })
      yield* db.createAttribute("c", Attribute.integer("l", { array: true }))
      assert.deepStrictEqual((yield* db.getDocument("c", "d"))["l"], [])
    })
  )

  promise("required may be set over nulls; then an update of such a document must give a value", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("n"), Attribute.integer("m")] })
      yield* db.createDocument("c", { $id: "d", n: 1 })
      const answer = yield* db.updateAttribute("c", Attribute.integer("m", { required: true }))
      assert.deepStrictEqual(answer, Attribute.integer("m", { required: true }))
      assert.deepStrictEqual(yield* db.listAttributes("c"), [Attribute.integer("n"), answer])
      assert.isNull((yield* db.getDocument("c", "d"))["m"])
      yield* refused(db.updateDocument("c", "d", { n: 2 }), "InvalidDocument", "row_invalid_structure")
      yield* refused(db.createDocument("c", { $id: "e", n: 2 }), "InvalidDocument", "row_invalid_structure")
      yield* db.updateDocument("c", "d", { m: 2 })
    })
  )

  promise("an update of an attribute writes no document", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.string("s", { size: 10 })] })
      const before = yield* db.createDocument("c", { $id: "d", s: "x" })
      yield* nextMillisecond
      yield* db.updateAttribute("c", Attribute.string("s", { size: 20, default: "y" }))
      assert.deepStrictEqual(yield* db.getDocument("c", "d"), before)
    })
  )

  promise(
    "an update takes the whole definition: default and bounds left out are really gone (the server keeps them)",
    (db) =>
      Effect.gen(function* () {
        yield* db.createCollection("c", {
          attributes: [
            Attribute.string("s", { size: 10, default: "d" }),
            Attribute.integer("i", { min: 0, max: 10, default: 5 }),
            Attribute.float("f", { min: 0, max: 1, default: 0.5 }),
            Attribute.boolean("b", { default: true }),
            Attribute.datetime("t", { default: "2020-01-01" }),
            Attribute.enumeration("e", { elements: ["x", "y"], default: "x" })
          ]
        })
        const bare = [
          Attribute.string("s", { size: 10 }),
          Attribute.integer("i"),
          Attribute.float("f"),
          Attribute.boolean("b"),
          Attribute.datetime("t"),
          Attribute.enumeration("e", { elements: ["x", "y"] })
        ]
        for (const attribute of bare) assert.deepStrictEqual(yield* db.updateAttribute("c", attribute), attribute)
        assert.deepStrictEqual(yield* db.listAttributes("c"), bare)
        const created = yield* db.createDocument("c", { $id: "d", i: -7, f: 7 })
        assert.deepStrictEqual(
          ["s", "i", "f", "b", "t", "e"].map((key) => created[key]),
          [null, -7, 7, null, null, null]
        )
      })
  )

  promise("a new default counts for documents created from now on", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("n"), Attribute.integer("i", { default: 1 })] })
      yield* db.createDocument("c", { $id: "d", n: 1 })
      yield* db.updateAttribute("c", Attribute.integer("i", { default: 2 }))
      assert.strictEqual((yield* db.createDocument("c", { $id: "e", n: 1 }))["i"], 2)
      assert.strictEqual((yield* db.updateDocument("c", "d", { n: 2 }))["i"], 1)
    })
  )

  promise("an update may give a string a default longer than its size; a document then needs a value", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("n"), Attribute.string("s", { size: 5 })] })
      const long = Attribute.string("s", { size: 5, default: "longer" })
      assert.deepStrictEqual(yield* db.updateAttribute("c", long), long)
      const reason = yield* refused(
        db.createDocument("c", { $id: "a", n: 1 }),
        "InvalidDocument",
        "row_invalid_structure"
      )
      assert.strictEqual(reason.attribute, "s")
      assert.strictEqual((yield* db.createDocument("c", { $id: "b", s: "short" }))["s"], "short")
    })
  )

  promise("a string may shrink to its longest value, and no further", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.string("s", { size: 50 })] })
      yield* db.createDocument("c", { $id: "d", s: "hello w😀rld" })
      yield* refused(
        db.updateAttribute("c", Attribute.string("s", { size: 10 })),
        "InvalidArgument",
        "column_invalid_resize"
      )
      assert.deepStrictEqual(yield* db.listAttributes("c"), [Attribute.string("s", { size: 50 })])
      yield* db.updateAttribute("c", Attribute.string("s", { size: 11 }))
      yield* refused(
        db.createDocument("c", { $id: "e", s: "twelve chars" }),
        "InvalidDocument",
        "row_invalid_structure"
      )
      yield* db.updateAttribute("c", Attribute.string("s", { size: 12 }))
      yield* db.createDocument("c", { $id: "e", s: "twelve chars" })
    })
  )

  promise("bounds and elements may be narrower than the data; then an update of such a document is refused", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [
          Attribute.integer("i", { min: 0, max: 10 }),
          Attribute.enumeration("e", { elements: ["a", "b"] }),
          Attribute.integer("n")
        ]
      })
      const before = yield* db.createDocument("c", { $id: "d", i: 9, e: "b", n: 1 })
      yield* db.updateAttribute("c", Attribute.integer("i", { min: 0, max: 8 }))
      assert.deepStrictEqual(yield* db.getDocument("c", "d"), before)
      for (const changes of [{ n: 2 }, { $permissions: ['read("any")'] }]) {
        const reason = yield* refused(db.updateDocument("c", "d", changes), "InvalidDocument", "row_invalid_structure")
        assert.strictEqual(reason.attribute, "i")
      }
      yield* db.updateDocument("c", "d", { i: 8 })
      yield* db.updateAttribute("c", Attribute.enumeration("e", { elements: ["a"] }))
      const reason = yield* refused(db.updateDocument("c", "d", { n: 2 }), "InvalidDocument", "row_invalid_structure")
      assert.strictEqual(reason.attribute, "e")
      yield* db.updateDocument("c", "d", { e: "a", n: 2 })
    })
  )

  const wrong: ReadonlyArray<readonly [string, Attribute.Attribute, string]> = [
    ["required with a default", Attribute.integer("i", { required: true, default: 1 }), "column_default_unsupported"],
    ["min over max", Attribute.integer("i", { min: 9, max: 3 }), "column_value_invalid"],
    ["a default out of bounds", Attribute.integer("i", { min: 0, max: 10, default: 50 }), "column_value_invalid"],
    ["no elements", Attribute.enumeration("e", { elements: [] }), "column_value_invalid"],
    [
      "a default that is no element",
      Attribute.enumeration("e", { elements: ["a"], default: "zz" }),
      "column_value_invalid"
    ],
    ["another kind", Attribute.float("i"), "general_argument_invalid"],
    ["an array of a scalar", Attribute.integer("i", { array: true }), "general_argument_invalid"],
    ["a scalar of an array", Attribute.string("l", { size: 5 }), "general_argument_invalid"]
  ]
  for (const [what, attribute, type] of wrong) {
    promise(`an update of an attribute to ${what} is refused, and nothing changes`, (db) =>
      Effect.gen(function* () {
        const attributes = [
          Attribute.integer("i"),
          Attribute.enumeration("e", { elements: ["a", "b"], default: "b" }),
          Attribute.string("l", { size: 5, array: true })
        ]
        yield* db.createCollection("c", { attributes })
        yield* refused(db.updateAttribute("c", attribute), "InvalidArgument", type)
        assert.deepStrictEqual(yield* db.listAttributes("c"), attributes)
      })
    )
  }

  promise("an update, a rename or a deletion of an attribute that is not there is refused", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
      for (const operation of [
        db.updateAttribute("c", Attribute.integer("nope")),
        db.renameAttribute("c", "nope", "other"),
        db.deleteAttribute("c", "nope")
      ]) {
        const reason = yield* refused(operation, "NotFound", "column_not_found")
        assert.deepStrictEqual([reason.resource, reason.id], ["attribute", "nope"])
      }
    })
  )

  promise("a rename keeps values, dates, indexes and place, and frees the old key", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [
          Attribute.string("a", { size: 10, default: "x" }),
          Attribute.integer("n"),
          Attribute.integer("l", { array: true })
        ],
        indexes: [Index.unique("u", ["a"]), Index.key("an", ["a", "n"], { orders: ["desc", "asc"] })]
      })
      const before = yield* db.createDocument("c", { $id: "d", a: "Key", n: 1, l: [1, 2] })
      yield* nextMillisecond
      assert.deepStrictEqual(
        yield* db.renameAttribute("c", "a", "x_a"),
        Attribute.string("x_a", { size: 10, default: "x" })
      )
      yield* db.renameAttribute("c", "l", "list")
      assert.deepStrictEqual(
        (yield* db.listAttributes("c")).map((attribute) => attribute.key),
        ["x_a", "n", "list"]
      )
      assert.deepStrictEqual(yield* db.listIndexes("c"), [
        Index.unique("u", ["x_a"]),
        Index.key("an", ["x_a", "n"], { orders: ["desc", "asc"] })
      ])
      const { a, l, ...rest } = before
      assert.deepStrictEqual(yield* db.getDocument("c", "d"), { ...rest, x_a: a!, list: l! })
      assert.strictEqual((yield* db.listDocuments("c", [Query.equal("x_a", "key")])).total, 1)
      yield* refused(db.listDocuments("c", [Query.equal("a", "key")]), "InvalidQuery", "general_query_invalid")
      yield* refused(db.createDocument("c", { $id: "e", x_a: "KEY" }), "UniqueConflict", "row_already_exists")
      yield* refused(db.createDocument("c", { $id: "e", a: "old name" }), "InvalidDocument", "row_invalid_structure")
    })
  )

  promise("a freed key can be used again for another attribute, and given back", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.string("a", { size: 10 })] })
      yield* db.createDocument("c", { $id: "d", a: "x" })
      yield* db.renameAttribute("c", "a", "kept")
      yield* db.createAttribute("c", Attribute.integer("a"))
      assert.isNull((yield* db.getDocument("c", "d"))["a"])
      yield* db.updateDocument("c", "d", { a: 7 })
      yield* refused(db.renameAttribute("c", "kept", "a"), "AlreadyExists", "column_already_exists")
      yield* db.deleteAttribute("c", "a")
      yield* db.renameAttribute("c", "kept", "a")
      const document = yield* db.getDocument("c", "d")
      assert.strictEqual(document["a"], "x")
      assert.notProperty(document, "kept")
    })
  )

  promise("a rename that changes only the case of a key works; so does one to the same key", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.string("b", { size: 10 })],
        indexes: [Index.unique("u", ["b"])]
      })
      yield* db.createDocument("c", { $id: "d", b: "x" })
      assert.strictEqual((yield* db.renameAttribute("c", "b", "b")).key, "b")
      assert.strictEqual((yield* db.renameAttribute("c", "b", "B")).key, "B")
      const document = yield* db.getDocument("c", "d")
      assert.strictEqual(document["B"], "x")
      assert.notProperty(document, "b")
      assert.deepStrictEqual(yield* db.listIndexes("c"), [Index.unique("u", ["B"])])
      yield* refused(db.createDocument("c", { $id: "e", B: "X" }), "UniqueConflict", "row_already_exists")
    })
  )

  promise("a rename onto a key that is taken (in any case) or not allowed is refused", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("a"), Attribute.integer("n")] })
      yield* refused(db.renameAttribute("c", "a", "n"), "AlreadyExists", "column_already_exists")
      yield* refused(db.renameAttribute("c", "a", "N"), "AlreadyExists", "column_already_exists")
      yield* refused(db.renameAttribute("c", "a", "$a"), "InvalidArgument", "general_argument_invalid")
      assert.deepStrictEqual(yield* db.listAttributes("c"), [Attribute.integer("a"), Attribute.integer("n")])
    })
  )

  promise("keys name their attribute in any case: for an update, a rename, a deletion", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("a")] })
      assert.strictEqual((yield* db.updateAttribute("c", Attribute.integer("A", { default: 1 }))).key, "a")
      assert.strictEqual((yield* db.renameAttribute("c", "A", "v")).key, "v")
      yield* db.deleteAttribute("c", "V")
      assert.deepStrictEqual(yield* db.listAttributes("c"), [])
    })
  )

  promise("a deleted attribute is gone with its values, and stays gone when its key is used again", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.string("a", { size: 10 }), Attribute.integer("n")] })
      const before = yield* db.createDocument("c", { $id: "d", a: "x", n: 1 })
      yield* nextMillisecond
      yield* db.deleteAttribute("c", "a")
      const { a: _, ...rest } = before
      assert.deepStrictEqual(yield* db.getDocument("c", "d"), rest)
      yield* refused(db.updateDocument("c", "d", { a: "x" }), "InvalidDocument", "row_invalid_structure")
      yield* refused(db.listDocuments("c", [Query.equal("a", "x")]), "InvalidQuery", "general_query_invalid")
      yield* refused(db.deleteAttribute("c", "a"), "NotFound", "column_not_found")
      yield* db.createAttribute("c", Attribute.string("a", { size: 10 }))
      assert.deepStrictEqual(yield* db.getDocument("c", "d"), { ...rest, a: null })
    })
  )

  promise("a deletion takes the attribute out of composite indexes, and away those on it alone", (db) =>
    Effect.gen(function* () {
      const attributes = ["a", "b", "n"].map((key) => Attribute.integer(key))
      yield* db.createCollection("c", {
        attributes,
        indexes: [
          Index.key("alone", ["a"]),
          Index.key("abn", ["a", "b", "n"], { orders: ["asc", "desc", "asc"] }),
          Index.key("nb", ["n", "b"])
        ]
      })
      yield* db.deleteAttribute("c", "a")
      assert.deepStrictEqual(yield* db.listIndexes("c"), [
        Index.key("abn", ["b", "n"], { orders: ["desc", "asc"] }),
        Index.key("nb", ["n", "b"])
      ])
      yield* db.renameAttribute("c", "b", "B2")
      assert.deepStrictEqual(
        (yield* db.listIndexes("c")).map((index) => index.attributes),
        [
          ["B2", "n"],
          ["n", "B2"]
        ]
      )
    })
  )

  promise("an index left equal to another by a deletion goes", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: ["a", "n"].map((key) => Attribute.integer(key)),
        indexes: [Index.key("an", ["a", "n"]), Index.key("n", ["n"])]
      })
      yield* db.deleteAttribute("c", "a")
      assert.deepStrictEqual(yield* db.listIndexes("c"), [Index.key("n", ["n"])])
    })
  )
}
