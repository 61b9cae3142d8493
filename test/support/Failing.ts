/**
 * `Databases` that fail on purpose.
 *
 * Fault model: one mutation, the k-th that gets here, or a few, fail; all others, before and after, are done as ever. `before`
 * fails it without doing it, as a store that refuses. `after` does it and then fails: only for a handle that an author
 * holds, as code that breaks right behind a write. A live database whose answer is lost is not modelled here.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Databases, failure, make, type Methods } from "../../src/Databases.ts"
import { type DatabasesError, Unavailable } from "../../src/DatabasesError.ts"
import { isRead, type Of, type Operation, type ResultOf, type Tag } from "../../src/Operation.ts"

/** The fault that is set, and what has come by since it was. */
export class Fault extends Context.Service<
  Fault,
  {
    /** From now on: the mutations of these numbers fail, from 1. Starts counting anew. */
    readonly arm: (...numbers: ReadonlyArray<number>) => void
    /** Tags of the mutations that got here since then, the failed one too. */
    readonly seen: () => ReadonlyArray<Tag>
  }
>()("test/Fault") {}

export const injected = (operation: Operation): DatabasesError =>
  failure(operation, new Unavailable({ type: "general_unknown", detail: "a fault was injected here" }))

/** A handle over another, on which the mutations that are due fail. `isDue` is asked once for each. */
const failing = (databases: Methods, when: "before" | "after", isDue: (operation: Operation) => boolean): Methods => {
  const execute = <T extends Tag>(operation: Of<T>): Effect.Effect<ResultOf<T>, DatabasesError> =>
    Effect.suspend(() => {
      if (isRead(operation) || !isDue(operation)) return databases.execute(operation)
      const failed = Effect.fail(injected(operation))
      return when === "before" ? failed : Effect.andThen(databases.execute(operation), failed)
    })
  return make({ execute, databaseId: databases.databaseId })
}

/** The `k`-th mutation through this handle is done, and then what wrote it fails. */
export const failAfter = (databases: Methods, k: number): Methods => {
  let count = 0
  return failing(databases, "after", () => ++count === k)
}

/** `Databases` over another, whose faults `Fault` sets. */
export const layer: Layer.Layer<Databases | Fault, never, Databases> = Layer.effectContext(
  Effect.map(Databases, (databases) => {
    let due: ReadonlyArray<number> = []
    let seen: Array<Tag> = []
    const fault = Fault.of({
      arm: (...numbers) => {
        due = numbers
        seen = []
      },
      seen: () => seen
    })
    const faulty = failing(databases, "before", ({ _tag }) => due.includes(seen.push(_tag)))
    return Context.make(Fault, fault).pipe(Context.add(Databases, Databases.of(faulty)))
  })
)
