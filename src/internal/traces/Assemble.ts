/**
 * From the lines of a trace, in any order, to its tree. A line has the time of its end: work began `durationMs` before.
 *
 * A parent is found by span id. A request whose parent is not in the log is a root; other work without a parent goes
 * below the request that it says it belongs to, else below the one that ran at the time, else below the first.
 */
import { type Failure, isFailing, type LogEvent, type Of } from "../../LogEvent.ts"
import type { Counts, Kind, Row, Trace } from "./Trace.ts"

interface Node {
  readonly kind: Kind
  readonly name: string
  /** Milliseconds since the epoch; NaN where its lines have no time that can be read. */
  start: number
  readonly duration: number | null
  readonly status: string
  readonly isFailed: boolean
  readonly spanId: string | undefined
  readonly parentSpanId: string | undefined
  readonly error: Failure | undefined
  readonly details: Readonly<Record<string, unknown>>
  readonly executionId: string | undefined
  readonly requestId: string | undefined
  readonly children: Array<Node>
}

/** Fields that a row has a place for. */
const shown: ReadonlySet<string> = new Set([
  "type",
  "traceId",
  "level",
  "spanId",
  "parentSpanId",
  "duration",
  "responseTime",
  "durationMs",
  "error"
])
const detailsOf = (...events: ReadonlyArray<LogEvent | undefined>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    events.flatMap((event) => (event === undefined ? [] : Object.entries(event).filter(([key]) => !shown.has(key))))
  )

type Operation = Of<"DATABASE_OPERATION"> | Of<"EXTERNAL_CALL">
type End = Of<"REQUEST_COMPLETE"> | Of<"REQUEST_ERROR">
interface RequestLines {
  incoming?: Of<"REQUEST_INCOMING">
  end?: End
}

const timeOf = ({ timestamp }: LogEvent): number => Date.parse(timestamp)

const common = (event: LogEvent) => ({
  spanId: event.spanId,
  parentSpanId: event.parentSpanId,
  executionId: event.executionId,
  requestId: event.requestId,
  children: []
})

/** By its end and how long it took; within the millisecond that timestamps leave open, its first line is right. */
const startOf = (incoming: Of<"REQUEST_INCOMING"> | undefined, end: End | undefined): number => {
  const told = incoming === undefined ? Number.NaN : timeOf(incoming)
  if (end === undefined) return told
  const computed = timeOf(end) - end.durationMs
  return Math.abs(told - computed) <= 1 ? told : computed
}

const requestNode = ({ end, incoming }: RequestLines): Node => {
  const first = (incoming ?? end)!
  const code = end?.statusCode
  const isFailed = end?.type === "REQUEST_ERROR" || isFailing(code)
  return {
    kind: "request",
    name: `${first.function === undefined ? "" : `${first.function} `}${first.method} ${first.path}`,
    start: startOf(incoming, end),
    duration: end === undefined ? null : end.durationMs,
    status: end === undefined ? "no end" : code === null || code === undefined ? "error" : String(code),
    isFailed,
    error: end?.type === "REQUEST_ERROR" ? end.error : undefined,
    details: detailsOf(incoming, end),
    ...common(first),
    parentSpanId: incoming?.parentSpanId ?? end?.parentSpanId
  }
}

const operationNode = (event: Operation): Node => {
  const isCall = event.type === "EXTERNAL_CALL"
  const code = isCall ? event.statusCode : null
  const isFailed = event.error !== undefined || isFailing(code)
  return {
    kind: isCall ? "call" : "database",
    name: isCall ? `${event.service} ${event.method} ${event.path}` : `${event.operation} ${event.collection}`,
    start: timeOf(event) - event.durationMs,
    duration: event.durationMs,
    status: code === null ? (isFailed ? "error" : "ok") : String(code),
    isFailed,
    error: event.error,
    details: detailsOf(event),
    ...common(event)
  }
}

