/** What many requests come to, in memory that does not grow with their number. */
import { isFailing, type LogEvent, type Of, type Type } from "../../LogEvent.ts"
import { Sketch, type Summary } from "./Sketch.ts"

/** One of the slowest, or of those that failed. */
export interface Ranked {
  readonly traceId: string | null
  readonly name: string
  readonly timestamp: string
  /** Milliseconds. */
  readonly duration: number
  readonly status: string
  /** Tag and message of what it failed with. */
  readonly error: string | null
}

export interface Group extends Summary {
  readonly name: string
  readonly failed: number
}

/** Groups by all that they took together, the most first. */
export interface Groups {
  readonly groups: ReadonlyArray<Group>
  /** All whose names came when there were too many already. */
  readonly other: Group | null
}

export interface Overview {
  /** ISO 8601, of the first and the last line. */
  readonly from: string | null
  readonly until: string | null
  readonly events: Readonly<Record<Type, number>>
  readonly failedRequests: number
  /** Requests that began and have no end in the log. */
  readonly unfinished: number
  readonly coldStarts: number
  readonly replays: number
  /** Lines that sinks could not take, as requests tell. */
  readonly lostLines: number
  readonly slowestRequests: ReadonlyArray<Ranked>
  /** The latest first. */
  readonly latestFailures: ReadonlyArray<Ranked>
  readonly slowestWork: ReadonlyArray<Ranked>
  readonly byRequest: Groups
  readonly byOperation: Groups
  readonly byService: Groups
}

/** How many of the slowest are kept. */
const kept = 10
/** Names in each of the three tables. With the sketch of each: 500 × 7 KB. */
export const mostGroups = 500

