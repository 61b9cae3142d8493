/** Rows in bulk: created, changed, upserted, deleted by query. */
import * as Effect from "effect/Effect"
import type { Value } from "../../../../../Attribute.ts"
import type { Collection } from "../../../../../Collection.ts"
import { uniqueId } from "../../../../../Databases.ts"
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import type { Document } from "../../../../../Document.ts"
import * as Query from "../../../../../Query.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { type Answer, type Call, json } from "../Call.ts"
import type { Route } from "../Routes.ts"
import { type Context, handler, inDatabase } from "./Context.ts"
import * as Parameters from "./Parameters.ts"
import * as Queries from "./Queries.ts"
import * as RowCalls from "./RowCalls.ts"
import * as RowData from "./RowData.ts"
import * as RowQuirks from "./RowQuirks.ts"
import { scopes, type Vocabulary } from "./Vocabulary.ts"

/** Rows in one call, at most. */
const most = 100

const { rateLimits: limits } = RowCalls

/** `create` is a handler: its route is the one of single rows. */
export const make = (context: Context, vocabulary: Vocabulary) => {
  const { rows, tables } = vocabulary
  const base = `${vocabulary.base}/:databaseId/${tables}/:tableId/${rows}`
  const { collectionOf, missingData, missingPayload, readingOf, shown, staged, transactionOf } = RowCalls.make(
    context,
    vocabulary
  )

  /** Guests do nothing in bulk, and the server tells them so in its own ways. */
  const refuseGuests = (call: Call, how: "scope" | "database"): void => {
    if (call.caller._tag === "Key") return
    throw how === "scope"
      ? ApiFailure.make(
          401,
          "general_unauthorized_scope",
          "The current user or API key does not have the required scopes to access the requested resource."
        )
      : ApiFailure.make(
          404,
          "database_not_found",
          `Database with the requested ID '${call.path["databaseId"]}' could not be found.`
        )
  }

  const bulkRows = (call: Call): ReadonlyArray<RowData.Sent> => {
    const sent = call.body[rows]
    if (
      !Array.isArray(sent) ||
      sent.length > most ||
      !sent.every((item) => typeof item === "object" && item !== null)
    ) {
      throw ApiFailure.invalidParameter(
        rows,
        `Value must a valid array no longer than ${most} items and Value must be a valid object`
      )
    }
    return sent as ReadonlyArray<RowData.Sent>
  }
  /** The server breaks on a cursor here. */
  const bulkQueries = (call: Call): ReadonlyArray<Query.Query> => {
    const queries = Queries.parse(call.body["queries"])
    if (Query.parts(queries).cursor !== undefined) throw ApiFailure.serverError
    return queries
  }
  const withIds = Effect.fnUntraced(function* (reading: RowData.Reading, sent: ReadonlyArray<RowData.Sent>) {
    return yield* Effect.forEach(sent, (item) => {
      const { $id } = item
      if ($id !== undefined && !Parameters.isId($id))
        throw ApiFailure.make(400, "general_bad_request", Parameters.idMessage)
      const id = $id === undefined || $id === "unique()" ? uniqueId : Effect.succeed($id)
      return Effect.map(id, (known) => RowData.documentOf(reading, known, item))
    })
  })
  const answerAll = (
    call: Call,
    documents: ReadonlyArray<Document>,
    sent: ReadonlyArray<RowData.Sent>,
    status: number
  ) =>
    json(
      {
        total: documents.length,
        [rows]: documents.map((document, position) => shown(call, RowData.asSent(document, sent[position] ?? {})))
      },
      status
    )

  const createMany = Effect.fnUntraced(function* (
    call: Call
  ): Effect.fn.Return<Answer, ApiFailure.ApiFailure | DatabasesError> {
    refuseGuests(call, "scope")
    const sent = bulkRows(call)
    if (sent.length === 0) throw missingData
    const collection = yield* collectionOf(call)
    const documents = yield* withIds(readingOf(call, collection, true), sent)
    if (transactionOf(call) !== undefined) return yield* staged(call).bulk({ _tag: "CreateDocuments", documents })
    const created = yield* inDatabase(context, call).createDocuments(call.path["tableId"]!, documents)
    return answerAll(call, created, sent, 201)
  })

  /**
   * What was selected, all else null; null that was sent to a column with a default is answered as the default, and
   * stored as null.
   */
  const bulkAnswer = (
    call: Call,
    collection: Collection,
    queries: ReadonlyArray<Query.Query>,
    sent: RowData.Sent,
    { documents, total }: { readonly total: number; readonly documents: ReadonlyArray<Document> }
  ) => {
    const { select } = Query.parts(queries)
    const instead: Record<string, Value> = {}
    for (const attribute of collection.attributes) {
      const { key } = attribute
      if (sent[key] === null && attribute.default !== null) instead[key] = attribute.default
      else if (select !== undefined && !select.includes("*") && !select.includes(key) && !Object.hasOwn(sent, key)) {
        instead[key] = attribute.array ? [] : null
      }
    }
    return json({ total, [rows]: documents.map((document) => shown(call, { ...document, ...instead })) })
  }

  const updateMany: Route = {
    method: "PATCH",
    path: base,
    scope: scopes(vocabulary, "rows", "write"),
    rateLimit: limits.write,
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        refuseGuests(call, "database")
        const data = call.body["data"] === undefined ? {} : RowData.dataOf(call.body["data"])
        if (Object.keys(data).length === 0) throw missingPayload
        const queries = bulkQueries(call)
        const collection = yield* collectionOf(call)
        const changes = RowData.changesOf(readingOf(call, collection, true), data)
        if (transactionOf(call) !== undefined)
          return yield* staged(call).bulk({ _tag: "UpdateDocuments", changes, queries })
        // `$id` among the data changes nothing, but it is a change.
        const effective = Object.keys(changes).length === 0 ? { $permissions: undefined } : changes
        return yield* Effect.map(
          RowQuirks.bulkUpdate(inDatabase(context, call), collection, queries, effective as RowQuirks.Changes),
          (answer) => bulkAnswer(call, collection, queries, data, answer)
        )
      }),
      { bulk: true }
    )
  }

  const upsertMany: Route = {
    method: "PUT",
    path: base,
    scope: scopes(vocabulary, "rows", "write"),
    rateLimit: limits.write,
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        refuseGuests(call, "scope")
        const sent = bulkRows(call)
        const collection = yield* collectionOf(call)
        const documents = yield* withIds(readingOf(call, collection, true), sent)
        if (transactionOf(call) !== undefined) return yield* staged(call).bulk({ _tag: "UpsertDocuments", documents })
        RowQuirks.refuseDoubled(vocabulary, documents)
        const databases = inDatabase(context, call)
        const written = yield* context.quirks
          ? RowQuirks.upsertMany(databases, collection, documents)
          : databases.upsertDocuments(collection.$id, documents)
        return answerAll(call, written, sent, 200)
      }),
      { bulk: true }
    )
  }

  const removeMany: Route = {
    method: "DELETE",
    path: base,
    scope: scopes(vocabulary, "rows", "write"),
    rateLimit: limits.delete,
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        refuseGuests(call, "database")
        const given = bulkQueries(call)
        // Without a query the server empties the table; the store wants it said.
        const queries = given.length === 0 ? [Query.isNotNull("$id")] : given
        if (transactionOf(call) !== undefined) return yield* staged(call).bulk({ _tag: "DeleteDocuments", queries })
        const collection = yield* collectionOf(call)
        const answer = yield* inDatabase(context, call).deleteDocuments(call.path["tableId"]!, queries)
        return bulkAnswer(call, collection, queries, {}, answer)
      }),
      { bulk: true }
    )
  }

  const routes: ReadonlyArray<Route> = [updateMany, upsertMany, removeMany]
  return { create: handler(vocabulary, createMany, { bulk: true }), routes }
}
