/** Rows as they are written, and the end of their leases by the writer's own clock. */
import * as Lease from "../../Lease.ts"
import type { Moment, Parameters, Row, Want } from "./Data.ts"

const leaseOf = (parameters: Parameters, { now }: Moment, expiresAt: number): number =>
  parameters.rules.leaseCapped ? Lease.until(parameters, now, expiresAt) : now + parameters.lease

/** The end of a row's lease by the own clock, given what both clocks say now. */
export const ownEnd = (leaseExpiresAt: number, { now, own }: Moment): number => own + leaseExpiresAt - now

/** The first claim of a generation. */
export const firstClaim = <C>(parameters: Parameters, moment: Moment, nonce: string, fingerprint: string): Row<C> => {
  const expiresAt = moment.now + parameters.ttl
  return {
    slot: 0,
    kind: "claim",
    generation: nonce,
    owner: nonce,
    fingerprint,
    leaseExpiresAt: leaseOf(parameters, moment, expiresAt),
    expiresAt,
    purgeAt: parameters.rules.purgeAfterMargin ? expiresAt + parameters.margin + parameters.purgeDelay : expiresAt,
    step: null,
    content: null
  }
}

/** A claim on the slot behind `top`. */
export const nextClaim = <C>(parameters: Parameters, moment: Moment, nonce: string, top: Row<C>): Row<C> => ({
  ...top,
  slot: top.slot + 1,
  kind: "claim",
  owner: nonce,
  leaseExpiresAt: leaseOf(parameters, moment, top.expiresAt),
  step: null,
  content: null
})

/** What an owner writes on the slot behind its own row. */
export const ownRow = <C>(parameters: Parameters, moment: Moment, mine: Row<C>, want: Want<C>): Row<C> => ({
  slot: mine.slot + 1,
  kind:
    want._tag === "Renewal" ? "claim" : want._tag === "Step" ? "step" : want._tag === "Released" ? "released" : "done",
  generation: mine.generation,
  owner: mine.owner,
  fingerprint: mine.fingerprint,
  leaseExpiresAt: leaseOf(parameters, moment, mine.expiresAt),
  expiresAt: mine.expiresAt,
  purgeAt: mine.purgeAt,
  step: want._tag === "Step" ? want.step : null,
  content: "content" in want ? want.content : null
})
