/** Transactions: opened, filled, committed or rolled back. */
import * as Effect from "effect/Effect"
import { uniqueId } from "../../../../../Databases.ts"
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import type { Document } from "../../../../../Document.ts"
import { type Staged, transactionLimits } from "../../../../../Operation.ts"
import * as Query from "../../../../../Query.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { json, noContent } from "../Call.ts"
import type { Route } from "../Routes.ts"
import * as Listing from "./Listing.ts"
import { asServer, type Context, handler } from "./Context.ts"
import { rowName } from "./Overlaps.ts"
import * as Parameters from "./Parameters.ts"
import * as Queries from "./Queries.ts"
import * as RowData from "./RowData.ts"
import { scopes, type Vocabulary } from "./Vocabulary.ts"

const actions = [
  "create",
  "update",
  "upsert",
  "increment",
  "decrement",
  "delete",
  "bulkCreate",
  "bulkUpdate",
  "bulkUpsert",
  "bulkDelete"
] as const
type Action = (typeof actions)[number]
const bulk: ReadonlySet<Action> = new Set<Action>(["bulkCreate", "bulkUpdate", "bulkUpsert", "bulkDelete"])

/** Rows that an operation names, in small letters. */
const idsOf = (operation: Staged): ReadonlyArray<string> => {
  const ids =
    "id" in operation
      ? [operation.id]
      : "document" in operation
        ? [operation.document.$id]
        : "documents" in operation
          ? operation.documents.map(({ $id }) => $id)
          : []
  return ids.map((id) => id.toLowerCase())
}

const isObject = (value: unknown): value is RowData.Sent =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const refuse = (detail: string) => ApiFailure.invalidParameter("operations", `Value must a valid array and ${detail}`)

