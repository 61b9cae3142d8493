/** Writes of an owner that are interrupted on their way, on a store that takes its time. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { resolve } from "../../../src/IdempotencyOptions.ts"
import { make, type Slots } from "../../../src/IdempotencyStore.ts"
import { makeSlots } from "../../../src/layers/idempotency/Memory.ts"

const { parameters } = Result.getOrThrow(resolve({}, { reconcile: false, transactional: false }))
const request = { key: "k", fingerprint: "f", about: { key: "k", user: "", operation: "pay" }, parameters }
const content = { status: 201, headers: {}, kind: "response", body: "1" } as const

/** A creation that has landed, and whose answer is on its way. */
const held = () => ({ landed: Deferred.makeUnsafe<void>(), answers: Deferred.makeUnsafe<void>() })

describe("a write of an owner that is interrupted on its way", () => {
  it.live("its answer is not taken for that of the completion, which is on its way too", () =>
    Effect.gen(function* () {
      const [renewal, completion] = [held(), held()]
      const waiting = [undefined, renewal, completion]
      const memory = makeSlots()
      const slots: Slots = {
        ...memory,
        local: false,
        create: (...call) =>
          Effect.suspend(() => {
            const next = waiting.shift()
            const created = memory.create(...call)
            return next === undefined
              ? created
              : Effect.tap(created, () =>
                  Effect.andThen(
                    Deferred.succeed(next.landed, undefined),
                    Effect.uninterruptible(Deferred.await(next.answers))
                  )
                )
          })
      }
      const store = make(slots)
      const claimed = yield* store.claim(request)
      if (claimed._tag !== "Owner") return assert.fail(claimed._tag)
      const renewing = yield* Effect.forkChild(store.renew(claimed.ownership))
      yield* Deferred.await(renewal.landed)
      yield* Fiber.interrupt(renewing)
      const completing = yield* Effect.forkChild(store.complete(claimed.ownership, content))
      yield* Deferred.await(completion.landed)
      yield* Deferred.succeed(renewal.answers, undefined)
      yield* Deferred.succeed(completion.answers, undefined)
      assert.strictEqual((yield* Fiber.join(completing))._tag, "Recorded")
      assert.strictEqual((yield* store.inspect("k"))?.state, "done")
    })
  )
})
