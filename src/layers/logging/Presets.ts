/**
 * The same lines under the names that a log service expects, so that it sorts, links and draws them by itself. Each is
 * a row: what becomes of an event. They come after redaction: nothing in them was not in ours.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as LogEvent from "../../LogEvent.ts"
import * as LogLine from "../../LogLine.ts"
import * as LogSink from "../../LogSink.ts"
import { jsonText } from "../../internal/logging/Quote.ts"

type Fields = { readonly [name: string]: unknown }

export interface Options {
  /** The name of the service, as its dashboards have it. Default `holdfast`. */
  readonly service?: string | undefined
  /** As `production`. Default none. */
  readonly environment?: string | undefined
  readonly version?: string | undefined
}

const without = (event: LogEvent.LogEvent, ...names: ReadonlyArray<string>): Fields =>
  Object.fromEntries(Object.entries(event).filter(([name]) => !names.includes(name)))

const nanoseconds = (event: LogEvent.LogEvent): number | undefined =>
  "durationMs" in event ? Math.round(event.durationMs * 1e6) : undefined

/** What an event says, in one sentence. */
const sentence = (event: LogEvent.LogEvent): string => {
  switch (event.type) {
    case "REQUEST_INCOMING":
      return `${event.method} ${event.path}`
    case "DATABASE_OPERATION":
      return `${event.operation} ${event.collection} took ${event.duration}`
    case "EXTERNAL_CALL":
      return `${event.method} ${event.service} took ${event.duration}`
    case "REQUEST_COMPLETE":
      return `${event.method} ${event.path} answered ${event.statusCode} in ${event.responseTime}`
    case "REQUEST_ERROR":
      return `${event.method} ${event.path} failed: ${event.error.message}`
    case "LOG":
      return event.message
  }
}

const errorOf = (event: LogEvent.LogEvent): LogEvent.Failure | undefined => ("error" in event ? event.error : undefined)
const methodOf = (event: LogEvent.LogEvent): string | undefined => ("method" in event ? event.method : undefined)
const pathOf = (event: LogEvent.LogEvent): string | undefined => ("path" in event ? event.path : undefined)
const statusOf = (event: LogEvent.LogEvent): number | undefined =>
  "statusCode" in event ? (event.statusCode ?? undefined) : undefined

/** The last 64 bits of a trace id as a decimal, as Datadog links by. */
const decimal = (hex: string): string => BigInt(`0x${hex.slice(-16)}`).toString()

const causes = (error: LogEvent.Failure): string =>
  [
    error.stack ?? "",
    ...(error.causes ?? []).map((cause) => `Caused by ${cause.tag}: ${cause.message}\n${cause.stack ?? ""}`)
  ]
    .filter((text) => text !== "")
    .join("\n")

/** Source: Datadog, "Attributes and Aliasing" and "Correlating logs and traces". */
const datadog = (event: LogEvent.LogEvent, { environment, service = "holdfast", version }: Options): Fields => {
  const error = errorOf(event)
  return {
    timestamp: event.timestamp,
    status: event.level,
    message: sentence(event),
    service,
    ddsource: "nodejs",
    ...(environment === undefined ? {} : { env: environment }),
    ...(version === undefined ? {} : { version }),
    ...(event.traceId === null
      ? {}
      : {
          dd: {
            trace_id: event.traceId,
            span_id: event.spanId === undefined ? undefined : decimal(event.spanId)
          }
        }),
    duration: nanoseconds(event),
    ...(methodOf(event) === undefined
      ? {}
      : { http: { method: methodOf(event), url: pathOf(event), status_code: statusOf(event) } }),
    ...(event.type === "REQUEST_INCOMING"
      ? { network: { client: { ip: event.ip ?? undefined } }, usr: { id: event.user ?? undefined } }
      : {}),
    ...(event.type === "DATABASE_OPERATION"
      ? { db: { operation: event.operation, collection: event.collection, instance: event.database } }
      : {}),
    ...(error === undefined ? {} : { error: { kind: error.tag, message: error.message, stack: causes(error) } }),
    holdfast: without(event, "timestamp", "level", "message", "error")
  }
}

