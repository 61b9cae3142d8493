/**
 * Whole collections, a page at a time. Pages follow a value that each document keeps (`$sequence`, `$id`), never a
 * cursor: its document may be deleted by then.
 */
import * as Effect from "effect/Effect"
import type { Methods } from "../Databases.ts"
import type { DatabasesError } from "../DatabasesError.ts"
import type { Document } from "../Document.ts"
import * as Query from "../Query.ts"

/** Documents in a page, where a caller does not say. */
export const defaultPageSize = 1000

export interface Options {
  readonly pageSize?: number
  readonly filters?: ReadonlyArray<Query.Query>
}

/** The documents behind the one whose `key` is `last`, in its order; without it the first ones. */
export const page = (
  databases: Methods,
  collection: string,
  key: "$sequence" | "$id",
  last: string | undefined,
  options?: Options
): Effect.Effect<ReadonlyArray<Document>, DatabasesError> =>
  Effect.map(
    databases.listDocuments(
      collection,
      [
        ...(options?.filters ?? []),
        ...(last === undefined ? [] : [Query.greaterThan(key, last)]),
        Query.orderAsc(key),
        Query.limit(options?.pageSize ?? defaultPageSize)
      ],
      { total: false }
    ),
    ({ documents }) => documents
  )

/** In order of creation. A document created meanwhile comes last. */
export const forEachPageBySequence = Effect.fnUntraced(function* <E, R>(
  databases: Methods,
  collection: string,
  body: (documents: ReadonlyArray<Document>) => Effect.Effect<void, E, R>,
  options?: Options
): Effect.fn.Return<void, DatabasesError | E, R> {
  let last: string | undefined
  for (;;) {
    const documents = yield* page(databases, collection, "$sequence", last, options)
    if (documents.length > 0) yield* body(documents)
    if (documents.length < (options?.pageSize ?? defaultPageSize)) return
    last = documents.at(-1)!.$sequence
    // SQLite answers in this very thread: let signals and other fibers in between pages.
    yield* Effect.yieldNow
  }
})

export interface Extent {
  /** Documents; undefined where there are more than the server counts. */
  readonly total: number | undefined
  /** How far a document stands on the way from the first one asked about to the last, 0 to 1. */
  readonly fraction: (document: Document) => number
}
/** How much there is to read in order of creation: for progress. */
export const extent = Effect.fnUntraced(function* (
  databases: Methods,
  collection: string,
  filters: ReadonlyArray<Query.Query> = []
): Effect.fn.Return<Extent, DatabasesError> {
  const { documents, total } = yield* databases.listDocuments(collection, [
    ...filters,
    Query.orderDesc("$sequence"),
    Query.limit(1)
  ])
  const [last] = documents
  let first: number | undefined
  return {
    // The server counts no further than this. Beyond it, how far one is shows by the order of creation.
    total: total < Query.limits.total ? total : undefined,
    fraction: ({ $sequence }) => {
      const here = Number($sequence)
      first ??= here
      return last === undefined ? 1 : Math.min(1, (here - first + 1) / (Number(last.$sequence) - first + 1))
    }
  }
})
