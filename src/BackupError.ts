/** All that can stop a backup, its verification or a restore. */
import * as Schema from "effect/Schema"
import { BackupStorageError } from "./BackupStorage.ts"
import { DatabasesError } from "./DatabasesError.ts"
import { JournalUnavailable, RecoveryNeeded, waysOn } from "./MigrationJournal.ts"
import { LockHeld, LockUnavailable } from "./MigrationLock.ts"

/** What was named is no backup. */
export class BackupUnknown extends Schema.TaggedError<BackupUnknown>()("BackupUnknown", {
  backup: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${JSON.stringify(this.backup)} is no backup: ${this.detail}. \`backups list\` shows those that there are`
  }
}
/** A file of a backup is not what it was when it was written. */
export class BackupDamaged extends Schema.TaggedError<BackupDamaged>()("BackupDamaged", {
  location: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the backup is damaged at ${this.location}: ${this.detail}. Nothing was written to the database. Use another copy of it, or another backup`
  }
}
/** It was written in a later format. */
export class BackupTooNew extends Schema.TaggedError<BackupTooNew>()("BackupTooNew", {
  location: Schema.String,
  format: Schema.Finite
}) {
  override get message() {
    return `${this.location} is of format ${this.format}, and this holdfast reads format 1. Use a newer holdfast`
  }
}
/** It can't be decrypted with the secret that is given, or none is given. */
export class BackupSecretWrong extends Schema.TaggedError<BackupSecretWrong>()("BackupSecretWrong", {
  location: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.location} can't be decrypted: ${this.detail}. Set HOLDFAST_BACKUP_SECRET to the secret that it was made with`
  }
}
/** A collection was named that is not there. */
export class CollectionUnknown extends Schema.TaggedError<CollectionUnknown>()("CollectionUnknown", {
  collection: Schema.String,
  target: Schema.String,
  suggestion: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return `there is no collection ${JSON.stringify(this.collection)} in ${this.target}.${this.suggestion === undefined ? "" : ` Did you mean ${this.suggestion}?`}`
  }
}
/** Documents were asked for that the backup does not hold. */
export class DocumentsNotInBackup extends Schema.TaggedError<DocumentsNotInBackup>()("DocumentsNotInBackup", {
  backup: Schema.String,
  ids: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.backup} does not hold ${this.ids.slice(0, 5).join(", ")}${this.ids.length > 5 ? ` and ${this.ids.length - 5} more` : ""}. Nothing was written`
  }
}
/** The schema of a collection stands against what is to be restored alone. */
export class RestoreSchemaDiffers extends Schema.TaggedError<RestoreSchemaDiffers>()("RestoreSchemaDiffers", {
  collection: Schema.String,
  changes: Schema.Array(Schema.String)
}) {
  override get message() {
    return `single documents can't be restored into ${this.collection} while its schema differs from the backup's (${this.changes.join("; ")}). Nothing was written. Restore the whole collection, or with --to into another`
  }
}
/** It was begun and could not be finished. */
export class RestoreIncomplete extends Schema.TaggedError<RestoreIncomplete>()("RestoreIncomplete", {
  database: Schema.String,
  collection: Schema.String,
  detail: Schema.String,
  /** Takes what was there before; null where nothing was. */
  safety: Schema.NullOr(Schema.String),
  backup: Schema.String,
  only: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message() {
    return `the restore of ${this.collection} is incomplete: ${this.detail}. ${waysOn(this)}`
  }
}
/** It was made of another database than the one that is worked in. */
export class BackupOfAnotherDatabase extends Schema.TaggedError<BackupOfAnotherDatabase>()("BackupOfAnotherDatabase", {
  backup: Schema.String,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message() {
    return `${this.backup} is of the database ${this.found}, and this is ${this.expected}. Say --database-id ${this.found} to restore it there, or --to COLLECTION to restore it here`
  }
}

/** What reading a backup can meet. */
export const BackupReadError = Schema.Union([
  BackupUnknown,
  BackupDamaged,
  BackupTooNew,
  BackupSecretWrong,
  BackupStorageError
])
export type BackupReadError = typeof BackupReadError.Type

/** All that a caller can meet. */
export const BackupError = Schema.Union([
  BackupReadError,
  CollectionUnknown,
  BackupOfAnotherDatabase,
  DocumentsNotInBackup,
  RestoreSchemaDiffers,
  RestoreIncomplete,
  RecoveryNeeded,
  LockHeld,
  LockUnavailable,
  JournalUnavailable,
  DatabasesError
])
export type BackupError = typeof BackupError.Type