export const routes = (context: Context, vocabulary: Vocabulary): ReadonlyArray<Route> => {
  const { rowId, tableId } = vocabulary
  const base = `${vocabulary.base}/transactions`
  const one = `${base}/:transactionId`
  const { databases } = context

  /** The parts of an operation that every action has. */
  const checked = (value: unknown) => {
    if (!isObject(value)) throw refuse("Value must be a valid object")
    const sent: RowData.Sent = value
    const { action } = sent
    for (const name of ["databaseId", tableId, "action"]) {
      if (sent[name] === undefined) throw refuse(`Missing required key: ${name}`)
    }
    const known = actions.find((name) => name === action)
    if (known === undefined) throw refuse(`Key 'action' must be one of: ${actions.join(", ")}`)
    if (!bulk.has(known) && sent[rowId] === undefined) throw refuse(`Key '${rowId}' is required for action '${known}'`)
    if (known !== "delete" && sent["data"] === undefined) throw refuse("Missing required key: data")
    return {
      action: known,
      database: String(sent["databaseId"]),
      collection: String(sent[tableId]),
      id: String(sent[rowId] ?? ""),
      data: (sent["data"] ?? {}) as RowData.Sent
    }
  }

  /** Rows that an operation is about, changes by query too. */
  const touchedBy = Effect.fnUntraced(function* (operation: Staged) {
    if (operation._tag !== "UpdateDocuments" || !context.quirks) return idsOf(operation)
    const { documents } = yield* asServer(
      databases
        .in(operation.database)
        .listDocuments(operation.collection, [...operation.queries, Query.limit(1000)], { total: false })
    )
    return documents.map(({ $id }) => $id.toLowerCase())
  })

  /** Rows that a commit is about to change, as they are. */
  const rowsBefore = Effect.fnUntraced(function* (transaction: string) {
    const before: Array<readonly [name: string, document: Document | null]> = []
    const operations = yield* databases.execute({ _tag: "ListStaged", transaction })
    for (const operation of operations) {
      const { collection, database } = operation
      for (const id of idsOf(operation)) {
        const { documents } = yield* asServer(
          databases.in(database).listDocuments(collection, [Query.equal("$id", id)], { total: false })
        )
        before.push([rowName(database, collection, id), documents[0] ?? null])
      }
    }
    return before
  })

  const number = (data: RowData.Sent, name: string) => Parameters.number(data[name]) ?? null

  const toStaged = Effect.fnUntraced(function* (
    operation: ReturnType<typeof checked>,
    touched: ReadonlySet<string>
  ): Effect.fn.Return<Staged, ApiFailure.ApiFailure | DatabasesError> {
    const { action, collection, data, database, id } = operation
    const place = { database, collection }
    const record = yield* asServer(databases.in(database).getCollection(collection))
    const reading: RowData.Reading = {
      vocabulary,
      collection: record,
      quirks: context.quirks,
      withDates: false,
      withPermissions: true
    }
    const documents = Effect.fnUntraced(function* () {
      const sent: ReadonlyArray<unknown> = Array.isArray(data) ? data : []
      if (!sent.every(isObject)) throw refuse("Key 'data' must hold valid objects")
      return yield* Effect.forEach(sent, (item) =>
        Effect.map(item["$id"] === undefined ? uniqueId : Effect.succeed(String(item["$id"])), (known) =>
          RowData.documentOf(reading, known, item)
        )
      )
    })
    switch (action) {
      case "create":
        return { _tag: "CreateDocument", ...place, document: RowData.documentOf(reading, id, data) }
      case "upsert": {
        // Without an id among its data it makes a row of its own, unless the row is known already: so the server does.
        const loose = context.quirks && data["$id"] === undefined && !touched.has(id.toLowerCase())
        const own = loose ? yield* uniqueId : id
        return { _tag: "UpsertDocument", ...place, document: RowData.documentOf(reading, own, data) }
      }
      case "update":
        return { _tag: "UpdateDocument", ...place, id, changes: RowData.changesOf(reading, data) }
      case "delete":
        return { _tag: "DeleteDocument", ...place, id }
      case "increment":
      case "decrement": {
        const attribute = data[vocabulary.columnParameter] ?? data["column"] ?? data["attribute"]
        if (attribute === undefined) throw refuse(`Missing required key: ${vocabulary.columnParameter}`)
        const by = number(data, "value") ?? 1
        return action === "increment"
          ? { _tag: "IncrementAttribute", ...place, id, attribute: String(attribute), by, max: number(data, "max") }
          : { _tag: "DecrementAttribute", ...place, id, attribute: String(attribute), by, min: number(data, "min") }
      }
      case "bulkCreate":
        return { _tag: "CreateDocuments", ...place, documents: yield* documents() }
      case "bulkUpsert":
        return { _tag: "UpsertDocuments", ...place, documents: yield* documents() }
      case "bulkUpdate": {
        const sent = data["data"] ?? {}
        if (!isObject(sent)) throw refuse("Key 'data' must be a valid object")
        const changes = RowData.changesOf(reading, sent)
        return { _tag: "UpdateDocuments", ...place, changes, queries: Queries.parseStaged(data["queries"]) }
      }
      case "bulkDelete": {
        const queries = Queries.parseStaged(data["queries"])
        return { _tag: "DeleteDocuments", ...place, queries: queries.length === 0 ? [Query.isNotNull("$id")] : queries }
      }
    }
  })

  return [
    {
      method: "POST",
      path: base,
      scope: scopes(vocabulary, "rows", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          const { greatest, least } = transactionLimits.ttl
          const ttl = Parameters.optional(call.body, "ttl", (input, name) =>
            Parameters.integer(input, name, least, greatest)
          )
          return json(yield* databases.createTransaction(ttl === undefined ? {} : { ttl }), 201)
        })
      )
    },
    {
      method: "GET",
      path: base,
      scope: scopes(vocabulary, "rows", "read"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          const all = yield* databases.listTransactions
          const fields = ["$id", "status", "expiresAt", "operations", "$createdAt", "$updatedAt"]
          const { items, total } = Listing.page(call, all, "Transaction", fields)
          return json({ total, transactions: items })
        })
      )
    },
    {
      method: "GET",
      path: one,
      scope: scopes(vocabulary, "rows", "read"),
      handler: handler(vocabulary, (call) =>
        Effect.map(databases.getTransaction(call.path["transactionId"]!), (record) => json(record))
      )
    },
    {
      method: "PATCH",
      path: one,
      scope: scopes(vocabulary, "rows", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          const { body } = call
          const commit = Parameters.optional(body, "commit", Parameters.strictBoolean) ?? false
          const rollback = Parameters.optional(body, "rollback", Parameters.strictBoolean) ?? false
          if (!commit && !rollback)
            throw ApiFailure.make(400, "general_bad_request", "Either commit or rollback must be true")
          if (commit && rollback) {
            throw ApiFailure.make(400, "general_bad_request", "Cannot commit and rollback at the same time")
          }
          const id = call.path["transactionId"]!
          if (!commit) return json(yield* databases.rollbackTransaction(id))
          if (!context.quirks) return json(yield* databases.commitTransaction(id))
          const before = yield* rowsBefore(id)
          const committed = yield* databases.commitTransaction(id)
          for (const [name, document] of before) context.overlaps.committed(name, document, performance.now())
          return json(committed)
        }),
        { commit: true }
      )
    },
    {
      method: "DELETE",
      path: one,
      scope: scopes(vocabulary, "rows", "write"),
      handler: handler(vocabulary, (call) =>
        Effect.as(databases.deleteTransaction(call.path["transactionId"]!), noContent)
      )
    },
    {
      method: "POST",
      path: `${one}/operations`,
      scope: scopes(vocabulary, "rows", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          const sent = Parameters.required(call.body, "operations")
          if (!Array.isArray(sent)) throw refuse("Value must be a valid object")
          if (sent.length === 0) throw ApiFailure.make(400, "general_bad_request", "Operations array cannot be empty")
          const operations = sent.map((item) => checked(item as RowData.Sent))
          const id = call.path["transactionId"]!
          const record = yield* databases.getTransaction(id)
          if (record.status !== "pending") {
            throw ApiFailure.make(400, "general_bad_request", "Invalid or non‑pending transaction")
          }
          const earlier = yield* databases.execute({ _tag: "ListStaged", transaction: id })
          const touched = new Set<string>()
          for (const one of earlier) for (const known of yield* touchedBy(one)) touched.add(known)
          const staged: Array<Staged> = []
          for (const operation of operations) {
            const next = yield* toStaged(operation, touched)
            for (const known of yield* touchedBy(next)) touched.add(known)
            staged.push(next)
          }
          const { $updatedAt } = record
          // The answer shows the date before.
          return json({ ...(yield* databases.stageOperations(id, staged)), $updatedAt }, 201)
        }),
        { commit: true }
      )
    }
  ]
}
