/** `Effect.log` and its like, as lines that carry the request they belong to. */
import * as Cause from "effect/Cause"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type * as LogEvent from "../../LogEvent.ts"
import * as Failures from "./Failures.ts"
import type { RequestLogger } from "./Service.ts"
import { Current, Nearest } from "./State.ts"
import * as Times from "./Times.ts"

const levelOf = {
  All: "debug",
  Trace: "debug",
  Debug: "debug",
  Info: "info",
  Warn: "warn",
  Error: "error",
  Fatal: "error",
  None: "debug"
} as const satisfies Record<LogLevel.LogLevel, LogEvent.Level>

/** Effect's own level, below which a call costs nothing. */
export const minimum = {
  debug: "All",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
} as const satisfies Record<LogEvent.MinimumLevel, LogLevel.LogLevel>

/** What a log call was given, sorted into what a line has. */
export interface Parts {
  message: string
  data: Record<string, unknown> | undefined
  error: Failures.Told | undefined
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * Texts and numbers are the message; members of plain objects are the data; the first error is the error. Everything
 * else is data under the number of its place.
 */
export const sort = (values: ReadonlyArray<unknown>): Parts => {
  const parts: Parts = { message: "", data: undefined, error: undefined }
  const say = (text: string) => {
    parts.message += parts.message === "" ? text : ` ${text}`
  }
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (typeof value === "string") say(value)
    else if (typeof value !== "object" || value === null) say(String(value))
    else if (Cause.isCause(value)) parts.error ??= Failures.ofCause(value)
    else if (value instanceof Error && parts.error === undefined) parts.error = Failures.describe("failure", value)
    else if (isRecord(value)) add(parts, value)
    else add(parts, { [index]: value })
  }
  if (parts.message === "" && parts.error !== undefined) parts.message = parts.error.message
  return parts
}

/** Nothing that the caller has is changed, and no getter is called here: the serializer reads, and is prepared. */
const add = (parts: Parts, more: Readonly<Record<string, unknown>>): void => {
  if (parts.data === undefined) parts.data = more
  else
    parts.data = Object.defineProperties(
      {},
      { ...Object.getOwnPropertyDescriptors(parts.data), ...Object.getOwnPropertyDescriptors(more) }
    )
}

/** What was given, and the annotations in front of it. A proxy may throw at any look; its line says so. */
const partsOf = (message: unknown, annotations: Readonly<Record<string, unknown>>): Parts => {
  try {
    const parts = sort(Array.isArray(message) ? message : [message])
    for (const _ in annotations) {
      const own = parts.data
      parts.data = annotations
      if (own !== undefined) add(parts, own)
      break
    }
    return parts
  } catch {
    return { message: "[unreadable]", data: undefined, error: undefined }
  }
}

export const make = (logger: RequestLogger["Service"]): Logger.Logger<unknown, void> =>
  Logger.make(({ cause, date, fiber, logLevel, message }) => {
    const level = levelOf[logLevel]
    if (!logger.takes(level)) return
    const state = fiber.getRef(Current)
    const parts = partsOf(message, fiber.getRef(References.CurrentLogAnnotations))
    const spans = fiber.getRef(References.CurrentLogSpans)
    const { span } = fiber.cache
    logger.emit(state, level, {
      type: "LOG",
      traceId: state?.context.traceId ?? span?.traceId ?? null,
      message: parts.message,
      timestamp: Times.iso(date.getTime()),
      level,
      spanId: state === undefined ? span?.spanId : (fiber.getRef(Nearest) ?? state.context.spanId),
      data: parts.data,
      spans:
        spans.length === 0
          ? undefined
          : Object.fromEntries(spans.map(([label, begun]) => [label, date.getTime() - begun])),
      error: cause.reasons.length === 0 ? parts.error : (Failures.ofCause(cause) ?? parts.error)
    })
  })
