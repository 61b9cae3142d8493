/** The transaction of a handler: what it stages is written with its completion, or not at all. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { TransactionInvalid } from "../../IdempotencyError.ts"
import type { Staged } from "../../Operation.ts"
import { Current } from "./Current.ts"

/** The transaction that commits with the completion, and only with it. */
export class Transaction extends Context.Service<
  Transaction,
  {
    /** For reads that see what was sent into it by other means. */
    readonly id: string
    /** Up to 99 operations in all, written with the completion or not at all. */
    readonly stage: (operations: ReadonlyArray<Staged>) => Effect.Effect<void, TransactionInvalid>
  }
>()("holdfast/Idempotency/Transaction") {}

/** Operations of a transaction; one more is the completion. */
const mostStaged = 99

const ofCurrent = Effect.flatMap(Current, (current) => {
  const transaction = current?.ownership.transaction
  if (transaction === undefined) return Effect.die(new Error("a transactional handler without its transaction"))
  const { id, staged } = transaction
  const stage = (operations: ReadonlyArray<Staged>) =>
    Effect.suspend(() => {
      const count = staged.length + operations.length
      if (count > mostStaged) {
        const detail = `${count} operations were staged, and a transaction takes ${mostStaged} beside the completion`
        return Effect.fail(new TransactionInvalid({ detail }))
      }
      staged.push(...operations)
      return Effect.void
    })
  return Effect.succeed({ id, stage })
})

/** A handler with the transaction of the attempt that it runs in, where there is one. */
export const provide = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  isTransactional = true
): Effect.Effect<A, E, Exclude<R, Transaction>> =>
  isTransactional
    ? Effect.provideServiceEffect(effect, Transaction, ofCurrent)
    : (effect as Effect.Effect<A, E, Exclude<R, Transaction>>)
