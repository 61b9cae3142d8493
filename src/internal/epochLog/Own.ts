/** What an owner does: OWNER and WRITE. */
import * as Lease from "../../Lease.ts"
import { baseOf, isTorn, topOf } from "./Chain.ts"
import type {
  Acquiring,
  Answer,
  Chain,
  Command,
  Moment,
  Next,
  Outcome,
  Owning,
  Parameters,
  Reply,
  Want,
  Writing
} from "./Data.ts"
import { ownEnd, ownRow } from "./Rows.ts"

export const over = <C>(commands: ReadonlyArray<Command<C>>): Next<C> => [{ _tag: "Over" }, commands]
export const tell = <C>(reply: Reply<C>): Next<C> => over([{ _tag: "Reply", reply }])

/** An own write is sent, and nothing else meanwhile. */
interface Busy<C> extends Owning<C> {
  readonly writing: Writing<C>
}

const idle = <C>(state: Owning<C>, result: Extract<Command<C>, { readonly _tag: "Resume" }>["result"]): Next<C> => [
  { ...state, writing: undefined },
  [{ _tag: "Resume", result }]
]

/** Another has the key: what the handler made is never sent. */
const lost = <C>(parameters: Parameters, state: Owning<C>, chain: Chain<C> | undefined, moment: Moment): Next<C> => {
  const { rules } = parameters
  const want = state.writing?.want
  if (!rules.lostSendsNothing && (want?._tag === "Done" || want?._tag === "Commit")) return tell({ _tag: "Recorded" })
  const { expiresAt, generation } = state.row
  const interrupt: ReadonlyArray<Command<C>> = state.handler === "running" ? [{ _tag: "Interrupt" }] : []
  const top = chain === undefined ? undefined : topOf(chain)
  const replays =
    top !== undefined &&
    top.kind === "done" &&
    top.generation === generation &&
    !(rules.noReplayPastExpiry && Lease.isExpired(expiresAt, moment.now))
  const until = (top === undefined ? expiresAt : top.leaseExpiresAt) + parameters.margin
  const reply: Reply<C> = replays ? { _tag: "Replay", row: top } : { _tag: "InProgress", until, why: "lost" }
  return over([...interrupt, { _tag: "Reply", reply }])
}

const hasRoom = <C>(parameters: Parameters, { row }: Owning<C>, want: Want<C>): boolean => {
  const reserved = want._tag === "Renewal" || want._tag === "Step" ? parameters.rules.lastSlotReserved : false
  return row.slot + 1 <= parameters.lastSlot - (reserved ? 1 : 0)
}

const write = <C>(parameters: Parameters, state: Owning<C>, want: Want<C>, moment: Moment): Next<C> => {
  if (!hasRoom(parameters, state, want)) {
    if (want._tag === "Renewal" && !want.step) return idle(state, "full")
    // An end always has its slot, while the rule of the last one holds.
    return want._tag === "Step" || want._tag === "Renewal"
      ? idle(state, "full")
      : lost(parameters, state, undefined, moment)
  }
  const row = ownRow(parameters, moment, state.row, want)
  const isCommit = want._tag === "Commit"
  const sent = isCommit ? "commit" : "create"
  return [
    { ...state, writing: { want, row, lease: ownEnd(row.leaseExpiresAt, moment), sent, invalid: false } },
    [isCommit ? { _tag: "Commit", row } : { _tag: "Create", row, list: false }]
  ]
}

/** How long a transaction may live, so that no commit lands after its generation; undefined where too little is left. */
const transactionOf = <C>(parameters: Parameters, state: Owning<C>, { now }: Moment): number | undefined => {
  if (parameters.transaction === undefined) return undefined
  const { least, most, reserve } = parameters.transaction
  if (!parameters.rules.transactionTtl) return most
  const left = state.row.expiresAt - parameters.margin - reserve - now
  return left < least ? undefined : Math.min(left, most)
}

/** Starts the handler, where enough of the lease is left for it. */
const start = <C>(parameters: Parameters, state: Owning<C>, moment: Moment): Next<C> => {
  const { expiresAt, generation, leaseExpiresAt } = state.row
  const tooLate = () => tell<C>({ _tag: "InProgress", until: expiresAt + parameters.margin, why: "expiring" })
  if (state.lease - moment.own < parameters.useful) {
    const renewal: Want<C> = { _tag: "Renewal", step: false }
    return leaseExpiresAt < expiresAt && hasRoom(parameters, state, renewal)
      ? write(parameters, state, renewal, moment)
      : tooLate()
  }
  const transaction = transactionOf(parameters, state, moment)
  if (parameters.transaction !== undefined && transaction === undefined) return tooLate()
  const { reconcile, steps } = state
  return [
    { ...state, handler: "running", writing: undefined },
    [{ _tag: "RunHandler", generation, steps, reconcile, transaction }]
  ]
}

