/**
 * Slots whose owners stop at a point, whose answers are late or lost, and, where asked for, whose completions overwrite.
 *
 * One answer in ten is lost after its command was applied, half of them at once and half of them silently; one in
 * twenty is late by up to 2 leases. Commands themselves are late where their process stops before it sends them.
 */
import * as Effect from "effect/Effect"
import { StoreUnavailable } from "../../src/IdempotencyError.ts"
import type { About, Placed, Row, Slots, Transactions } from "../../src/IdempotencyStore.ts"
import type { Point, Told } from "./ledger.ts"
import { times } from "./plan.ts"

export interface Disturbance {
  /** Numbers from 0 to 1. */
  readonly draw: () => number
  /** The round of a key as its caller knows it. */
  readonly roundOf: (key: string) => number
  /** Whether a round's calls still meet faults. */
  readonly isDisturbed: (round: number) => boolean
  /** Stops this process, where the round's first owner at this point is here. */
  readonly pass: (round: number, point: Point) => void
  readonly tell: (told: Told) => void
  /** A completion replaces what it finds. */
  readonly overwrites: boolean
}

export const disturbed =
  ({ draw, isDisturbed, overwrites, pass, roundOf, tell }: Disturbance) =>
  (slots: Slots): Slots => {
    /** Rounds by the name of their rows; known from the first creation on. */
    const rounds = new Map<string, number>()
    /** The slots of owners' claims; what else they create as claims are renewals. */
    const claimed = new Map<string, number>()

    const answering = <A, E>(key: string, operation: string, call: Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | StoreUnavailable> => {
        const round = rounds.get(key)
        if (round === undefined || !isDisturbed(round)) return call
        const chance = draw()
        const late = draw() * 2 * times.lease
        if (chance < 0.1) {
          const lost = new StoreUnavailable({ operation, detail: "the answer was lost" })
          tell({ mark: "lost", round })
          return Effect.andThen(call, chance < 0.05 ? Effect.fail(lost) : Effect.never)
        }
        if (chance >= 0.15) return call
        tell({ mark: "delayed", round })
        return Effect.tap(call, () => Effect.sleep(late))
      })

    /** Between the points before it is sent and after it was applied. */
    const between = <A, E>(
      key: string,
      before: Point | undefined,
      call: Effect.Effect<A, E>,
      after: Point | undefined
    ): Effect.Effect<A, E> => {
      const at = (point: Point | undefined) =>
        Effect.sync(() => {
          const round = rounds.get(key)
          if (round !== undefined && point !== undefined) pass(round, point)
        })
      return at(before).pipe(
        Effect.andThen(call),
        Effect.tap(() => at(after))
      )
    }

    /** Whatever stands there, the response stands there afterwards. */
    const overwriting = <A, E>(
      key: string,
      row: Row,
      create: (row: Row) => Effect.Effect<A, E>
    ): Effect.Effect<A, E | StoreUnavailable> =>
      Effect.andThen(Effect.orDie(slots.deleteGeneration(key, row.generation)), create({ ...row, slot: 0 }))

    const create = (key: string, row: Row, about: About, list: boolean) => {
      const round = roundOf(about.key)
      rounds.set(key, round)
      const place = (own: Row) => slots.create(key, own, about, list)
      const isDone = row.kind === "done"
      const call = isDone && overwrites ? overwriting(key, row, place) : place(row)
      let points: readonly [Point, Point] | readonly [] = []
      if (isDone) points = ["completion sent", "completed"]
      if (row.kind === "claim") {
        const first = claimed.get(row.owner) ?? row.slot
        claimed.set(row.owner, first)
        points = first === row.slot ? ["claim sent", "claimed"] : ["renewal sent", "renewed"]
      }
      const sent = between(key, points[0], call, undefined)
      return answering(
        key,
        "create",
        Effect.tap(sent, (placed: Placed) =>
          Effect.sync(() => {
            if (placed._tag === "Created" && points[1] !== undefined) pass(round, points[1])
          })
        )
      )
    }

    const { transactions } = slots
    const transacting: Transactions | undefined =
      transactions === undefined
        ? undefined
        : {
            ...transactions,
            commit: (id, staged, key, row, about) => {
              const commit = (own: Row) => transactions.commit(id, staged, key, own, about)
              const call = overwrites ? overwriting(key, row, commit) : commit(row)
              return answering(key, "commit", between(key, "completion sent", call, "completed"))
            }
          }

    return {
      ...slots,
      create,
      list: (key) => answering(key, "list", slots.list(key)),
      deleteGeneration: (key, generation) =>
        answering(key, "deleteGeneration", slots.deleteGeneration(key, generation)),
      deleteRow: (key, slot, generation) => {
        tell({ mark: "garbage", round: rounds.get(key) ?? -1 })
        return answering(key, "deleteRow", slots.deleteRow(key, slot, generation))
      },
      transactions: transacting
    }
  }
