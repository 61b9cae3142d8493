/** Ours, as a program on Effect calls it: inside a running fiber. The local cache is off, so the store answers. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import * as Idempotency from "holdfast/Idempotency"
import type { IdempotencyStore } from "holdfast/IdempotencyStore"
import { charge, operation, payload, userId } from "./charging.ts"
import type { Contestant, Kind } from "./rounds.ts"

const Receipt = Schema.Struct({ id: Schema.String, amount: Schema.Number })
const handler = Effect.sync(() => charge(payload))

export interface Ours extends Contestant {
  readonly close: () => Promise<void>
}

/** `claimed`: a key whose request is begun here, and never ends. */
export const make = async <E>(
  name: string,
  store: Layer.Layer<IdempotencyStore, E>,
  claimed: string
): Promise<Ours> => {
  const runtime = ManagedRuntime.make(Layer.provide(Idempotency.layer({ localCache: 0 }), store))
  const options = { operation, payload, success: Receipt, userId }
  const call = (key: string) => Idempotency.run(handler, { ...options, key })
  runtime.runFork(Idempotency.run(Effect.never, { ...options, key: claimed }))
  const asked = (kind: Kind, key: string): Effect.Effect<unknown, unknown, Idempotency.Idempotency> =>
    kind === "conflict" ? Effect.flip(call(claimed)) : call(key)
  return {
    name,
    run: (kind, keys, inFlight) => {
      const taken: Array<number> = []
      let next = 0
      const worker = Effect.gen(function* () {
        while (next < keys.length) {
          const key = keys[next++]!
          const begun = performance.now()
          yield* asked(kind, key)
          taken.push(performance.now() - begun)
        }
      })
      const workers = Array.from({ length: inFlight }, () => worker)
      return runtime.runPromise(Effect.as(Effect.all(workers, { concurrency: "unbounded", discard: true }), taken))
    },
    close: () => runtime.dispose()
  }
}
