/** What a Redis server can do to its store, as docs/idempotency.md says. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { createClient } from "redis"
import * as Idempotency from "../../../src/Idempotency.ts"
import * as Redis from "../../../src/layers/idempotency/Redis.ts"
import * as RedisServer from "../../support/RedisServer.ts"
import { skipped } from "../../support/skipped.ts"

const secret = Redacted.make("s".repeat(32))
const store = ({ url }: RedisServer.RedisServer, options: Partial<Redis.Options> = {}) =>
  Idempotency.layer({ localCache: 0 }).pipe(Layer.provide(Redis.layerUrl(url, { secret, ...options })))

/** A command of its own, past the store. */
const send = ({ url }: RedisServer.RedisServer, ...command: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const client = createClient({ url })
    client.on("error", () => undefined)
    await client.connect()
    const answer: unknown = await client.sendCommand([...command])
    client.destroy()
    return answer
  })

const number = (key: string, value: number) =>
  Idempotency.attempt(Effect.succeed(value), { operation: "o", key, success: Schema.Number })

const refusalOf = (layer: Layer.Layer<Idempotency.Idempotency, { readonly message: string }>) =>
  Effect.map(Effect.flip(Effect.scoped(Layer.build(layer))), ({ message }) => message)

describe.skipIf(!RedisServer.isInstalled)("Redis, and what happens to it", () => {
  const live = (title: string, body: () => Effect.Effect<void, unknown, Scope.Scope>) => it.live(title, body)

  live("an address that is none is refused by name, without its password", () =>
    Effect.gen(function* () {
      for (const url of ["notaurl", "http://user:hidden@127.0.0.1:1", ""]) {
        const message = yield* refusalOf(Idempotency.layer().pipe(Layer.provide(Redis.layerUrl(url, { secret }))))
        assert.include(message, "Write redis://HOST:PORT")
        assert.notInclude(message, "hidden")
      }
    })
  )

  live("a policy that evicts is refused at start, unless it is accepted", () =>
    Effect.gen(function* () {
      for (const policy of ["allkeys-lru", "volatile-lru", "volatile-ttl"]) {
        const server = yield* RedisServer.start({ "maxmemory-policy": policy })
        const message = yield* refusalOf(store(server))
        assert.include(message, policy)
        assert.include(message, "noeviction")
        assert.strictEqual((yield* Effect.provide(number("k", 1), store(server, { unsafeEviction: true }))).value, 1)
      }
    })
  )

  live("a replica is refused at start; one that becomes a replica refuses writes, and nothing runs", () =>
    Effect.gen(function* () {
      const primary = yield* RedisServer.start()
      const replica = yield* RedisServer.start({ replicaof: `127.0.0.1 ${primary.port}` })
      assert.include(yield* refusalOf(store(replica)), "primary")
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* number("k1", 1)).status, "first")
        yield* send(primary, "REPLICAOF", "127.0.0.1", String(replica.port))
        let runs = 0
        const error = yield* Effect.flip(
          Idempotency.attempt(
            Effect.sync(() => ++runs),
            { operation: "o", key: "k2", success: Schema.Number, lease: "2 seconds" }
          )
        )
        assert.strictEqual(error._tag, "StoreUnavailable")
        assert.include(error.message, "replica")
        assert.strictEqual(runs, 0)
      }).pipe(Effect.provide(store(primary)))
    })
  )

  live("memory that is full refuses claims, and repeats what is stored", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.start({ "maxmemory-policy": "noeviction" })
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* number("k1", 1)).status, "first")
        // Less than it has in use already, so that it is full for the smallest key too.
        yield* send(server, "CONFIG", "SET", "maxmemory", "1")
        const error = yield* Effect.flip(
          Idempotency.attempt(Effect.succeed(2), {
            operation: "o",
            key: "k2",
            success: Schema.Number,
            lease: "2 seconds"
          })
        )
        assert.strictEqual(error._tag, "StoreUnavailable")
        assert.include(error.message, "maxmemory")
        assert.strictEqual((yield* number("k1", 9)).status, "replayed")
      }).pipe(Effect.provide(store(server)))
    })
  )

  live("killed and restarted with its append-only file, it has forgotten nothing", () =>
    Effect.gen(function* () {
      for (const appendfsync of ["always"]) {
        const server = yield* RedisServer.start({ appendonly: "yes", appendfsync })
        yield* Effect.provide(number("k1", 1), store(server))
        yield* server.stop("SIGKILL")
        assert.include(yield* refusalOf(store(server)), server.url)
        yield* server.restart()
        const again = yield* Effect.provide(number("k1", 9), store(server))
        assert.deepStrictEqual(again, { value: 1, status: "replayed" })
      }
    })
  )

  live(
    "killed and restarted without it, it has forgotten: a key runs again, and who ran meanwhile is not recorded",
    () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.start()
        yield* Effect.gen(function* () {
          yield* number("k1", 1)
          // The handler of k2 kills the server in the middle: its own claim is gone when it ends.
          const running = Idempotency.attempt(
            Effect.gen(function* () {
              yield* server.stop("SIGKILL")
              yield* server.restart()
              return 2
            }),
            { operation: "o", key: "k2", success: Schema.Number, lease: "2 seconds" }
          )
          const ended = yield* Effect.result(running)
          assert.notStrictEqual(ended._tag === "Success" ? ended.success.status : "failed", "first")
          assert.deepStrictEqual(yield* number("k1", 9), { value: 9, status: "first" })
        }).pipe(Effect.provide(store(server)))
      })
  )

  live("waits for replicas where that is asked for, and refuses where there are none", () =>
    Effect.gen(function* () {
      const primary = yield* RedisServer.start()
      const options = { operation: "o", success: Schema.Number, lease: "3 seconds" } as const
      const alone = yield* Effect.result(
        Effect.provide(
          Idempotency.attempt(Effect.succeed(1), { ...options, key: "k1" }),
          store(primary, { waitReplicas: 1 })
        )
      )
      assert.isTrue(alone._tag === "Failure" || alone.success.status === "unrecorded", JSON.stringify(alone))
      const replica = yield* RedisServer.start({ replicaof: `127.0.0.1 ${primary.port}` })
      yield* Effect.repeat(send(replica, "INFO", "replication"), {
        until: (info) => String(info).includes("master_link_status:up"),
        schedule: Schedule.spaced("20 millis")
      })
      const both = yield* Effect.provide(
        Idempotency.attempt(Effect.succeed(2), { ...options, key: "k2" }),
        store(primary, { waitReplicas: 1 })
      )
      assert.deepStrictEqual(both, { value: 2, status: "first" })
    })
  )
})

if (!RedisServer.isInstalled) skipped("Redis, and what happens to it", "redis-server", RedisServer.install)
