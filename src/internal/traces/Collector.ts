/** Keeps the events of one id, and learns which traces carry it. */
import * as Result from "effect/Result"
import type { LogEvent } from "../../LogEvent.ts"
import * as LogLine from "../../LogLine.ts"

/** Events that are kept at most: what is shown of an id stays in memory. */
export const mostEvents = 100_000
/** Traces that are shown for a correlation, a request or an execution. */
export const mostTraces = 20
/** Traces that are counted. */
const mostCounted = 10_000

interface Kept {
  readonly event: LogEvent
  /** The source can be read once more, for the rest of the trace. */
  readonly isRepeatable: boolean
}

const carries = (event: LogEvent, id: string): boolean =>
  event.traceId === id || event.correlationId === id || event.requestId === id || event.executionId === id

export class Collector {
  readonly #id: string
  readonly #most: number
  readonly #traceIds = new Set<string>()
  #kept: Array<Kept> = []
  #left = 0
  #skipped = 0

  constructor(id: string, most = mostEvents) {
    this.#id = id
    this.#most = most
  }

  /** What the bytes of its lines are searched for: the id as a whole text. */
  get needles(): ReadonlyArray<string> {
    return [`"${this.#id}"`]
  }

  add(line: string, isRepeatable: boolean): void {
    const event = this.#parse(line)
    if (event === undefined || event.traceId === null || !carries(event, this.#id)) return
    if (this.#traceIds.size < mostCounted) this.#traceIds.add(event.traceId)
    this.#keep({ event, isRepeatable })
  }

  /** Traces that carry it as something else, whose other lines need not: another search finds them. */
  get others(): ReadonlyArray<string> {
    return [...this.#traceIds].slice(0, mostTraces).filter((traceId) => traceId !== this.#id)
  }

  /** Before the other search: what it will find is let go. */
  forget(): void {
    this.#kept = this.#kept.filter(({ event, isRepeatable }) => !isRepeatable || event.traceId === this.#id)
    this.#left = 0
  }

  /** In the other search. */
  addOther(line: string, others: ReadonlySet<string>): void {
    const event = this.#parse(line)
    if (event !== undefined && others.has(event.traceId ?? "")) this.#keep({ event, isRepeatable: true })
  }

  get events(): ReadonlyArray<LogEvent> {
    const shown = new Set([...this.#traceIds].slice(0, mostTraces))
    return this.#kept.map(({ event }) => event).filter(({ traceId }) => shown.has(traceId ?? ""))
  }
  /** Events beyond those that are kept. */
  get left(): number {
    return this.#left
  }
  /** Traces beyond those that are shown. */
  get moreTraces(): number {
    return Math.max(0, this.#traceIds.size - mostTraces)
  }
  /** Lines that hold the id and are none of ours. */
  get skipped(): number {
    return this.#skipped
  }

  #parse(line: string): LogEvent | undefined {
    const parsed = LogLine.parse(line)
    if (Result.isSuccess(parsed)) return parsed.success
    this.#skipped++
    return undefined
  }

  #keep(one: Kept): void {
    if (this.#kept.length < this.#most) this.#kept.push(one)
    else this.#left++
  }
}
