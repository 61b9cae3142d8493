/** Keys in the memory of this process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Memory from "../../../src/layers/idempotency/Memory.ts"
import { Site } from "../../contract/idempotency/support.ts"
import { contract } from "../../contract/IdempotencyStore.ts"
import * as HandClock from "../../support/HandClock.ts"

/** One process is all there is: whoever connects has the same slots. */
const fresh = Effect.map(HandClock.make, (clock) => ({ clock, connect: Effect.succeed(Memory.makeSlots()) }))

contract("memory", Layer.succeed(Site, { fresh }), {
  keeps: "rows",
  clock: "own",
  removal: "clean-up",
  creation: "nothing",
  conflict: "shows"
})
