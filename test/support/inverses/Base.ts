/** What the cases of Inverses.test.ts stand on: a server with something of everything, and looks at it. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import { type Methods } from "../../../src/Databases.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Index from "../../../src/Index.ts"

export interface Case {
  /** What of the operation it shows. */
  readonly title: string
  /** What is there beforehand, beside `base`. */
  readonly setup?: (db: Methods) => Effect.Effect<unknown, DatabasesError>
  /** Through the handle of a migration, and through a plain one. */
  readonly operation: (db: Methods) => Effect.Effect<unknown, DatabasesError>
  /** What it must look like, inside the run right after and outside when it is over. */
  readonly check: (db: Methods) => Effect.Effect<unknown, DatabasesError>
}
export type Cases = readonly [Case, ...ReadonlyArray<Case>]

export const everyKind = [
  Attribute.string("text", { size: 40, required: true }),
  Attribute.string("word", { size: 20, default: "dflt" }),
  Attribute.integer("count", { min: -5, max: 500, default: 7 }),
  Attribute.float("share", { min: 0, max: 1 }),
  Attribute.boolean("flag", { default: true }),
  Attribute.datetime("at"),
  Attribute.enumeration("color", { elements: ["red", "green"], default: "red" }),
  Attribute.string("list", { size: 10, array: true })
] as const
export const rows = [1, 2, 3, 4].map((n) => ({
  $id: `d${n}`,
  text: `Text ${n} é😀\u0000`,
  word: n === 2 ? null : `word ${n}`,
  count: n * 10,
  share: n / 7,
  flag: n % 2 === 0,
  at: `2024-01-0${n}T03:04:05.678+02:00`,
  color: n === 3 ? "green" : "red",
  list: n === 4 ? [] : ["x", null, `y${n}`],
  $permissions: n === 1 ? ['read("any")', 'update("user:u1")'] : [],
  $createdAt: `200${n}-02-03T04:05:06.789+00:00`
}))

/** What all cases stand on. */
export const base = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    name: "The collection",
    permissions: ['read("users")', 'create("team:t1")'],
    documentSecurity: true,
    attributes: everyKind,
    indexes: [
      Index.unique("u", ["text"]),
      Index.key("k", ["word", "count"], { orders: ["desc", "asc"] }),
      Index.unique("uu", ["count", "word"])
    ]
  })
  yield* db.createDocuments("c", rows)
  yield* db.createCollection("other", { enabled: false, attributes: [Attribute.integer("n")] })
  yield* db.createDatabase("second", { name: "Second" })
  yield* db
    .in("second")
    .createCollection("s", { attributes: [Attribute.integer("n")], indexes: [Index.key("n", ["n"])] })
  yield* db.in("second").createDocument("s", { $id: "x", n: 1 })
})

export const keysOf = (db: Methods, collection = "c") =>
  Effect.map(db.listAttributes(collection), (attributes) => attributes.map(({ key }) => key))
export const hasCollection = (db: Methods, id: string) =>
  Effect.map(db.listCollections, (all) => all.some(({ $id }) => $id === id))
export const hasDatabase = (db: Methods, id: string) =>
  Effect.map(db.listDatabases, (all) => all.some(({ $id }) => $id === id))
/** A check that compares what an effect answers. */
export const is =
  <A>(look: (db: Methods) => Effect.Effect<A, DatabasesError>, expected: A) =>
  (db: Methods) =>
    Effect.map(look(db), (found) => assert.deepStrictEqual(found, expected))
export const valuesOf = (key: string) => (db: Methods) =>
  Effect.map(db.listDocuments("c"), ({ documents }) =>
    Object.fromEntries(documents.map((document) => [document.$id, document[key]]))
  )
export const countOf = (collection: string) => (db: Methods) =>
  Effect.map(db.listDocuments(collection), ({ total }) => total)
