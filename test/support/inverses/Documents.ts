/** Cases of operations on documents. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import * as DatabaseHash from "../../../src/DatabaseHash.ts"
import { Write } from "../../../src/Operation.ts"

import { type Cases, countOf, is, rows, valuesOf } from "./Base.ts"

export const documents = {
  CreateDocument: [
    {
      title: "with permissions and dates",
      operation: (db) =>
        db.createDocument("c", { $id: "new", text: "new", $permissions: ['read("any")'], $createdAt: "2001-01-01" }),
      check: is(countOf("c"), 5)
    },
    {
      title: "without an id of its own",
      operation: (db) => Effect.tap(db.createDocument("c", { text: "new" }), ({ $id }) => db.deleteDocument("c", $id)),
      check: is(countOf("c"), 4)
    }
  ],
  CreateDocuments: [
    {
      title: "100 of them",
      operation: (db) =>
        db.createDocuments(
          "c",
          Array.from({ length: 100 }, (_, n) => ({ $id: `new${n}`, text: `new ${n}`, count: n, word: `w${n}` }))
        ),
      check: is(countOf("c"), 104)
    }
  ],
  UpdateDocument: [
    {
      title: "values, permissions and dates",
      operation: (db) =>
        db.updateDocument("c", "d1", {
          text: "x",
          list: [],
          word: null,
          at: null,
          $permissions: [],
          $createdAt: "2001-01-01",
          $updatedAt: "2002-02-02"
        }),
      check: is((db) => Effect.map(db.getDocument("c", "d1"), (one) => [one["text"], one.$permissions]), ["x", []])
    },
    {
      title: "of nothing new, by an id in other case",
      operation: (db) => db.updateDocument("c", "D1", { text: rows[0]!.text }),
      check: is(countOf("c"), 4)
    },
    {
      title: "of a unique value that another document gave up",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.updateDocument("c", "d1", { text: "between" })
          yield* db.updateDocument("c", "d2", { text: rows[0]!.text })
          yield* db.updateDocument("c", "d1", { text: rows[1]!.text })
        }),
      check: is((db) => Effect.map(db.getDocument("c", "d2"), (one) => one["text"]), rows[0]!.text)
    }
  ],
  DeleteDocument: [
    {
      title: "with permissions and dates",
      operation: (db) => db.deleteDocument("c", "d1"),
      check: is(countOf("c"), 3)
    },
    {
      title: "and another made under its id and with its unique value",
      operation: (db) =>
        Effect.andThen(db.deleteDocument("c", "D1"), db.createDocument("c", { $id: "D1", text: rows[0]!.text })),
      check: is(countOf("c"), 4)
    }
  ],
  WriteDocuments: [
    {
      title: "creations, updates and deletions in one batch",
      operation: (db) =>
        db.writeDocuments("c", [
          Write.cases.Update.make({ id: "d1", changes: { count: 11, $permissions: ['read("users")'] } }),
          Write.cases.Delete.make({ id: "d2" }),
          Write.cases.Create.make({ document: { $id: "d9", text: rows[1]!.text } }),
          Write.cases.Create.make({ document: { $id: "d8", text: "eight", count: 80 } })
        ]),
      check: is(valuesOf("count"), { d1: 11, d3: 30, d4: 40, d8: 80, d9: 7 })
    },
    {
      title: "the same documents several times in one batch",
      operation: (db) =>
        db.writeDocuments("c", [
          Write.cases.Update.make({ id: "d1", changes: { count: 11 } }),
          Write.cases.Update.make({ id: "D1", changes: { count: 12 } }),
          Write.cases.Delete.make({ id: "d2" }),
          Write.cases.Create.make({ document: { $id: "d2", text: "again", count: 22 } }),
          Write.cases.Create.make({ document: { $id: "d9", text: "nine", count: 90 } }),
          Write.cases.Delete.make({ id: "d9" }),
          Write.cases.Update.make({ id: "d3", changes: { count: 33 } }),
          Write.cases.Delete.make({ id: "d3" })
        ]),
      check: is(valuesOf("count"), { d1: 12, d2: 22, d4: 40 })
    },
    {
      title: "unique values that go round",
      operation: (db) =>
        db.writeDocuments("c", [
          Write.cases.Update.make({ id: "d1", changes: { text: "between" } }),
          Write.cases.Update.make({ id: "d2", changes: { text: rows[0]!.text } }),
          Write.cases.Update.make({ id: "d3", changes: { text: rows[1]!.text } }),
          Write.cases.Update.make({ id: "d1", changes: { text: rows[2]!.text } })
        ]),
      check: is((db) => Effect.map(db.getDocument("c", "d1"), (one) => one["text"]), rows[2]!.text)
    },
    {
      title: "a document deleted, and made anew under its id in other case, in one batch",
      operation: (db) =>
        db.writeDocuments("c", [
          Write.cases.Delete.make({ id: "d1" }),
          Write.cases.Create.make({ document: { $id: "D1", text: "anew", count: 1 } })
        ]),
      check: is((db) => Effect.map(db.getDocument("c", "d1"), ({ $id }) => $id), "D1")
    }
  ],
  RestoreDocuments: [
    {
      title: "one changed, one gone, one there, and one that is not as expected and stays",
      operation: (db) =>
        Effect.gen(function* () {
          const [d1, d2, d3] = yield* Effect.forEach(["d1", "d2", "d3"], (id) => db.getDocument("c", id))
          const expected = (document: typeof d1) => DatabaseHash.document(document!)
          const { conflicts } = yield* db.restoreDocuments("c", [
            { id: "d1", expected: expected(d1), document: { ...d1!, count: 11, $updatedAt: d2!.$createdAt } },
            { id: "d2", expected: expected(d2), document: null },
            { id: "d9", expected: null, document: { ...d2!, $id: "d9" } },
            { id: "d3", expected: "another", document: null },
            { id: "d4", expected: "another", document: d3! }
          ])
          assert.deepStrictEqual(conflicts.toSorted(), ["d3", "d4"])
        }),
      check: is(valuesOf("count"), { d1: 11, d3: 30, d4: 40, d9: 20 })
    },
    {
      title: "a document as it was before the collection got another attribute",
      operation: (db) =>
        Effect.gen(function* () {
          const d1 = yield* db.getDocument("c", "d1")
          yield* db.deleteDocument("c", "d1")
          yield* db.createAttribute("c", Attribute.integer("extra"))
          yield* db.restoreDocuments("c", [{ id: "d1", expected: null, document: d1 }])
        }),
      check: is(countOf("c"), 4)
    },
    {
      title: "beside a deleted attribute: what the author reads is what the author may expect",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("c", "word")
          const [d1, d2] = yield* Effect.forEach(["d1", "d2"], (id) => db.getDocument("c", id))
          const { conflicts } = yield* db.restoreDocuments("c", [
            { id: "d1", expected: DatabaseHash.document(d1!), document: { ...d1!, count: 11 } },
            { id: "d2", expected: DatabaseHash.document(d2!), document: null }
          ])
          assert.deepStrictEqual(conflicts, [])
        }),
      check: is(valuesOf("count"), { d1: 11, d3: 30, d4: 40 })
    }
  ]
} satisfies {
  readonly [
    T in
      | "CreateDocument"
      | "CreateDocuments"
      | "UpdateDocument"
      | "DeleteDocument"
      | "WriteDocuments"
      | "RestoreDocuments"
  ]: Cases
}