/** It belongs to the span that it was written in. */
const logNode = (event: Of<"LOG">): Node => ({
  kind: "log",
  name: event.message,
  start: timeOf(event),
  duration: null,
  status: event.level,
  isFailed: event.level === "error" || event.error !== undefined,
  error: event.error,
  details: detailsOf(event),
  ...common(event),
  spanId: undefined,
  parentSpanId: event.spanId ?? event.parentSpanId
})

/** One node for the two lines of a request; a line that was read twice, as from a file and its copy, counts once. */
const nodesOf = (events: ReadonlyArray<LogEvent>): ReadonlyArray<Node> => {
  const requests = new Map<string, RequestLines>()
  const seen = new Set<string>()
  const others: Array<Node> = []
  for (const event of events) {
    if (event.type === "LOG") others.push(logNode(event))
    else if (event.type === "DATABASE_OPERATION" || event.type === "EXTERNAL_CALL") {
      const identity = `${event.type} ${event.spanId} ${event.timestamp} ${event.durationMs}`
      if (event.spanId !== undefined && seen.has(identity)) continue
      seen.add(identity)
      others.push(operationNode(event))
    } else {
      const identity = event.spanId ?? `no span ${event.executionId} ${event.requestId}`
      const lines: RequestLines = requests.get(identity) ?? {}
      if (event.type === "REQUEST_INCOMING") lines.incoming ??= event
      else lines.end ??= event
      requests.set(identity, lines)
    }
  }
  return [...[...requests.values()].map(requestNode), ...others]
}

const endOf = ({ duration, start }: Node): number => start + (duration ?? 0)

const byStart = (left: Node, right: Node): number =>
  left.start - right.start || (right.duration ?? 0) - (left.duration ?? 0)

const missing = (nodes: ReadonlyArray<Node>): Node => {
  const start = nodes.reduce((least, node) => Math.min(least, node.start), Infinity)
  const end = nodes.reduce((most, node) => Math.max(most, endOf(node)), -Infinity)
  return {
    kind: "missing",
    name: "a request whose own lines are not in the log",
    start,
    duration: end - start,
    status: "",
    isFailed: false,
    spanId: undefined,
    parentSpanId: undefined,
    error: undefined,
    details: {},
    executionId: undefined,
    requestId: undefined,
    children: []
  }
}

/** How many roots are asked whether they ran at a time. */
const asked = 100

/** Finds the request that work without a known parent goes below. */
const homes = (roots: ReadonlyArray<Node>, requests: ReadonlyArray<Node>) => {
  const firstBy = (field: "executionId" | "requestId") =>
    new Map(requests.toReversed().flatMap((one) => (one[field] === undefined ? [] : [[one[field], one] as const])))
  const [byExecution, byRequest] = [firstBy("executionId"), firstBy("requestId")]
  const first = roots.slice(0, asked)
  return (node: Node): Node =>
    byExecution.get(node.executionId ?? "") ??
    byRequest.get(node.requestId ?? "") ??
    first.find((one) => one.start <= node.start && endOf(node) <= endOf(one)) ??
    roots[0]!
}

/** Puts the nodes below each other. Answers the roots. */
const link = (nodes: ReadonlyArray<Node>): ReadonlyArray<Node> => {
  const bySpan = new Map<string, Node>()
  for (const node of nodes) if (node.spanId !== undefined && !bySpan.has(node.spanId)) bySpan.set(node.spanId, node)
  const parentOf = ({ parentSpanId }: Node) => (parentSpanId === undefined ? undefined : bySpan.get(parentSpanId))
  const requests = nodes.filter(({ kind }) => kind === "request")
  const roots = requests.filter((node) => parentOf(node) === undefined)
  const orphans: Array<Node> = []
  for (const node of nodes) {
    const parent = parentOf(node)
    if (parent !== undefined) parent.children.push(node)
    else if (node.kind !== "request") orphans.push(node)
  }
  const reached = new Set<Node>()
  const reach = (from: ReadonlyArray<Node>) => {
    const waiting = [...from]
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      reached.add(node)
      for (const child of node.children) waiting.push(child)
    }
  }
  reach(roots)
  // An orphan never goes below a request that is below itself.
  const isBelowRoot = new Set(reached)
  reach(orphans)
  // What is left are circles of parents, which no honest log has: each is cut at its first node.
  const loose = nodes.filter((node) => !reached.has(node)).toSorted(byStart)
  for (const node of loose) {
    if (reached.has(node)) continue
    const parent = parentOf(node)!
    parent.children.splice(parent.children.indexOf(node), 1)
    reach([node])
    if (node.kind === "request") roots.push(node)
    else orphans.push(node)
  }
  roots.sort(byStart)
  if (roots.length === 0 && orphans.length > 0) roots.push(missing(nodes))
  const homeOf = homes(
    roots,
    requests.filter((request) => isBelowRoot.has(request))
  )
  for (const node of orphans) homeOf(node).children.push(node)
  return roots
}

