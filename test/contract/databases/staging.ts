/** Operations to stage, written shortly, and documents to stage them on. */
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Index from "../../../src/Index.ts"
import { type Changes, type NewDocument, Staged } from "../../../src/Operation.ts"
import type { Query } from "../../../src/Query.ts"
import { nextMillisecond } from "./support.ts"

const [Create, CreateAll, Update, UpdateAll, Upsert, UpsertAll, Delete, DeleteAll, Increment, Decrement] =
  Staged.members

interface Addition {
  readonly attribute?: string
  readonly by?: number
  readonly max?: number
  readonly min?: number
}

/** On the collection `c` of this database, if no other is named; additions to its `n`. */
export const staging = (database: string) => {
  const at = (collection = "c") => ({ database, collection })
  return {
    create: (document: NewDocument, collection?: string) => Create.make({ ...at(collection), document }),
    createAll: (documents: ReadonlyArray<NewDocument>) => CreateAll.make({ ...at(), documents }),
    update: (id: string, changes: Changes) => Update.make({ ...at(), id, changes }),
    updateAll: (queries: ReadonlyArray<Query>, changes: Changes) => UpdateAll.make({ ...at(), queries, changes }),
    upsert: (document: NewDocument) => Upsert.make({ ...at(), document }),
    upsertAll: (documents: ReadonlyArray<NewDocument>) => UpsertAll.make({ ...at(), documents }),
    remove: (id: string) => Delete.make({ ...at(), id }),
    removeAll: (queries: ReadonlyArray<Query>) => DeleteAll.make({ ...at(), queries }),
    increment: (id: string, { attribute = "n", by = 1, max }: Addition = {}) =>
      Increment.make({ ...at(), id, attribute, by, max: max ?? null }),
    decrement: (id: string, { attribute = "n", by = 1, min }: Addition = {}) =>
      Decrement.make({ ...at(), id, attribute, by, min: min ?? null })
  }
}

export const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [
      Attribute.string("a", { size: 20, required: true }),
      Attribute.integer("n"),
      Attribute.string("d", { size: 5, default: "dflt" })
    ],
    indexes: [Index.unique("u", ["a"])]
  })
  yield* db.createCollection("c2", { attributes: [Attribute.string("z", { size: 10 })] })
  yield* db.createDocuments("c", [
    { $id: "f", a: "fence", n: 7 },
    { $id: "r1", a: "one", n: 1 },
    { $id: "r2", a: "two", n: 2 },
    { $id: "r3", a: "three", n: 3 }
  ])
  yield* nextMillisecond
  return staging(db.databaseId)
})
export const staged = Effect.fnUntraced(function* (db: Methods, ...operations: ReadonlyArray<Staged>) {
  const { $id } = yield* db.createTransaction()
  yield* db.stageOperations($id, operations)
  return $id
})
export const values = (db: Methods, transaction?: string) =>
  Effect.map(db.listDocuments("c", [], transaction === undefined ? {} : { transaction }), ({ documents }) =>
    documents.map((one) => `${one.$id}:${String(one["n"])}`).join(" ")
  )
