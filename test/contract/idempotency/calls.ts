import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Idempotency from "../../../src/Idempotency.ts"
import {
  completes,
  expectTag,
  lease,
  margin,
  own,
  type Process,
  type Promised,
  request,
  tagged,
  text,
  type Traits
} from "./support.ts"

/** What is asked of a layer's slots; what a layer sends for each is counted beside it (its own test file). */
export const calls = (promise: Promised, { conflict }: Traits): void => {
  const asked = ({ faults }: Process) => faults.take().filter((call) => call !== "time")

  promise(
    "first 2, replay 1, conflict 1, takeover 2, zombie 1, and one more to read the winner where a conflict does not show it",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      const first = yield* own(one)
      assert.deepStrictEqual(asked(one), ["create claim 0"])
      expectTag(yield* one.store.claim(request()), "InProgress")
      assert.deepStrictEqual(asked(one), ["create claim 0"])
      yield* completes(one, first, "done")
      assert.deepStrictEqual(asked(one), ["create done 1"])
      yield* tagged(one.store.claim(request()), "Replay")
      assert.deepStrictEqual(asked(one), ["create claim 0"])

      const zombie = yield* own(one, { key: "second" })
      yield* advance(lease + margin + 1)
      asked(one)
      yield* own(one, { key: "second" })
      assert.deepStrictEqual(asked(one), ["create claim 0", "create claim 1"])
      yield* tagged(one.store.complete(zombie, text("zombie")), "InProgress")
      assert.deepStrictEqual(asked(one), conflict === "shows" ? ["create done 1"] : ["create done 1", "list"])
    })
  )

  promise(
    "a warm local cache asks nothing",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      const service = Idempotency.layer().pipe(Layer.provide(one.layer))
      const attempt = Idempotency.attempt(Effect.succeed("done"), {
        operation: "pay",
        key: "key",
        success: Schema.String
      })
      yield* one.live(
        Effect.provide(
          Effect.gen(function* () {
            assert.strictEqual((yield* attempt).status, "first")
            asked(one)
            assert.deepStrictEqual(yield* attempt, { value: "done", status: "replayed" })
            assert.deepStrictEqual(asked(one), [])
          }),
          service
        )
      )
    })
  )
}
