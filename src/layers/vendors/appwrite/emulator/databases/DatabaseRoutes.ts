/** Databases: created, listed, read, changed, deleted. */
import * as Effect from "effect/Effect"
import type { Database } from "../../../../../Collection.ts"
import { uniqueId } from "../../../../../Databases.ts"
import { json, noContent } from "../Call.ts"
import type { Route } from "../Routes.ts"
import { type Context, handler, inDatabase } from "./Context.ts"
import * as Listing from "./Listing.ts"
import * as Parameters from "./Parameters.ts"
import type { Vocabulary } from "./Vocabulary.ts"

const fields = ["$id", "name", "$createdAt", "$updatedAt", "enabled", "type"]

/** The id of a creation: `unique()` asks for one. */
export const newId = (id: string): Effect.Effect<string> => (id === "unique()" ? uniqueId : Effect.succeed(id))

export const idOf = (input: { readonly [name: string]: unknown }, name: string): string =>
  input[name] === "unique()" ? "unique()" : Parameters.id(input, name)

export const routes = (context: Context, vocabulary: Vocabulary): ReadonlyArray<Route> => {
  const typeOf = ({ $id }: Database) => context.metadata.fact("type", $id) ?? "tablesdb"
  const shown = (database: Database) => ({ ...database, type: typeOf(database) })
  const { base } = vocabulary
  const one = `${base}/:databaseId`
  return [
    {
      method: "POST",
      path: base,
      scope: "databases.write",
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          const id = yield* newId(idOf(call.body, "databaseId"))
          const name = Parameters.text(call.body, "name")
          const enabled = Parameters.optional(call.body, "enabled", Parameters.strictBoolean) ?? true
          const database = yield* context.databases.createDatabase(id, { name, enabled })
          context.metadata.setFact(vocabulary.databaseType, "type", id)
          return json(shown(database), 201)
        })
      )
    },
    {
      method: "GET",
      path: base,
      scope: "databases.read",
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          const all = (yield* context.databases.listDatabases)
            .map(shown)
            // The older API does not see the newer one's.
            .filter(({ type }) => vocabulary.databaseType === "tablesdb" || type === "legacy")
          const { items, total } = Listing.page(call, all, "Database", fields)
          return json({ total, databases: items })
        })
      )
    },
    {
      method: "GET",
      path: one,
      scope: "databases.read",
      handler: handler(vocabulary, (call) =>
        Effect.map(context.databases.getDatabase(call.path["databaseId"]!), (database) => json(shown(database)))
      )
    },
    {
      method: "PUT",
      path: one,
      scope: "databases.write",
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          const name = Parameters.optional(call.body, "name", Parameters.text)
          const enabled = Parameters.optional(call.body, "enabled", Parameters.strictBoolean) ?? true
          const id = call.path["databaseId"]!
          const database = yield* context.databases.updateDatabase(id, {
            enabled,
            ...(name === undefined ? {} : { name })
          })
          return json(shown(database))
        })
      )
    },
    {
      method: "DELETE",
      path: one,
      scope: "databases.write",
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call) {
          yield* inDatabase(context, call).deleteDatabase(call.path["databaseId"]!)
          context.metadata.remove(call.path["databaseId"]!)
          return noContent
        })
      )
    }
  ]
}
