/** Long work says how far it is; who listens decides how it looks. Nobody listens by default. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export interface Update {
  /** What is being done. */
  readonly label: string
  readonly done: number
  /** Undefined where nobody knows. */
  readonly total: number | undefined
  /** How far it is, 0 to 1, where `total` is not known. */
  readonly fraction?: number | undefined
  /** Nothing follows, whatever was reached. */
  readonly finished?: boolean
}

export type Listener = (update: Update) => Effect.Effect<void>

export const Progress: Context.Reference<Listener> = Context.Reference<Listener>("holdfast/Progress", {
  defaultValue: () => () => Effect.void
})

/** Tells the listener that work begins; `advance` tells how much more of it is done. */
export const start = Effect.fnUntraced(function* (label: string, total: number | undefined) {
  const listener = yield* Progress
  let done = 0
  yield* listener({ label, done, total })
  return {
    advance: (count: number, fraction?: number): Effect.Effect<void> => {
      done += count
      return listener({ label, done, total, fraction })
    },
    finish: Effect.suspend(() => listener({ label, done, total, finished: true }))
  }
})