/** A claim becomes an owner. */
export const toOwner = <C>(parameters: Parameters, { before, claim, lease }: Acquiring<C>, moment: Moment): Next<C> => {
  const steps = before?.steps ?? []
  const reconcile = parameters.atMostOnce && before !== undefined && topOf(before).kind !== "released"
  return start(
    parameters,
    { _tag: "Owning", row: claim, lease, handler: "waiting", steps, reconcile, writing: undefined },
    moment
  )
}

/** What was written stands in the store. */
const written = <C>(parameters: Parameters, state: Busy<C>, moment: Moment): Next<C> => {
  const { lease, row, want } = state.writing
  const isLate = parameters.rules.leaseAtAcknowledgement && !Lease.isMine(lease, moment.own)
  const next: Owning<C> = { ...state, row, lease, writing: undefined }
  switch (want._tag) {
    case "Renewal":
      if (state.handler === "waiting") return start(parameters, next, moment)
      return isLate && want.step ? write(parameters, next, want, moment) : idle(next, "written")
    case "Step": {
      const known: Owning<C> = { ...next, steps: [...state.steps, row] }
      return isLate ? write(parameters, known, { _tag: "Renewal", step: true }, moment) : idle(known, "written")
    }
    case "Released":
      return tell({ _tag: "Released" })
    case "Done":
    case "Commit":
      return parameters.rules.completionWithinExpiry && Lease.isExpired(row.expiresAt, moment.now)
        ? lost(parameters, state, undefined, moment)
        : tell({ _tag: "Recorded" })
  }
}

const list = <C>(state: Busy<C>): Next<C> => [
  { ...state, writing: { ...state.writing, sent: "list" } },
  [{ _tag: "List" }]
]

/** No answer came. A renewal or step is tried while its own bytes can count, an end while the lease lasts. */
const silent = <C>(parameters: Parameters, state: Busy<C>, moment: Moment): Next<C> => {
  const { lease, want } = state.writing
  switch (want._tag) {
    case "Renewal":
    case "Step":
      if (Lease.isMine(lease, moment.own)) return list(state)
      return state.handler === "waiting" ? tell({ _tag: "Unavailable" }) : idle(state, "undecided")
    case "Commit":
      return Lease.isMine(state.lease, moment.own) ? list(state) : tell({ _tag: "Unavailable" })
    case "Done":
    case "Released":
      if (Lease.isMine(state.lease, moment.own + parameters.storeCall)) return list(state)
      return tell(Lease.isMine(state.lease, moment.own) ? { _tag: "Unrecorded" } : { _tag: "Unavailable" })
  }
}

/**
 * The slot of a commit is taken by its owner, so that the commit can never land. It says that it never did while no row
 * of the generation can be gone: behind `expiresAt` the completion may have stood there, and been deleted.
 */
const aborted = <C>(parameters: Parameters, state: Busy<C>, moment: Moment): Next<C> =>
  parameters.rules.completionWithinExpiry && Lease.isExpired(state.row.expiresAt, moment.now)
    ? lost(parameters, state, undefined, moment)
    : tell({ _tag: "Aborted", invalid: state.writing.invalid })

/** Takes the slot of a commit without a trace, so that it can never land. */
const occupy = <C>(parameters: Parameters, state: Busy<C>, moment: Moment): Next<C> => {
  const { invalid, want } = state.writing
  if (!parameters.rules.occupy) return aborted(parameters, state, moment)
  const row = ownRow(parameters, moment, state.row, { _tag: "Released" })
  return [
    { ...state, writing: { want, row, lease: ownEnd(row.leaseExpiresAt, moment), sent: "occupy", invalid } },
    [{ _tag: "Create", row, list: false }]
  ]
}

