/**
 * Backups of collections, and collections out of backups. The format is docs/backup-format.md.
 *
 * A backup is verified by reading it; what is restored is compared with it by hash. A restore writes only what differs,
 * and first saves what it is about to replace.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import {
  type BackupReadError,
  BackupUnknown,
  type DocumentsNotInBackup,
  type RestoreIncomplete,
  type RestoreSchemaDiffers
} from "./BackupError.ts"
import type { Consistency, Manifest } from "./BackupManifest.ts"
import * as BackupRetention from "./BackupRetention.ts"
import {
  BackupNameRefused,
  BackupStorage,
  type BackupStorageUnavailable,
  type Methods as Storage
} from "./BackupStorage.ts"
import type { Collection } from "./Collection.ts"
import { Databases, type Methods } from "./Databases.ts"
import type { DatabasesError } from "./DatabasesError.ts"
import * as Catalog from "./internal/backups/Catalog.ts"
import * as Create from "./internal/backups/Create.ts"
import * as Format from "./internal/backups/Format.ts"
import * as Restore from "./internal/backups/Restore.ts"
import * as Verify from "./internal/backups/Verify.ts"
import { openRuns } from "./internal/migrations/OpenRuns.ts"
import * as RunId from "./internal/RunId.ts"
import { type JournalUnavailable, MigrationJournal, RecoveryNeeded } from "./MigrationJournal.ts"
import { type Holder, type LockHeld, MigrationLock, type LockUnavailable } from "./MigrationLock.ts"

export interface CreateOptions {
  /** Default `converged`. What was reached is in the result. */
  readonly consistency?: Consistency | undefined
  /** For people, in the manifest. Default "asked for". */
  readonly reason?: string | undefined
}

/** A part of a backup: one collection. */
export interface Summary {
  readonly success: true
  readonly collection: string
  /** Where its manifest is: what `restore` takes. */
  readonly backupFile: string
  readonly documentCount: number
  /** There was no such collection. */
  readonly absent?: true
  readonly consistency: Consistency
}

const summaryOf = (storage: Storage, { absent, backup, collection, consistency, documents }: Manifest): Summary => ({
  success: true,
  collection,
  backupFile: storage.locationOf(`${backup}/${collection}/${Format.manifestName}`),
  documentCount: documents,
  ...(absent ? { absent } : {}),
  consistency: consistency.reached
})

const prefixOf = (storage: Storage, { backupFile }: Summary): string =>
  backupFile.slice(storage.locationOf("x").length - 1, -Format.manifestName.length)

type WriteError = DatabasesError | BackupStorageUnavailable | BackupNameRefused

/** A collection as it is; undefined where there is none. */
const lookUp = (databases: Methods, collection: string): Effect.Effect<Collection | undefined, DatabasesError> =>
  Effect.catchReason(databases.getCollection(collection), "DatabasesError", "NotFound", () => Effect.succeed(undefined))

const checkId = (collection: string): Effect.Effect<void, BackupNameRefused> =>
  Format.collectionId.test(collection)
    ? Effect.void
    : Effect.fail(
        new BackupNameRefused({
          name: collection,
          detail:
            "a collection's id has 1 to 36 letters, digits, periods, hyphens or underscores, a letter or digit first"
        })
      )

/** The collection kept from users and guests while `body` runs: told to a journal, so that a kill is not forgotten. */
const quiesced = Effect.fnUntraced(function* <A, E, R>(
  databases: Methods,
  record: Collection,
  backup: string,
  body: Effect.Effect<A, E, R>
) {
  if (!record.enabled) return yield* body
  const holder = yield* (yield* MigrationLock).acquire
  const runs = yield* openRuns(databases)
  if (runs.length > 0) return yield* new RecoveryNeeded({ runs })
  const journal = yield* (yield* MigrationJournal).begin({
    _tag: "Begin",
    format: 1,
    run: yield* RunId.make,
    migration: `backup ${backup}`,
    hash: null,
    target: yield* databases.describeTarget,
    holder,
    at: yield* RunId.iso
  })
  const setEnabled = (enabled: boolean) => databases.updateCollection(record.$id, { enabled })
  return yield* Effect.acquireUseRelease(
    Effect.andThen(
      journal.append({
        _tag: "Intent",
        sequence: 1,
        operation: { _tag: "UpdateCollection", database: databases.databaseId, collection: record.$id, enabled: false },
        before: { collection: record },
        captured: []
      }),
      setEnabled(false)
    ),
    () => body,
    () =>
      Effect.gen(function* () {
        yield* setEnabled(true)
        yield* journal.append({ _tag: "End", outcome: "rolled back", at: yield* RunId.iso })
      })
  )
})

