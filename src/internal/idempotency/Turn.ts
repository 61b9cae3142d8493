/** An owner has one write in flight. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** What is run on the fiber of its caller; `leave` is called at each of its ends but an interruption. */
type Write<A, E> = (fiber: Fiber.Fiber<unknown, unknown>, leave: () => void) => Effect.Effect<A, E>

interface Place {
  isMine: boolean
  readonly leave: () => void
}

/** One at a time, in the order of their coming. As a semaphore of one, for a fraction of its time where nobody waits. */
export class Turn {
  #isTaken = false
  readonly #waiting: Array<() => void> = []

  /** Runs once, and is not interrupted meanwhile. */
  run<A, E>(write: Write<A, E>): Effect.Effect<A, E> {
    return this.#run(write, this.#place())
  }

  /** Runs once. Who is interrupted leaves, also where the turn was handed to him and he has not come to run yet. */
  runInterruptible<A, E>(write: Write<A, E>): Effect.Effect<A, E> {
    const place = this.#place()
    return Effect.onError(this.#run(write, place), () => Effect.sync(place.leave))
  }

  #place(): Place {
    const place: Place = {
      isMine: false,
      leave: () => {
        if (!place.isMine) return
        place.isMine = false
        const next = this.#waiting.shift()
        if (next === undefined) this.#isTaken = false
        else next()
      }
    }
    return place
  }

  #run<A, E>(write: Write<A, E>, place: Place): Effect.Effect<A, E> {
    return Effect.withFiber((fiber) => {
      if (this.#isTaken) return Effect.flatMap(this.#wait(place), () => write(fiber, place.leave))
      this.#isTaken = place.isMine = true
      return write(fiber, place.leave)
    })
  }

  /** The turn is handed on taken. */
  #wait(place: Place): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const next = () => {
        place.isMine = true
        resume(Effect.void)
      }
      this.#waiting.push(next)
      return Effect.sync(() => {
        const at = this.#waiting.indexOf(next)
        if (at >= 0) this.#waiting.splice(at, 1)
      })
    })
  }
}
