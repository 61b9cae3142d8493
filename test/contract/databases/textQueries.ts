/** Filters that look into texts and lists: beginnings, ends, parts, and their negations. */
import { assert } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import * as Query from "../../../src/Query.ts"
import * as Reference from "../../support/ReferenceCollation.ts"
import { collidingString, tellingString } from "../../support/Strings.ts"
import { idsOf, type Promised, refused } from "./support.ts"

const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [
      Attribute.string("s", { size: 64 }),
      Attribute.enumeration("e", { elements: ["red", "Green"] }),
      Attribute.email("m"),
      Attribute.text("tx"),
      Attribute.datetime("d"),
      Attribute.integer("i"),
      Attribute.boolean("b"),
      Attribute.string("list", { size: 5, array: true }),
      Attribute.integer("ints", { array: true }),
      Attribute.float("floats", { array: true }),
      Attribute.boolean("flags", { array: true })
    ]
  })
  return yield* db.createDocuments("c", [
    { $id: "a", s: "apple pie", e: "red", m: "a@example.com", tx: "some text", list: ["x", "x", ""], ints: [1, 2] },
    { $id: "B", s: "Apple", e: "Green", list: ["N"], floats: [0.5, 1], d: "2024-01-01" },
    { $id: "c", s: "100%_sure\\", list: [], ints: [9], flags: [true, false] },
    { $id: "d", s: "", i: 1, list: ["n", null] },
    { $id: "e", s: null },
    { $id: "f", s: "banana", tx: "", b: true }
  ])
})

/** Filters, and the documents that they find. */
const filters: ReadonlyArray<readonly [string, Query.Query, string]> = [
  ["a beginning, without case", Query.startsWith("s", "app"), "a B"],
  ["a beginning, without accents", Query.startsWith("s", "ÀPP"), "a B"],
  ["a percent sign in a beginning as itself", Query.startsWith("s", "100%"), "c"],
  ["a percent sign as no pattern", Query.startsWith("s", "%"), ""],
  ["an underscore as no pattern", Query.startsWith("s", "_pple"), ""],
  ["the empty beginning in all that is not null", Query.startsWith("s", ""), "a B c d f"],
  ["a beginning with a space behind it: texts are not padded", Query.startsWith("s", "Apple "), "a"],
  ["the whole text as its beginning", Query.startsWith("s", "banana"), "f"],
  ["a beginning longer than the text", Query.startsWith("s", "bananas"), ""],
  ["an end", Query.endsWith("s", "PIE"), "a"],
  ["a backslash at the end", Query.endsWith("s", "\\"), "c"],
  ["an end with a space behind it", Query.endsWith("s", "pie "), ""],
  ["the empty end", Query.endsWith("s", ""), "a B c d f"],
  ["no such beginning, null left out", Query.notStartsWith("s", "app"), "c d f"],
  ["no such end, null left out", Query.notEndsWith("s", "pie"), "B c d f"],
  ["no empty beginning", Query.notStartsWith("s", ""), ""],
  ["a part", Query.contains("s", "PP"), "a B"],
  ["a percent sign as a part", Query.contains("s", "%"), "c"],
  ["an underscore as a part", Query.contains("s", "_"), "c"],
  ["one of several parts", Query.contains("s", ["pie", "ban"]), "a f"],
  ["the empty part", Query.contains("s", ""), "a B c d f"],
  ["no such part", Query.notContains("s", "pp"), "c d f"],
  ["none of several parts", Query.notContains("s", ["pp", "ban"]), "c d"],
  ["a part of a text", Query.contains("tx", "E T"), "a"],
  ["the beginning of an address", Query.startsWith("m", "A@EX"), "a"],
  ["the end of an element", Query.endsWith("e", "EEN"), "B"],
  ["the beginning of an $id", Query.startsWith("$id", "a"), "a"],
  ["a date by no beginning", Query.startsWith("d", "2024"), ""],
  ["a date by no end", Query.endsWith("d", "00:00"), ""],
  ["a date that begins otherwise, null left out", Query.notStartsWith("d", "2024"), "B"],
  ["an element of a list, exactly", Query.contains("list", "N"), "B"],
  ["an element of a list in its case", Query.contains("list", "n"), "d"],
  ["no part of an element", Query.contains("list", "X"), ""],
  ["one of several elements", Query.contains("list", ["x", "n", "zz"]), "a d"],
  ["the empty element", Query.contains("list", ""), "a"],
  ["a number in a list", Query.contains("ints", 1), "a"],
  ["one of several numbers in a list", Query.contains("ints", [2, 9, 77]), "a c"],
  ["a float in a list", Query.contains("floats", 0.5), "B"],
  ["a whole float in a list", Query.contains("floats", 1), "B"],
  ["a boolean in a list", Query.contains("flags", true), "c"],
  ["all of several elements", Query.containsAll("ints", [2, 1]), "a"],
  ["not all of several elements", Query.containsAll("ints", [1, 99]), ""],
  ["no such element: the empty list is found, null is not", Query.notContains("list", "x"), "B c d"],
  ["none of several elements", Query.notContains("list", ["x", "n"]), "B c"]
]

