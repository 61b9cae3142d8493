/** Tables, or collections: created with their columns and indexes, listed, read, changed, deleted. */
import * as Effect from "effect/Effect"
import * as RowWidth from "../../../../../internal/RowWidth.ts"
import type { Collection } from "../../../../../Collection.ts"
import type { Index } from "../../../../../Index.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { json, noContent } from "../Call.ts"
import type * as Fields from "../Fields.ts"
import type { Route } from "../Routes.ts"
import * as Listing from "./Listing.ts"
import * as Columns from "./Columns.ts"
import { type Context, handler, inDatabase, indexesOf, shownColumn, shownIndex } from "./Context.ts"
import { idOf, newId } from "./DatabaseRoutes.ts"
import * as Parameters from "./Parameters.ts"
import * as Settling from "./Settling.ts"
import { scopes, type Vocabulary } from "./Vocabulary.ts"

/** An index that a table is created with. */
const inlineIndex = (definition: unknown): Index => {
  const input = (typeof definition === "object" && definition !== null ? definition : {}) as Fields.Fields
  const { attributes, key, lengths, orders, type } = input
  const bad = (detail: string) => ApiFailure.make(400, "general_argument_invalid", detail)
  if (!Parameters.isId(key)) throw bad(`Invalid index key: ${String(key)}`)
  if (type !== "key" && type !== "unique" && type !== "fulltext")
    throw bad(`Invalid type for index '${key}': ${String(type)}`)
  if (!Array.isArray(attributes) || attributes.length === 0) throw bad(`Index '${key}' must have attributes`)
  return {
    key,
    kind: type,
    attributes: attributes.map(String),
    orders: ordersOf(orders),
    lengths: Array.isArray(lengths) ? lengths.map(Number) : []
  }
}

export const ordersOf = (orders: unknown): Index["orders"] =>
  Array.isArray(orders) ? orders.map((order) => (String(order).toLowerCase() === "desc" ? "desc" : "asc")) : []

const inline = <A>(input: Fields.Fields, name: string, most: number, read: (one: unknown) => A): ReadonlyArray<A> =>
  input[name] === undefined || input[name] === null ? [] : Parameters.list(input, name, most).map(read)

export const routes = (context: Context, vocabulary: Vocabulary): ReadonlyArray<Route> => {
  const { columns, rowSecurity, tableId, tables } = vocabulary
  const base = `${vocabulary.base}/:databaseId/${tables}`
  const one = `${base}/:tableId`
  const shown = (databaseId: string, collection: Collection, now: number, bare = false) => ({
    $id: collection.$id,
    $createdAt: collection.$createdAt,
    $updatedAt: collection.$updatedAt,
    $permissions: collection.$permissions,
    databaseId,
    name: collection.name,
    enabled: collection.enabled,
    [rowSecurity]: collection.documentSecurity,
    [columns]: bare
      ? []
      : Settling.withPending(context.metadata, databaseId, collection).attributes.map((attribute) => {
          const column = shownColumn(context, databaseId, collection, attribute, now)
          // Only beside its table a column of the newer kinds shows it.
          return "encrypt" in column ? { ...column, encrypt: false } : column
        }),
    indexes: bare
      ? []
      : indexesOf(context, databaseId, collection).map((index) =>
          shownIndex(context, vocabulary, databaseId, collection, index, now)
        ),
    bytesMax: RowWidth.limit,
    bytesUsed: bare ? RowWidth.base : RowWidth.total(collection.attributes)
  })
  return [
    {
      method: "POST",
      path: base,
      scope: scopes(vocabulary, "tables", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const { body } = call
          const id = yield* newId(body[tableId] === "0" ? "unique()" : idOf(body, tableId))
          const databaseId = call.path["databaseId"]!
          const name = Parameters.text(body, "name")
          const permissions = Parameters.permissions(body, "collection") ?? []
          const documentSecurity = Parameters.optional(body, rowSecurity, Parameters.strictBoolean) ?? false
          const enabled = Parameters.optional(body, "enabled", Parameters.strictBoolean) ?? true
          const attributes = inline(body, columns, 100, Columns.fromInline)
          const indexes = inline(body, "indexes", 58, inlineIndex)
          // The store creates what is there at once; the server's answer does not show it yet.
          const collection = yield* inDatabase(context, call).createCollection(id, {
            name,
            permissions,
            documentSecurity,
            enabled,
            attributes,
            indexes
          })
          context.metadata.remove(databaseId, id)
          const entry = { createdAt: now, updatedAt: now, settlesAt: now }
          for (const { key } of attributes) {
            context.metadata.put({ ...entry, inline: true }, databaseId, id, "columns", key)
          }
          for (const index of indexes) context.metadata.put(entry, databaseId, id, "indexes", index.key)
          return json(shown(databaseId, collection, now, true), 201)
        })
      )
    },
    {
      method: "GET",
      path: base,
      scope: scopes(vocabulary, "tables", "read"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const all = yield* inDatabase(context, call).listCollections
          const fields = ["$id", "name", "$createdAt", "$updatedAt", "enabled", rowSecurity, "documentSecurity"]
          const { items, total } = Listing.page(call, all, vocabulary.table, fields)
          return json({
            total,
            [tables]: items.map((collection) => shown(call.path["databaseId"]!, collection, now))
          })
        })
      )
    },
    {
      method: "GET",
      path: one,
      scope: scopes(vocabulary, "tables", "read"),
      handler: handler(vocabulary, (call, now) =>
        Effect.map(inDatabase(context, call).getCollection(call.path["tableId"]!), (collection) =>
          json(shown(call.path["databaseId"]!, collection, now))
        )
      )
    },
    {
      method: "PUT",
      path: one,
      scope: scopes(vocabulary, "tables", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const { body } = call
          const name = Parameters.optional(body, "name", Parameters.text)
          const permissions = Parameters.permissions(body, "collection")
          const collection = yield* inDatabase(context, call).updateCollection(call.path["tableId"]!, {
            documentSecurity: Parameters.optional(body, rowSecurity, Parameters.strictBoolean) ?? false,
            enabled: Parameters.optional(body, "enabled", Parameters.strictBoolean) ?? true,
            ...(name === undefined ? {} : { name }),
            ...(permissions === undefined ? {} : { permissions })
          })
          return json(shown(call.path["databaseId"]!, collection, now))
        })
      )
    },
    {
      method: "DELETE",
      path: one,
      scope: scopes(vocabulary, "tables", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          yield* inDatabase(context, call).deleteCollection(call.path["tableId"]!)
          context.metadata.remove(call.path["databaseId"]!, call.path["tableId"]!)
          return noContent
        })
      )
    }
  ]
}
