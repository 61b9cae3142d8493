/** Writes on rows that a transaction stages: what they answer, and how rows look inside it. */
import * as Effect from "effect/Effect"
import type { Collection } from "../../../../../Collection.ts"
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import { batchLimit, type Changes, type NewDocument, type Staged } from "../../../../../Operation.ts"
import * as Query from "../../../../../Query.ts"
import { type Answer, type Call, json, noContent } from "../Call.ts"
import { asServer, type Context, inDatabase } from "./Context.ts"
import * as RowData from "./RowData.ts"
import type { Count } from "./RowQuirks.ts"
import type { Vocabulary } from "./Vocabulary.ts"

/** The collection, also for those who may not look at schemas. */
export const collectionOf = (context: Context, call: Call): Effect.Effect<Collection, DatabasesError> =>
  asServer(inDatabase(context, call).getCollection(call.path["tableId"]!))

type Bulk =
  | { readonly _tag: "CreateDocuments" | "UpsertDocuments"; readonly documents: ReadonlyArray<NewDocument> }
  | { readonly _tag: "UpdateDocuments"; readonly changes: Changes; readonly queries: ReadonlyArray<Query.Query> }
  | { readonly _tag: "DeleteDocuments"; readonly queries: ReadonlyArray<Query.Query> }

/** Members that the staged writes on a row have sent. */
const sentBy = (operation: Staged): ReadonlyArray<readonly [id: string, sent: object]> => {
  switch (operation._tag) {
    case "CreateDocument":
    case "UpsertDocument":
      return [[operation.document.$id, operation.document]]
    case "CreateDocuments":
    case "UpsertDocuments":
      return operation.documents.map((document) => [document.$id, document])
    case "UpdateDocument":
      return [[operation.id, operation.changes]]
    default:
      return []
  }
}

export const make = (context: Context, vocabulary: Vocabulary, call: Call) => {
  const databases = inDatabase(context, call)
  const database = call.path["databaseId"]!
  const collection = call.path["tableId"]!
  const transaction = String(call.input["transactionId"])
  const stage = (operation: Staged) => databases.stageOperations(transaction, [operation])
  const shown = (members: object) => RowData.shown(vocabulary, database, collection, members)

  /** Those of these rows that are there outside the transaction, in small letters. */
  const existing = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
    const known = new Set<string>()
    for (let from = 0; from < ids.length; from += batchLimit) {
      const queries = [Query.equal("$id", ids.slice(from, from + batchLimit)), Query.limit(batchLimit)]
      const { documents } = yield* databases.listDocuments(collection, queries, { total: false })
      for (const { $id } of documents) known.add($id.toLowerCase())
    }
    return known
  })

  /** Rows that are new in the transaction show what was sent, and neither dates nor a sequence. */
  const view = Effect.fnUntraced(function* (id: string) {
    const record = yield* Effect.option(databases.getTransaction(id))
    if (record._tag === "None" || record.value.status !== "pending") return (document: object) => document
    const operations = yield* databases.execute({ _tag: "ListStaged", transaction: id })
    const sent = new Map<string, Set<string>>()
    for (const operation of operations) {
      if (operation.collection.toLowerCase() !== collection.toLowerCase()) continue
      for (const [row, members] of sentBy(operation)) {
        const keys = sent.get(row.toLowerCase()) ?? new Set()
        for (const key of Object.keys(members)) keys.add(key)
        sent.set(row.toLowerCase(), keys)
      }
    }
    const known = yield* asServer(existing([...sent.keys()]))
    return (document: object): object => {
      const row = (document as { readonly $id: string }).$id.toLowerCase()
      const keys = sent.get(row)
      if (keys === undefined || known.has(row)) return document
      const members = Object.entries(document).filter(([name]) => name === "$id" || keys.has(name))
      return { ...Object.fromEntries(members), $sequence: "" }
    }
  })

  return {
    view,
    create: (document: NewDocument): Effect.Effect<Answer, DatabasesError> => {
      const staged = { ...document, $permissions: document.$permissions ?? [] }
      return Effect.as(
        stage({ _tag: "CreateDocument", database, collection, document: staged }),
        json(shown({ ...staged, $sequence: "" }), 201)
      )
    },
    upsert: (document: NewDocument): Effect.Effect<Answer, DatabasesError> => {
      const staged = { ...document, $permissions: document.$permissions ?? [] }
      return Effect.as(
        stage({ _tag: "UpsertDocument", database, collection, document: staged }),
        json(shown({ ...staged, $sequence: "" }), 201)
      )
    },
    update: Effect.fnUntraced(function* (id: string, changes: Changes): Effect.fn.Return<Answer, DatabasesError> {
      yield* stage({ _tag: "UpdateDocument", database, collection, id, changes })
      // It is staged: that the caller may not read it changes nothing of that.
      const document = yield* asServer(databases.getDocument(collection, id, { transaction }))
      const seen = yield* view(transaction)
      return json(shown(seen(document)))
    }),
    remove: (id: string): Effect.Effect<Answer, DatabasesError> =>
      Effect.as(stage({ _tag: "DeleteDocument", database, collection, id }), noContent),
    count: ({ attribute, bound, by, direction, id }: Count): Effect.Effect<Answer, DatabasesError> =>
      Effect.as(
        stage(
          direction === "increment"
            ? { _tag: "IncrementAttribute", database, collection, id, attribute, by, max: bound }
            : { _tag: "DecrementAttribute", database, collection, id, attribute, by, min: bound }
        ),
        json(shown({ $id: id, [attribute]: by, $sequence: "" }))
      ),
    bulk: (operation: Bulk): Effect.Effect<Answer, DatabasesError> =>
      Effect.as(
        stage({ ...operation, database, collection }),
        json({ total: "documents" in operation ? operation.documents.length : 0, [vocabulary.rows]: [] })
      )
  }
}
