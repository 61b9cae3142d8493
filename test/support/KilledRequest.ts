/**
 * A request that is killed at a point, and the points: each call of the store, before and after it, and each boundary
 * of the handler between them. Whoever runs it says what happens at a point; what it did is in a ledger.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { appendFileSync } from "node:fs"
import type { Execute } from "../../src/Databases.ts"
import * as Idempotency from "../../src/Idempotency.ts"
import type { Options } from "../../src/IdempotencyOptions.ts"
import type { Row } from "../../src/IdempotencyStore.ts"
import { Current } from "../../src/internal/idempotency/Current.ts"
import type { Changes } from "./StorePlaces.ts"

/** `…` in a name: the call was made, and its answer never read. */
export const points = {
  run: [
    "clock asked …",
    "before the claim",
    "claim sent …",
    "claimed",
    "in the handler",
    "in step one",
    "step one sent …",
    "after step one",
    "before the renewal",
    "renewal sent …",
    "renewed",
    "in step two",
    "step two sent …",
    "after step two",
    "before the completion",
    "completion sent …",
    "completed, not answered"
  ],
  transactional: [
    "before the claim",
    "claim sent …",
    "before the transaction",
    "transaction begun …",
    "claimed",
    "in the handler",
    "staged by the handler",
    "before the staging",
    "staged …",
    "before the commit",
    "commit sent …",
    "committed, not answered"
  ]
} as const
export type Kind = keyof typeof points
export type Point = (typeof points)[Kind][number]

/** Called at each point, by its name. */
export type At = (point: Point) => void

const pass = (at: At, point: Point) => Effect.sync(() => at(point))
const around = <A, E, R>(at: At, before: Point | undefined, call: Effect.Effect<A, E, R>, after: Point | undefined) =>
  (before === undefined ? Effect.void : pass(at, before)).pipe(
    Effect.andThen(call),
    Effect.tap(() => (after === undefined ? Effect.void : pass(at, after)))
  )

/** The calls of a store, each with its points. */
export const watched = (at: At): Changes => {
  const of = ({ kind, slot, step }: Row): readonly [Point | undefined, Point | undefined] => {
    if (kind === "done") return ["before the completion", "completion sent …"]
    if (step === "one") return ["in step one", "step one sent …"]
    if (step === "two") return ["in step two", "step two sent …"]
    if (kind !== "claim") return [undefined, undefined]
    return slot === 0 ? ["before the claim", "claim sent …"] : ["before the renewal", "renewal sent …"]
  }
  const execute =
    (own: Execute): Execute =>
    (operation) => {
      if (operation._tag === "StageOperations") return around(at, "before the staging", own(operation), "staged …")
      if (operation._tag === "CommitTransaction")
        return around(at, "before the commit", own(operation), "commit sent …")
      return own(operation)
    }
  return {
    execute,
    operations: (own) => ({
      ...own,
      claim: (request) => around(at, undefined, own.claim(request), "claimed"),
      complete: (ownership, content) =>
        around(
          at,
          undefined,
          own.complete(ownership, content),
          ownership.transaction === undefined ? "completed, not answered" : "committed, not answered"
        )
    }),
    slots: (own) => ({
      ...own,
      time: around(at, undefined, own.time, "clock asked …"),
      create: (key, row, about, list) => {
        const [before, after] = of(row)
        return around(at, before, own.create(key, row, about, list), after)
      },
      transactions:
        own.transactions === undefined
          ? undefined
          : {
              ...own.transactions,
              begin: (ttl) => around(at, "before the transaction", own.transactions!.begin(ttl), "transaction begun …")
            }
    })
  }
}

export interface Request {
  readonly kind: Kind
  readonly key: string
  /** A file; each thing that the handler does is a line. */
  readonly ledger: string
}

/** Milliseconds. */
export const times = { lease: 60_000, margin: 5000 } as const
export const orders = "orders"

/** Asks once; the value says which start of the handler made it. */
export const ask = ({ kind, key, ledger }: Request, at: At, own: Options = {}) => {
  const note = (what: string) => Effect.sync(() => appendFileSync(ledger, `${what}\n`))
  const run = crypto.randomUUID()
  const begin = Effect.andThen(note("start"), pass(at, "in the handler"))
  const options = { ...times, ...own, operation: "crash", key, success: Schema.String }
  if (kind === "transactional") {
    const handler = Effect.gen(function* () {
      yield* begin
      const { stage } = yield* Idempotency.Transaction
      const document = { $id: run, run }
      yield* stage([{ _tag: "CreateDocument", database: "main", collection: orders, document }])
      yield* pass(at, "staged by the handler")
      return run
    })
    return Effect.map(Idempotency.transactional(handler, options), (value) => (value === run ? "runs" : "replayed"))
  }
  const handler = Effect.gen(function* () {
    yield* begin
    yield* Idempotency.step("one", Effect.as(note("one"), 1))
    yield* pass(at, "after step one")
    const current = yield* Current
    if (current !== undefined) yield* current.environment.store.renew(current.ownership)
    yield* pass(at, "renewed")
    yield* Idempotency.step("two", Effect.as(note("two"), 2))
    yield* pass(at, "after step two")
    return run
  })
  return Effect.map(Idempotency.attempt(handler, options), ({ status }) => (status === "first" ? "runs" : status))
}
