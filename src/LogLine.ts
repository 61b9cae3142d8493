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

/** Fields that we don't know, as those of a later version, are left out. */
export const parse = (line: string): Result.Result<LogEvent, LineInvalid> => {
  const refuse = (detail: string) => Result.fail(new LineInvalid({ line: line.slice(0, shown), detail }))
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return refuse((error as Error).message)
  }
  return Result.mapError(
    decode(value),
    ({ message }) => new LineInvalid({ line: line.slice(0, shown), detail: message })
  )
}

/** One line, without its end: nothing in it can break it, or move a terminal's cursor. */
export const format = (event: LogEvent): string => jsonText(event)
