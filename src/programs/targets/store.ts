/** `--store URL` → the layer of that store of idempotency keys. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { DatabasesError } from "../../DatabasesError.ts"
import type { SecretMissing, StoreUnavailable } from "../../IdempotencyError.ts"
import type { IdempotencyStore } from "../../IdempotencyStore.ts"
import * as Embedded from "../../layers/databases/Embedded.ts"
import * as Database from "../../layers/idempotency/Database.ts"
import * as Memory from "../../layers/idempotency/Memory.ts"
import * as Redis from "../../layers/idempotency/Redis.ts"
import { InvalidSetting } from "../settings.ts"

const forms =
  "Write sqlite:PATH for a file, redis://HOST:PORT for Redis or Valkey (rediss:// with TLS), or memory: for a store that is gone afterwards"

export interface Options {
  readonly url: string
  /** The database of `sqlite:`. */
  readonly databaseId: string
}

/** A file that is missing is refused: there is nothing in it to remove. */
export const layer = ({
  databaseId,
  url
}: Options): Layer.Layer<
  IdempotencyStore,
  InvalidSetting | DatabasesError | SecretMissing | StoreUnavailable,
  FileSystem.FileSystem
> => {
  const refuse = (detail: string) => new InvalidSetting({ setting: "--store", detail })
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? []
  if (url === "memory:") return Memory.layer()
  if (/^(?:redis|rediss|valkey|valkeys):\/\//.test(url)) return Redis.layerConfig(url.replace(/^valkey/, "redis"))
  return Layer.unwrap(
    Effect.gen(function* () {
      if (url.startsWith("appwrite:")) return yield* refuse(`the layer for Appwrite itself is not there yet. ${forms}`)
      if (path === undefined || path.startsWith("//") || path === ":memory:")
        return yield* refuse(`${JSON.stringify(url)} names no store. ${forms}`)
      const fs = yield* FileSystem.FileSystem
      const isThere = yield* Effect.orElseSucceed(fs.exists(path), () => false)
      if (!isThere) return yield* refuse(`there is no file ${JSON.stringify(path)}. Check the path`)
      return Database.layerBeside(path).pipe(Layer.provide(Embedded.layer({ filename: path, databaseId })))
    })
  )
}
