/**
 * What the server's worker does after a call was answered: columns and indexes come to be, or go, once their time is
 * over. Until then the store does not have them, or still has them.
 */
import * as Effect from "effect/Effect"
import type { Attribute } from "../../../../../Attribute.ts"
import type { Collection } from "../../../../../Collection.ts"
import type { Methods } from "../../../../../Databases.ts"
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import type { Index } from "../../../../../Index.ts"
import type { Entry, Metadata } from "./Metadata.ts"

export interface Place {
  readonly databases: Methods
  readonly metadata: Metadata
  readonly databaseId: string
  readonly tableId: string
}

type Where = Omit<Place, "databases">

const pendingOf = ({ databaseId, metadata, tableId }: Where, kind: "columns" | "indexes"): ReadonlyArray<unknown> =>
  metadata.list(databaseId, tableId, kind).flatMap(([, { pending }]) => (pending === undefined ? [] : [pending]))

/** The indexes of a table that wait to be made. */
export const pendingIndexes = (where: Where): ReadonlyArray<Index> =>
  pendingOf(where, "indexes") as ReadonlyArray<Index>

/** Indexes that stay, narrower, when a column goes. */
export const narrowedBy = ({ indexes }: Collection, column: string): ReadonlyArray<Index> =>
  indexes.filter(({ attributes }) => attributes.includes(column) && attributes.length > 1)

/** Notes that indexes have become narrower, as the server does. */
export const narrowed = ({ databaseId, metadata, tableId }: Where, indexes: ReadonlyArray<Index>, now: number) => {
  for (const index of indexes) {
    const path = [databaseId, tableId, "indexes", index.key] as const
    const known = metadata.get(...path) ?? { createdAt: now, updatedAt: now, settlesAt: now }
    metadata.put({ ...known, lengths: [], updatedAt: Math.max(now, known.updatedAt + 1) }, ...path)
    metadata.setFact("1", "unrenamable", databaseId, tableId)
  }
}

/** The collection with what waits to be made. */
export const withPending = (metadata: Metadata, databaseId: string, collection: Collection): Collection => {
  const place = { metadata, databaseId, tableId: collection.$id }
  const attributes = pendingOf(place, "columns") as ReadonlyArray<Attribute>
  return attributes.length === 0 ? collection : { ...collection, attributes: [...collection.attributes, ...attributes] }
}

const isDue = (entry: Entry, now: number): boolean =>
  (entry.pending !== undefined || entry.until === "deleting") && now >= entry.settlesAt

/** Does what is due on a table. What fails then is `failed`, as on the server. */
export const settle = Effect.fnUntraced(function* ({ databaseId, databases, metadata, tableId }: Place, now: number) {
  for (const kind of ["columns", "indexes"] as const) {
    for (const [name, entry] of metadata.list(databaseId, tableId, kind)) {
      if (!isDue(entry, now)) continue
      const path = [databaseId, tableId, kind, name] as const
      const { pending, ...rest } = entry
      if (entry.until === "deleting") {
        if (kind === "columns") {
          const collection = yield* Effect.option(databases.getCollection(tableId))
          if (collection._tag === "Some") {
            narrowed({ databaseId, metadata, tableId }, narrowedBy(collection.value, name), now)
          }
        }
        yield* Effect.ignore(
          kind === "columns" ? databases.deleteAttribute(tableId, name) : databases.deleteIndex(tableId, name)
        )
        metadata.remove(...path)
        continue
      }
      const made: Effect.Effect<unknown, DatabasesError> =
        kind === "columns"
          ? databases.createAttribute(tableId, pending as Attribute)
          : databases.createIndex(tableId, pending as Index)
      yield* Effect.matchEffect(made, {
        onSuccess: () => Effect.sync(() => metadata.put(rest, ...path)),
        onFailure: ({ message }) => Effect.sync(() => metadata.put({ ...rest, failure: message }, ...path))
      })
    }
  }
})
