/** Changes by query inside a run: in batches that name their documents, so that what they were is known before. */
import * as Effect from "effect/Effect"
import { failure, type Methods, uniqueId } from "../../Databases.ts"
import type { DatabasesError } from "../../DatabasesError.ts"
import type { Document } from "../../Document.ts"
import { batchLimit, type Of, type ResultOf } from "../../Operation.ts"
import * as Query from "../../Query.ts"
import * as Paging from "../Paging.ts"
import type { Recorder } from "./Recorder.ts"

type Answer<A> = Effect.Effect<A, DatabasesError>

/** Filters in groups where there are many: a list has queries of its own to add. */
const grouped = (filters: ReadonlyArray<Query.Filter>): ReadonlyArray<Query.Filter> => {
  const size = 10
  if (filters.length <= Query.limits.queries - size) return filters
  return Array.from({ length: Math.ceil(filters.length / size) }, (_, index) => {
    const [first, ...rest] = filters.slice(index * size, (index + 1) * size)
    return rest.length === 0 ? first! : Query.and([first!, ...rest])
  })
}

/** Their ids, in the order of the queries, a page at a time. */
const forEachMatch = Effect.fnUntraced(function* (
  live: Methods,
  { collection, database, queries }: Of<"UpdateDocuments"> | Of<"DeleteDocuments">,
  body: (ids: ReadonlyArray<string>) => Answer<void>
): Effect.fn.Return<void, DatabasesError> {
  const databases = live.in(database)
  const filters = grouped(queries.filter(Query.isFilter))
  const { isRandom, offset, orders } = Query.parts(queries)
  const limit = queries.find(({ _tag }) => _tag === "Limit")
  const idsOf = (documents: ReadonlyArray<Document>) => documents.map(({ $id }) => $id)
  if (orders.length === 0 && offset === 0 && limit === undefined) {
    return yield* Paging.forEachPageBySequence(databases, collection, (page) => body(idsOf(page)), { filters })
  }
  const shape = [
    ...orders,
    ...(isRandom ? [Query.orderRandom()] : []),
    Query.offset(offset),
    limit ?? Query.limit(Number.MAX_SAFE_INTEGER)
  ]
  const { documents } = yield* databases.listDocuments(collection, [...filters, ...shape, Query.select(["$id"])], {
    total: false
  })
  yield* body(idsOf(documents))
})

/** A change by query, in batches that name their documents: what they were is known then. */
export const change = Effect.fnUntraced(
  function* (
    live: Methods,
    recorder: Recorder,
    operation: Of<"UpdateDocuments"> | Of<"DeleteDocuments">
  ): Effect.fn.Return<ResultOf<"UpdateDocuments">, DatabasesError> {
    const write = (queries: ReadonlyArray<Query.Query>): Answer<ResultOf<"UpdateDocuments">> =>
      operation._tag === "UpdateDocuments"
        ? recorder.write({ ...operation, queries })
        : recorder.write({ ...operation, queries })
    const { cursor, orders } = Query.parts(operation.queries)
    const tooMany = operation.queries.length > Query.limits.queries
    const tooFew = operation._tag === "DeleteDocuments" && operation.queries.length === 0
    // Refused, in the store's own words.
    if (cursor !== undefined || tooMany || tooFew) return yield* write(operation.queries)
    const documents: Array<Document> = []
    let total = 0
    yield* forEachMatch(
      live,
      operation,
      Effect.fnUntraced(function* (ids) {
        for (let from = 0; from < ids.length; from += batchLimit) {
          const batch = Query.equal("$id", ids.slice(from, from + batchLimit))
          const part = yield* write([batch, ...orders, Query.limit(batchLimit)])
          total += part.total
          documents.push(...part.documents.slice(0, batchLimit - documents.length))
        }
      })
    )
    // Changes that do not fit are refused also where nobody matches.
    if (total === 0) yield* write([Query.equal("$id", yield* uniqueId)])
    return { total, documents }
  },
  (effect, _live, _recorder, operation) => Effect.mapError(effect, ({ reason }) => failure(operation, reason))
)
