/** Asks once, prints `at POINT` where it is told to, and stands still there until it is killed. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { writeSync } from "node:fs"
import * as Idempotency from "../../src/Idempotency.ts"
import { ask, type At, type Point, type Request, times, watched } from "./KilledRequest.ts"
import * as StorePlaces from "./StorePlaces.ts"

export interface Orders extends Request {
  readonly place: StorePlaces.Place
  readonly point: Point
}

const { place, point, ...request }: Orders = JSON.parse(process.argv[2]!)
const at: At = (here) => {
  if (here !== point) return
  writeSync(1, `at ${here}\n`)
  // Blocks the whole thread, with all that was on its way.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
await Effect.runPromise(
  ask(request, at).pipe(Effect.provide(Layer.provide(Idempotency.layer(times), StorePlaces.layer(place, watched(at)))))
)
