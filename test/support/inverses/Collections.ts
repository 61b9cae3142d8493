/** Cases of operations on databases and collections. */
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import * as Index from "../../../src/Index.ts"

import { type Cases, countOf, everyKind, hasCollection, hasDatabase, is, keysOf, rows } from "./Base.ts"

export const collections = {
  CreateDatabase: [
    {
      title: "empty",
      operation: (db) => db.createDatabase("new", { name: "New", enabled: false }),
      check: is((db) => hasDatabase(db, "new"), true)
    },
    {
      title: "with collections and documents",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.createDatabase("new")
          yield* db.in("new").createCollection("c", { attributes: [Attribute.integer("n")] })
          yield* db.in("new").createDocument("c", { $id: "d", n: 1 })
        }),
      check: is((db) => countOf("c")(db.in("new")), 1)
    }
  ],
  UpdateDatabase: [
    {
      title: "name and enabled",
      operation: (db) => db.updateDatabase("second", { name: "Other", enabled: false }),
      check: is((db) => Effect.map(db.getDatabase("second"), ({ enabled, name }) => [name, enabled]), ["Other", false])
    },
    {
      title: "of a disabled one, by an id in other case",
      setup: (db) => db.updateDatabase("second", { enabled: false }),
      operation: (db) => db.updateDatabase("SECOND", { enabled: true }),
      check: is((db) => Effect.map(db.getDatabase("second"), ({ enabled }) => enabled), true)
    }
  ],
  DeleteDatabase: [
    {
      title: "with all that it holds",
      operation: (db) => db.deleteDatabase("second"),
      check: is((db) => hasDatabase(db, "second"), false)
    },
    {
      title: "and made anew, with other collections of the same ids",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteDatabase("second")
          yield* db.createDatabase("second", { name: "Anew" })
          yield* db.in("second").createCollection("s", { attributes: [Attribute.boolean("b")] })
          yield* db.in("second").createDocument("s", { $id: "x", b: true })
        }),
      check: is((db) => Effect.map(db.in("second").getDocument("s", "x"), (one) => one["b"]), true)
    },
    {
      title: "and made anew under its id in other case",
      operation: (db) => Effect.andThen(db.deleteDatabase("second"), db.createDatabase("SECOND")),
      check: is((db) => Effect.map(db.getDatabase("second"), ({ $id }) => $id), "SECOND")
    }
  ],
  CreateCollection: [
    {
      title: "with attributes, indexes and documents",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.createCollection("new", { attributes: everyKind, indexes: [Index.unique("u", ["text"])] })
          yield* db.createDocuments("new", rows)
        }),
      check: is(countOf("new"), 4)
    }
  ],
  UpdateCollection: [
    {
      title: "all of it",
      operation: (db) =>
        db.updateCollection("c", { name: "N", permissions: ['read("any")'], documentSecurity: false, enabled: false }),
      check: is(
        (db) => Effect.map(db.getCollection("c"), (c) => [c.name, c.$permissions, c.documentSecurity, c.enabled]),
        ["N", ['read("any")'], false, false]
      )
    },
    {
      title: "one field of it: the others stay",
      operation: (db) => db.updateCollection("C", { name: "N" }),
      check: is((db) => Effect.map(db.getCollection("c"), (c) => [c.name, c.documentSecurity]), ["N", true])
    }
  ],
  DeleteCollection: [
    {
      title: "with its documents",
      operation: (db) => db.deleteCollection("c"),
      check: is((db) => hasCollection(db, "c"), false)
    },
    {
      title: "that was disabled",
      operation: (db) => db.deleteCollection("other"),
      check: is((db) => hasCollection(db, "other"), false)
    },
    {
      title: "and made anew under the same id: its documents come back from where they were saved",
      setup: (db) =>
        Effect.forEach(
          Array.from({ length: 11 }, (_, batch) => batch),
          (batch) =>
            db.createDocuments(
              "other",
              Array.from({ length: 100 }, (_, n) => ({ $id: `o${batch}-${n}`, n }))
            )
        ),
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteCollection("other")
          yield* db.createCollection("OTHER", { attributes: [Attribute.string("n", { size: 5 })] })
          yield* db.createDocument("other", { $id: "o0-1", n: "text" })
        }),
      check: is(countOf("other"), 1)
    },
    {
      title: "that the run made itself",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.createCollection("new", { attributes: [Attribute.integer("n")] })
          yield* db.createDocument("new", { $id: "d", n: 1 })
          yield* db.deleteCollection("new")
        }),
      check: is((db) => hasCollection(db, "new"), false)
    },
    {
      title: "with an attribute deleted before, and made anew",
      operation: (db) =>
        Effect.gen(function* () {
          yield* db.deleteAttribute("c", "word")
          yield* db.deleteCollection("c")
          yield* db.createCollection("c", { attributes: [Attribute.integer("word")] })
          yield* db.deleteAttribute("c", "word")
        }),
      check: is((db) => keysOf(db), [])
    }
  ]
} satisfies {
  readonly [
    T in
      | "CreateDatabase"
      | "UpdateDatabase"
      | "DeleteDatabase"
      | "CreateCollection"
      | "UpdateCollection"
      | "DeleteCollection"
  ]: Cases
}
