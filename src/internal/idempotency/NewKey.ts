/** A key that nobody else draws: a UUID of version 4, from the platform's source of chance for secrets. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"

export const newKey: Effect.Effect<string> = Effect.flatMap(WebCrypto.WebCrypto, (crypto) =>
  SecureRandom.make((size) => crypto.getRandomValues(new Uint8Array(size))).uuidV4()
)
