/** The secret that backups are encrypted with; none by default. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"

export interface Secret {
  readonly secret: Redacted.Redacted
  /** So many random bytes, which nobody can guess. */
  readonly random: (length: number) => Effect.Effect<Uint8Array>
}

export const BackupSecret: Context.Reference<Secret | undefined> = Context.Reference<Secret | undefined>(
  "holdfast/BackupSecret",
  { defaultValue: () => undefined }
)
