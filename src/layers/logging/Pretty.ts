/** Lines for the eyes of a developer: a line each, coloured where the terminal is. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { styleText } from "node:util"
import type * as LogEvent from "../../LogEvent.ts"
import * as LogLine from "../../LogLine.ts"
import * as LogSink from "../../LogSink.ts"
import { visible } from "../../internal/traces/Text.ts"

export interface Options {
  /** Colours. Default where standard error is a terminal that shows them, and NO_COLOR is not set. */
  readonly colors?: boolean | undefined
  /** Takes the text. Default standard error. */
  readonly write?: ((text: string) => void) | undefined
}

type Style = Parameters<typeof styleText>[0]

const levelStyle = { debug: "dim", info: "cyan", warn: "yellow", error: "red" } as const satisfies Record<
  LogEvent.Level,
  Style
>

const json = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text === undefined || text === "{}" ? "" : ` ${visible(text)}`
}

const failure = (error: LogEvent.Failure | undefined): string =>
  error === undefined
    ? ""
    : [
        `\n    ${visible(error.tag)}: ${visible(error.message)}`,
        ...(error.causes ?? []).map(({ message, tag }) => `\n    because of ${visible(tag)}: ${visible(message)}`),
        ...(error.stack === undefined ? [] : error.stack.split("\n").map((line) => `\n      ${visible(line)}`))
      ].join("")

/** What an event says, for people. */
const describe = (event: LogEvent.LogEvent): string => {
  switch (event.type) {
    case "REQUEST_INCOMING":
      return `→ ${visible(event.method)} ${visible(event.path)}${event.user === null ? "" : ` by ${event.user}`}`
    case "DATABASE_OPERATION": {
      const count = event.documentCount === null ? "" : ` (${event.documentCount})`
      return `  ${visible(event.operation)} ${visible(event.collection)}${count} ${event.duration}${failure(event.error)}`
    }
    case "EXTERNAL_CALL": {
      const status = event.statusCode === null ? "" : ` ${event.statusCode}`
      return `  ${visible(event.method)} ${visible(event.service)} ${visible(event.path)}${status} ${event.duration}${failure(event.error)}`
    }
    case "REQUEST_COMPLETE":
      return `← ${event.statusCode} ${visible(event.method)} ${visible(event.path)} ${event.responseTime}${event.replayed ? " replayed" : ""}`
    case "REQUEST_ERROR":
      return `← failed ${visible(event.method)} ${visible(event.path)} ${event.responseTime}${failure(event.error)}`
    case "LOG":
      return `  ${visible(event.message)}${json(event.data)}${failure(event.error)}`
  }
}

/** One event as it is shown. */
export const format = (event: LogEvent.LogEvent, colors: boolean): string => {
  const style = (name: Style, text: string) => (colors ? styleText(name, text, { validateStream: false }) : text)
  const time = style("dim", event.timestamp.slice(11, 23))
  const trace = style("dim", event.traceId?.slice(0, 8) ?? "········")
  return `${time} ${style(levelStyle[event.level], event.level.padEnd(5))} ${trace} ${describe(event)}`
}

export const make = (options: Options = {}): LogSink.Sink => {
  const colors = options.colors ?? process.stderr.hasColors?.() ?? false
  const write = options.write ?? ((text) => void process.stderr.write(text))
  return LogSink.make({
    name: "the terminal",
    write: (line) => {
      const event = LogLine.parse(line)
      write(`${Result.isSuccess(event) ? format(event.success, colors) : line}\n`)
    }
  })
}

export const layer = (options: Options = {}): Layer.Layer<LogSink.LogSink> =>
  Layer.effect(
    LogSink.LogSink,
    Effect.sync(() => make(options))
  )
