/** Does a way back, an action at a time. What others have changed since is left alone, and named. */
import * as Effect from "effect/Effect"
import type { Methods } from "../../Databases.ts"
import { type DatabasesError, NotFound } from "../../DatabasesError.ts"
import type { JournalUnavailable, RunJournal } from "../../MigrationJournal.ts"
import { batchLimit, path } from "../../Operation.ts"
import * as Query from "../../Query.ts"
import type * as Inverse from "./Inverse.ts"

/** What could not be undone. */
export interface Report {
  /** Left alone, because others had changed it. */
  readonly conflicts: ReadonlyArray<string>
  /** Failed: what, and why. */
  readonly remaining: ReadonlyArray<string>
}

export const isClean = ({ conflicts, remaining }: Report) => conflicts.length === 0 && remaining.length === 0

export const nothing: Report = { conflicts: [], remaining: [] }
export const join = (reports: ReadonlyArray<Report>): Report => ({
  conflicts: reports.flatMap(({ conflicts }) => conflicts),
  remaining: reports.flatMap(({ remaining }) => remaining)
})

const isGone = (error: DatabasesError): boolean => error.reason instanceof NotFound

export const run = Effect.fnUntraced(function* (
  live: Methods,
  journal: RunJournal,
  action: Inverse.Undo
): Effect.fn.Return<Report, DatabasesError | JournalUnavailable> {
  if (action._tag === "Refill") {
    const databases = live.in(action.database)
    const conflicts: Array<string> = []
    for (const position of action.captured) {
      const entry = yield* journal.read(position)
      const documents = entry._tag === "Captured" ? entry.documents : []
      for (let from = 0; from < documents.length; from += batchLimit) {
        const restores = documents
          .slice(from, from + batchLimit)
          .map((document) => ({ id: document.$id, expected: null, document }))
        conflicts.push(...(yield* databases.restoreDocuments(action.collection, restores)).conflicts)
      }
    }
    return { conflicts: conflicts.map((id) => `${action.database}/${action.collection}/${id}`), remaining: [] }
  }
  if (action._tag === "RestoreOr") {
    const { conflicts } = yield* live.execute(action.restore)
    if (conflicts.length === 0) return nothing
    return yield* live.execute(action.opposite).pipe(
      Effect.as(nothing),
      Effect.catchIf(isGone, () => Effect.succeed<Report>({ conflicts: [path(action.opposite)], remaining: [] }))
    )
  }
  const { operation } = action
  const conflict = (what: string): Report => ({ conflicts: [`${path(operation)} ${what}`], remaining: [] })
  switch (operation._tag) {
    case "DeleteCollection": {
      const list = live.in(operation.database).listDocuments(operation.collection, [Query.limit(1)])
      const { total } = yield* Effect.catchIf(list, isGone, () => Effect.succeed({ total: 0 }))
      if (total > 0) return conflict("holds documents that others wrote")
      break
    }
    case "DeleteDatabase": {
      const list = live.in(operation.database).listCollections
      const collections = yield* Effect.catchIf(list, isGone, () => Effect.succeed([]))
      if (collections.length > 0) return conflict("holds collections that others made")
      break
    }
    case "RestoreDocuments": {
      const { conflicts } = yield* live.execute(operation)
      return { conflicts: conflicts.map((id) => `${path(operation)}/${id}`), remaining: [] }
    }
    default:
      break
  }
  const gone = operation._tag.startsWith("Delete") ? isGone : () => false
  yield* Effect.catchIf(Effect.asVoid(live.execute(operation)), gone, () => Effect.void)
  return nothing
})
