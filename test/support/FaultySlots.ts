/**
 * Slots of a store whose answers get lost, whose commands come late, and between whose calls something else happens.
 *
 * | fault   | what is done                               | what the sender hears            |
 * | ------- | ------------------------------------------ | -------------------------------- |
 * | refused | nothing                                    | no answer                        |
 * | lost    | the command                                | no answer                        |
 * | held    | the command, once `land` asks for it       | no answer                        |
 * | twice   | the command, and again by the server itself | the answer of the second         |
 */
import * as Effect from "effect/Effect"
import { type StoreShapeMismatch, StoreUnavailable } from "../../src/IdempotencyError.ts"
import type { Row, Slots } from "../../src/IdempotencyStore.ts"

export type Fault = "refused" | "lost" | "held" | "twice"
export type CallName =
  | "create"
  | "list"
  | "deleteGeneration"
  | "deleteRow"
  | "putParts"
  | "getParts"
  | "removePurged"
  | "time"
  | "begin"
  | "commit"
  | "rollback"

export interface FaultOptions {
  /** Creations of this kind of row alone. */
  readonly kind?: Row["kind"] | undefined
  /** So many calls. Default 1. */
  readonly times?: number | undefined
  /** Milliseconds that each of them takes its sender. Default 0. */
  readonly takes?: number | undefined
}

interface Rule {
  readonly call: CallName
  readonly fault: Fault
  readonly kind: Row["kind"] | undefined
  readonly takes: number
  left: number
}
interface Moment {
  readonly call: CallName
  readonly kind: Row["kind"] | undefined
  readonly when: "before" | "after"
  readonly effect: Effect.Effect<unknown>
}

export interface Faults {
  /** The slots, with what is set here. */
  readonly slots: Slots
  /** The next calls of this name meet a fault. Of several rules the first that fits. */
  readonly fail: (call: CallName, fault: Fault, options?: FaultOptions) => void
  /** Something happens before the next call of this name is done, or when it is, before its answer comes. */
  readonly when: (when: "before" | "after", call: CallName, effect: Effect.Effect<unknown>, kind?: Row["kind"]) => void
  /** No more faults. */
  readonly mend: () => void
  /** The commands that were held land now, in order; how many there were. */
  readonly land: Effect.Effect<number>
  /** The calls so far, as `create claim 0`, since the last time that this was asked. */
  readonly take: () => ReadonlyArray<string>
}

type Failure = StoreUnavailable | StoreShapeMismatch

/** `spend`: how time passes for whoever waits in vain. */
export const make = (slots: Slots, spend: (milliseconds: number) => Effect.Effect<void>): Faults => {
  let rules: Array<Rule> = []
  let moments: Array<Moment> = []
  let held: Array<Effect.Effect<unknown, unknown>> = []
  let log: Array<string> = []

  const happen = (when: Moment["when"], call: CallName, kind: Row["kind"] | undefined) =>
    Effect.suspend(() => {
      const found = moments.find(
        (one) => one.when === when && one.call === call && (one.kind === undefined || one.kind === kind)
      )
      if (found === undefined) return Effect.void
      moments = moments.filter((one) => one !== found)
      // Its caller may have given up meanwhile: it happens nevertheless.
      return Effect.uninterruptible(found.effect)
    })

  const through = <A>(call: CallName, effect: Effect.Effect<A, Failure>, row?: Row): Effect.Effect<A, Failure> =>
    Effect.gen(function* () {
      log.push(row === undefined ? call : `${call} ${row.kind} ${row.slot}`)
      yield* happen("before", call, row?.kind)
      const rule = rules.find(
        (one) => one.left > 0 && one.call === call && (one.kind === undefined || one.kind === row?.kind)
      )
      if (rule === undefined) return yield* Effect.tap(effect, () => happen("after", call, row?.kind))
      rule.left--
      const silent = Effect.andThen(
        spend(rule.takes),
        Effect.fail(new StoreUnavailable({ operation: call, detail: `its answer was ${rule.fault} here` }))
      )
      switch (rule.fault) {
        case "refused":
          return yield* silent
        case "held":
          held.push(effect)
          return yield* silent
        case "lost":
          yield* effect
          yield* happen("after", call, row?.kind)
          return yield* silent
        case "twice":
          yield* effect
          yield* happen("after", call, row?.kind)
          yield* spend(rule.takes)
          return yield* effect
      }
    })

  const { transactions } = slots
  return {
    slots: {
      ...slots,
      create: (key, row, about, list) => through("create", slots.create(key, row, about, list), row),
      list: (key) => through("list", slots.list(key)),
      deleteGeneration: (key, generation) => through("deleteGeneration", slots.deleteGeneration(key, generation)),
      deleteRow: (key, slot, generation) => through("deleteRow", slots.deleteRow(key, slot, generation)),
      putParts: (key, row, prefix, parts) => through("putParts", slots.putParts(key, row, prefix, parts)),
      getParts: (key, prefix, count) => through("getParts", slots.getParts(key, prefix, count)),
      removePurged: (before, limit, dryRun) => through("removePurged", slots.removePurged(before, limit, dryRun)),
      time: through("time", slots.time),
      transactions:
        transactions === undefined
          ? undefined
          : {
              begin: (ttl) => through("begin", transactions.begin(ttl)),
              commit: (id, staged, key, row, about) =>
                through("commit", transactions.commit(id, staged, key, row, about), row),
              rollback: (id) => through("rollback", transactions.rollback(id))
            }
    },
    fail: (call, fault, options = {}) => {
      rules.push({ call, fault, kind: options.kind, takes: options.takes ?? 0, left: options.times ?? 1 })
    },
    when: (when, call, effect, kind) => {
      moments.push({ when, call, effect, kind })
    },
    mend: () => {
      rules = []
      moments = []
    },
    land: Effect.suspend(() => {
      const landing = held
      held = []
      // What a command that comes too late is answered, nobody hears.
      return Effect.as(
        Effect.forEach(landing, (one) => Effect.ignore(one), { discard: true }),
        landing.length
      )
    }),
    take: () => {
      const taken = log
      log = []
      return taken
    }
  }
}
