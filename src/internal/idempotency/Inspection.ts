/** What support reads of a key. */
import { type Chain, baseOf, topOf } from "../../EpochLog.ts"
import type { Content, Stored } from "./Content.ts"

export interface Inspection {
  /** `lapsed`: claimed, and its lease is over; `expired`: past its end, the next request begins anew. */
  readonly state: "claimed" | "lapsed" | "done" | "released" | "expired"
  readonly generation: string
  /** How many claims, renewals among them; null where the store keeps a key's last row alone, as Redis does. */
  readonly claims: number | null
  /** How many slots are used. */
  readonly slots: number
  /** Names of the steps that were recorded, in order; where the store keeps the last row alone, until it is done. */
  readonly steps: ReadonlyArray<string>
  /** ISO 8601; of the last row. */
  readonly leaseExpiresAt: string
  readonly expiresAt: string
  /** Of the response, once there is one. */
  readonly status: number | null
  readonly response?: Content | undefined
}

export const of = (chain: Chain<Stored>, now: number): Inspection => {
  const base = baseOf(chain)
  const top = topOf(chain)
  const live =
    top.kind === "done" || top.kind === "released" ? top.kind : now <= top.leaseExpiresAt ? "claimed" : "lapsed"
  return {
    state: now > base.expiresAt ? "expired" : live,
    generation: base.generation,
    claims: chain.rows.length === top.slot + 1 ? chain.rows.filter(({ kind }) => kind === "claim").length : null,
    slots: top.slot + 1,
    steps: chain.steps.flatMap(({ step }) => (step === null ? [] : [step])),
    leaseExpiresAt: new Date(top.leaseExpiresAt).toISOString(),
    expiresAt: new Date(base.expiresAt).toISOString(),
    status: top.kind === "done" ? (top.content?.status ?? null) : null
  }
}
