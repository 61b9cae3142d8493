/** Rows, or documents: one at a time, in bulk, counted up and down; staged where a transaction is named. */
import * as Effect from "effect/Effect"
import type { Kind } from "../../../../../Attribute.ts"
import type { Collection } from "../../../../../Collection.ts"
import { type Methods, uniqueId } from "../../../../../Databases.ts"
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import type { Document } from "../../../../../Document.ts"
import { parseDateTime } from "../../../../../internal/DateTimeText.ts"
import * as Query from "../../../../../Query.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { type Answer, type Call, json, noContent } from "../Call.ts"
import type { Route } from "../Routes.ts"
import { type Context, handler, inDatabase } from "./Context.ts"
import { counts, idOf, newId } from "./DatabaseRoutes.ts"
import * as Parameters from "./Parameters.ts"
import * as Queries from "./Queries.ts"
import * as RowData from "./RowData.ts"
import * as RowQuirks from "./RowQuirks.ts"
import * as StagedRows from "./StagedRows.ts"
import { scopes, type Vocabulary } from "./Vocabulary.ts"

const numeric: ReadonlySet<Kind> = new Set<Kind>(["integer", "bigint", "float"])

/** Calls a minute in the rate limit's headers. */
const limits = { write: 120, delete: 60 } as const
const most = 100

const timestamp = (call: Call): { readonly ifUnmodifiedSince?: string } => {
  const header = call.headers["x-appwrite-timestamp"]
  if (header === undefined || header === "") return {}
  if (parseDateTime(header) !== undefined) return { ifUnmodifiedSince: header }
  throw ApiFailure.make(400, "general_argument_invalid", "Invalid X-Appwrite-Timestamp header value")
}

