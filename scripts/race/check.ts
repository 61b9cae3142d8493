/**
 * What a race must keep, read from the ledger and the answers alone; the store is asked for nothing but the documents
 * of its transactions.
 */
import type { Answer, Entry } from "./ledger.ts"
import { type Round, times } from "./plan.ts"
import { each, type Order } from "./orders.ts"

export const promises = {
  leases: "two handlers ran inside live leases",
  answers: "recorded answers of one life of a key differ",
  completions: "more than one completion was accepted",
  documents: "a transaction was not applied exactly once",
  expiry: "a key began anew before its end",
  undecided: "a key was undecided 2 leases after the last process ran free",
  refused: "a caller was refused for good"
} as const
export interface Problem {
  readonly promise: keyof typeof promises
  readonly round: number
  readonly detail: string
}

/** All that is known of a round. */
export interface Known {
  readonly round: Round
  readonly entries: ReadonlyArray<Entry>
  readonly answers: ReadonlyArray<Answer>
  readonly orders: ReadonlyArray<Order>
  /** When the last process ran free. */
  readonly freeAt: number
  readonly processes: number
}

type Start = Extract<Entry, { readonly mark: "start" }>
type Renewal = Extract<Entry, { readonly mark: "renewed" }>
type End = Extract<Entry, { readonly mark: "end" }>
interface Run extends Start {
  readonly renewals: ReadonlyArray<Renewal>
  readonly end: End | undefined
  /** It failed, or its transaction was given up by a release: nothing has happened, and the next may run at once. */
  readonly isGivenBack: boolean
}

/** The runs of handlers, in order of their starts. */
const runsOf = ({ answers, entries, round }: Known): ReadonlyArray<Run> => {
  const ends = new Map(entries.flatMap((entry) => (entry.mark === "end" ? [[entry.run, entry] as const] : [])))
  const renewals = Map.groupBy(
    entries.flatMap((entry) => (entry.mark === "renewed" ? [entry] : [])),
    ({ run }) => run
  )
  // Whose commit was undecided has released the key, whether it heard of that or not.
  const failed = new Set(
    round.kind === "transactional"
      ? answers.flatMap(({ ran, run }) => (ran.includes(run) ? [] : ran.filter((own) => ends.get(own)?.how === "done")))
      : []
  )
  return entries
    .flatMap((entry) => {
      if (entry.mark !== "start") return []
      const end = ends.get(entry.run)
      return [
        {
          ...entry,
          end,
          renewals: renewals.get(entry.run) ?? [],
          isGivenBack: end?.how === "released" || failed.has(entry.run)
        }
      ]
    })
    .toSorted((left, right) => left.at - right.at)
}

/** Who begins when his lease is over already, stopped in between, is inside of none. */
const isLive = ({ at, lease }: Run): boolean => at < lease

interface Span {
  readonly run: string
  readonly from: number
  readonly to: number
}

/** When nobody else may run: from each time that a lease counts to its end, or until it gave the key back. */
const spansOf = ({ at, end, isGivenBack, lease, renewals, run }: Run): ReadonlyArray<Span> =>
  [{ at, lease }, ...renewals].map((one) => ({
    run,
    from: one.at,
    to: isGivenBack && end !== undefined ? Math.min(end.at, one.lease) : one.lease
  }))

const recorded = ({ answers }: Known): ReadonlyArray<Answer> =>
  answers.filter(({ status, tag }) => tag === "value" && status !== "unrecorded")

const milliseconds = (time: number): string => `${time.toFixed(1)} ms`

const leases = (known: Known): ReadonlyArray<string> => {
  const spans = runsOf(known)
    .flatMap(spansOf)
    .filter(({ from, to }) => from < to)
  return spans.flatMap((first) =>
    spans.flatMap((second) =>
      first.run !== second.run && first.from <= second.from && second.from < first.to
        ? [`${second.run} had one ${milliseconds(first.to - second.from)} before that of ${first.run} ended`]
        : []
    )
  )
}

