/** Time limits of many calls, on one timer. */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** Milliseconds of the clock that never jumps. */
export const ownTime = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

interface Deadline {
  /** Milliseconds of the clock that never jumps. */
  readonly at: number
  readonly expire: () => void
}

/** Calls on their way. One sleeper wakes for all of them: a timer for each costs as much as a command. */
export class Deadlines {
  readonly #clock: Clock.Clock
  readonly #calls = new Set<Deadline>()
  #sleeper: Fiber.Fiber<void> | undefined
  #wakesAt = Infinity
  #isChecking = false

  constructor(clock: Clock.Clock) {
    this.#clock = clock
  }

  add(caller: Fiber.Fiber<unknown, unknown>, limit: number, expire: () => void): Deadline {
    const call = { at: ownTime(this.#clock) + limit, expire }
    this.#calls.add(call)
    if (call.at < this.#wakesAt) this.#sleep(caller.context, call.at)
    return call
  }

  /** The sleeper goes with the last call, so that no process waits for it, but not before the next had time to come. */
  remove(caller: Fiber.Fiber<unknown, unknown>, call: Deadline): void {
    if (!this.#calls.delete(call) || this.#calls.size > 0 || this.#isChecking) return
    this.#isChecking = true
    caller.currentDispatcher.scheduleTask(() => {
      this.#isChecking = false
      if (this.#calls.size === 0) this.#wake()
    }, 0)
  }

  #sleep(context: Context.Context<never>, until: number): void {
    this.#wake()
    this.#wakesAt = until
    this.#sleeper = Effect.runForkWith(context)(
      Effect.andThen(
        this.#clock.sleep(Duration.millis(Math.max(1, until - ownTime(this.#clock)))),
        Effect.sync(() => this.#expire(context))
      )
    )
  }

  #wake(): void {
    this.#wakesAt = Infinity
    this.#sleeper?.interruptUnsafe()
    this.#sleeper = undefined
  }

  #expire(context: Context.Context<never>): void {
    this.#sleeper = undefined
    this.#wakesAt = Infinity
    const now = ownTime(this.#clock)
    const due = [...this.#calls].filter(({ at }) => at <= now)
    for (const call of due) this.#calls.delete(call)
    const next = Math.min(...[...this.#calls].map(({ at }) => at))
    if (next < Infinity) this.#sleep(context, next)
    for (const { expire } of due) expire()
  }
}