export const routes = (context: Context, vocabulary: Vocabulary): ReadonlyArray<Route> => {
  const { row, rowId, rows, tables } = vocabulary
  const base = `${vocabulary.base}/:databaseId/${tables}/:tableId/${rows}`
  const one = `${base}/:rowId`
  const lower = row.toLowerCase()
  const missingData = ApiFailure.make(
    400,
    vocabulary.type("row_missing_data"),
    `The ${lower} data is missing. Try again with ${lower} data populated.`
  )
  const missingPayload = ApiFailure.make(
    400,
    vocabulary.type("row_missing_payload"),
    `The ${lower} data and permissions are missing. You must provide either ${lower} data or permissions to be updated.`
  )
  const shown = (call: Call, document: object) =>
    RowData.shown(vocabulary, call.path["databaseId"]!, call.path["tableId"]!, document)
  const transactionOf = (call: Call): string | undefined => {
    const id = call.input["transactionId"]
    return typeof id === "string" && id !== "" ? id : undefined
  }
  const readingOf = (call: Call, collection: Collection, bulk: boolean): RowData.Reading => ({
    vocabulary,
    collection,
    quirks: context.quirks,
    withDates: call.caller._tag === "Key" && transactionOf(call) === undefined,
    withPermissions: bulk
  })
  /** The collection, also for those who may not look at schemas. */
  const collectionOf = (call: Call) => StagedRows.collectionOf(context, call)
  const staged = (call: Call) => StagedRows.make(context, vocabulary, call)

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
  const withIds = Effect.fnUntraced(function* (reading: RowData.Reading, sent: ReadonlyArray<RowData.Sent>) {
    return yield* Effect.forEach(sent, (item) => {
      const { $id } = item
      if ($id !== undefined && !Parameters.isId($id))
        throw ApiFailure.make(400, "general_bad_request", Parameters.idMessage)
      const id = $id === undefined || $id === "unique()" ? uniqueId : Effect.succeed(String($id))
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

  const createOne = Effect.fnUntraced(function* (
    call: Call
  ): Effect.fn.Return<Answer, ApiFailure.ApiFailure | DatabasesError> {
    const { body } = call
    if (body[rowId] === null) throw ApiFailure.serverError
    if (body["data"] === undefined || body["data"] === null || body["data"] === "") throw missingData
    if (body[rowId] === undefined || body[rowId] === "0") {
      throw ApiFailure.make(
        400,
        vocabulary.type("row_missing_data"),
        `${row} ID is required when creating a single ${lower}.`
      )
    }
    const data = RowData.dataOf(body["data"])
    if (Object.keys(data).length === 0) throw missingData
    const id = yield* newId(idOf(body, rowId))
    const permissions = Parameters.permissions(body, "document")
    const collection = yield* collectionOf(call)
    const document = {
      ...RowData.documentOf(readingOf(call, collection, false), id, data),
      ...(permissions === undefined ? {} : { $permissions: permissions })
    }
    if (transactionOf(call) !== undefined) return yield* staged(call).create(document)
    const created = yield* inDatabase(context, call).createDocument(call.path["tableId"]!, document)
    return json(shown(call, RowData.asSent(created, data)), 201)
  })

  const create: Route = {
    method: "POST",
    path: base,
    scope: scopes(vocabulary, "rows", "write"),
    rateLimit: limits.write,
    handler: (call) => {
      const bulk = call.body[rows] !== undefined && (call.body[rowId] === undefined || call.body["data"] === undefined)
      return handler(vocabulary, bulk ? createMany : createOne, { bulk })(call)
    }
  }

  const list: Route = {
    method: "GET",
    path: base,
    scope: scopes(vocabulary, "rows", "read"),
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        const queries = Queries.parse(call.query["queries"])
        const databases = inDatabase(context, call)
        const transaction = transactionOf(call)
        const total = counts(call.query)
        const answer = yield* databases.listDocuments(call.path["tableId"]!, queries, {
          total,
          ...(transaction === undefined ? {} : { transaction })
        })
        const view = transaction === undefined ? (document: object) => document : yield* staged(call).view(transaction)
        return json({ total: answer.total, [rows]: answer.documents.map((document) => shown(call, view(document))) })
      })
    )
  }

  const get: Route = {
    method: "GET",
    path: one,
    scope: scopes(vocabulary, "rows", "read"),
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        const queries = Queries.parse(call.query["queries"])
        const transaction = transactionOf(call)
        const document = yield* inDatabase(context, call).getDocument(call.path["tableId"]!, call.path["rowId"]!, {
          queries,
          ...(transaction === undefined ? {} : { transaction })
        })
        const view = transaction === undefined ? (whole: object) => whole : yield* staged(call).view(transaction)
        return json(shown(call, view(document)))
      })
    )
  }

  const payload = (
    call: Call
  ): { readonly data: RowData.Sent; readonly permissions: ReadonlyArray<string> | undefined } => {
    const { body } = call
    if ("data" in body && body["data"] === null) throw ApiFailure.serverError
    const data = body["data"] === undefined ? {} : RowData.dataOf(body["data"])
    const permissions = Parameters.permissions(body, "document")
    if (Object.keys(data).length === 0 && permissions === undefined) throw missingPayload
    return { data, permissions }
  }

  const update: Route = {
    method: "PATCH",
    path: one,
    scope: scopes(vocabulary, "rows", "write"),
    rateLimit: limits.write,
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        const { data, permissions } = payload(call)
        const collection = yield* collectionOf(call)
        const changes = {
          ...RowData.changesOf(readingOf(call, collection, false), data),
          ...(permissions === undefined ? {} : { $permissions: permissions })
        }
        if (transactionOf(call) !== undefined) return yield* staged(call).update(call.path["rowId"]!, changes)
        const since = timestamp(call)
        const databases = inDatabase(context, call)
        const tableId = call.path["tableId"]!
        if (Object.keys(changes).length === 0) {
          return json(shown(call, yield* databases.getDocument(tableId, call.path["rowId"]!)))
        }
        const updated = yield* databases.updateDocument(tableId, call.path["rowId"]!, changes, since)
        return json(shown(call, RowData.asSent(updated, data)))
      })
    )
  }

  const upsert: Route = {
    method: "PUT",
    path: one,
    scope: scopes(vocabulary, "rows", "write"),
    rateLimit: limits.write,
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        const { data, permissions } = payload(call)
        const collection = yield* collectionOf(call)
        const document = {
          ...RowData.documentOf(readingOf(call, collection, false), call.path["rowId"]!, data),
          ...(permissions === undefined ? {} : { $permissions: permissions })
        }
        if (transactionOf(call) !== undefined) return yield* staged(call).upsert(document)
        const databases = inDatabase(context, call)
        const written = yield* context.quirks
          ? RowQuirks.upsert(databases, collection, document)
          : databases.upsertDocument(collection.$id, document)
        return json(shown(call, RowData.asSent(written, data)))
      })
    )
  }

  const remove: Route = {
    method: "DELETE",
    path: one,
    scope: scopes(vocabulary, "rows", "write"),
    rateLimit: limits.delete,
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        if (transactionOf(call) !== undefined) return yield* staged(call).remove(call.path["rowId"]!)
        const since = timestamp(call)
        yield* inDatabase(context, call).deleteDocument(call.path["tableId"]!, call.path["rowId"]!, since)
        return noContent
      })
    )
  }

  const bulkAnswer = (
    call: Call,
    { documents, total }: { readonly total: number; readonly documents: ReadonlyArray<Document> }
  ) => json({ total, [rows]: documents.map((document) => shown(call, document)) })

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
        const queries = Queries.parse(call.body["queries"])
        const collection = yield* collectionOf(call)
        const changes = RowData.changesOf(readingOf(call, collection, true), data)
        if (transactionOf(call) !== undefined)
          return yield* staged(call).bulk({ _tag: "UpdateDocuments", changes, queries })
        // `$id` among the data changes nothing, but it is a change.
        const effective = Object.keys(changes).length === 0 ? { $permissions: undefined } : changes
        return yield* Effect.map(
          RowQuirks.bulkUpdate(inDatabase(context, call), collection, queries, effective as RowQuirks.Changes),
          (answer) => bulkAnswer(call, answer)
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
        const given = Queries.parse(call.body["queries"])
        // Without a query the server empties the table; the store wants it said.
        const queries = given.length === 0 ? [Query.isNotNull("$id")] : given
        if (transactionOf(call) !== undefined) return yield* staged(call).bulk({ _tag: "DeleteDocuments", queries })
        return bulkAnswer(call, yield* inDatabase(context, call).deleteDocuments(call.path["tableId"]!, queries))
      }),
      { bulk: true }
    )
  }

  const count = (direction: "increment" | "decrement"): Route => ({
    method: "PATCH",
    path: `${one}/:attribute/${direction}`,
    scope: scopes(vocabulary, "rows", "write"),
    rateLimit: limits.write,
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call) {
        const { body } = call
        const attribute = call.path["attribute"]!
        if (!Parameters.isId(attribute))
          throw ApiFailure.invalidParameter(vocabulary.columnParameter, Parameters.idMessage)
        const amount = (name: string) => {
          const value = body[name]
          if (value === undefined || value === null) return null
          const number = Parameters.number(value)
          if (number === undefined) {
            throw ApiFailure.invalidParameter(name, `Value must be a valid number${name === "value" ? "" : " or null"}`)
          }
          return number
        }
        const by = amount("value") ?? 1
        const bound = amount(direction === "increment" ? "max" : "min")
        if (!(by > 0))
          throw ApiFailure.make(400, "general_argument_invalid", "Value must be numeric and greater than 0")
        const operation = { direction, id: call.path["rowId"]!, attribute, by, bound }
        if (transactionOf(call) !== undefined) return yield* staged(call).count(operation)
        const collection = yield* collectionOf(call)
        const known = collection.attributes.find(({ key }) => key === attribute)
        if (known !== undefined && (known.array || !numeric.has(known.kind))) {
          throw ApiFailure.make(400, "attribute_type_invalid", `${vocabulary.service} "${attribute}" is not a number`)
        }
        const databases: Methods = inDatabase(context, call)
        return json(shown(call, yield* RowQuirks.count(databases, vocabulary, collection, operation, context.quirks)))
      })
    )
  })

  return [
    create,
    list,
    get,
    update,
    upsert,
    remove,
    updateMany,
    upsertMany,
    removeMany,
    count("increment"),
    count("decrement")
  ]
}
