/** One part restored: checked, saved what stands there, told to a journal, written. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import {
  BackupOfAnotherDatabase,
  type BackupReadError,
  BackupUnknown,
  type DocumentsNotInBackup,
  RestoreIncomplete,
  type RestoreSchemaDiffers
} from "../../BackupError.ts"
import { BackupStorage, type Methods as Storage } from "../../BackupStorage.ts"
import type { Collection } from "../../Collection.ts"
import type { Methods } from "../../Databases.ts"
import { type JournalUnavailable, MigrationJournal, type OpenRun, RecoveryNeeded } from "../../MigrationJournal.ts"
import type { Holder, LockHeld, LockUnavailable } from "../../MigrationLock.ts"
import { openRuns } from "../migrations/OpenRuns.ts"
import * as RunId from "../RunId.ts"
import { compare } from "./Compare.ts"
import * as Format from "./Format.ts"
import * as Part from "./Part.ts"
import * as Restore from "./Restore.ts"
import * as Verify from "./Verify.ts"

export interface RestoreOptions {
  /** Into this collection. Default the one that was backed up. */
  readonly to?: string | undefined
  /** Only these documents; others are neither changed nor deleted. */
  readonly only?: ReadonlyArray<string> | undefined
  /** Compare, and write nothing. Default false. */
  readonly dryRun?: boolean | undefined
  /** Where the backup is. Default the storage that safety backups go to. */
  readonly from?: Storage | undefined
}

/** What a restore has done, or would do. */
export interface Restored {
  readonly backup: string
  readonly collection: string
  readonly dryRun: boolean
  /** The collection was absent: it is deleted. */
  readonly absent: boolean
  /** Documents, by what stood between the collection and the backup. */
  readonly same: number
  readonly changed: number
  readonly missing: number
  readonly extra: number
  /** Changes of the schema, a sentence each. */
  readonly schema: ReadonlyArray<string>
  /** Takes what was there before; undefined where nothing was, or nothing was written. */
  readonly safety?: Part.Summary
  /** The exact hash, which is the backup's; undefined of an absent collection and of a dry run. */
  readonly exact?: string
}

export type RestoreError =
  | BackupReadError
  | Part.WriteError
  | BackupOfAnotherDatabase
  | DocumentsNotInBackup
  | RestoreSchemaDiffers
  | RestoreIncomplete
  | RecoveryNeeded
  | LockHeld
  | LockUnavailable
  | JournalUnavailable

/** How the reason of a safety backup begins. */
export const safetyReason = "before the restore of"

/** A part that was checked, and the schema that it holds. */
export interface Checked {
  readonly part: Verify.Part
  readonly schema: Collection | undefined
}
/** Reads every byte of a part before anything is written. */
export const check = Effect.fnUntraced(function* (
  storage: Storage,
  prefix: string
): Effect.fn.Return<Checked, BackupReadError> {
  const part = yield* Verify.open(storage, prefix)
  return { part, schema: yield* Effect.interruptible(Verify.check(part, { content: false })) }
})

type Way = NonNullable<OpenRun["restore"]>
/** Whether a restore of `only` (undefined: all) covers one of `other`. */
const covers = (only: Way["only"], other: Way["only"]): boolean => {
  if (only === undefined) return true
  const ids = new Set(only.map(Format.sortableId))
  return other !== undefined && other.every((id) => ids.has(Format.sortableId(id)))
}

/**
 * Runs that were cut short, if all of them are restores that this one brings to their end: of the same collection, and
 * of no other documents.
 */
const takeOver = Effect.fnUntraced(function* (databases: Methods, collection: string, only: Way["only"]) {
  const runs = yield* openRuns(databases)
  const others = runs.filter(
    ({ restore }) =>
      restore === undefined ||
      restore.database !== databases.databaseId ||
      Format.sortableId(restore.collection) !== Format.sortableId(collection) ||
      !covers(only, restore.only)
  )
  if (others.length > 0) return yield* new RecoveryNeeded({ runs: others })
  return runs
})