/** Source: Elastic Common Schema 8.11. */
const ecs = (event: LogEvent.LogEvent, { environment, service = "holdfast", version }: Options): Fields => {
  const error = errorOf(event)
  return {
    "@timestamp": event.timestamp,
    "log.level": event.level,
    message: sentence(event),
    "ecs.version": "8.11.0",
    "service.name": service,
    "service.environment": environment,
    "service.version": version,
    "trace.id": event.traceId ?? undefined,
    "span.id": event.spanId,
    "parent.id": event.parentSpanId,
    "event.action": event.type.toLowerCase().replaceAll("_", "-"),
    "event.kind": "event",
    "event.duration": nanoseconds(event),
    "event.outcome":
      event.type === "REQUEST_INCOMING" || event.type === "LOG"
        ? undefined
        : error !== undefined || LogEvent.isFailing(statusOf(event))
          ? "failure"
          : "success",
    "http.request.method": methodOf(event),
    "http.request.id": event.requestId,
    "http.response.status_code": statusOf(event),
    "url.original": pathOf(event),
    ...(event.type === "REQUEST_INCOMING"
      ? { "client.address": event.ip ?? undefined, "user.hash": event.user ?? undefined }
      : {}),
    "error.type": error?.tag,
    "error.message": error?.message,
    "error.stack_trace": error === undefined ? undefined : causes(error),
    "faas.execution": event.executionId,
    "faas.name": event.function,
    labels: { correlation_id: event.correlationId },
    holdfast: without(event, "timestamp", "level", "message", "error", "traceId", "spanId", "parentSpanId")
  }
}

/** Metrics out of lines, for those that have a duration. Source: CloudWatch, "Embedded metric format specification". */
const emf = (event: LogEvent.LogEvent, { environment, service = "holdfast" }: Options): Fields => {
  const called = event.type === "EXTERNAL_CALL" ? { peerService: event.service } : {}
  const plain = {
    ...event,
    ...called,
    service,
    ...(environment === undefined ? {} : { environment }),
    message: sentence(event)
  }
  if (!("durationMs" in event)) return plain
  const operation =
    event.type === "DATABASE_OPERATION"
      ? `${event.operation} ${event.collection}`
      : event.type === "EXTERNAL_CALL"
        ? event.service
        : (event.function ?? event.method)
  return {
    _aws: {
      Timestamp: Date.parse(event.timestamp),
      CloudWatchMetrics: [
        {
          Namespace: "Holdfast",
          Dimensions: [
            ["service", "type"],
            ["service", "type", "operationName"]
          ],
          Metrics: [
            { Name: "durationMs", Unit: "Milliseconds" },
            { Name: "failed", Unit: "Count" }
          ]
        }
      ]
    },
    ...plain,
    operationName: operation,
    failed: errorOf(event) !== undefined || LogEvent.isFailing(statusOf(event)) ? 1 : 0
  }
}

/** A new one is a row. */
export const presets = { datadog, ecs, emf } as const satisfies Record<
  string,
  (event: LogEvent.LogEvent, options: Options) => Fields
>
export type Preset = keyof typeof presets

/** Names and repetitions that a preset adds to a line, in bytes. */
const overhead = 1024
/** A field may stand twice in what a preset makes. */
const repetition = 3

/** A sink that gives lines to another under the names of a preset. */
export const rename = (sink: LogSink.Sink, preset: Preset, options: Options = {}): LogSink.Sink => ({
  ...sink,
  limit: { ...sink.limit, size: Math.max(256, Math.floor((sink.limit.size - overhead) / repetition)) },
  write: (line, level) => {
    const event = LogLine.parse(line)
    sink.write(Result.isSuccess(event) ? jsonText(presets[preset](event.success, options)) : line, level)
  }
})

/** Over the layer of a sink: `Presets.layer("ecs").pipe(Layer.provide(JsonLines.layer()))`. */
export const layer = (
  preset: Preset,
  options: Options = {}
): Layer.Layer<LogSink.LogSink, LogSink.SinkInvalid, LogSink.LogSink> =>
  Layer.effect(
    LogSink.LogSink,
    Effect.flatMap(LogSink.LogSink, (sink) =>
      preset in presets
        ? Effect.succeed(rename(sink, preset, options))
        : Effect.fail(
            new LogSink.SinkInvalid({
              sink: sink.name,
              detail: `${JSON.stringify(preset)} is no preset. There are ${Object.keys(presets).join(", ")}`
            })
          )
    )
  )
