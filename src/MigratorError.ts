/** All that can stop a migration, before it starts or in the middle. */
import * as Schema from "effect/Schema"
import { DatabasesError } from "./DatabasesError.ts"
import { shellWord } from "./internal/ShellWord.ts"
import { JournalUnavailable, RecoveryNeeded } from "./MigrationJournal.ts"
import { LockHeld, LockUnavailable } from "./MigrationLock.ts"
import { StateCorrupt, StateMissing, StateOfAnotherTarget, StateUnavailable } from "./MigrationState.ts"

export { RecoveryNeeded } from "./MigrationJournal.ts"

const migration = { migration: Schema.String }

/** `up` failed; all that it had written was undone. */
export class MigrationFailed extends Schema.TaggedError<MigrationFailed>()("MigrationFailed", {
  ...migration,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `${this.migration} failed and was undone, nothing of it is left: ${this.detail}`
  }
}
/** A backup that it asks for could not be made, or not be verified: it was not started. */
export class BackupFailed extends Schema.TaggedError<BackupFailed>()("BackupFailed", {
  ...migration,
  collection: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.migration} was not started, since the backup of ${this.collection} failed: ${this.detail}. Nothing of the database was touched. Mend that, or go on without with --skip-backup`
  }
}
/** `verify` failed after `up`; all that `up` had written was undone. */
export class VerificationFailed extends Schema.TaggedError<VerificationFailed>()("VerificationFailed", {
  ...migration,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `${this.migration} did not pass its verification and was undone, nothing of it is left: ${this.detail}`
  }
}
/** It failed, and not all could be undone. */
export class RollbackIncomplete extends Schema.TaggedError<RollbackIncomplete>()("RollbackIncomplete", {
  ...migration,
  detail: Schema.String,
  /** Left alone because others had changed it since. */
  conflicts: Schema.Array(Schema.String),
  /** Could not be undone, with the reason. */
  remaining: Schema.Array(Schema.String),
  journal: Schema.String,
  /** Taken before its first write. */
  backups: Schema.Array(Schema.Struct({ collection: Schema.String, backupFile: Schema.String }))
}) {
  override get message() {
    const commands = this.backups.map(
      ({ backupFile, collection }) =>
        `${collection} as it was before with \`holdfast restore ${shellWord(backupFile)}\``
    )
    const parts = [
      this.conflicts.length === 0
        ? undefined
        : `${this.conflicts.length} left alone, since others have changed them: ${some(this.conflicts)}`,
      this.remaining.length === 0 ? undefined : `${this.remaining.length} not undone: ${some(this.remaining)}`,
      commands.length === 0 ? undefined : `Bring back ${commands.join(", ")}`
    ].filter((part) => part !== undefined)
    return `${this.migration} failed (${this.detail}), and its rollback is incomplete. ${parts.join(". ")}. What everything was before stands in ${this.journal}`
  }
}
/** It succeeded, but what it deleted is not all purged, or its success not written down. */
export class CommitIncomplete extends Schema.TaggedError<CommitIncomplete>()("CommitIncomplete", {
  ...migration,
  detail: Schema.String,
  journal: Schema.String
}) {
  override get message() {
    return `${this.migration} was applied and verified, but finishing it failed: ${this.detail}. The run stays open in ${this.journal}`
  }
}
/** An id that no migration has. */
export class UnknownMigration extends Schema.TaggedError<UnknownMigration>()("UnknownMigration", {
  id: Schema.String,
  suggestion: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return `there is no migration ${JSON.stringify(this.id)}.${this.suggestion === undefined ? " `status` lists those that there are" : ` Did you mean ${this.suggestion}?`}`
  }
}
/** Two migrations with one id. */
export class DuplicateMigration extends Schema.TaggedError<DuplicateMigration>()("DuplicateMigration", {
  id: Schema.String,
  locations: Schema.Array(Schema.String)
}) {
  override get message() {
    return `the id ${JSON.stringify(this.id)} belongs to ${this.locations.join(" and ")}. Rename one, or give it another id`
  }
}
/** A migration's file can't be loaded. */
export class MigrationNotLoaded extends Schema.TaggedError<MigrationNotLoaded>()("MigrationNotLoaded", {
  location: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.location} can't be loaded: ${this.detail}`
  }
}
/** The folder of migrations is not there. */
export class MigrationsMissing extends Schema.TaggedError<MigrationsMissing>()("MigrationsMissing", {
  location: Schema.String
}) {
  override get message() {
    return `there is no folder of migrations at ${this.location}. Name it with --migrations, or make the first one with \`new NAME\``
  }
}
/** Sources of applied migrations have changed since. */
export class MigrationDrift extends Schema.TaggedError<MigrationDrift>()("MigrationDrift", {
  migrations: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.migrations.join(", ")} changed after being applied. Bring back what ran and put the change in a new migration; or go on as it is with --allow-drift`
  }
}
/** A migration that was not applied stands before one that was. */
export class OutOfOrder extends Schema.TaggedError<OutOfOrder>()("OutOfOrder", {
  migrations: Schema.Array(Schema.String),
  after: Schema.String
}) {
  override get message() {
    return `${this.migrations.join(", ")} stand${this.migrations.length === 1 ? "s" : ""} before ${this.after}, which is applied already. Rename to come after it, or run them now with --allow-out-of-order`
  }
}
/** It says that it needs a migration that has not succeeded. */
export class RequirementMissing extends Schema.TaggedError<RequirementMissing>()("RequirementMissing", {
  ...migration,
  requires: Schema.String
}) {
  override get message() {
    return `${this.migration} was not run: it requires ${this.requires}, which is not applied`
  }
}

const some = (things: ReadonlyArray<string>): string =>
  things.slice(0, 5).join("; ") + (things.length > 5 ? `; and ${things.length - 5} more` : "")

/** What a migration that was started can come to. */
export const RunError = Schema.Union([
  BackupFailed,
  MigrationFailed,
  VerificationFailed,
  RollbackIncomplete,
  CommitIncomplete
])
export type RunError = typeof RunError.Type

/** What stops before anything is started. */
export const PreparationError = Schema.Union([
  RecoveryNeeded,
  UnknownMigration,
  DuplicateMigration,
  MigrationNotLoaded,
  MigrationsMissing,
  MigrationDrift,
  OutOfOrder,
  RequirementMissing,
  StateCorrupt,
  StateOfAnotherTarget,
  StateMissing,
  StateUnavailable,
  LockHeld,
  LockUnavailable,
  JournalUnavailable,
  DatabasesError
])
export type PreparationError = typeof PreparationError.Type

/** All that a caller can meet. */
export const MigratorError = Schema.Union([RunError, PreparationError])
export type MigratorError = typeof MigratorError.Type
