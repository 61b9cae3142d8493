/** Commands of the epoch log, sent to the slots of a store. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import type * as EpochLog from "../../EpochLog.ts"
import { ClockSkew, type StoreError, StoreUnavailable } from "../../IdempotencyError.ts"
import * as Metrics from "../../Metrics.ts"
import type { Staged } from "../../Operation.ts"
import type { Stored } from "./Content.ts"
import type { About, Slots } from "./Slots.ts"

export type Command = EpochLog.Command<Stored>
/** Commands for the store; the others are for whoever drives. */
export type Sent = Extract<Command, { readonly _tag: "Create" | "List" | "DeleteGeneration" | "DeleteRow" | "Commit" }>
export type Answer = EpochLog.Answer<Stored>

/** Whose commands they are. */
export interface Sender {
  readonly key: string
  readonly about: About
  readonly parameters: EpochLog.Parameters
  /** What is to be written with the completion. */
  readonly transaction: { readonly id: string; readonly staged: ReadonlyArray<Staged> } | undefined
  /** Why the store refused a commit. */
  refusal: string
}

/** How often a store's clock is read, in milliseconds. */
const clockInterval = 3_600_000
/** Limit of calls that no lease waits for, in milliseconds. */
const patience = 30_000

/** Milliseconds of the clock that never jumps. */
export const ownTime = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

export const make = (slots: Slots) => {
  const label = { store: slots.name }

  /** A call with its time limit, span and latency. What takes longer counts as not answered. */
  const call = <A, E>(
    operation: string,
    effect: Effect.Effect<A, E>,
    limit = patience
  ): Effect.Effect<A, E | StoreUnavailable> => {
    if (slots.local) return effect
    const detail = `no answer from ${slots.name} within ${limit} ms`
    // Detached: what can't be interrupted is left behind, and its answer not waited for.
    const limited = Effect.flatMap(
      Effect.forkDetach(effect, { startImmediately: true }),
      (fiber): Effect.Effect<A, E | StoreUnavailable> => {
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) return exit
        return Fiber.join(fiber).pipe(
          Effect.onInterrupt(() => Effect.sync(() => fiber.interruptUnsafe())),
          Effect.timeoutOrElse({
            duration: limit,
            orElse: () => Effect.fail(new StoreUnavailable({ operation, detail }))
          })
        )
      }
    )
    return limited.pipe(
      Effect.withSpan(`IdempotencyStore.${operation}`, { attributes: label, kind: "client" }),
      Metrics.timed(Metric.withAttributes(Metrics.storeLatency, { ...label, operation }))
    )
  }

  /** Compares a time of the store's with ours before and after it was taken. */
  const compare = (before: number, server: number, after: number, margin: number): Effect.Effect<void, ClockSkew> => {
    const difference = server < before ? before - server : server > after ? after - server : 0
    return Math.abs(difference) > margin ? Effect.fail(new ClockSkew({ difference, margin })) : Effect.void
  }

  let checkedAt: number | undefined
  /** At start and hourly; while the clocks differ, at each call. */
  const checkClock = Effect.fnUntraced(function* ({ margin, storeCall }: EpochLog.Parameters) {
    const clock = yield* Clock.Clock
    if (slots.local || (checkedAt !== undefined && ownTime(clock) - checkedAt < clockInterval)) return
    const before = clock.currentTimeMillisUnsafe()
    const server = yield* call("time", slots.time, storeCall)
    if (server !== undefined) yield* compare(before, server, clock.currentTimeMillisUnsafe(), margin)
    checkedAt = ownTime(clock)
  })

  const create = Effect.fnUntraced(function* (
    { about, key, parameters }: Sender,
    command: Extract<Command, { readonly _tag: "Create" }>
  ): Effect.fn.Return<Answer, StoreError> {
    const clock = yield* Clock.Clock
    const before = clock.currentTimeMillisUnsafe()
    const placed = yield* call("create", slots.create(key, command.row, about, command.list), parameters.storeCall)
    if (placed._tag === "Taken") return placed
    if (placed.serverTime !== undefined)
      yield* compare(before, placed.serverTime, clock.currentTimeMillisUnsafe(), parameters.margin)
    return { _tag: "Created", chain: undefined }
  })

  const deleted = Effect.as({ _tag: "Deleted" } as const)

  /** What a command comes to. A store that says nothing is a failure here, and `NoAnswer` to the functions. */
  const send = (sender: Sender, command: Sent): Effect.Effect<Answer, StoreError> => {
    const { about, key, parameters, transaction } = sender
    const limit = parameters.storeCall
    switch (command._tag) {
      case "Create":
        return create(sender, command)
      case "List":
        return Effect.map(call("list", slots.list(key), limit), (chain) => ({ _tag: "Listed", chain }))
      case "DeleteGeneration":
        return deleted(call("deleteGeneration", slots.deleteGeneration(key, command.generation), limit))
      case "DeleteRow":
        return call("deleteRow", slots.deleteRow(key, command.slot, command.generation), limit).pipe(
          Effect.tap(Metric.update(Metrics.garbageRemoved, 1)),
          deleted
        )
      case "Commit":
        return transaction === undefined || slots.transactions === undefined
          ? Effect.die(new Error("a commit without a transaction"))
          : Effect.map(
              call(
                "commit",
                slots.transactions.commit(transaction.id, transaction.staged, key, command.row, about),
                limit
              ),
              (outcome) => {
                if (outcome._tag === "CommitFailed") sender.refusal = outcome.detail
                return outcome
              }
            )
    }
  }

  return { call, checkClock, send }
}