/** Queries that are refused. */
const wrong: ReadonlyArray<readonly [string, Query.Query]> = [
  ["a beginning of what is not there", Query.startsWith("zz", "x")],
  ["a beginning of an integer", Query.startsWith("i", "1")],
  ["an end of a boolean", Query.endsWith("b", "e")],
  ["a beginning of a list", Query.startsWith("list", "x")],
  ["a number as a beginning", Query.startsWith("s", 5 as unknown as string)],
  ["a number as an end", Query.notEndsWith("s", 5 as unknown as string)],
  ["a number as a part of a text", Query.contains("s", 5)],
  ["a part of an integer", Query.contains("i", 1)],
  ["a part of a boolean", Query.notContains("b", true)],
  ["a part of a date", Query.contains("d", "2024")],
  ["a part of $createdAt", Query.contains("$createdAt", "2024")],
  ["all elements of what is no list", Query.containsAll("s", ["a"])],
  ["no values", Query.contains("s", [])],
  ["no elements", Query.containsAll("list", [])],
  ["501 values", Query.contains("s", new Array<string>(501).fill("k"))],
  ["501 elements", Query.contains("list", new Array<string>(501).fill("k"))]
]

const find = (db: Methods, ...queries: ReadonlyArray<Query.Query>) =>
  Effect.map(db.listDocuments("c", [...queries, Query.limit(100)]), (found) => idsOf(found.documents))

const weights = (text: string): ReadonlyArray<number> =>
  Array.from(text, (character) => Reference.weightOf(character.codePointAt(0)!))
const sameAt = (text: ReadonlyArray<number>, part: ReadonlyArray<number>, at: number) =>
  part.every((weight, index) => text[at + index] === weight)
interface Test {
  readonly query: (attribute: string, value: string) => Query.Query
  readonly holds: (text: ReadonlyArray<number>, part: ReadonlyArray<number>) => boolean
}
const tests: ReadonlyArray<Test> = [
  { query: Query.startsWith, holds: (text, part) => sameAt(text, part, 0) },
  {
    query: Query.endsWith,
    holds: (text, part) => part.length <= text.length && sameAt(text, part, text.length - part.length)
  },
  {
    query: Query.contains,
    holds: (text, part) => Array.from({ length: text.length + 1 }, (_, at) => at).some((at) => sameAt(text, part, at))
  }
]

export const textQueries = (promise: Promised): void => {
  promise("each filter on texts and lists finds what it says", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      for (const [title, query, expected] of filters) {
        assert.deepStrictEqual(yield* find(db, query), expected === "" ? [] : expected.split(" "), title)
      }
    })
  )

  promise("an index on the text changes no answer", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      yield* db.createIndex("c", Index.key("s", ["s"]))
      for (const [title, query, expected] of filters) {
        assert.deepStrictEqual(yield* find(db, query), expected === "" ? [] : expected.split(" "), title)
      }
    })
  )

  for (const [title, query] of wrong) {
    promise(`${title}: the query is refused`, (db) =>
      Effect.gen(function* () {
        yield* setUp(db)
        yield* refused(db.listDocuments("c", [query]), "InvalidQuery", "general_query_invalid")
      })
    )
  }

  promise("a query of more than 4096 characters is refused, whatever it asks", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const long = "y".repeat(4096)
      const half = "y".repeat(2500)
      for (const query of [
        Query.equal("s", long),
        Query.startsWith("s", long),
        Query.contains("list", long),
        Query.between("s", half, half),
        Query.or([Query.equal("s", half), Query.equal("s", half)])
      ]) {
        const error = yield* Effect.flip(db.listDocuments("c", [query])).pipe(
          Effect.catch(() => Effect.die(`${query._tag} of more than 4096 characters was taken`))
        )
        assert.strictEqual(error.reason.type, "general_argument_invalid", query._tag)
      }
      assert.deepStrictEqual(yield* find(db, Query.equal("s", "y".repeat(4000))), [])
    })
  )

  promise("beginnings, ends and parts of generated texts are those of the collation, without padding", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.integer("run", { required: true }), Attribute.string("text", { size: 16 })]
      })
      let run = 0
      const texts = Arbitrary.array(collidingString, { minLength: 1, maxLength: 10 })
      const result = yield* Arbitrary.checkEffect(
        Arbitrary.all([texts, texts, tellingString]),
        ([some, others, telling]) =>
          Effect.gen(function* () {
            const own = Query.equal("run", ++run)
            const rows = [...some, ...others, telling].map((text, index) => ({ $id: `r${run}-${index}`, run, text }))
            yield* db.createDocuments("c", rows)
            const probe = (others[0] ?? "").slice(0, 2).toWellFormed()
            for (const { holds, query } of tests) {
              const expected = rows.filter(({ text }) => holds(weights(text), weights(probe)))
              assert.deepStrictEqual(yield* find(db, own, query("text", probe)), idsOf(expected), query.name)
            }
            return true
          }),
        { runs: 60 }
      )
      const failure = Arbitrary.formatCheckFailure(result)
      if (failure !== undefined) assert.fail(failure)
    })
  )
}
