/** Rows, or documents: one at a time, counted up and down; staged where a transaction is named. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Kind } from "../../../../../Attribute.ts"
import type { Methods } from "../../../../../Databases.ts"
import type { Document } from "../../../../../Document.ts"
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import { parseDateTime } from "../../../../../internal/DateTimeText.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { type Answer, type Call, json, noContent } from "../Call.ts"
import type { Route } from "../Routes.ts"
import * as BulkRoutes from "./BulkRoutes.ts"
import { type Context, handler, inDatabase } from "./Context.ts"
import { idOf, newId } from "./DatabaseRoutes.ts"
import { counts } from "./Listing.ts"
import { rowName } from "./Overlaps.ts"
import * as Parameters from "./Parameters.ts"
import * as Queries from "./Queries.ts"
import * as RowCalls from "./RowCalls.ts"
import * as RowData from "./RowData.ts"
import * as RowQuirks from "./RowQuirks.ts"
import { scopes, type Vocabulary } from "./Vocabulary.ts"

const numeric: ReadonlySet<Kind> = new Set<Kind>(["integer", "bigint", "float"])

const { rateLimits: limits } = RowCalls

const timestamp = (call: Call): { readonly ifUnmodifiedSince?: string } => {
  const header = call.headers["x-appwrite-timestamp"]
  if (header === undefined || header === "") return {}
  if (parseDateTime(header) !== undefined) return { ifUnmodifiedSince: header }
  throw ApiFailure.make(400, "general_argument_invalid", "Invalid X-Appwrite-Timestamp header value")
}

const isNewer = ({ $updatedAt }: Document, since: string | undefined): boolean =>
  since !== undefined && Date.parse($updatedAt) > Date.parse(since)

export const routes = (context: Context, vocabulary: Vocabulary): ReadonlyArray<Route> => {
  const { row, rowId, rows, tables } = vocabulary
  const base = `${vocabulary.base}/:databaseId/${tables}/:tableId/${rows}`
  const one = `${base}/:rowId`
  const lower = row.toLowerCase()
  const { collectionOf, missingData, missingPayload, missingRow, readingOf, shown, staged, transactionOf } =
    RowCalls.make(context, vocabulary)
  const many = BulkRoutes.make(context, vocabulary)

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
      return bulk ? many.create(call) : handler(vocabulary, createOne)(call)
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
        const { databaseId, tableId } = call.path as { readonly databaseId: string; readonly tableId: string }
        if (transaction === undefined && Option.isSome(context.jsonLists)) {
          const bytes = yield* context.jsonLists.value.list(
            { _tag: "ListDocuments", database: databaseId, collection: tableId, queries, total },
            { name: rows, constants: RowData.placeOf(vocabulary, databaseId, tableId) }
          )
          return { _tag: "JsonText", status: 200, bytes }
        }
        const answer = yield* databases.listDocuments(tableId, queries, {
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
        const name = rowName(call.path["databaseId"]!, call.path["tableId"]!, call.path["rowId"]!)
        const stale = context.quirks ? context.overlaps.stale(name, call.arrived) : undefined
        if (stale === null) throw missingRow(call)
        if (stale !== undefined && transaction === undefined) return json(shown(call, stale))
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
          const document = yield* databases.getDocument(tableId, call.path["rowId"]!)
          if (isNewer(document, since.ifUnmodifiedSince)) {
            const message = `Remote ${lower} is newer than local.`
            throw ApiFailure.make(409, vocabulary.type("row_update_conflict"), message)
          }
          return json(shown(call, document))
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
        const name = rowName(call.path["databaseId"]!, call.path["tableId"]!, call.path["rowId"]!)
        const deletion = inDatabase(context, call).deleteDocument(call.path["tableId"]!, call.path["rowId"]!, since)
        // Two who delete one row at once may both be told that they did.
        const twice = context.quirks && context.overlaps.wasDeleted(name, call.arrived)
        yield* twice ? Effect.catchReason(deletion, "DatabasesError", "NotFound", () => Effect.void) : deletion
        context.overlaps.deleted(name, performance.now())
        return noContent
      })
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

  return [create, list, get, update, upsert, remove, count("increment"), count("decrement"), ...many.routes]
}
