/**
 * Backups of collections, and collections out of backups. The format is docs/backup-format.md.
 *
 * A backup is verified by reading it; what is restored is compared with it by hash. A restore writes only what differs,
 * and first saves what it is about to replace.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type BackupReadError, BackupUnknown } from "./BackupError.ts"
import type { Consistency, Manifest } from "./BackupManifest.ts"
import * as BackupRetention from "./BackupRetention.ts"
import { type BackupNameRefused, BackupStorage, type BackupStorageUnavailable } from "./BackupStorage.ts"
import type { Collection } from "./Collection.ts"
import { Databases, type Methods } from "./Databases.ts"
import type { DatabasesError } from "./DatabasesError.ts"
import * as Catalog from "./internal/backups/Catalog.ts"
import * as Format from "./internal/backups/Format.ts"
import * as Part from "./internal/backups/Part.ts"
import * as RestoreRun from "./internal/backups/RestoreRun.ts"
import * as Verify from "./internal/backups/Verify.ts"
import { openRuns } from "./internal/migrations/OpenRuns.ts"
import * as RunId from "./internal/RunId.ts"
import { type JournalUnavailable, MigrationJournal, RecoveryNeeded } from "./MigrationJournal.ts"
import { LockHeld, MigrationLock, type LockUnavailable } from "./MigrationLock.ts"

export interface CreateOptions {
  /** Default `converged`. What was reached is in the result. */
  readonly consistency?: Consistency | undefined
  /** For people, in the manifest. Default "asked for". */
  readonly reason?: string | undefined
}

export type Summary = Part.Summary
export const createInRun = Part.createInRun

/** Fails where a run goes on, or was cut short. */
const checkNothingOpen = Effect.fnUntraced(function* (databases: Methods) {
  const runs = yield* openRuns(databases)
  if (runs.length === 0) return
  const holder = yield* (yield* MigrationLock).holder
  if (holder !== undefined) return yield* new LockHeld({ holder })
  return yield* new RecoveryNeeded({ runs })
})

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

/** Backs up collections of the handle's database, one after the other, under one id. */
export const create = Effect.fn("Backup.create")(function* (
  collections: ReadonlyArray<string>,
  options?: CreateOptions
): Effect.fn.Return<
  ReadonlyArray<Summary>,
  Part.WriteError | RecoveryNeeded | LockHeld | LockUnavailable | JournalUnavailable,
  Databases | BackupStorage | MigrationLock | MigrationJournal
> {
  const databases = yield* Databases
  const backup = yield* RunId.make
  const distinct = [...new Map(collections.map((id) => [Format.sortableId(id), id])).values()]
  yield* Effect.forEach(distinct, Part.checkId, { discard: true })
  // What a run has parked would be saved as it is called now.
  yield* checkNothingOpen(databases)
  const consistency = options?.consistency ?? "converged"
  const part = { backup, consistency, reason: options?.reason ?? "asked for" }
  return yield* Effect.forEach(distinct, (collection) =>
    consistency === "quiesced"
      ? Part.create(databases, collection, part, (record, copy) =>
          Effect.scoped(quiesced(databases, record, backup, copy))
        )
      : Part.create(databases, collection, part)
  )
})

export type Listed = Catalog.Listed
/** All parts in the storage, oldest first. What has no manifest is no backup, and not listed. */
export const list = Catalog.list

/** What a verification found. */
export interface Verified extends Part.Summary {
  readonly backup: string
  readonly hashes: Manifest["hashes"]
}

/** Reads every byte of a backup, or of one collection's part of it, and compares it with what it says of itself. */
export const verify = Effect.fn("Backup.verify")(function* (
  name: string
): Effect.fn.Return<ReadonlyArray<Verified>, BackupReadError, BackupStorage> {
  const storage = yield* BackupStorage
  return yield* Effect.forEach(yield* Catalog.resolve(storage, name), (prefix) =>
    Effect.gen(function* () {
      const part = yield* Verify.open(storage, prefix)
      yield* Effect.interruptible(Verify.check(part, { content: true }))
      const { backup, hashes } = part.manifest
      return { ...Part.summaryOf(storage, part.manifest), backup, hashes }
    })
  )
})

export type RestoreOptions = RestoreRun.RestoreOptions
export type Restored = RestoreRun.Restored

/**
 * Brings collections to what a backup holds: a part of one (see `Summary.backupFile`), or all of its parts. Under the
 * lock; what was there is saved first. Can be repeated after a failure or a kill.
 */
export const restore = Effect.fn("Backup.restore")(function* (
  name: string,
  options?: RestoreOptions
): Effect.fn.Return<
  ReadonlyArray<Restored>,
  RestoreRun.RestoreError,
  Databases | BackupStorage | MigrationLock | MigrationJournal
> {
  const databases = yield* Databases
  const storage = options?.from ?? (yield* BackupStorage)
  const prefixes = yield* Catalog.resolve(storage, name)
  if (prefixes.length > 1 && (options?.to ?? options?.only) !== undefined) {
    const detail = `it holds ${prefixes.length} collections (${prefixes.map((prefix) => prefix.split("/")[1]).join(", ")}). Name one of them: BACKUP/COLLECTION`
    return yield* new BackupUnknown({ backup: name, detail })
  }
  return yield* Effect.uninterruptible(
    Effect.scoped(
      Effect.gen(function* () {
        const lock = yield* MigrationLock
        const holder = options?.dryRun === true ? undefined : yield* lock.acquire
        // All of them before the first one is written.
        const parts = yield* Effect.forEach(prefixes, (prefix) => RestoreRun.check(storage, prefix))
        return yield* Effect.forEach(parts, (part) => Effect.scoped(RestoreRun.run(databases, holder, part, options)))
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

/** How the reason of a backup of what a migration deletes begins. */
export const deletionReason = "what was deleted by"

/** Backups that can stand in for one another: of one collection, and as good. */
const kindOf = ({ collection, manifest }: Listed): string => {
  if (manifest === undefined) return "unreadable"
  const { absent, database, reason, target } = manifest
  // What a migration has deleted is in no other backup.
  const worth = absent
    ? "absent"
    : reason.startsWith(RestoreRun.safetyReason)
      ? "safety"
      : reason.startsWith(deletionReason)
        ? reason
        : ""
  return [target.id, database, collection.toLowerCase(), worth].join(" ")
}

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
  const all = yield* Catalog.list
  const needed = new Map<string, string>()
  const nameOf = ({ backup, collection }: Listed) => `${backup}/${collection}`
  for (const { begin, restore } of yield* (yield* MigrationJournal).open) {
    const why = `the run ${begin.run} was cut short and may need it`
    for (const location of [restore?.safety, restore?.backup]) {
      // However the folder was spelt: the two parts before the manifest are what counts.
      const name = location?.split(/[/\\]/).slice(-3, -1).join("/")
      if (name !== undefined) needed.set(name, why)
    }
    // Before its first write, and before it deleted something: ids sort by time.
    for (const one of all) if (one.backup >= begin.run) needed.set(nameOf(one), why)
  }
  for (const one of all)
    if (one.manifest === undefined) needed.set(nameOf(one), "it can't be read: look at it, remove it by hand")
  const decisions = BackupRetention.decide(
    all.map((one) => ({ ...one, name: nameOf(one), kind: kindOf(one) })),
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