/** Backs up one collection, without keeping anybody from it unless `wrap` does. */
const createPart = Effect.fnUntraced(function* <E = never, R = never>(
  databases: Methods,
  collection: string,
  options: { readonly backup: string; readonly reason: string; readonly consistency: Consistency },
  wrap?: (record: Collection, copy: Effect.Effect<Manifest, WriteError>) => Effect.Effect<Manifest, WriteError | E, R>
): Effect.fn.Return<Summary, WriteError | E, BackupStorage | R> {
  const storage = yield* BackupStorage
  yield* checkId(collection)
  const schema = yield* lookUp(databases, collection)
  const prefix = `${options.backup}/${schema?.$id ?? collection}/`
  const copy = Effect.interruptible(Create.create({ databases, storage, collection, ...options }, schema)).pipe(
    // What is left of it would only take room, of which there may be none.
    Effect.onError(() => Effect.ignore(Catalog.remove(storage, prefix)))
  )
  return summaryOf(storage, yield* schema === undefined || wrap === undefined ? copy : wrap(schema, copy))
})

/** Backs up collections of the handle's database, one after the other, under one id. */
export const create = Effect.fn("Backup.create")(function* (
  collections: ReadonlyArray<string>,
  options?: CreateOptions
): Effect.fn.Return<
  ReadonlyArray<Summary>,
  WriteError | RecoveryNeeded | LockHeld | LockUnavailable | JournalUnavailable,
  Databases | BackupStorage | MigrationLock | MigrationJournal
> {
  const databases = yield* Databases
  const backup = yield* RunId.make
  const distinct = [...new Map(collections.map((id) => [Format.sortableId(id), id])).values()]
  yield* Effect.forEach(distinct, checkId, { discard: true })
  const consistency = options?.consistency ?? "converged"
  const part = { backup, consistency, reason: options?.reason ?? "asked for" }
  return yield* Effect.forEach(distinct, (collection) =>
    consistency === "quiesced"
      ? createPart(databases, collection, part, (record, copy) =>
          Effect.scoped(quiesced(databases, record, backup, copy))
        )
      : createPart(databases, collection, part)
  )
})

/** Backs up one collection without a lock: inside a run, which has it. */
export const createInRun = Effect.fnUntraced(function* (
  databases: Methods,
  collection: string,
  options: { readonly reason: string; readonly consistency: "fuzzy" | "converged"; readonly backup?: string }
): Effect.fn.Return<Summary, WriteError, BackupStorage> {
  return yield* createPart(databases, collection, { ...options, backup: options.backup ?? (yield* RunId.make) })
})

export type Listed = Catalog.Listed
/** All parts in the storage, oldest first. What has no manifest is no backup, and not listed. */
export const list = Catalog.list

/** What a verification found. */
export interface Verified extends Summary {
  readonly backup: string
  readonly hashes: Manifest["hashes"]
}

/** Reads every byte of a backup, or of one collection's part of it, and compares it with what it says of itself. */
export const verify = Effect.fn("Backup.verify")(function* (
  name: string
): Effect.fn.Return<ReadonlyArray<Verified>, BackupReadError, BackupStorage> {
  const storage = yield* BackupStorage
  return yield* Effect.forEach(yield* Catalog.resolve(name), (prefix) =>
    Effect.gen(function* () {
      const part = yield* Verify.open(storage, prefix)
      yield* Effect.interruptible(Verify.check(part, { content: true }))
      const { backup, hashes } = part.manifest
      return { ...summaryOf(storage, part.manifest), backup, hashes }
    })
  )
})

export interface RestoreOptions {
  /** Into this collection. Default the one that was backed up. */
  readonly to?: string | undefined
  /** Only these documents; others are neither changed nor deleted. */
  readonly only?: ReadonlyArray<string> | undefined
  /** Compare, and write nothing. Default false. */
  readonly dryRun?: boolean | undefined
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
  readonly safety?: Summary
  /** The exact hash, which is the backup's; undefined of an absent collection and of a dry run. */
  readonly exact?: string
}

type RestoreError =
  | BackupReadError
  | WriteError
  | DocumentsNotInBackup
  | RestoreSchemaDiffers
  | RestoreIncomplete
  | RecoveryNeeded
  | LockHeld
  | LockUnavailable
  | JournalUnavailable

/** Runs that were cut short, if all of them are restores of this collection, which this one brings to their end. */
const takeOver = Effect.fnUntraced(function* (databases: Methods, collection: string) {
  const runs = yield* openRuns(databases)
  const others = runs.filter(
    ({ restore }) =>
      restore === undefined ||
      restore.database !== databases.databaseId ||
      Format.sortableId(restore.collection) !== Format.sortableId(collection)
  )
  if (others.length > 0) return yield* new RecoveryNeeded({ runs: others })
  return runs
})

