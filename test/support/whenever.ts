/** Waits for a condition without sleeping. */
import * as Effect from "effect/Effect"

/** Asks again whenever something happens, which is when the listeners are called, until there is an answer. */
export const whenever =
  (listeners: Set<() => void>) =>
  <A>(look: () => A | undefined): Effect.Effect<A> =>
    Effect.callback<A>((resume) => {
      const listener = () => {
        const found = look()
        if (found === undefined) return
        listeners.delete(listener)
        resume(Effect.succeed(found))
      }
      listeners.add(listener)
      listener()
      return Effect.sync(() => void listeners.delete(listener))
    })
