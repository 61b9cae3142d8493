/** All that can stop a backup, its verification or a restore. */
import * as Schema from "effect/Schema"
import { BackupStorageError } from "./BackupStorage.ts"
import { DatabasesError } from "./DatabasesError.ts"
import { JournalUnavailable, RecoveryNeeded } from "./MigrationJournal.ts"
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
    return `the backup is damaged at ${this.location}: ${this.detail}. Nothing was written. Use another copy of it, or another backup`
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
  suggestion: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return `there is no collection ${JSON.stringify(this.collection)}.${this.suggestion === undefined ? "" : ` Did you mean ${this.suggestion}?`}`
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
  collection: Schema.String,
  detail: Schema.String,
  /** Takes what was there before; null where nothing was. */
  safety: Schema.NullOr(Schema.String),
  backup: Schema.String
}) {
  override get message() {
    const back =
      this.safety === null ? "" : `, or go back to what was there before with \`holdfast restore ${this.safety}\``
    const to = this.backup.includes(`/${this.collection}/`) ? "" : ` --to ${this.collection}`
    return `the restore of ${this.collection} is incomplete: ${this.detail}. Go on with \`holdfast restore ${this.backup}${to}\` again (it writes only what differs)${back}`
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
