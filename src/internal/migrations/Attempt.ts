/** One migration under the lock: backed up, run, and what it came to written down. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as R from "effect/Result"
import * as Backup from "../../Backup.ts"
import { BackupStorage } from "../../BackupStorage.ts"
import { Databases, type Methods } from "../../Databases.ts"
import type { Migration } from "../../Migration.ts"
import { type Begin, MigrationJournal } from "../../MigrationJournal.ts"
import type { Holder, MigrationLock } from "../../MigrationLock.ts"
import * as MigrationState from "../../MigrationState.ts"
import { BackupFailed, type PreparationError, type RequirementMissing, type RunError } from "../../MigratorError.ts"
import * as RunId from "../RunId.ts"
import * as Run from "./Run.ts"

/** What running one needs. */
export type Services = Databases | BackupStorage | MigrationState.MigrationState | MigrationLock | MigrationJournal

/** What a migration has come to, as the specification shows it, and more. */
export interface Result {
  readonly success: boolean
  readonly migrationName: string
  /** Milliseconds. */
  readonly duration: number
  readonly dryRun: false
  /** Why it did not run. */
  readonly skipped?: "already applied"
  /** Taken and verified before its first write, then of what it deleted before that was gone for good. */
  readonly backups: ReadonlyArray<Backup.Summary>
  /** What it changed, a sentence each. */
  readonly changes: ReadonlyArray<string>
  readonly verification?: { readonly success: boolean; readonly message: string }
  readonly error?: RunError | RequirementMissing
}

export interface Job {
  readonly id: string
  readonly migration: Migration
  readonly hash: string | null
}
export interface Outcome {
  readonly state: MigrationState.State
  readonly result: Result
}

/** Backs up a collection, and believes it only when every byte was read back. */
const saved = (
  databases: Methods,
  collection: string,
  options: { readonly reason: string; readonly backup?: string }
) =>
  Effect.tap(Backup.createInRun(databases, collection, { ...options, consistency: "converged" }), ({ backupFile }) =>
    Backup.verify(backupFile)
  )

/** Takes and verifies the backups that a migration asks for, under one id, into `made`. */
const backUp = Effect.fnUntraced(function* (
  { id, migration }: Job,
  live: Methods,
  run: string,
  collections: Migration["backup"],
  made: Array<Backup.Summary>
): Effect.fn.Return<void, BackupFailed, BackupStorage> {
  for (const collection of new Set(collections)) {
    yield* saved(live, collection, { reason: `before ${migration.description ?? id}`, backup: run }).pipe(
      Effect.map((summary) => void made.push(summary)),
      Effect.mapError(({ message }) => new BackupFailed({ migration: id, collection, detail: message }))
    )
  }
})

/** Runs one under the lock, and writes down what it came to. */
export const run = Effect.fnUntraced(function* (
  job: Job,
  state: MigrationState.State,
  ids: ReadonlyArray<string>,
  holder: Holder,
  skipBackup: boolean
): Effect.fn.Return<Outcome, PreparationError, Services> {
  const live = yield* Databases
  const states = yield* MigrationState.MigrationState
  const journals = yield* MigrationJournal
  const started = yield* Clock.currentTimeMillis
  const elapsed = Effect.map(Clock.currentTimeMillis, (now) => now - started)
  const id = yield* RunId.make
  const begin: Begin = {
    _tag: "Begin",
    format: 1,
    run: id,
    migration: job.id,
    hash: job.hash,
    target: state.holdfast.target,
    holder,
    at: yield* RunId.iso
  }
  let current = state
  // Of a success: the state and the result say the same.
  let took: number | undefined
  const failed = Effect.fnUntraced(function* (error: string) {
    current = MigrationState.failed(state, { name: job.id, error, timestamp: yield* RunId.iso }, ids)
    // Its failure is told in any case; that it stands in the state too is a service.
    yield* Effect.catch(states.save(current), (unsaved) => Effect.logWarning(unsaved.message))
  })
  const storage = yield* BackupStorage
  const provided = Effect.provideService(BackupStorage, storage)
  const backups: Array<Backup.Summary> = []
  const outcome = yield* Effect.scoped(
    Effect.gen(function* () {
      const { migration } = job
      const asked = skipBackup ? [] : migration.backup
      const backedUp = yield* Effect.result(Effect.interruptible(backUp(job, live, id, asked, backups)))
      if (R.isFailure(backedUp)) return R.fail(backedUp.failure)
      const journal = yield* journals.begin(begin)
      return yield* Effect.result(
        Run.run({
          migration,
          begin,
          live,
          journal,
          backups,
          keep: ({ collection, databases }) =>
            provided(saved(databases, collection, { reason: `${Backup.deletionReason} ${job.id}` })),
          now: RunId.iso,
          remember: Effect.gen(function* () {
            took = yield* elapsed
            const applied = { at: yield* RunId.iso, duration: took, hash: job.hash, run: id }
            current = MigrationState.succeeded(state, job.id, applied, ids)
            yield* states.save(current)
          })
        })
      )
    })
  ).pipe(Effect.onInterrupt(() => failed("interrupted")))
  const duration = took ?? (yield* elapsed)
  const common = { migrationName: job.id, duration, dryRun: false, backups } as const
  if (R.isSuccess(outcome)) {
    const { kept, ...success } = outcome.success
    return { state: current, result: { ...common, success: true, ...success, backups: [...backups, ...kept] } }
  }
  const error = outcome.failure
  if (error._tag !== "CommitIncomplete") yield* failed(error._tag === "BackupFailed" ? error.message : error.detail)
  return {
    state: current,
    result: {
      ...common,
      success: false,
      changes: [],
      error,
      ...(error._tag === "VerificationFailed" ? { verification: { success: false, message: error.detail } } : {})
    }
  }
})

export const notRun = (id: string, rest: Partial<Result>): Result => ({
  success: true,
  migrationName: id,
  duration: 0,
  dryRun: false,
  backups: [],
  changes: [],
  ...rest
})
