/**
 * Time that is moved by hand, for stores behind a socket too: it begins at the machine's own, so that a server of this
 * machine agrees with it, and stands still until it is moved. Whoever sleeps is woken by the move that passes his time;
 * pauses between two tries, which are shorter than any time limit here, are over at once.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export interface HandClock {
  /** Milliseconds since it was made. */
  readonly elapsed: () => number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly advance: (milliseconds: number) => Effect.Effect<void>
  /** `skew`: milliseconds that this one's date is ahead of the others. */
  readonly clock: (skew?: number) => Clock.Clock
  /** For a server: its date is moved by hand, and its sleep is the machine's. */
  readonly dateOnly: Clock.Clock
  /** Runs a process by this time. */
  readonly live: (skew?: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Milliseconds. */
const longestPause = 500

export const make: Effect.Effect<HandClock> = Effect.map(Clock.Clock, (machine): HandClock => {
  const start = Date.now()
  let elapsed = 0
  const sleepers = new Set<{ readonly end: number; readonly wake: () => void }>()

  const sleep = (duration: Duration.Duration) => {
    const milliseconds = Duration.toMillis(duration)
    if (milliseconds <= longestPause) return Effect.yieldNow
    return Effect.callback<void>((resume) => {
      const sleeper = { end: elapsed + milliseconds, wake: () => resume(Effect.void) }
      sleepers.add(sleeper)
      return Effect.sync(() => void sleepers.delete(sleeper))
    })
  }
  const clockOf = (skew: number, sleeping: Clock.Clock["sleep"]): Clock.Clock => {
    const millis = () => start + elapsed + skew
    const nanos = () => BigInt(Math.round(millis() * 1e6))
    const monotonic = () => BigInt(Math.round(elapsed * 1e6))
    return {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: sleeping
    }
  }
  return {
    elapsed: () => elapsed,
    now: () => start + elapsed,
    advance: (milliseconds) =>
      Effect.sync(() => {
        elapsed += milliseconds
        for (const sleeper of sleepers) {
          if (sleeper.end > elapsed) continue
          sleepers.delete(sleeper)
          sleeper.wake()
        }
      }),
    clock: (skew = 0) => clockOf(skew, sleep),
    dateOnly: clockOf(0, (duration) => machine.sleep(duration)),
    live:
      (skew = 0) =>
      (effect) =>
        Effect.provideService(effect, Clock.Clock, clockOf(skew, sleep))
  }
})
