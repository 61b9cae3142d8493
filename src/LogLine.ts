/**
 * Events and lines: one codec, which the viewer reads with. Lines are written by the one-pass serializer of
 * `RequestLogger`, which also redacts and cuts; `format` is for events that have been through it.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { LogEvent } from "./LogEvent.ts"
import { jsonText } from "./internal/logging/Quote.ts"

/** A line that holds none of our events. */
export class LineInvalid extends Schema.TaggedError<LineInvalid>()("LineInvalid", {
  /** The line's beginning. */
  line: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `This is no line of holdfast's log: ${this.detail}. It begins with ${JSON.stringify(this.line)}`
  }
}

const decode = Schema.decodeUnknownResult(LogEvent)
const shown = 80

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const mendError = (error: unknown): unknown => {
  if (!isRecord(error)) return { kind: "failure", tag: "unknown", message: String(error) }
  const { causes, fields, kind, message, others, stack, tag } = error
  return {
    kind: kind === "defect" || kind === "interruption" ? kind : "failure",
    tag: String(tag),
    message: String(message),
    ...(typeof stack === "string" ? { stack } : {}),
    ...(isRecord(fields) ? { fields } : {}),
    ...(Array.isArray(causes)
      ? { causes: causes.filter(isRecord).map((one) => ({ tag: String(one["tag"]), message: String(one["message"]) })) }
      : {}),
    ...(Array.isArray(others) ? { others: others.filter(isRecord).map(mendError) } : {})
  }
}

/** Members that hold what callers gave: where one was cut or hidden as a whole, it is no more what it was. */
const carried = ["data", "headers", "spans", "slowest"] as const
const counts = ["statusCode", "documentCount"] as const

/** An event of which values were cut or hidden so that their form is lost, without these. */
const mend = (value: unknown): unknown => {
  if (!isRecord(value)) return value
  const own: Record<string, unknown> = { ...value }
  for (const name of carried) if (name in own && !isRecord(own[name])) delete own[name]
  for (const name of counts) if (name in own && !Number.isInteger(own[name])) own[name] = null
  if ("error" in own) own["error"] = mendError(own["error"])
  const spans = own["spans"]
  if (isRecord(spans) && !Object.values(spans).every((one) => typeof one === "number")) delete own["spans"]
  return own
}

/** Milliseconds that nothing takes; what is beyond is a mistake. */
const longest = 1e12

/** What is wrong with a moment or a length of time; undefined where nothing is. */
const timeProblem = (event: LogEvent): string | undefined => {
  if (Number.isNaN(Date.parse(event.timestamp))) return `its timestamp is ${JSON.stringify(event.timestamp)}`
  if ("durationMs" in event && !(event.durationMs >= 0 && event.durationMs < longest))
    return `it took ${event.durationMs} ms`
  return undefined
}

/** Fields that we don't know, as those of a later version, are left out; so is what was cut beyond recognition. */
export const parse = (line: string): Result.Result<LogEvent, LineInvalid> => {
  const refuse = (detail: string) => Result.fail(new LineInvalid({ line: line.slice(0, shown), detail }))
  let value: unknown
  try {
    // A byte order mark may stand in front of a file's first line.
    value = JSON.parse(line.startsWith("\ufeff") ? line.slice(1) : line)
  } catch (error) {
    return refuse((error as Error).message)
  }
  const plain = decode(value)
  const decoded = Result.isSuccess(plain) ? plain : decode(mend(value))
  if (Result.isFailure(decoded)) return refuse(decoded.failure.message)
  const problem = timeProblem(decoded.success)
  return problem === undefined ? Result.succeed(decoded.success) : refuse(problem)
}

/** One line, without its end: nothing in it can break it, or move a terminal's cursor. */
export const format = (event: LogEvent): string => jsonText(event)
