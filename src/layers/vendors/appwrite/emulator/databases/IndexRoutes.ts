/** Indexes: created, listed, read, deleted. Each settles after a while. */
import * as Effect from "effect/Effect"
import { type Collection, sameKey } from "../../../../../Collection.ts"
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import type { Index } from "../../../../../Index.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { type Call, json, noContent } from "../Call.ts"
import type { Route } from "../Routes.ts"
import * as Listing from "./Listing.ts"
import { fresh } from "./ColumnRoutes.ts"
import { type Context, handler, inDatabase, indexesOf, shownIndex } from "./Context.ts"
import * as Parameters from "./Parameters.ts"
import { ordersOf } from "./TableRoutes.ts"
import { scopes, type Vocabulary } from "./Vocabulary.ts"

const kindsRule = "Value must be one of (key, fulltext, unique, spatial)"

export const routes = (context: Context, vocabulary: Vocabulary): ReadonlyArray<Route> => {
  const { columns, tables } = vocabulary
  const { metadata, quirks } = context
  const base = `${vocabulary.base}/:databaseId/${tables}/:tableId/indexes`
  const pathOf = (call: Call, key: string) => [call.path["databaseId"]!, call.path["tableId"]!, "indexes", key] as const
  const shown = (call: Call, collection: Collection, index: Index, now: number) =>
    shownIndex(context, vocabulary, call.path["databaseId"]!, collection, index, now)
  const find = (call: Call, collection: Collection): Index => {
    const key = call.path["key"]!
    const found = indexesOf(context, call.path["databaseId"]!, collection).find((index) => sameKey(index.key, key))
    if (found !== undefined) return found
    const message = `Index with the requested key '${key}' could not be found.`
    throw ApiFailure.make(404, vocabulary.type("column_index_not_found"), message)
  }

  const fromCall = (call: Call): Index => {
    const { body } = call
    const key = Parameters.id(body, "key")
    const type = Parameters.required(body, "type")
    if (type === "spatial") {
      const message = "Spatial index can only be created on spatial attributes"
      throw ApiFailure.make(400, vocabulary.type("column_index_invalid"), message)
    }
    if (type !== "key" && type !== "unique" && type !== "fulltext") throw ApiFailure.invalidParameter("type", kindsRule)
    const attributes = Parameters.list(body, columns, 100).map(String)
    for (const attribute of attributes) {
      if (!Parameters.isId(attribute) && !["$id", "$createdAt", "$updatedAt"].includes(attribute)) {
        throw ApiFailure.invalidParameter(columns, Parameters.idMessage)
      }
    }
    const { orders } = body
    if (Array.isArray(orders) && !orders.every((order) => /^(asc|desc)$/i.test(String(order)))) {
      throw ApiFailure.invalidParameter(
        "orders",
        "Value must a valid array no longer than 100 items and Value must be one of (asc, desc)"
      )
    }
    const lengths =
      body["lengths"] === undefined || body["lengths"] === null ? [] : Parameters.list(body, "lengths", 100).map(Number)
    return { key, kind: type, attributes, orders: ordersOf(body["orders"]), lengths }
  }

  const checkAvailable = (call: Call, index: Index, now: number): void => {
    for (const attribute of index.attributes) {
      const entry = metadata.get(call.path["databaseId"]!, call.path["tableId"]!, "columns", attribute)
      if (entry !== undefined && now < entry.settlesAt) {
        const message = `The requested ${vocabulary.column.toLowerCase()} '${attribute}' is not yet available.`
        throw ApiFailure.make(400, vocabulary.type("column_not_available"), message)
      }
    }
  }

  /** The recorded server lists a unique index over duplicates as available, and never enforces it. */
  const orPhantom = (
    created: Effect.Effect<Index, DatabasesError>,
    index: Index
  ): Effect.Effect<object, DatabasesError> =>
    quirks
      ? Effect.catchReason(Effect.as(created, {}), "DatabasesError", "DuplicateValues", () =>
          Effect.succeed({ phantom: index })
        )
      : Effect.as(created, {})

  return [
    {
      method: "POST",
      path: base,
      scope: scopes(vocabulary, "indexes", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const databases = inDatabase(context, call)
          const tableId = call.path["tableId"]!
          const index = fromCall(call)
          const collection = yield* databases.getCollection(tableId)
          if (indexesOf(context, call.path["databaseId"]!, collection).some(({ key }) => sameKey(key, index.key))) {
            const message = `Index with the requested key '${index.key}' already exists. Try again with a different key.`
            throw ApiFailure.make(409, vocabulary.type("column_index_already_exists"), message)
          }
          checkAvailable(call, index, now)
          const made = yield* orPhantom(databases.createIndex(tableId, index), index)
          const typed = Array.isArray(call.body["orders"]) ? { orders: call.body["orders"].map(String) } : {}
          const later = context.settle > 0 && !("phantom" in made)
          // It was made to see whether it can be; where that takes time, the store gets it later.
          if (later) yield* databases.deleteIndex(tableId, index.key)
          const entry = { ...fresh(context, now), ...typed, ...made, ...(later ? { pending: index } : {}) }
          metadata.put(entry, ...pathOf(call, index.key))
          const { $createdAt } = shown(call, collection, index, now)
          return json({ ...shown(call, collection, index, now), $updatedAt: $createdAt, status: "processing" }, 202)
        })
      )
    },
    {
      method: "GET",
      path: base,
      scope: scopes(vocabulary, "indexes", "read"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const collection = yield* inDatabase(context, call).getCollection(call.path["tableId"]!)
          const all = indexesOf(context, call.path["databaseId"]!, collection).map((index) =>
            shown(call, collection, index, now)
          )
          const { items, total } = Listing.page(call, all, "Index", ["key", "type", "status", "$createdAt"])
          return json({ total, indexes: items })
        })
      )
    },
    {
      method: "GET",
      path: `${base}/:key`,
      scope: scopes(vocabulary, "indexes", "read"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const collection = yield* inDatabase(context, call).getCollection(call.path["tableId"]!)
          return json(shown(call, collection, find(call, collection), now))
        })
      )
    },
    {
      method: "DELETE",
      path: `${base}/:key`,
      scope: scopes(vocabulary, "indexes", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          const databases = inDatabase(context, call)
          const tableId = call.path["tableId"]!
          const collection = yield* databases.getCollection(tableId)
          const index = find(call, collection)
          const entry = metadata.get(...pathOf(call, index.key))
          if (entry?.phantom === undefined && entry?.pending === undefined) {
            yield* databases.deleteIndex(tableId, index.key)
          }
          metadata.remove(...pathOf(call, index.key))
          return noContent
        })
      )
    }
  ]
}
