/** Keys on a real redis-server of this machine. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import { make as makeStore } from "../../../src/IdempotencyStore.ts"
import * as RedisStore from "../../../src/layers/idempotency/Redis.ts"
import {
  about,
  completes,
  known,
  lease,
  margin,
  own,
  type Process,
  replays,
  request,
  rowsOf,
  Site,
  tagged,
  text,
  waits,
  worldOf
} from "../../contract/idempotency/support.ts"
import { contract } from "../../contract/IdempotencyStore.ts"
import * as HandClock from "../../support/HandClock.ts"
import * as RedisServer from "../../support/RedisServer.ts"
import { skipped } from "../../support/skipped.ts"

const secret = "a secret of thirty-two bytes, or more"

const connection = (url: string) =>
  Effect.orDie(Effect.map(Layer.build(Layer.fresh(NodeRedis.layer({ url }))), Context.get(Redis.Redis)))

let stores = 0

/** Names of its own for each test. The server's time is moved by hand too. */
const site = Layer.effect(
  Site,
  Effect.map(RedisServer.start(), ({ url }) => ({
    fresh: Effect.gen(function* () {
      const clock = yield* HandClock.make
      const options = { secret: Redacted.make(secret), prefix: `store ${++stores}`, name: url }
      const connect = Effect.map(connection(url), (redis) => {
        const slots = RedisStore.makeSlots(redis, options, secret)
        return {
          ...slots,
          time: Effect.map(slots.time, (time) => (time === undefined ? undefined : time + clock.elapsed()))
        }
      })
      return { clock, connect }
    })
  }))
)

if (!RedisServer.isInstalled) skipped("IdempotencyStore on Redis", "redis-server", RedisServer.install)
else
  contract("Redis", site, { keeps: "top", clock: "asked", removal: "server", creation: "nothing", conflict: "shows" })

interface Counted extends Process {
  readonly clock: HandClock.HandClock
  readonly redis: Redis.Redis["Service"]
  /** Commands since the last time that this was asked. */
  readonly commands: Effect.Effect<Readonly<Record<string, number>>, Redis.RedisError>
}

describe.skipIf(!RedisServer.isInstalled)("Redis, as its server counts", () => {
  /** What the server has done since the last time; what scripts do themselves is in it. */
  const counting = Effect.fnUntraced(function* (body: (site: Counted) => Effect.Effect<void, unknown, Scope.Scope>) {
    const { url } = yield* RedisServer.start()
    const redis = yield* connection(url)
    const slots = RedisStore.makeSlots(redis, { secret: Redacted.make(secret) }, secret)
    const clock = yield* HandClock.make
    const process = yield* worldOf({ clock, connect: Effect.succeed(slots) }).process()
    // The server has the scripts, and the clock has been asked.
    yield* completes(process, yield* own(process, { key: "warm" }), "done")
    const commands = Effect.gen(function* () {
      const stats = yield* redis.send<string>("INFO", "commandstats")
      yield* redis.send("CONFIG", "RESETSTAT")
      const found = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(([, name = "", calls]) => [
        name,
        Number(calls)
      ])
      return Object.fromEntries(found.filter(([name]) => !/^(?:info|config)/.test(String(name)))) as Record<
        string,
        number
      >
    })
    yield* commands
    yield* body({ ...process, clock, redis, commands })
  })

  it.live("first 2, replay 1, conflict 1, zombie rejected 1, takeover won 2", () =>
    counting((site) =>
      Effect.gen(function* () {
        // Sent: SET and EVALSHA. The script itself does a GET and a SET.
        yield* completes(site, yield* own(site), "done")
        assert.deepStrictEqual(yield* site.commands, { set: 1 + 1, evalsha: 1, get: 1 })
        yield* replays(site, "done")
        assert.deepStrictEqual(yield* site.commands, { set: 1 })
        const zombie = yield* own(site, { key: "second" })
        yield* site.commands
        yield* waits(site, { key: "second" })
        assert.deepStrictEqual(yield* site.commands, { set: 1 })
        yield* site.clock.advance(lease + margin + 1)
        yield* own(site, { key: "second" })
        assert.deepStrictEqual(yield* site.commands, { set: 1 + 1, evalsha: 1, get: 1 })
        yield* tagged(site.store.complete(zombie, text("zombie")), "InProgress")
        assert.deepStrictEqual(yield* site.commands, { evalsha: 1, get: 1 })
      })
    )
  )

  it.live("every name of a key has its hash tag, and a time at which it goes by itself: purgeAt", () =>
    counting((site) =>
      Effect.gen(function* () {
        const { redis, store } = site
        const limited = makeStore(site.slots, { limits: { part: 1000, parts: 4 } })
        const claimed = yield* tagged(site.live(limited.claim(request())), "Owner")
        yield* site.live(limited.step(claimed.ownership, "a", text("A")))
        yield* site.live(limited.complete(claimed.ownership, { ...text(""), body: new Uint8Array(randomBytes(1500)) }))
        const names = (yield* redis.send<ReadonlyArray<string>>("KEYS", `*${rowsOf()}*`)).toSorted()
        assert.lengthOf(names, 1 + 1 + 2)
        const purgeAfter = 86_400_000 + margin + 3_600_000
        for (const name of names) {
          assert.match(name, /^holdfast:\{k[a-z2-7]{30}\}(?::|$)/)
          const left = yield* redis.send<number>("PTTL", name)
          assert.isAtMost(left, purgeAfter)
          assert.isAbove(left, purgeAfter - 60_000)
          // What people may read is hashed.
          const text = yield* redis.send<string>("OBJECT", "ENCODING", name)
          if (text !== "listpack" && text !== "quicklist")
            assert.notInclude(yield* redis.send<string>("GET", name), `"${about.key}"`)
        }
        assert.isDefined(yield* store.inspect(rowsOf()))
      })
    )
  )

  it.live("steps of a life whose row is gone, as by a server that evicts, are not those of the next", () =>
    counting((site) =>
      Effect.gen(function* () {
        const { clock, redis, store } = site
        const old = yield* own(site)
        yield* tagged(store.step(old, "a", text("old")), "Written")
        yield* redis.send("DEL", `holdfast:{${rowsOf()}}`)
        const fresh = yield* own(site)
        yield* tagged(store.step(fresh, "b", text("new")), "Written")
        yield* clock.advance(lease + margin + 1)
        const next = yield* own(site)
        assert.isUndefined(next.recorded("a"))
        assert.deepStrictEqual(yield* next.recorded("b")!, text("new"))
        // Its owner can't be told what became of its row, and records nothing.
        assert.strictEqual((yield* Effect.flip(store.complete(old, text("old"))))._tag, "StoreUnavailable")
        assert.deepInclude(yield* known(site), { state: "claimed", slots: 3 })
      })
    )
  )
})
