/** Backups are encrypted with this secret, and only those that were can be read (docs/backup-format.md). */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { BackupSecret } from "../../BackupSecret.ts"

export const layer = (secret: Redacted.Redacted): Layer.Layer<never> =>
  Layer.effect(
    BackupSecret,
    Effect.map(SecureRandom.SecureRandom, ({ randomBytes }) => ({ secret, random: randomBytes }))
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
