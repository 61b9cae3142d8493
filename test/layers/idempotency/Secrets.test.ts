/** Secrets of stores: changed while requests run, missing, too short, and those that keep answers encrypted. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Databases } from "../../../src/Databases.ts"
import * as Idempotency from "../../../src/Idempotency.ts"
import type { SecretMissing } from "../../../src/IdempotencyError.ts"
import type { IdempotencyStore } from "../../../src/IdempotencyStore.ts"
import * as Embedded from "../../../src/layers/databases/Embedded.ts"
import * as Database from "../../../src/layers/idempotency/Database.ts"
import * as Redis from "../../../src/layers/idempotency/Redis.ts"
import { temporaryFolder } from "../../support/Migrating.ts"
import * as RedisServer from "../../support/RedisServer.ts"
import { skipped } from "../../support/skipped.ts"

const first = Redacted.make("1".repeat(32))
const second = Redacted.make("2".repeat(32))

interface Secrets {
  readonly secret: Redacted.Redacted
  readonly previousSecret?: Redacted.Redacted
  readonly encrypt?: boolean
}
type StoreOf = (secrets: Secrets) => Layer.Layer<IdempotencyStore, unknown>

/** A process of its own, as far as a store can tell: own connection, own memory. */
const processOf = (storeOf: StoreOf, secrets: Secrets) =>
  Effect.map(Layer.build(Idempotency.layer({ localCache: 0 }).pipe(Layer.provide(storeOf(secrets)))), (context) =>
    Context.get(context, Idempotency.Idempotency)
  )

const asking = (service: Idempotency.Idempotency["Service"], handler: Effect.Effect<string>, key = "k1") =>
  Idempotency.attempt(handler, { operation: "o", key, userId: "u1", success: Schema.String }).pipe(
    Effect.provideService(Idempotency.Idempotency, service)
  )

const suite = (name: string, open: Effect.Effect<StoreOf, never, Scope.Scope>, isThere: boolean) =>
  describe.skipIf(!isThere)(`the secret of a store on ${name}`, () => {
    it.live(
      "changed between a request and its repetition, in one process before the other: one start, one answer",
      () =>
        Effect.gen(function* () {
          const storeOf = yield* open
          const before = yield* processOf(storeOf, { secret: first })
          const after = yield* processOf(storeOf, { secret: second, previousSecret: first })
          let starts = 0
          const slow = Effect.gen(function* () {
            starts++
            yield* Effect.yieldNow
            return `by ${starts}`
          })
          const both = yield* Effect.all([Effect.result(asking(before, slow)), Effect.result(asking(after, slow))], {
            concurrency: 2
          })
          assert.strictEqual(starts, 1)
          assert.isTrue(both.some(({ _tag }) => _tag === "Success"))
          for (const service of [before, after, before])
            assert.deepStrictEqual(yield* asking(service, slow), { value: "by 1", status: "replayed" })
          assert.strictEqual(starts, 1)
        })
    )

    it.live("encrypted answers are read with the secret before, and without it refused, never run again", () =>
      Effect.gen(function* () {
        const storeOf = yield* open
        let starts = 0
        const handler = Effect.sync(() => `answer ${++starts}`)
        const old = yield* processOf(storeOf, { secret: first, encrypt: true })
        yield* asking(old, handler)
        const knowing = yield* processOf(storeOf, { secret: second, previousSecret: first, encrypt: true })
        assert.deepStrictEqual(yield* asking(knowing, handler), { value: "answer 1", status: "replayed" })
        const forgetful = yield* processOf(storeOf, { secret: second, encrypt: true })
        const error = yield* Effect.flip(asking(forgetful, handler))
        assert.strictEqual(error._tag, "StoreUnavailable")
        assert.include(error.message, "HOLDFAST_SECRET_PREVIOUS")
        assert.strictEqual(starts, 1)
      })
    )

    it.live("of fewer than 32 bytes is refused", () =>
      Effect.gen(function* () {
        const storeOf = yield* open
        const error = yield* Effect.flip(Effect.scoped(Layer.build(storeOf({ secret: Redacted.make("short") }))))
        assert.strictEqual((error as SecretMissing)._tag, "SecretMissing")
        assert.include((error as SecretMissing).message, "HOLDFAST_SECRET")
      })
    )
  })

const onFile = Effect.map(
  temporaryFolder,
  (folder): StoreOf =>
    (secrets) =>
      Database.layer(secrets).pipe(Layer.provide(Embedded.layer({ filename: join(folder, "app.db") })))
)
const onRedis = Effect.map(
  RedisServer.start(),
  ({ url }): StoreOf =>
    (secrets) =>
      Redis.layerUrl(url, secrets)
)

suite("an embedded file", onFile, true)
suite("Redis", onRedis, RedisServer.isInstalled)
if (!RedisServer.isInstalled) skipped("the secret of a store on Redis", "redis-server", RedisServer.install)

describe("without a secret", () => {
  const none = ConfigProvider.layer(ConfigProvider.fromUnknown({}))

  it.live("stores that others read refuse to build, with one message that names the variable", () =>
    Effect.gen(function* () {
      const refused = (layer: Layer.Layer<IdempotencyStore, { readonly _tag: string; readonly message: string }>) =>
        Effect.flip(Effect.scoped(Layer.build(layer.pipe(Layer.provide(none)))))
      const database = yield* refused(Database.layerConfig().pipe(Layer.provide(Embedded.memory)))
      const redis = yield* refused(Redis.layerConfig("redis://127.0.0.1:1"))
      for (const { _tag, message } of [database, redis]) {
        assert.strictEqual(_tag, "SecretMissing")
        assert.include(message, "HOLDFAST_SECRET: it is not set")
        assert.include(message, "openssl rand")
      }
    })
  )

  it.live("an embedded file has one beside it, that its owner alone reads, and that stays", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "app.db")
      const layer = Database.layerBeside(filename).pipe(
        Layer.provideMerge(Embedded.layer({ filename })),
        Layer.provide(NodeServices.layer)
      )
      const use = Effect.scoped(Effect.provide(Effect.asVoid(Databases), layer))
      yield* Effect.all([use, use, use], { concurrency: 3 })
      const text = readFileSync(`${filename}-secret`, "utf8")
      assert.strictEqual(statSync(`${filename}-secret`).mode & 0o777, 0o600)
      assert.isAtLeast(text.trim().length, 32)
      yield* use
      assert.strictEqual(readFileSync(`${filename}-secret`, "utf8"), text)
      writeFileSync(`${filename}-secret`, "short")
      const error = yield* Effect.flip(use)
      assert.strictEqual(error._tag, "SecretMissing")
      assert.include(error.message, `${filename}-secret`)
    })
  )
})