/** By generation: the values that callers were given as recorded. */
const byGeneration = (known: Known): ReadonlyMap<string, ReadonlyArray<Answer>> => {
  const tokens = new Map(runsOf(known).map(({ run, token }) => [run, token]))
  return Map.groupBy(recorded(known), ({ run }) => tokens.get(run) ?? `no handler ${run}`)
}

const answers = (known: Known): ReadonlyArray<string> =>
  [...byGeneration(known)].flatMap(([token, given]) => {
    const values = new Set(given.map(({ body }) => body))
    const runs = new Set(given.map(({ run }) => run))
    if (token.startsWith("no handler")) return [`${token} gave an answer`]
    return values.size > 1 ? [`${values.size} values, of ${[...runs].join(", ")}`] : []
  })

/** Who was given the value of his own run was told that it is recorded. */
const completions = (known: Known): ReadonlyArray<string> =>
  [...byGeneration(known).values()].flatMap((given) => {
    const own = new Set(given.flatMap(({ ran, run }) => (ran.includes(run) ? [run] : [])))
    return own.size > 1 ? [`those of ${[...own].join(", ")}`] : []
  })

const documents = (known: Known): ReadonlyArray<string> => {
  if (known.round.kind !== "transactional") return []
  const sets = Map.groupBy(known.orders, ({ run }) => run)
  const runs = [...sets.keys()]
  const [answer] = recorded(known)
  const found = `${known.orders.length} documents of ${runs.length} runs (${runs.join(", ")})`
  if (answer === undefined) return runs.length > 1 ? [found] : []
  return runs.length === 1 && runs[0] === answer.run && known.orders.length === each
    ? []
    : [`${found}, and the answer is that of ${answer.run}`]
}

const expiry = (known: Known): ReadonlyArray<string> => {
  const generations = [...Map.groupBy(runsOf(known).filter(isLive), ({ token }) => token).values()]
  return generations.slice(1).flatMap((runs, index) => {
    const before = generations[index]![0]!
    const first = runs[0]!
    return first.at < before.expiresAt
      ? [`${first.run} began ${milliseconds(before.expiresAt - first.at)} too early`]
      : []
  })
}

const undecided = ({ answers, freeAt, processes }: Known): ReadonlyArray<string> => {
  const values = answers.filter(({ status, tag }) => tag === "value" && status !== "unrecorded")
  const first = Math.min(...values.map(({ at }) => at))
  const callers = new Set(answers.flatMap((answer) => (answer.isFinal ? [answer.process] : [])))
  if (first > freeAt + 2 * times.lease)
    return [
      first === Infinity ? "it has no answer" : `its first answer came ${milliseconds(first - freeAt)} after that`
    ]
  return callers.size < processes ? [`${processes - callers.size} callers have no answer`] : []
}

const refused = ({ answers }: Known): ReadonlyArray<string> =>
  answers.flatMap(({ isFinal, process, status, tag }) =>
    isFinal && tag !== "value" ? [`process ${process}: ${tag}: ${status}`] : []
  )

const checks = { leases, answers, completions, documents, expiry, undecided, refused } satisfies Record<
  keyof typeof promises,
  (known: Known) => ReadonlyArray<string>
>

export const check = (known: Known): ReadonlyArray<Problem> =>
  (Object.keys(checks) as ReadonlyArray<keyof typeof promises>).flatMap((promise) =>
    checks[promise](known).map((detail) => ({ promise, round: known.round.id, detail }))
  )

/** A second handler of a generation, after one that did not give the key back. */
export const hasTakeover = (known: Known): boolean =>
  [...Map.groupBy(runsOf(known), ({ token }) => token).values()].some((runs) =>
    runs.slice(0, -1).some(({ isGivenBack }) => !isGivenBack)
  )

/** An owner whose handler ran, and who got another's answer, or was told that another has the key. */
export const hasZombie = ({ answers, entries }: Known): boolean => {
  const done = new Set(
    entries.flatMap((entry) => (entry.mark === "end" && entry.how !== "released" ? [entry.run] : []))
  )
  return answers.some(
    ({ ran, run, status, tag }) =>
      ran.some((own) => done.has(own)) && ((tag === "value" && !ran.includes(run)) || status === "lost")
  )
}
