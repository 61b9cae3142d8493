/**
 * Where backups are kept: named objects, written whole or not at all.
 *
 * S1  what is put is there whole, under its name, when `put` answers, also after a power cut
 * S2  a put that fails or is interrupted leaves what stood under the name, and is never listed
 * S3  `get` answers the bytes of one put, never of two
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Stream } from "effect/Stream"

/** The storage can't be read or written. */
export class BackupStorageUnavailable extends Schema.TaggedError<BackupStorageUnavailable>()(
  "BackupStorageUnavailable",
  { location: Schema.String, detail: Schema.String }
) {
  override get message() {
    return `the backup storage can't be used at ${this.location}: ${this.detail}`
  }
}
/** There is nothing of that name. */
export class BackupObjectMissing extends Schema.TaggedError<BackupObjectMissing>()("BackupObjectMissing", {
  location: Schema.String
}) {
  override get message() {
    return `${this.location} is missing`
  }
}
/** A name that no object may have, or a link where a file should be. */
export class BackupNameRefused extends Schema.TaggedError<BackupNameRefused>()("BackupNameRefused", {
  name: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${JSON.stringify(this.name)} is refused as the name of a file in a backup: ${this.detail}`
  }
}
export const BackupStorageError = Schema.Union([BackupStorageUnavailable, BackupObjectMissing, BackupNameRefused])
export type BackupStorageError = typeof BackupStorageError.Type

/** What a listing says of an object. */
export interface Listed {
  readonly name: string
  readonly bytes: number
}

export interface Methods {
  /** Where it is, for people. */
  readonly location: string
  /** Where an object is, for people: what `restore` takes. */
  readonly locationOf: (name: string) => string
  /** Replaces what stands under the name, once the stream has ended. */
  readonly put: <E, R>(
    name: string,
    bytes: Stream<Uint8Array, E, R>
  ) => Effect.Effect<void, BackupStorageUnavailable | BackupNameRefused | E, R>
  /** `pieceSize`: about so many bytes at once. */
  readonly get: (name: string, options?: { readonly pieceSize?: number }) => Stream<Uint8Array, BackupStorageError>
  /** Objects whose names begin with `prefix`, which is "" or ends with a slash; sorted by name. */
  readonly list: (prefix: string) => Effect.Effect<ReadonlyArray<Listed>, BackupStorageUnavailable | BackupNameRefused>
  /** Nothing, where it is not there. */
  readonly remove: (name: string) => Effect.Effect<void, BackupStorageUnavailable | BackupNameRefused>
}

export class BackupStorage extends Context.Service<BackupStorage, Methods>()("holdfast/BackupStorage") {}

/** A part of a name: letters, digits and `. - _`, not beginning with a full stop. */
const part = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/

/** Why no object may have this name; undefined where it may. A name is one to four parts between slashes. */
export const whyRefused = (name: string): string | undefined => {
  const parts = name.split("/")
  if (parts.length > 4) return "it has more than four parts"
  const bad = parts.find((one) => !part.test(one))
  return bad === undefined
    ? undefined
    : `${JSON.stringify(bad)} must have 1 to 100 letters, digits, periods, hyphens or underscores, and not begin with a period`
}
