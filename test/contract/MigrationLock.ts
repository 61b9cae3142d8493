/** What every layer of `MigrationLock` promises, as a function of the layer. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { MigrationLock } from "../../src/MigrationLock.ts"

/** Each test builds the layer anew: nobody holds it then. */
export const contract = <E>(name: string, implementation: Layer.Layer<MigrationLock, E>): void => {
  describe(`MigrationLock on ${name}`, () => {
    // The real clock: a layer may wait for a moment before it refuses.
    const promise = (title: string, body: Effect.Effect<void, unknown, MigrationLock | Scope.Scope>) =>
      it.live(title, () => Effect.provide(body, implementation))

    promise(
      "L1, L2: refuses a second holder, and names the first",
      Effect.gen(function* () {
        const { acquire } = yield* MigrationLock
        const mine = yield* acquire
        const refused = yield* Effect.flip(acquire)
        assert.strictEqual(refused._tag, "LockHeld")
        if (refused._tag !== "LockHeld") return
        assert.deepStrictEqual(refused.holder, mine)
        assert.include(refused.message, String(process.pid))
        // Being refused changes nothing.
        assert.strictEqual((yield* Effect.flip(acquire))._tag, "LockHeld")
      })
    )

    promise(
      "says who holds it, and that nobody does",
      Effect.gen(function* () {
        const { acquire, holder } = yield* MigrationLock
        assert.isUndefined(yield* holder)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const mine = yield* acquire
            assert.deepStrictEqual(yield* holder, mine)
            assert.strictEqual(mine.pid, process.pid)
            assert.match(mine.since, /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/)
          })
        )
        assert.isUndefined(yield* holder)
      })
    )

    promise(
      "is free when its scope ends, by success, failure or interruption",
      Effect.gen(function* () {
        const { acquire, holder } = yield* MigrationLock
        yield* Effect.scoped(acquire)
        yield* Effect.scoped(acquire)
        yield* Effect.exit(Effect.scoped(Effect.andThen(acquire, Effect.fail("broken"))))
        assert.isUndefined(yield* holder)
        const inside = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          Effect.scoped(Effect.andThen(acquire, Effect.andThen(Deferred.succeed(inside, undefined), Effect.never)))
        )
        yield* Deferred.await(inside)
        assert.strictEqual((yield* Effect.flip(acquire))._tag, "LockHeld")
        yield* Fiber.interrupt(fiber)
        yield* Effect.scoped(acquire)
      })
    )

    promise(
      "L1: of many at once exactly one gets it",
      Effect.gen(function* () {
        const { acquire } = yield* MigrationLock
        const exits = yield* Effect.all(
          Array.from({ length: 5 }, () => Effect.exit(acquire)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      })
    )
  })
}