const rowsOf = (roots: ReadonlyArray<Node>, begin: number): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  const waiting = roots.toReversed().map((node) => ({ node, depth: 0 }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { depth, node } = next
    const { details, duration, error, isFailed, kind, name, parentSpanId, spanId, start, status } = node
    rows.push({
      kind,
      depth,
      name,
      start: thousandths(start - begin),
      duration,
      status,
      isFailed,
      spanId: spanId ?? null,
      parentSpanId: parentSpanId ?? null,
      error: error ?? null,
      details
    })
    for (const child of node.children.toSorted(byStart).toReversed()) waiting.push({ node: child, depth: depth + 1 })
  }
  return rows
}

/** Of a millisecond, which is what durations have. */
const thousandths = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000

const most = 20
const distinct = (values: ReadonlyArray<string | undefined>): ReadonlyArray<string> =>
  [...new Set(values.filter((value) => value !== undefined))].slice(0, most)

const countsOf = (rows: ReadonlyArray<Row>): Counts => {
  const of = (kind: Kind) => rows.filter((row) => row.kind === kind).length
  return {
    requests: of("request"),
    databaseOperations: of("database"),
    externalCalls: of("call"),
    logs: of("log"),
    failed: rows.filter(({ isFailed }) => isFailed).length
  }
}

/** One trace out of all of its events. */
export const assemble = (traceId: string, events: ReadonlyArray<LogEvent>): Trace => {
  const nodes = nodesOf(events)
  const known = nodes.filter(({ start }) => Number.isFinite(start))
  const begin = known.reduce((least, node) => Math.min(least, node.start), Infinity)
  // Without a time it stands at the beginning.
  for (const node of nodes) if (!Number.isFinite(node.start)) node.start = Number.isFinite(begin) ? begin : 0
  const zero = Number.isFinite(begin) ? begin : 0
  const end = nodes.reduce((latest, node) => Math.max(latest, endOf(node)), zero)
  const rows = rowsOf(link(nodes), zero)
  return {
    traceId,
    startedAt: Number.isFinite(begin) ? new Date(begin).toISOString() : null,
    duration: thousandths(end - zero),
    functions: distinct(events.map((event) => event.function)),
    correlationIds: distinct(events.map(({ correlationId }) => correlationId)),
    requestIds: distinct(events.map(({ requestId }) => requestId)),
    executionIds: distinct(events.map(({ executionId }) => executionId)),
    counts: countsOf(rows),
    rows
  }
}

/** Traces by their start. Events outside of any trace are left out. */
export const assembleAll = (events: ReadonlyArray<LogEvent>): ReadonlyArray<Trace> => {
  const groups = new Map<string, Array<LogEvent>>()
  for (const event of events) {
    if (event.traceId === null) continue
    const group = groups.get(event.traceId)
    if (group === undefined) groups.set(event.traceId, [event])
    else group.push(event)
  }
  return [...groups]
    .map(([traceId, own]) => assemble(traceId, own))
    .toSorted((left, right) => ((left.startedAt ?? "") < (right.startedAt ?? "") ? -1 : 1))
}