/** The greatest few by a number, kept in order: a place is found from the end, where most newcomers are refused. */
class Top {
  #all: Array<{ readonly by: number; readonly one: Ranked }> = []
  add(by: number, make: () => Ranked): void {
    const last = this.#all.at(-1)
    if (Number.isNaN(by) || (this.#all.length === kept && last !== undefined && by <= last.by)) return
    const place = this.#all.findIndex((one) => one.by < by)
    this.#all.splice(place === -1 ? this.#all.length : place, 0, { by, one: make() })
    if (this.#all.length > kept) this.#all.pop()
  }
  get list(): ReadonlyArray<Ranked> {
    return this.#all.map(({ one }) => one)
  }
}

class Tally {
  readonly sketch = new Sketch()
  failed = 0
  add(duration: number, isFailed: boolean): void {
    this.sketch.add(duration)
    if (isFailed) this.failed++
  }
  group(name: string): Group {
    return { name, failed: this.failed, ...this.sketch.summary }
  }
}

class Table {
  #tallies = new Map<string, Tally>()
  #other: Tally | undefined
  add(name: string, duration: number, isFailed: boolean): void {
    let tally = this.#tallies.get(name)
    if (tally === undefined) {
      if (this.#tallies.size < mostGroups) this.#tallies.set(name, (tally = new Tally()))
      else tally = this.#other ??= new Tally()
    }
    tally.add(duration, isFailed)
  }
  get groups(): Groups {
    return {
      groups: [...this.#tallies]
        .map(([name, tally]) => tally.group(name))
        .toSorted((left, right) => right.sum - left.sum || (left.name < right.name ? -1 : 1)),
      other: this.#other?.group("other") ?? null
    }
  }
}

const longestName = 200
const short = (name: string) => (name.length > longestName ? `${name.slice(0, longestName)}…` : name)

const id = /^(?:\d+|[0-9a-f]{16,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i

/** Without its query, and with `:id` for what is drawn or counted: requests for one kind of thing are one group. */
export const pathGroup = (path: string): string =>
  path
    .split(/[?#]/, 1)[0]!
    .split("/")
    .map((segment) => (id.test(segment) ? ":id" : segment))
    .join("/")

type End = Of<"REQUEST_COMPLETE"> | Of<"REQUEST_ERROR">
type Work = Of<"DATABASE_OPERATION"> | Of<"EXTERNAL_CALL">

const errorOf = (event: LogEvent): string | null =>
  "error" in event && event.error !== undefined ? short(`${event.error.tag}: ${event.error.message}`) : null

const ranked = (event: End | Work, name: string, isFailed: boolean): Ranked => {
  const code = "statusCode" in event ? event.statusCode : null
  return {
    traceId: event.traceId,
    name: short(name),
    timestamp: event.timestamp,
    duration: event.durationMs,
    status: code === null ? (isFailed ? "error" : "ok") : String(code),
    error: errorOf(event)
  }
}

/** Takes events in any order, and answers what they come to so far. */
export class Statistics {
  readonly #events: Record<Type, number> = {
    REQUEST_INCOMING: 0,
    DATABASE_OPERATION: 0,
    EXTERNAL_CALL: 0,
    REQUEST_COMPLETE: 0,
    REQUEST_ERROR: 0,
    LOG: 0
  }
  readonly #slowestRequests = new Top()
  readonly #latestFailures = new Top()
  readonly #slowestWork = new Top()
  readonly #byRequest = new Table()
  readonly #byOperation = new Table()
  readonly #byService = new Table()
  #from = Infinity
  #until = -Infinity
  #failedRequests = 0
  #coldStarts = 0
  #replays = 0
  #lostLines = 0

  add(event: LogEvent): void {
    this.#events[event.type]++
    const time = Date.parse(event.timestamp)
    if (time < this.#from) this.#from = time
    if (time > this.#until) this.#until = time
    if (event.type === "REQUEST_COMPLETE" || event.type === "REQUEST_ERROR") this.#request(event, time)
    else if (event.type === "DATABASE_OPERATION" || event.type === "EXTERNAL_CALL") this.#work(event)
  }

  #request(event: End, time: number): void {
    const isFailed = event.type === "REQUEST_ERROR" || isFailing(event.statusCode)
    const owner = event.function === undefined ? "" : `${event.function} `
    const name = `${owner}${event.method} ${event.path}`
    this.#slowestRequests.add(event.durationMs, () => ranked(event, name, isFailed))
    if (isFailed) this.#latestFailures.add(time, () => ranked(event, name, isFailed))
    this.#byRequest.add(short(`${owner}${event.method} ${pathGroup(event.path)}`), event.durationMs, isFailed)
    if (isFailed) this.#failedRequests++
    if (event.coldStart) this.#coldStarts++
    if (event.replayed) this.#replays++
    this.#lostLines += event.lostLines ?? 0
  }

  #work(event: Work): void {
    const isCall = event.type === "EXTERNAL_CALL"
    const isFailed = event.error !== undefined || (isCall && isFailing(event.statusCode))
    const name = isCall ? `${event.service} ${event.method} ${event.path}` : `${event.operation} ${event.collection}`
    this.#slowestWork.add(event.durationMs, () => ranked(event, name, isFailed))
    if (isCall) this.#byService.add(short(event.service), event.durationMs, isFailed)
    else this.#byOperation.add(short(name), event.durationMs, isFailed)
  }

  get overview(): Overview {
    const ended = this.#events.REQUEST_COMPLETE + this.#events.REQUEST_ERROR
    const text = (time: number) => (Number.isFinite(time) ? new Date(time).toISOString() : null)
    return {
      from: text(this.#from),
      until: text(this.#until),
      events: { ...this.#events },
      failedRequests: this.#failedRequests,
      unfinished: Math.max(0, this.#events.REQUEST_INCOMING - ended),
      coldStarts: this.#coldStarts,
      replays: this.#replays,
      lostLines: this.#lostLines,
      slowestRequests: this.#slowestRequests.list,
      latestFailures: this.#latestFailures.list,
      slowestWork: this.#slowestWork.list,
      byRequest: this.#byRequest.groups,
      byOperation: this.#byOperation.groups,
      byService: this.#byService.groups
    }
  }
}
