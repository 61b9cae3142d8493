/** `MigrationState` in this process: for tests and `memory:` databases. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { MigrationState, type State } from "../../MigrationState.ts"

export const make = Effect.gen(function* () {
  const state = yield* Ref.make<State | undefined>(undefined)
  return MigrationState.of({ location: "memory:", load: Ref.get(state), save: (next) => Ref.set(state, next) })
})

export const layer: Layer.Layer<MigrationState> = Layer.effect(MigrationState, make)
