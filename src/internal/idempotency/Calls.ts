/** Commands of the epoch log, sent to the slots of a store. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import type * as EpochLog from "../../EpochLog.ts"
import { ClockSkew, type StoreError, StoreUnavailable } from "../../IdempotencyError.ts"
import * as Metrics from "../../Metrics.ts"
import type { Staged } from "../../Operation.ts"
import type { Stored } from "./Content.ts"
import { Deadlines, ownTime } from "./Deadlines.ts"
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

export const make = (slots: Slots) => {
  const label = { store: slots.name }

  const latencies = new Map<string, Metric.Metric<number, unknown>>()
  const latencyOf = (operation: string): Metric.Metric<number, unknown> => {
    let latency = latencies.get(operation)
    if (latency === undefined) {
      latency = Metric.withAttributes(Metrics.storeLatency, { ...label, operation })
      latencies.set(operation, latency)
    }
    return latency
  }

  const deadlines = new WeakMap<Clock.Clock, Deadlines>()
  const deadlinesOf = (clock: Clock.Clock): Deadlines => {
    let known = deadlines.get(clock)
    if (known === undefined) deadlines.set(clock, (known = new Deadlines(clock)))
    return known
  }

  /**
   * A call on a fiber of its own, which is left behind where it takes longer than its limit: what can't be interrupted
   * goes on, and its answer is not waited for.
   */
  const limited = <A, E>(
    caller: Fiber.Fiber<unknown, unknown>,
    operation: string,
    effect: Effect.Effect<A, E>,
    limit: number
  ): Effect.Effect<A, E | StoreUnavailable> => {
    const clock = caller.getRef(Clock.Clock)
    const latency = latencyOf(operation)
    const begun = clock.monotonicTimeNanosUnsafe()
    const measure = () => latency.updateUnsafe(Number(clock.monotonicTimeNanosUnsafe() - begun) / 1e6, caller.context)
    return Effect.flatMap(
      Effect.forkDetach(effect, { startImmediately: true }),
      (fiber): Effect.Effect<A, E | StoreUnavailable> => {
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) {
          measure()
          return exit
        }
        return Effect.callback((resume) => {
          const waiting = deadlinesOf(clock)
          // One that has ended meanwhile is observed at once, before there is anything to undo.
          let unobserve = () => {}
          const end = () => {
            unobserve()
            waiting.remove(caller, deadline)
            measure()
          }
          const deadline = waiting.add(caller, limit, () => {
            end()
            fiber.interruptUnsafe()
            const detail = `no answer from ${slots.name} within ${limit} ms`
            resume(Effect.fail(new StoreUnavailable({ operation, detail })))
          })
          unobserve = fiber.addObserver((answer) => {
            end()
            resume(answer)
          })
          return Effect.sync(() => {
            end()
            fiber.interruptUnsafe()
          })
        })
      }
    )
  }

  /** A call with its time limit, span and latency. What takes longer counts as not answered. */
  const call = <A, E>(
    operation: string,
    effect: Effect.Effect<A, E>,
    limit = patience
  ): Effect.Effect<A, E | StoreUnavailable> => {
    if (slots.local) return effect
    return Effect.withFiber((caller) => {
      const sent = limited(caller, operation, effect, limit)
      return caller.getRef(Tracer.Tracer) === Tracer.nativeTracer
        ? // Nobody sees its spans.
          sent
        : Effect.withSpan(sent, `IdempotencyStore.${operation}`, {
            attributes: label,
            kind: "client",
            // Where in this file it was made says nothing, and costs more than the rest of the span.
            captureStackTrace: false
          })
    })
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

  const created: Answer = { _tag: "Created" }

  const create = (
    { about, key, parameters }: Sender,
    { list, row }: Extract<Command, { readonly _tag: "Create" }>
  ): Effect.Effect<Answer, StoreError> => {
    if (slots.local) return slots.create(key, row, about, list)
    return Effect.withFiber((fiber) => {
      const clock = fiber.getRef(Clock.Clock)
      const before = clock.currentTimeMillisUnsafe()
      return Effect.flatMap(
        call("create", slots.create(key, row, about, list), parameters.storeCall),
        (placed): Effect.Effect<Answer, StoreError> => {
          if (placed._tag === "Taken") return Effect.succeed(placed)
          return placed.serverTime === undefined
            ? Effect.succeed(created)
            : Effect.as(compare(before, placed.serverTime, clock.currentTimeMillisUnsafe(), parameters.margin), created)
        }
      )
    })
  }

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