/** What a list says of a write that is not decided. */
const decide = <C>(parameters: Parameters, state: Busy<C>, chain: Chain<C> | undefined, moment: Moment): Next<C> => {
  const { rules } = parameters
  const { row: sent, want } = state.writing
  const mine = state.row
  // A store that keeps the top alone shows no row below it.
  const hasMine =
    chain !== undefined &&
    baseOf(chain).generation === mine.generation &&
    topOf(chain).slot >= mine.slot &&
    chain.rows.every(({ owner, slot }) => slot !== mine.slot || owner === mine.owner)
  if (!hasMine) {
    return rules.oldListAgain && !Lease.isExpired(mine.expiresAt, moment.now)
      ? silent(parameters, state, moment)
      : lost(parameters, state, chain, moment)
  }
  const next = chain.rows.find(({ slot }) => slot === mine.slot + 1)
  const isCommit = want._tag === "Commit"
  if (topOf(chain).slot === mine.slot) {
    if (chain.garbage !== undefined && rules.garbageRemoval) {
      if (isTorn(chain, moment.now)) return silent(parameters, state, moment)
      const { generation, slot } = chain.garbage
      return [{ ...state, writing: { ...state.writing, sent: "clear" } }, [{ _tag: "DeleteRow", slot, generation }]]
    }
    if (isCommit) return occupy(parameters, state, moment)
    return [{ ...state, writing: { ...state.writing, sent: "create" } }, [{ _tag: "Create", row: sent, list: false }]]
  }
  if (next === undefined || next.owner !== mine.owner) return lost(parameters, state, chain, moment)
  if (isCommit) {
    if (next.kind === "done") return written(parameters, { ...state, writing: { ...state.writing, row: next } }, moment)
    if (next.kind === "released") return aborted(parameters, state, moment)
  }
  const isSent = next.kind === sent.kind && next.step === sent.step && next.leaseExpiresAt === sent.leaseExpiresAt
  if (isSent && !isCommit) return written(parameters, state, moment)
  // An earlier renewal or step of one's own, landed late.
  if (!rules.ownLateRenewal) return lost(parameters, state, chain, moment)
  const further: Owning<C> = { ...state, row: next, lease: ownEnd(next.leaseExpiresAt, moment) }
  return isCommit
    ? occupy(parameters, { ...further, writing: { ...state.writing, row: sent } }, moment)
    : write(parameters, further, want, moment)
}

export const answered = <C>(parameters: Parameters, state: Owning<C>, answer: Answer<C>, moment: Moment): Next<C> => {
  if (state.writing === undefined) return [state, []]
  const busy: Busy<C> = { ...state, writing: state.writing }
  switch (busy.writing.sent) {
    case "create":
      if (answer._tag === "Created") return written(parameters, busy, moment)
      if (answer._tag !== "Taken") return silent(parameters, busy, moment)
      if (!parameters.rules.conflictIsRead) return lost(parameters, busy, undefined, moment)
      return answer.chain === undefined ? list(busy) : decide(parameters, busy, answer.chain, moment)
    case "list":
      return answer._tag === "Listed"
        ? decide(parameters, busy, answer.chain, moment)
        : silent(parameters, busy, moment)
    case "clear":
      return list(busy)
    case "commit":
      if (answer._tag === "Committed") return written(parameters, busy, moment)
      if (answer._tag === "NoAnswer") return silent(parameters, busy, moment)
      return list({
        ...busy,
        writing: { ...busy.writing, invalid: answer._tag === "CommitFailed" && answer.invalid }
      })
    case "occupy":
      if (answer._tag === "Created") return aborted(parameters, busy, moment)
      return answer._tag === "NoAnswer" ? silent(parameters, busy, moment) : list(busy)
  }
}

/** The handler ended. A renewal or step whose fate is not known gives way to it. */
export const handlerEnded = <C>(
  parameters: Parameters,
  state: Owning<C>,
  outcome: Outcome<C>,
  moment: Moment
): Next<C> => {
  const ended: Owning<C> = { ...state, handler: "ended", writing: undefined }
  switch (outcome._tag) {
    case "Keep":
      return tell({ _tag: "Kept" })
    case "Release":
      return write(parameters, ended, { _tag: "Released" }, moment)
    case "Store": {
      const { content } = outcome
      return write(
        parameters,
        ended,
        { _tag: parameters.transaction === undefined ? "Done" : "Commit", content },
        moment
      )
    }
  }
}

export const stepEnded = <C>(
  parameters: Parameters,
  state: Owning<C>,
  step: string,
  content: C,
  moment: Moment
): Next<C> => write(parameters, state, { _tag: "Step", step, content }, moment)

export const renewalDue = <C>(parameters: Parameters, state: Owning<C>, moment: Moment): Next<C> =>
  state.row.leaseExpiresAt < state.row.expiresAt
    ? write(parameters, state, { _tag: "Renewal", step: false }, moment)
    : idle(state, "unneeded")
