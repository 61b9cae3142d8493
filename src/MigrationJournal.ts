/**
 * What a run is about to do and has done, on disk before and after each write: enough to take it all back, also by
 * somebody else when the process is gone.
 *
 *   Begin ─▶ (Intent ─▶ Done | Refused | nothing known)* ─▶ Committing ─▶ Purged* ─▶ End(committed)
 *                         └──────────── (Undone)* ───────────────────────────────▶ End(rolled back)
 *
 * J1  an Intent, with the documents as they were, is durable before its operation starts
 * J2  a run without an End was cut short: nothing else may run on its target before it is recovered
 * J3  from Committing on the way leads forward: what is left is purging what was parked
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { Collection, Database } from "./Collection.ts"
import { Document } from "./Document.ts"
import { describe, Holder } from "./MigrationLock.ts"
import { shellWord } from "./internal/ShellWord.ts"
import { Operation, path, Target } from "./Operation.ts"

/** What a write finds before it writes. */
export const Before = Schema.Struct({
  database: Schema.optionalKey(Database),
  collection: Schema.optionalKey(Collection),
  /** Those of the documents to be written that are there. */
  documents: Schema.optionalKey(Schema.Array(Document))
})
export type Before = typeof Before.Type

/** Where an entry stands in its journal: opaque, small, for `read`. */
export const Position = Schema.Struct({ offset: Schema.Finite, length: Schema.Finite })
export type Position = typeof Position.Type

const sequence = { sequence: Schema.Int }

export const Begin = Schema.TaggedStruct("Begin", {
  format: Schema.Literal(1),
  run: Schema.String,
  migration: Schema.String,
  hash: Schema.NullOr(Schema.String),
  target: Target,
  holder: Holder,
  at: Schema.String
})
export type Begin = typeof Begin.Type

export const Entry = Schema.Union([
  Begin,
  Schema.TaggedStruct("Intent", {
    ...sequence,
    operation: Operation,
    before: Before,
    /** Where the documents are that the operation destroys, in order of creation. */
    captured: Schema.Array(Position)
  }),
  /** A `Migration.step` is about to run. */
  Schema.TaggedStruct("StepIntent", { ...sequence, step: Schema.String }),
  /** `after`: the exact hash of each document written, by its id in small letters; null where it is gone. */
  Schema.TaggedStruct("Done", { ...sequence, after: Schema.Record(Schema.String, Schema.NullOr(Schema.String)) }),
  /** It was not done: the store said so. */
  Schema.TaggedStruct("Refused", { ...sequence, error: Schema.String }),
  /** Documents that an operation to come destroys. */
  Schema.TaggedStruct("Captured", { collection: Schema.String, documents: Schema.Array(Document) }),
  Schema.TaggedStruct("Undone", { ...sequence, conflicts: Schema.Array(Schema.String) }),
  /** `purge`: what was parked, deleted for good from here on. */
  Schema.TaggedStruct("Committing", { purge: Schema.Array(Operation) }),
  Schema.TaggedStruct("Purged", { path: Schema.String }),
  /** The run is a restore: of this backup, over what the other one holds (null: nothing was there). */
  Schema.TaggedStruct("Restoring", {
    backup: Schema.String,
    database: Schema.String,
    collection: Schema.String,
    safety: Schema.NullOr(Schema.String),
    /** Only these documents. */
    only: Schema.optionalKey(Schema.Array(Schema.String))
  }),
  /** What a restore is about to write. */
  Schema.TaggedStruct("Restored", {
    action: Schema.Literals(["schema", "delete", "update", "create"]),
    what: Schema.Array(Schema.String)
  }),
  Schema.TaggedStruct("End", {
    /** `superseded`: another restore of the collection has brought it to an end. */
    outcome: Schema.Literals(["committed", "rolled back", "superseded"]),
    at: Schema.String
  })
])
export type Entry = typeof Entry.Type

/** A run that was cut short. */
export const OpenRun = Schema.Struct({
  begin: Begin,
  /** Where its journal is, for people. */
  location: Schema.String,
  /** The write that was going on, or the last one done. */
  last: Schema.String,
  /** Committing: recovery leads forward. */
  committing: Schema.Boolean,
  /** It is a restore of this backup, into this collection. */
  restore: Schema.optionalKey(
    Schema.Struct({
      backup: Schema.String,
      database: Schema.String,
      collection: Schema.String,
      safety: Schema.NullOr(Schema.String),
      only: Schema.optionalKey(Schema.Array(Schema.String))
    })
  )
})
export type OpenRun = typeof OpenRun.Type

