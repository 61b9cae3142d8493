/**
 * `IdempotencyStore` in this process: for tests, and where one process is all. Nothing outlives it; what has expired is
 * removed by `removeExpired`, or by the option `cleanUp`, and by nothing else.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import * as EpochLog from "../../EpochLog.ts"
import {
  IdempotencyStore,
  make as makeStore,
  type MakeOptions,
  type Placed,
  type Row,
  type Slots
} from "../../IdempotencyStore.ts"
import { instant } from "../../internal/idempotency/Slots.ts"

/** What a slot's row and a response's parts are written to. */
interface Part {
  readonly text: string
  readonly purgeAt: number
}

const governed = { rules: EpochLog.rules }

/** Drawn once: nothing outlives this process, so a number before it does for the rest. */
const drawn = randomUUID().replaceAll("-", "").slice(0, 23)
let count = 100_000_000
const nonce = (): string => count++ + drawn

const created: Placed = { _tag: "Created" }
const none: ReadonlyArray<Row> = []

/** Slots in a map, by the rules of the epoch log. */
export const makeSlots = (): Slots => {
  const keys = new Map<string, { rows: ReadonlyArray<Row> }>()
  const parts = new Map<string, Part>()
  const chainOf = (key: string) => EpochLog.chainOf(governed, keys.get(key)?.rows ?? none)
  const keep = (key: string, stays: (row: Row) => boolean) => {
    const held = keys.get(key)
    if (held === undefined) return
    held.rows = held.rows.filter(stays)
    if (held.rows.length === 0) keys.delete(key)
  }
  const purge = (before: number, limit: number) => {
    let left = limit
    const goes = (purgeAt: number) => purgeAt < before && left-- > 0
    for (const [key, { rows }] of keys) {
      if (left <= 0) break
      if (rows.some(({ purgeAt }) => purgeAt < before)) keep(key, ({ purgeAt }) => !goes(purgeAt))
    }
    for (const [name, { purgeAt }] of parts) if (left > 0 && goes(purgeAt)) parts.delete(name)
    return limit - Math.max(0, left)
  }
  const countPurged = (before: number) => {
    let count = 0
    for (const { rows } of keys.values()) count += rows.filter((row) => EpochLog.isPurged(row, before)).length
    for (const { purgeAt } of parts.values()) if (purgeAt < before) count++
    return count
  }
  return {
    name: "memory",
    local: true,
    nonce,
    create: (key, row) =>
      instant((): Placed => {
        const held = keys.get(key)
        const rows = EpochLog.place(governed, held?.rows ?? none, row)
        if (rows === undefined) return { _tag: "Taken", chain: chainOf(key) }
        if (held === undefined) keys.set(key, { rows })
        else held.rows = rows
        return created
      }),
    list: (key) => Effect.sync(() => chainOf(key)),
    deleteGeneration: (key, generation) => Effect.sync(() => keep(key, (row) => row.generation !== generation)),
    deleteRow: (key, slot, generation) =>
      Effect.sync(() => keep(key, (row) => row.slot !== slot || row.generation !== generation)),
    putParts: (_key, { purgeAt }, prefix, texts) =>
      Effect.sync(() => {
        for (const [index, text] of texts.entries()) parts.set(`${prefix}.${index}`, { text, purgeAt })
      }),
    getParts: (_key, prefix, count) =>
      Effect.sync(() => Array.from({ length: count }, (_, index) => parts.get(`${prefix}.${index}`)?.text)),
    removePurged: (before, limit, dryRun) => Effect.sync(() => (dryRun ? countPurged(before) : purge(before, limit))),
    time: Effect.undefined,
    transactions: undefined
  }
}

export const layer = (options: MakeOptions = {}): Layer.Layer<IdempotencyStore> =>
  Layer.sync(IdempotencyStore, () => IdempotencyStore.of(makeStore(makeSlots(), options)))