const restorePart = Effect.fnUntraced(function* (
  databases: Methods,
  holder: Holder | undefined,
  prefix: string,
  options?: RestoreOptions
): Effect.fn.Return<Restored, RestoreError, BackupStorage | MigrationJournal | Scope> {
  const storage = yield* BackupStorage
  const part = yield* Verify.open(storage, prefix)
  const { manifest } = part
  const collection = options?.to ?? manifest.collection
  yield* checkId(collection)
  if (manifest.absent && (options?.to ?? options?.only) !== undefined) {
    const detail = `it says that there was no ${manifest.collection}, so there is nothing to restore elsewhere or in part`
    return yield* new BackupUnknown({ backup: prefix.slice(0, -1), detail })
  }
  const saved = yield* Effect.interruptible(Verify.check(part, { content: false }))
  const current = yield* lookUp(databases, collection)
  const backup = storage.locationOf(`${prefix}${Format.manifestName}`)
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
    const counts = request === undefined ? nothing : (yield* Restore.compare(request, () => Effect.void)).counts
    return { ...common, ...counts, schema: sentences }
  }

  const journals = yield* MigrationJournal
  const superseded = yield* takeOver(databases, common.collection)
  const safety =
    current === undefined
      ? undefined
      : yield* createInRun(databases, current.$id, { reason: `before the restore of ${backup}`, consistency: "fuzzy" })
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
  yield* journal.append({
    _tag: "Restoring",
    backup,
    database: databases.databaseId,
    collection: common.collection,
    safety: safety?.backupFile ?? null
  })
  const before = safety === undefined ? undefined : yield* Verify.open(storage, prefixOf(storage, safety))
  const counts =
    request === undefined
      ? yield* Effect.as(current === undefined ? Effect.void : databases.deleteCollection(current.$id), nothing)
      : yield* Restore.restore(request, journal, before)
  yield* journal.append({ _tag: "End", outcome: "committed", at: yield* RunId.iso })
  const at = yield* RunId.iso
  yield* Effect.forEach(superseded, (run) => journals.supersede(run, at), { discard: true })
  return {
    ...common,
    ...counts,
    schema: sentences,
    ...(safety === undefined ? {} : { safety }),
    ...(request === undefined || only !== undefined ? {} : { exact: yield* Restore.expectedHash(request) })
  }
})

/**
 * Brings collections to what a backup holds: a part of one (see `Summary.backupFile`), or all of its parts. Under the
 * lock; what was there is saved first. Can be repeated after a failure or a kill.
 */
export const restore = Effect.fn("Backup.restore")(function* (
  name: string,
  options?: RestoreOptions
): Effect.fn.Return<
  ReadonlyArray<Restored>,
  RestoreError,
  Databases | BackupStorage | MigrationLock | MigrationJournal
> {
  const databases = yield* Databases
  const prefixes = yield* Catalog.resolve(name)
  if (prefixes.length > 1 && (options?.to ?? options?.only) !== undefined) {
    const detail = `it holds ${prefixes.length} collections (${prefixes.map((prefix) => prefix.split("/")[1]).join(", ")}). Name one of them: BACKUP/COLLECTION`
    return yield* new BackupUnknown({ backup: name, detail })
  }
  return yield* Effect.uninterruptible(
    Effect.scoped(
      Effect.gen(function* () {
        const lock = yield* MigrationLock
        const holder = options?.dryRun === true ? undefined : yield* lock.acquire
        return yield* Effect.forEach(prefixes, (prefix) =>
          Effect.scoped(restorePart(databases, holder, prefix, options))
        )
      })
    )
  )
})

/** What a pruning removed, or kept and why. */
export type Pruned = BackupRetention.Decision<Listed & BackupRetention.Candidate>

/** Writes that have not ended after so long never will. Milliseconds. */
const abandonedAfter = 24 * 60 * 60 * 1000

const startedAt = (backup: string): number =>
  Date.parse(backup.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z.*$/, "$1-$2-$3T$4:$5:$6.$7Z"))

/**
 * Removes backups that no rule keeps, and what unfinished ones of more than a day ago have left. What a run that was
 * cut short names is kept.
 */
export const prune = Effect.fn("Backup.prune")(function* (
  rule: BackupRetention.Rule
): Effect.fn.Return<
  ReadonlyArray<Pruned>,
  BackupStorageUnavailable | BackupNameRefused | JournalUnavailable | DatabasesError,
  BackupStorage | MigrationJournal
> {
  const storage = yield* BackupStorage
  const all = yield* list
  const needed = new Map<string, string>()
  for (const { begin, restore } of yield* (yield* MigrationJournal).open) {
    for (const name of [restore?.safety, restore?.backup]) {
      if (name !== undefined && name !== null) needed.set(name, `the run ${begin.run} was cut short and names it`)
    }
  }
  const decisions = BackupRetention.decide(
    all.map((one) => ({ ...one, name: one.backupFile })),
    rule,
    needed
  )
  for (const { backup, keep } of decisions) {
    if (keep === undefined) yield* Catalog.remove(storage, `${backup.backup}/${backup.collection}/`)
  }
  const now = yield* Clock.currentTimeMillis
  const known = new Set(all.map(({ backup, collection }) => `${backup}/${collection}/`))
  const objects = yield* storage.list("")
  const unfinished = new Set(
    objects.flatMap(({ name }) => {
      const [backup, collection, file] = name.split("/")
      const prefix = `${backup}/${collection}/`
      const isPart = file !== undefined && Format.backupId.test(backup!)
      return isPart && !known.has(prefix) && now - startedAt(backup!) > abandonedAfter ? [prefix] : []
    })
  )
  yield* Effect.forEach(unfinished, (prefix) => Catalog.remove(storage, prefix), { discard: true })
  return decisions
})