/** There was none: so there is none. */
const removed = (
  databases: Methods,
  current: Collection | undefined,
  way: Way
): Effect.Effect<void, RestoreIncomplete> =>
  current === undefined
    ? Effect.void
    : Effect.mapError(
        databases.deleteCollection(current.$id),
        ({ message }) => new RestoreIncomplete({ ...way, detail: message })
      )

/** Restores one part; without a `holder` of the lock it only compares. */
export const run = Effect.fnUntraced(function* (
  databases: Methods,
  holder: Holder | undefined,
  { part, schema: saved }: Checked,
  options?: RestoreOptions
): Effect.fn.Return<Restored, RestoreError, BackupStorage | MigrationJournal | Scope> {
  const storage = yield* BackupStorage
  const { manifest, place } = part
  const collection = options?.to ?? manifest.collection
  yield* Part.checkId(collection)
  const backup = place.storage.locationOf(`${place.prefix}${Format.manifestName}`)
  if (manifest.absent && (options?.to ?? options?.only) !== undefined) {
    const detail = `it says that there was no ${manifest.collection}, so there is nothing to restore elsewhere or in part`
    return yield* new BackupUnknown({ backup, detail })
  }
  if (options?.to === undefined && manifest.database !== databases.databaseId) {
    return yield* new BackupOfAnotherDatabase({ backup, expected: databases.databaseId, found: manifest.database })
  }
  const current = yield* Part.lookUp(databases, collection)
  const dryRun = options?.dryRun === true
  const common = { backup, collection: current?.$id ?? collection, dryRun, absent: manifest.absent }
  const nothing = { same: 0, changed: 0, missing: 0, extra: 0 }

  const schema = saved === undefined ? undefined : { ...saved, $id: current?.$id ?? collection }
  const only = options?.only === undefined ? undefined : new Map(options.only.map((id) => [Format.sortableId(id), id]))
  const request = schema === undefined ? undefined : { databases, part, schema, current, only }
  const sentences =
    request === undefined
      ? current === undefined
        ? []
        : [`deleted collection ${current.$id}`]
      : Restore.sentences(Restore.planOf(request))
  if (request !== undefined) yield* Restore.checkOnly(request)
  if (dryRun || holder === undefined) {
    const counts = request === undefined ? nothing : (yield* compare(request, () => Effect.void)).counts
    return { ...common, ...counts, schema: sentences }
  }

  const journals = yield* MigrationJournal
  const superseded = yield* takeOver(databases, common.collection, options?.only)
  // Where nothing is, that is recorded: restoring it takes away again what comes now.
  const safety = yield* Part.createInRun(databases, current?.$id ?? collection, {
    reason: `${safetyReason} ${backup}`,
    consistency: "fuzzy"
  })
  const journal = yield* journals.begin({
    _tag: "Begin",
    format: 1,
    run: yield* RunId.make,
    migration: `restore ${manifest.backup}/${manifest.collection}`,
    hash: null,
    target: yield* databases.describeTarget,
    holder,
    at: yield* RunId.iso
  })
  // What stood there before the first of those that were cut short is what one wants back.
  const [first] = superseded
  const way: Way = {
    backup,
    database: databases.databaseId,
    collection: common.collection,
    safety: first?.restore === undefined ? safety.backupFile : first.restore.safety,
    ...(options?.only === undefined ? {} : { only: options.only })
  }
  yield* journal.append({ _tag: "Restoring", ...way })
  const before = current === undefined ? undefined : yield* Verify.open(storage, Part.prefixOf(storage, safety))
  const { counts, exact } =
    request === undefined
      ? yield* Effect.as(removed(databases, current, way), { counts: nothing, exact: undefined })
      : { exact: undefined, ...(yield* Restore.restore(request, journal, way, before)) }
  yield* journal.append({ _tag: "End", outcome: "committed", at: yield* RunId.iso })
  const at = yield* RunId.iso
  yield* Effect.forEach(superseded, (cut) => journals.supersede(cut, at), { discard: true })
  return {
    ...common,
    ...counts,
    schema: sentences,
    safety,
    ...(exact === undefined ? {} : { exact })
  }
})
