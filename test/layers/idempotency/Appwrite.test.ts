/** Keys on Appwrite, as the emulator is one, through node-appwrite and over a real socket. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import * as Idempotency from "../../../src/Idempotency.ts"
import * as Database from "../../../src/layers/idempotency/Database.ts"
import * as Emulator from "../../../src/layers/vendors/appwrite/emulator/Emulator.ts"
import {
  completes,
  lease,
  margin,
  own,
  type Process,
  replays,
  Site,
  tagged,
  text,
  waits,
  worldOf
} from "../../contract/idempotency/support.ts"
import { contract } from "../../contract/IdempotencyStore.ts"
import { key, project, send, start } from "../../support/Emulator.ts"
import * as HandClock from "../../support/HandClock.ts"
import * as StoreDatabases from "../../support/StoreDatabases.ts"
import * as WireCounts from "../../support/WireCounts.ts"

const secret = "a secret of thirty-two bytes, or more"

/** Its date is moved by hand. */
const serve = (clock: HandClock.HandClock, counts: WireCounts.WireCounts, options: Partial<Emulator.Options> = {}) =>
  Effect.provideService(start(options, counts.open), Clock.Clock, clock.dateOnly)

const site = Layer.effect(
  Site,
  Effect.gen(function* () {
    const clock = yield* HandClock.make
    const endpoint = yield* serve(clock, WireCounts.make())
    let stores = 0
    return {
      // A database of its own for each test.
      fresh: Effect.gen(function* () {
        const databaseId = `store${++stores}`
        yield* send(`${endpoint}/tablesdb`, "POST", { body: { databaseId, name: databaseId } })
        const open = () => StoreDatabases.make({ endpoint, project, key, databaseId })
        return { clock, connect: Effect.sync(() => Database.makeSlots(open(), secret, endpoint)), databases: open() }
      })
    }
  })
)

contract("Appwrite", site, {
  keeps: "rows",
  clock: "told",
  removal: "clean-up",
  creation: "collection",
  conflict: "tells"
})

interface Counted extends Process {
  readonly clock: HandClock.HandClock
  readonly databases: Methods
  /** Since the last time that this was asked. */
  readonly trips: () => number
}

describe("round trips on Appwrite, counted at the socket", () => {
  /** The row of the design's table; lists beside a creation count with it. */
  const counted = (title: string, body: (site: Counted) => Effect.Effect<void, unknown, Scope.Scope>) =>
    it.live(title, () =>
      Effect.gen(function* () {
        const clock = yield* HandClock.make
        const counts = WireCounts.make()
        // Each answer takes 20 to 60 ms, so that what is sent side by side is seen side by side.
        const endpoint = yield* serve(clock, counts, { faults: { latency: 40 } })
        yield* send(`${endpoint}/tablesdb`, "POST", { body: { databaseId: "main", name: "main" } })
        const databases = StoreDatabases.make({ endpoint, project, key })
        const slots = Database.makeSlots(databases, secret, endpoint)
        yield* slots.list("k")
        const process = yield* worldOf({ clock, connect: Effect.succeed(slots), databases }).process()
        counts.take()
        yield* body({ ...process, clock, databases, trips: () => counts.take().sequential })
      })
    )

  counted("first 2, replay 1, conflict 1, takeover won 2, zombie rejected 1 and 1 to read the winner", (site) =>
    Effect.gen(function* () {
      const { store, trips } = site
      const first = yield* own(site)
      const claim = trips()
      yield* completes(site, first, "done")
      assert.deepStrictEqual({ claim, first: claim + trips() }, { claim: 1, first: 2 })
      yield* replays(site, "done")
      assert.strictEqual(trips(), 1, "replay")

      const zombie = yield* own(site, { key: "second" })
      trips()
      yield* waits(site, { key: "second" })
      assert.strictEqual(trips(), 1, "conflict")
      yield* site.clock.advance(lease + margin + 1)
      yield* own(site, { key: "second" })
      assert.strictEqual(trips(), 2, "takeover won")
      yield* tagged(store.complete(zombie, text("zombie")), "InProgress")
      assert.strictEqual(trips(), 1 + 1, "zombie rejected")
    })
  )

  counted(
    "transactional: first 1 + 3, replay 1, conflict 1, takeover won 2, zombie rejected 3 and rolled back",
    (site) =>
      Effect.gen(function* () {
        const { clock, databases, live, trips } = site
        yield* databases.createCollection("business", { attributes: [Attribute.datetime("at")] })
        const service = Idempotency.layer({ localCache: 0 }).pipe(Layer.provide(site.layer))
        /** Ends when `gate` does; `claimed` when its handler starts, its transaction being there. */
        const run = (key: string, id: string, claimed: Deferred.Deferred<void>, gate: Effect.Effect<unknown>) => {
          const handler = Effect.gen(function* () {
            const { stage } = yield* Idempotency.Transaction
            yield* Deferred.succeed(claimed, undefined)
            yield* gate
            const document = { $id: id, at: "2026-01-01T00:00:00.000+00:00" }
            yield* stage([{ _tag: "CreateDocument", database: "main", collection: "business", document }])
            return id
          })
          // A process that stood still has renewed nothing.
          const options = { operation: "pay", key, success: Schema.String, renew: false }
          return live(Effect.provide(Effect.result(Idempotency.transactional(handler, options)), service))
        }
        const ended = yield* Deferred.make<void>()
        trips()
        assert.strictEqual((yield* run("key", "a", ended, Effect.void))._tag, "Success")
        assert.strictEqual(trips(), 1 + 3, "first")
        assert.strictEqual((yield* run("key", "a", ended, Effect.void))._tag, "Success")
        assert.strictEqual(trips(), 1, "replay")

        const [held, taken] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const [letGo, end] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const zombie = yield* Effect.forkChild(run("second", "zombie", held, Deferred.await(letGo)))
        yield* Deferred.await(held)
        assert.strictEqual(trips(), 1 + 1, "claim, and its transaction")
        yield* Effect.flip(Effect.flatMap(run("second", "b", ended, Effect.void), Effect.fromResult))
        assert.strictEqual(trips(), 1, "conflict")
        yield* clock.advance(lease + margin + 1)
        const owner = yield* Effect.forkChild(run("second", "owner", taken, Deferred.await(end)))
        yield* Deferred.await(taken)
        assert.strictEqual(trips(), 2 + 1, "takeover won, and its transaction")
        yield* Deferred.succeed(letGo, undefined)
        assert.strictEqual((yield* Fiber.join(zombie))._tag, "Failure")
        assert.strictEqual(trips(), 3, "zombie rejected: staged, refused, read")
        yield* Deferred.succeed(end, undefined)
        yield* Fiber.join(owner)
        const { documents } = yield* databases.listDocuments("business")
        assert.deepStrictEqual(documents.map(({ $id }) => $id).toSorted(), ["a", "owner"])
      })
  )

  counted("a warm local cache: none", (site) =>
    Effect.gen(function* () {
      const service = Idempotency.layer().pipe(Layer.provide(site.layer))
      const attempt = Idempotency.attempt(Effect.succeed(1), { operation: "pay", key: "key", success: Schema.Finite })
      yield* site.live(
        Effect.provide(
          Effect.gen(function* () {
            assert.strictEqual((yield* attempt).status, "first")
            assert.strictEqual(site.trips(), 2)
            assert.strictEqual((yield* attempt).status, "replayed")
            assert.strictEqual(site.trips(), 0)
          }),
          service
        )
      )
    })
  )
})
