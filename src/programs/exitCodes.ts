/** What each error exits with. An error without a code does not compile. docs/migrations.md and the help list them. */
import type { BackupError } from "../BackupError.ts"
import type { SecretMissing, StoreError } from "../IdempotencyError.ts"
import type { MigratorError } from "../MigratorError.ts"
import type { TraceError } from "../TraceReport.ts"
import type { SettingsError } from "./settings.ts"

export const exitCodes = {
  MigrationFailed: 1,
  BackupFailed: 1,
  RequirementMissing: 1,
  TraceNotFound: 1,
  InvalidSetting: 2,
  UnknownMigration: 2,
  DuplicateMigration: 2,
  MigrationNotLoaded: 2,
  MigrationsMissing: 2,
  NameTaken: 2,
  StateCorrupt: 2,
  StateOfAnotherTarget: 2,
  StateMissing: 2,
  StateUnavailable: 2,
  JournalUnavailable: 2,
  LockUnavailable: 2,
  BackupUnknown: 2,
  BackupDamaged: 2,
  BackupTooNew: 2,
  BackupSecretWrong: 2,
  BackupStorageUnavailable: 2,
  BackupObjectMissing: 2,
  BackupNameRefused: 2,
  BackupOfAnotherDatabase: 2,
  CollectionUnknown: 2,
  DocumentsNotInBackup: 2,
  RestoreSchemaDiffers: 2,
  LockHeld: 3,
  RecoveryNeeded: 4,
  CommitIncomplete: 4,
  MigrationDrift: 5,
  OutOfOrder: 5,
  VerificationFailed: 6,
  RollbackIncomplete: 7,
  RestoreIncomplete: 7,
  SecretMissing: 2,
  ArgumentUnclear: 2,
  InputMissing: 2,
  LogUnreadable: 2,
  PageNotWritten: 2,
  DatabasesError: 8,
  StoreUnavailable: 8,
  StoreShapeMismatch: 8,
  ClockSkew: 8
} as const satisfies Record<
  (MigratorError | BackupError | SettingsError | StoreError | SecretMissing | TraceError)["_tag"],
  number
>

/** `status --check` found migrations that are not applied. */
export const pending = 9
/** A command line that can't be understood. */
export const usage = 2
/** A bug of ours. */
export const defect = 70

/** Of several migrations' outcomes the worst: a rollback that is not complete, then what must be finished. */
const gravity: ReadonlyArray<number> = [7, 4, 6, 1]
export const worst = (codes: ReadonlyArray<number>): number => gravity.find((code) => codes.includes(code)) ?? 0

/** For the help. */
export const meanings: ReadonlyArray<readonly [code: string, meaning: string]> = [
  ["0", "done"],
  ["1", "a migration failed; nothing of it is left"],
  ["2", "usage, settings, a state or a backup that can't be used; nothing was started"],
  ["3", "somebody else is migrating"],
  ["4", "a run was cut short and must be recovered first"],
  ["5", "applied migrations have changed, or one stands before them"],
  ["6", "a verification failed; in a run the migration was undone"],
  ["7", "a rollback or a restore is not complete; what is left is named"],
  ["8", "the database can't be reached or refused us"],
  ["9", "status --check found migrations to apply"],
  ["130, 143", "interrupted (SIGINT, SIGTERM); undone"]
]
