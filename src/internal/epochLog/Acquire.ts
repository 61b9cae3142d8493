/** From a request to an owner, or to what its caller is told: BEGIN and LOOK. */
import * as Lease from "../../Lease.ts"
import { baseOf, isTorn, topOf } from "./Chain.ts"
import type { Acquiring, Answer, Chain, Moment, Next, Parameters, Reply } from "./Data.ts"
import { over, toOwner } from "./Own.ts"
import { firstClaim, nextClaim, ownEnd } from "./Rows.ts"

export const begin = <C>(parameters: Parameters, fingerprint: string, moment: Moment, last?: string): Next<C> => {
  const nonce = parameters.rules.freshNonce ? moment.nonce : (last ?? moment.nonce)
  const claim = firstClaim<C>(parameters, moment, nonce, fingerprint)
  const lease = ownEnd(claim.leaseExpiresAt, moment)
  return [
    { _tag: "Acquiring", fingerprint, sent: "create", claim, lease, unanswered: true, before: undefined },
    [{ _tag: "Create", row: claim, list: true }]
  ]
}

const look = <C>(state: Acquiring<C>): Next<C> => [{ ...state, sent: "list" }, [{ _tag: "List" }]]

/** The claim was acknowledged: it counts only within its lease. */
const acknowledged = <C>(
  parameters: Parameters,
  state: Acquiring<C>,
  shown: Chain<C> | undefined,
  moment: Moment
): Next<C> => {
  const { createBeatsList, leaseAtAcknowledgement } = parameters.rules
  if (!createBeatsList && shown !== undefined && topOf(shown).kind === "done")
    return decide(parameters, state, shown, moment)
  return leaseAtAcknowledgement && !Lease.isMine(state.lease, moment.own)
    ? look(state)
    : toOwner(parameters, state, moment)
}

/** The first rule of LOOK that fits. */
const decide = <C>(
  parameters: Parameters,
  state: Acquiring<C>,
  chain: Chain<C> | undefined,
  moment: Moment
): Next<C> => {
  const { rules } = parameters
  const { now, own } = moment
  const tell = (reply: Reply<C>): Next<C> => over([{ _tag: "Reply", reply }])
  // 1
  if (chain === undefined) {
    return state.unanswered && state.lease - own >= parameters.useful
      ? [{ ...state, sent: "create" }, [{ _tag: "Create", row: state.claim, list: true }]]
      : begin(parameters, state.fingerprint, moment, state.claim.owner)
  }
  const base = baseOf(chain)
  const top = topOf(chain)
  const whenOver = base.expiresAt + parameters.margin
  // 2
  const mine = rules.ownRowAtTop ? top : (chain.rows.find(({ owner }) => owner === state.claim.owner) ?? top)
  // What it continues was seen when it was sent; a store that keeps the top alone shows it no more.
  if (mine.kind === "claim" && mine.owner === state.claim.owner && Lease.isMine(state.lease, own))
    return toOwner(parameters, { ...state, claim: mine }, moment)
  // 3
  const reclaimable = rules.marginAtReclaim
    ? Lease.isOver(parameters, base.expiresAt, now)
    : Lease.isExpired(base.expiresAt, now)
  if (reclaimable) return [{ ...state, sent: "reclaim" }, [{ _tag: "DeleteGeneration", generation: base.generation }]]
  // 4
  if (base.fingerprint !== state.fingerprint) return tell({ _tag: "Mismatch" })
  // 5
  const bindsExpiry = top.kind === "done" ? rules.noReplayPastExpiry : rules.noClaimPastExpiry
  if (bindsExpiry && Lease.isExpired(base.expiresAt, now))
    return tell({ _tag: "InProgress", until: whenOver, why: "expiring" })
  // 6
  if (top.kind === "done") return tell({ _tag: "Replay", row: top })
  // 7
  if (top.kind !== "released") {
    const alive = rules.marginAtTakeover
      ? Lease.isAlive(parameters, top.leaseExpiresAt, now)
      : Lease.isMine(top.leaseExpiresAt, now)
    if (alive) return tell({ _tag: "InProgress", until: top.leaseExpiresAt + parameters.margin, why: "running" })
    // 8
    if (parameters.atMostOnce && !parameters.reconcile) return tell({ _tag: "Indeterminate" })
  }
  // 9
  if (top.slot + 1 >= parameters.lastSlot + (rules.lastSlotReserved ? 0 : 1))
    return tell({ _tag: "Exhausted", until: whenOver })
  // 10
  if (rules.noClaimPastExpiry && now + parameters.useful > base.expiresAt)
    return tell({ _tag: "InProgress", until: whenOver, why: "expiring" })
  // 11
  if (chain.garbage !== undefined && rules.garbageRemoval) {
    const { generation, slot } = chain.garbage
    return isTorn(chain, now) ? look(state) : [{ ...state, sent: "clear" }, [{ _tag: "DeleteRow", slot, generation }]]
  }
  // 12
  const claim = nextClaim(parameters, moment, rules.freshNonce ? moment.nonce : state.claim.owner, top)
  const lease = ownEnd(claim.leaseExpiresAt, moment)
  return [
    { ...state, sent: "create", claim, lease, unanswered: false, before: chain },
    [{ _tag: "Create", row: claim, list: false }]
  ]
}

export const answered = <C>(
  parameters: Parameters,
  state: Acquiring<C>,
  answer: Answer<C>,
  moment: Moment
): Next<C> => {
  switch (state.sent) {
    case "create":
      if (answer._tag === "Created") return acknowledged(parameters, state, answer.chain, moment)
      if (answer._tag !== "Taken") return look(state)
      return answer.chain === undefined
        ? look({ ...state, unanswered: false })
        : decide(parameters, { ...state, unanswered: false }, answer.chain, moment)
    case "list":
      return answer._tag === "Listed" ? decide(parameters, state, answer.chain, moment) : look(state)
    // What a deletion answers is not used.
    case "reclaim":
      return begin(parameters, state.fingerprint, moment, state.claim.owner)
    case "clear":
      return look(state)
  }
}
