/** How SQLite goes about the engine's own statements: what has an index is looked up by it. */
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import * as Attribute from "../../../src/Attribute.ts"
import { Databases, type Methods } from "../../../src/Databases.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Index from "../../../src/Index.ts"
import * as Embedded from "../../../src/layers/databases/Embedded.ts"
import * as Query from "../../../src/Query.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-plan-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const original = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, "prepare")?.value as (
  this: DatabaseSync,
  sql: string
) => StatementSync
/** Statements that the engine has prepared, each with what it was prepared on. */
let prepared: Array<{ readonly connection: DatabaseSync; readonly sql: string }> = []
beforeEach(() => {
  prepared = []
  vi.spyOn(DatabaseSync.prototype, "prepare").mockImplementation(function (this: DatabaseSync, sql: string) {
    prepared.push({ connection: this, sql })
    return original.call(this, sql)
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** What SQLite says of the statements on documents that `run` makes, a line for each step that touches the table. */
const plans = Effect.fnUntraced(function* (run: Effect.Effect<unknown, DatabasesError>) {
  prepared = []
  yield* Effect.ignore(run)
  const statements = prepared.filter(({ sql }) => sql.includes('"main/c"') && /^(select|update|delete)\b/.test(sql))
  assert.isNotEmpty(statements)
  return statements.flatMap(({ connection, sql }) =>
    original
      .call(connection, `explain query plan ${sql}`)
      .all()
      .map(({ detail }) => String(detail))
      .filter((step) => step.includes("main/c") || isSort(step))
  )
})

const searched = /^SEARCH main\/c USING (?:COVERING )?INDEX main\/c\//
/** Every step looks up by this index. */
const looksUp = (index: string, steps: ReadonlyArray<string>) => {
  assert.isNotEmpty(steps)
  for (const step of steps) {
    assert.match(step, searched, steps.join("; "))
    assert.include(step, `INDEX main/c/${index} `)
  }
}
const isSort = (step: string) => step.includes("TEMP B-TREE")

const setUp = Effect.gen(function* () {
  const filename = join(yield* temporaryFolder, "a.db")
  const db = Context.get(yield* Layer.build(Embedded.layer({ filename })), Databases)
  yield* db.createCollection("c", {
    attributes: [
      Attribute.string("s", { size: 30 }),
      Attribute.email("m"),
      Attribute.integer("i"),
      Attribute.bigint("g"),
      Attribute.float("f"),
      Attribute.datetime("d"),
      Attribute.boolean("b"),
      Attribute.string("bare", { size: 30 }),
      Attribute.text("tx")
    ],
    indexes: [
      Index.key("by-s", ["s"]),
      Index.unique("by-m", ["m"]),
      Index.key("by-i", ["i"]),
      Index.key("by-i-down", ["i"], { orders: ["desc"] }),
      Index.key("by-g", ["g"]),
      Index.key("by-f", ["f"]),
      Index.key("by-d", ["d"]),
      Index.key("by-b-s", ["b", "s"]),
      Index.key("created", ["$createdAt"]),
      Index.fulltext("words", ["tx"])
    ]
  })
  yield* db.createDocument("c", { $id: "a", s: "x", m: "a@example.com", i: 1 })
  return db
})
const list =
  (...queries: ReadonlyArray<Query.Query>) =>
  (db: Methods) =>
    db.listDocuments("c", queries)

/** What is asked, and the index that answers it. */
const lookUps: ReadonlyArray<readonly [string, string, (db: Methods) => Effect.Effect<unknown, DatabasesError>]> = [
  ["equality of a string", "by-s", list(Query.equal("s", "x"))],
  ["equality with one of several strings", "by-s", list(Query.equal("s", ["x", "y", "z"]))],
  ["equality of an integer", "by-i", list(Query.equal("bare", "x"), Query.equal("i", 1))],
  ["equality of a bigint", "by-g", list(Query.equal("g", 2n ** 60n))],
  ["equality with one of several bigints", "by-g", list(Query.equal("g", [2n ** 60n, 1]))],
  ["equality of a float", "by-f", list(Query.equal("f", 0.5))],
  ["equality of a date", "by-d", list(Query.equal("d", "2024-01-01"))],
  ["a unique look-up", "by-m", list(Query.equal("m", "A@example.com"))],
  ["null", "by-s", list(Query.isNull("s"))],
  ["a range of strings", "by-s", list(Query.greaterThan("s", "a"), Query.lessThan("s", "b"))],
  ["a range of dates", "by-d", list(Query.between("d", "2024-01-01", "2024-12-31"))],
  ["a range of floats", "by-f", list(Query.lessThanEqual("f", 5), Query.greaterThan("f", -5))],
  ["a range of $createdAt", "created", list(Query.between("$createdAt", "2024-01-01", "2025-01-01"))],
  ["two attributes of one index", "by-b-s", list(Query.equal("b", true), Query.equal("s", "x"))],
  ["an order behind an equality", "by-b-s", list(Query.equal("b", true), Query.orderAsc("s"))],
  ["a range in its own order", "by-s", list(Query.greaterThan("s", "a"), Query.orderAsc("s"))],
  ["an $id in a list", "$id", list(Query.equal("$id", "a"))],
  ["several $ids in a list", "$id", list(Query.equal("$id", ["a", "b"]))],
  ["a document by its $id", "$id", (db) => db.getDocument("c", "a")],
  ["an update by $id", "$id", (db) => db.updateDocument("c", "a", { b: true })],
  ["an addition by $id", "$id", (db) => db.incrementAttribute("c", "a", "i")],
  ["an upsert by $id", "$id", (db) => db.upsertDocument("c", { $id: "a", b: false })],
  ["a deletion by $id", "$id", (db) => db.deleteDocument("c", "a")]
]

describe("Query plans", () => {
  for (const [what, index, run] of lookUps) {
    it.live(`${what} goes by the index ${index}`, () =>
      Effect.gen(function* () {
        const db = yield* setUp
        if (index === "by-i") yield* db.deleteIndex("c", "by-i-down")
        // Lists come in order of $sequence: what has one value in the index comes so by itself, a range is sorted.
        looksUp(
          index,
          (yield* plans(run(db))).filter((step) => !isSort(step))
        )
      })
    )
  }

  const sorted: ReadonlyArray<readonly [string, string, ReadonlyArray<Query.Query>]> = [
    ["one value, in order of $sequence", "by-s", [Query.equal("s", "x")]],
    ["an ascending range", "by-s", [Query.greaterThan("s", "a"), Query.orderAsc("s")]],
    ["an ascending range of dates", "by-d", [Query.between("d", "2024-01-01", "2025-01-01"), Query.orderAsc("d")]],
    ["a range that is open to one side", "by-f", [Query.lessThanEqual("f", 5), Query.orderAsc("f")]],
    ["a descending range", "by-i-down", [Query.lessThan("i", 9), Query.orderDesc("i")]],
    ["the second attribute behind the first", "by-b-s", [Query.equal("b", false), Query.orderAsc("s")]]
  ]
  for (const [what, index, queries] of sorted) {
    it.live(`${what} comes out of the index ${index} sorted`, () =>
      Effect.gen(function* () {
        const db = yield* setUp
        looksUp(index, yield* plans(db.listDocuments("c", queries, { total: false })))
      })
    )
  }

  const walked: ReadonlyArray<readonly [string, string, Query.Query]> = [
    ["strings ascending", "by-s", Query.orderAsc("s")],
    ["integers ascending", "by-i", Query.orderAsc("i")],
    ["integers descending", "by-i-down", Query.orderDesc("i")],
    ["dates ascending", "by-d", Query.orderAsc("d")]
  ]
  for (const [what, index, order] of walked) {
    it.live(`a list of all, ${what}, walks along the index ${index} and sorts nothing`, () =>
      Effect.gen(function* () {
        const db = yield* setUp
        const steps = yield* plans(db.listDocuments("c", [order], { total: false }))
        assert.deepStrictEqual(steps, [`SCAN main/c USING INDEX main/c/${index}`])
      })
    )
  }

  it.live("the next page in order of $sequence begins at the cursor", () =>
    Effect.gen(function* () {
      const db = yield* setUp
      const steps = yield* plans(db.listDocuments("c", [Query.cursorAfter("a")], { total: false }))
      assert.isNotEmpty(steps)
      for (const step of steps) {
        assert.match(step, /^SEARCH main\/c USING (?:INDEX main\/c\/\$id |INTEGER PRIMARY KEY )/, steps.join("; "))
      }
    })
  )

  it.live("the next page in the order of an index begins at the cursor, and sorts nothing", () =>
    Effect.gen(function* () {
      const db = yield* setUp
      for (const [index, order] of [
        ["by-s", Query.orderAsc("s")],
        ["by-i-down", Query.orderDesc("i")]
      ] as const) {
        const steps = yield* plans(db.listDocuments("c", [order, Query.cursorAfter("a")], { total: false }))
        looksUp(
          index,
          steps.filter((step) => !step.includes("main/c/$id "))
        )
      }
    })
  )

  it.live("words are looked up in the full-text index, the documents by their number", () =>
    Effect.gen(function* () {
      const db = yield* setUp
      const steps = yield* plans(db.listDocuments("c", [Query.search("tx", "word")], { total: false }))
      assert.isTrue(
        steps.some((step) => step.startsWith("SEARCH main/c USING INTEGER PRIMARY KEY")),
        steps.join("; ")
      )
    })
  )

  it.live("the look of a value without an index goes through all: what these tests tell apart", () =>
    Effect.gen(function* () {
      const db = yield* setUp
      const steps = yield* plans(db.listDocuments("c", [Query.equal("bare", "x")]))
      assert.isTrue(
        steps.every((step) => step.startsWith("SCAN main/c")),
        steps.join("; ")
      )
    })
  )
})
