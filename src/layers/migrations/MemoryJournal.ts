/** `MigrationJournal` in this process: a run that is killed leaves nothing, nor does its `memory:` database. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Entry, follow, JournalUnavailable, MigrationJournal, type OpenRun } from "../../MigrationJournal.ts"

export const make = Effect.sync(() => {
  const runs = new Map<string, ReadonlyArray<Entry>>()
  return MigrationJournal.of({
    begin: (begin) =>
      Effect.sync(() => {
        const entries: Array<Entry> = [begin]
        const location = `memory:${begin.run}`
        runs.set(begin.run, entries)
        return {
          location,
          append: (entry) =>
            Effect.sync(() => {
              if (entry._tag === "End") runs.delete(begin.run)
              return { offset: entries.push(entry) - 1, length: 1 }
            }),
          read: ({ offset }) => {
            const entry = entries[offset]
            return entry === undefined
              ? Effect.fail(new JournalUnavailable({ location, detail: `there is no entry ${offset}` }))
              : Effect.succeed(entry)
          }
        }
      }),
    supersede: ({ begin }) => Effect.sync(() => void runs.delete(begin.run)),
    open: Effect.sync(() =>
      [...runs].flatMap(
        ([run, entries]) =>
          entries.reduce<OpenRun | undefined>((known, entry) => follow(known, entry, `memory:${run}`), undefined) ?? []
      )
    )
  })
})

export const layer: Layer.Layer<MigrationJournal> = Layer.effect(MigrationJournal, make)
