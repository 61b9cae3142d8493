/** The secret of a store: from the environment, or beside an embedded database, where nobody else reads. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { SecretMissing } from "../../IdempotencyError.ts"

export const setting = "HOLDFAST_SECRET"
export const previousSetting = "HOLDFAST_SECRET_PREVIOUS"

/** In bytes. */
const least = 32

/** The secret itself, where it is long enough. */
export const check = (store: string, secret: Redacted.Redacted): Effect.Effect<string, SecretMissing> => {
  const value = Redacted.value(secret)
  const length = Buffer.byteLength(value)
  return length >= least
    ? Effect.succeed(value)
    : Effect.fail(new SecretMissing({ store, problem: `it has ${length} bytes, and must have ${least} or more` }))
}

export interface Secrets {
  readonly secret: Redacted.Redacted
  readonly previousSecret: Redacted.Redacted | undefined
}

/** From `HOLDFAST_SECRET` and `HOLDFAST_SECRET_PREVIOUS`. */
export const fromConfig = Effect.fnUntraced(function* (store: string): Effect.fn.Return<Secrets, SecretMissing> {
  const read = (name: string) => Effect.orElseSucceed(Config.option(Config.Redacted(name)), () => Option.none())
  const secret = yield* read(setting)
  if (Option.isNone(secret) || Redacted.value(secret.value) === "")
    return yield* new SecretMissing({ store, problem: "it is not set" })
  yield* check(store, secret.value)
  const previous = Option.getOrUndefined(yield* read(previousSetting))
  return { secret: secret.value, previousSecret: previous }
})

/** From the file `PATH-secret`, made where it is missing; only its owner reads it. Of several processes one makes it. */
export const beside = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Secrets, SecretMissing, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const file = `${path}-secret`
  const read = Effect.map(fs.readFileString(file), (text) => Redacted.make(text.trim()))
  const create = Effect.gen(function* () {
    const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`
    yield* fs.writeFileString(temporary, `${randomBytes(least).toString("base64url")}\n`, { flag: "wx", mode: 0o600 })
    // Another process's file is as good.
    yield* Effect.ignore(fs.link(temporary, file))
    yield* fs.remove(temporary)
    return yield* read
  })
  const missing = ({ message }: PlatformError) =>
    new SecretMissing({ store: `sqlite:${path}`, problem: `it can't be kept in ${file}: ${message}` })
  const secret = yield* Effect.mapError(
    Effect.catch(read, () => create),
    missing
  )
  yield* Effect.mapError(
    check(`sqlite:${path}`, secret),
    ({ problem, store }) => new SecretMissing({ store, problem: `${file} is its place here, and ${problem}` })
  )
  return { secret, previousSecret: undefined }
})
