/** `MigrationLock` in this process: for tests and `memory:` databases, which other processes do not see. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { type Holder, LockHeld, MigrationLock } from "../../MigrationLock.ts"

export const make = Effect.gen(function* () {
  const held = yield* Ref.make<Holder | undefined>(undefined)
  const take = Effect.gen(function* () {
    const holder: Holder = {
      host: "this process",
      pid: process.pid,
      since: new Date(yield* Clock.currentTimeMillis).toISOString()
    }
    const other = yield* Ref.modify(held, (current) => [current, current ?? holder])
    if (other !== undefined) return yield* new LockHeld({ holder: other })
    return holder
  })
  return MigrationLock.of({
    acquire: Effect.acquireRelease(take, () => Ref.set(held, undefined)),
    holder: Ref.get(held)
  })
})

export const layer: Layer.Layer<MigrationLock> = Layer.effect(MigrationLock, make)
