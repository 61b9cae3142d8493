/** The time, and ids that sort by it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Now, ISO 8601. */
export const iso: Effect.Effect<string> = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())

/** Of a run or a backup, `20260102T030405678Z-0k3x9a`: sorts by time, and is safe as the name of a file everywhere. */
export const make: Effect.Effect<string> = Effect.gen(function* () {
  const chance = yield* Random.nextIntBetween(0, 36 ** 6, { halfOpen: true })
  return `${(yield* iso).replaceAll(/[-:.]/g, "")}-${chance.toString(36).padStart(6, "0")}`
})