/** A journal can't be written or read. */
export class JournalUnavailable extends Schema.TaggedError<JournalUnavailable>()("JournalUnavailable", {
  location: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the run's journal ${this.location} can't be written or read: ${this.detail}`
  }
}

/** What to type when a restore was not finished: the way on, and the way back. */
export const waysOn = (restore: NonNullable<OpenRun["restore"]>): string => {
  // The manifest's folder is called like its collection.
  const own = restore.backup.split(/[/\\]/).at(-2)
  const to = own === restore.collection ? "" : ` --to ${restore.collection}`
  const only = (restore.only ?? []).map((id) => ` --only ${id}`).join("")
  const where = restore.database === "main" ? "" : ` --database-id ${restore.database}`
  const command = (backup: string, rest: string) => `\`holdfast restore ${shellWord(backup)}${rest}${where}\``
  const back =
    restore.safety === null ? "" : `, or go back to what was there before with ${command(restore.safety, "")}`
  return `Finish it with ${command(restore.backup, `${to}${only}`)} (only what differs is written)${back}`
}

/** A run was cut short: nothing may run before it is recovered. */
export class RecoveryNeeded extends Schema.TaggedError<RecoveryNeeded>()("RecoveryNeeded", {
  runs: Schema.Array(OpenRun)
}) {
  override get message() {
    // Restores of one collection that were tried again: the last one's ways lead out of all of them.
    const runs = this.runs.filter(
      ({ restore }, position) =>
        restore === undefined ||
        !this.runs
          .slice(position + 1)
          .some(
            (later) => later.restore?.collection === restore.collection && later.restore.database === restore.database
          )
    )
    return runs
      .map(({ begin, committing, last, location, restore }) => {
        if (restore !== undefined) {
          return `The run ${begin.run}, by ${describe(begin.holder)}, was restoring ${restore.collection} and was cut short. ${waysOn(restore)}`
        }
        return `The run ${begin.run} of ${begin.migration}, by ${describe(begin.holder)}, was cut short${committing ? " while it was committing" : ""}; its last operation was ${last}. Nothing was touched now. What it found and did is in ${location}: bring the database ${committing ? "forward" : "back"} by it, then remove ${location.replace(/\/journal\.ndjson$/, ".open")}`
      })
      .join("\n")
  }
}

export interface RunJournal {
  /** Where it is, for people. */
  readonly location: string
  /** Durable when it answers. */
  readonly append: (entry: Entry) => Effect.Effect<Position, JournalUnavailable>
  readonly read: (position: Position) => Effect.Effect<Entry, JournalUnavailable>
}

export class MigrationJournal extends Context.Service<
  MigrationJournal,
  {
    /** A new run's journal, with its first entry; closed with the scope. */
    readonly begin: (begin: Begin) => Effect.Effect<RunJournal, JournalUnavailable, Scope>
    /** Runs without an End, oldest first, whatever their target. */
    readonly open: Effect.Effect<ReadonlyArray<OpenRun>, JournalUnavailable>
    /** Brings a run that was cut short to its end: what it left has been dealt with. */
    readonly supersede: (run: OpenRun, at: string) => Effect.Effect<void, JournalUnavailable>
  }
>()("holdfast/MigrationJournal") {}

/** What is known of an unfinished run after one more entry of its journal; undefined once it has ended. */
export const follow = (run: OpenRun | undefined, entry: Entry, location: string): OpenRun | undefined => {
  switch (entry._tag) {
    case "Begin":
      return { begin: entry, location, last: "nothing yet", committing: false }
    case "Intent":
      return run && { ...run, last: `${entry.operation._tag} ${path(entry.operation)}` }
    case "StepIntent":
      return run && { ...run, last: `step ${entry.step}` }
    case "Committing":
      return run && { ...run, committing: true }
    case "Restoring": {
      const { _tag, ...restore } = entry
      return run && { ...run, restore, last: `restoring ${restore.collection}` }
    }
    case "Restored":
      return run && { ...run, last: `${entry.action} ${entry.what.slice(0, 3).join(", ")}` }
    case "End":
      return undefined
    default:
      return run
  }
}
