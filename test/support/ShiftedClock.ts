/** A clock that is wrong by so many milliseconds; its time still passes as everywhere, and durations are right. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export const make = (offset: number): Clock.Clock => {
  const real = Effect.runSync(Clock.Clock)
  const millis = () => real.currentTimeMillisUnsafe() + offset
  const nanos = () => real.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: real.monotonicTimeNanos,
    sleep: (duration) => real.sleep(duration)
  }
}
