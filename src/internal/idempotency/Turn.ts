/** An owner has one write in flight. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** One at a time, in the order of their coming. As a semaphore of one, for a fraction of its time where nobody waits. */
export class Turn {
  #isTaken = false
  readonly #waiting: Array<() => void> = []

  /** An effect that runs once, and says when it has come to its end; a failure says it by itself. */
  run<A, E>(
    effect: (fiber: Fiber.Fiber<unknown, unknown>, leave: () => void) => Effect.Effect<A, E>
  ): Effect.Effect<A, E> {
    let isMine = false
    const leave = () => {
      if (isMine) this.#leave()
      isMine = false
    }
    const taken = Effect.withFiber((fiber) => {
      if (this.#isTaken) return Effect.flatMap(wait, () => effect(fiber, leave))
      this.#isTaken = isMine = true
      return effect(fiber, leave)
    })
    const wait = Effect.callback<void>((resume) => {
      // It is handed on taken: who is interrupted behind that still leaves it.
      const next = () => {
        isMine = true
        resume(Effect.void)
      }
      this.#waiting.push(next)
      return Effect.sync(() => {
        const at = this.#waiting.indexOf(next)
        if (at >= 0) this.#waiting.splice(at, 1)
      })
    })
    return Effect.onError(taken, () => Effect.sync(leave))
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#isTaken = false
    else next()
  }
}
