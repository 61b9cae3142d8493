/** Runs on a target that were cut short. */
import * as Effect from "effect/Effect"
import type { Methods } from "../../Databases.ts"
import { MigrationJournal } from "../../MigrationJournal.ts"

export const openRuns = Effect.fnUntraced(function* (databases: Methods) {
  const journal = yield* MigrationJournal
  const { id } = yield* databases.describeTarget
  return (yield* journal.open).filter(({ begin }) => begin.target.id === id)
})
