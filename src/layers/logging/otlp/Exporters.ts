/** The exporters of `Otlp`: spans and metrics as Effect makes them, logs out of our own lines, which are redacted. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpResource from "effect/observability/OtlpResource"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Redacted from "effect/Redacted"
import type * as LogEvent from "../../../LogEvent.ts"
import { LogTap } from "../../../LogSink.ts"

export interface Options {
  /** Where the collector listens, as `http://localhost:4318`. Default `OTEL_EXPORTER_OTLP_ENDPOINT`; without it nothing. */
  readonly endpoint?: string | undefined
  /** Headers of each export, as an API key. Default `OTEL_EXPORTER_OTLP_HEADERS`. */
  readonly headers?: Readonly<Record<string, Redacted.Redacted>> | undefined
  /** The service's name. Default `OTEL_SERVICE_NAME`, else `holdfast`. */
  readonly service?: string | undefined
  /** How often what there is goes out. Default 5 seconds. */
  readonly interval?: Duration.Input | undefined
  /** How long the end of the process waits for the last export. Default 3 seconds. */
  readonly shutdownTimeout?: Duration.Input | undefined
}

/** Source: OpenTelemetry, "Logs Data Model", SeverityNumber. */
const severity = { debug: 5, info: 9, warn: 13, error: 17 } as const satisfies Record<LogEvent.Level, number>

/** Most records of one export. */
const batch = 500

/** Fields that a record has a place for. */
const placed = new Set(["traceId", "spanId", "timestamp", "level", "message"])

const record = (line: string, level: LogEvent.Level) => {
  const event = JSON.parse(line) as Readonly<Record<string, unknown>>
  const nanoseconds = `${Date.parse(String(event["timestamp"]))}000000`
  const { message, spanId, traceId, type } = event
  return {
    timeUnixNano: nanoseconds,
    observedTimeUnixNano: nanoseconds,
    severityNumber: severity[level],
    severityText: level.toUpperCase(),
    body: { stringValue: typeof message === "string" ? message : String(type) },
    attributes: OtlpResource.entriesToAttributes(Object.entries(event).filter(([name]) => !placed.has(name))),
    droppedAttributesCount: 0,
    ...(typeof traceId === "string" ? { traceId } : {}),
    ...(typeof spanId === "string" ? { spanId } : {})
  }
}

export const layer = (options: Options & { readonly endpoint: string }): Layer.Layer<never> => {
  const base = options.endpoint.replace(/\/+$/, "")
  const headers =
    options.headers &&
    Object.fromEntries(Object.entries(options.headers).map(([name, value]) => [name, Redacted.value(value)]))
  const resource = { serviceName: options.service ?? "holdfast" }
  const exportInterval = options.interval ?? "5 seconds"
  const shutdownTimeout = options.shutdownTimeout ?? "3 seconds"
  const common = { resource, headers, exportInterval, shutdownTimeout }

  const logs = Layer.effect(
    LogTap,
    Effect.gen(function* () {
      const serialization = yield* OtlpSerialization.OtlpSerialization
      const own = yield* OtlpResource.fromConfig(resource)
      const exporter = yield* OtlpExporter.make({
        label: "holdfast logs",
        url: `${base}/v1/logs`,
        headers,
        exportInterval,
        maxBatchSize: batch,
        shutdownTimeout,
        body: (logRecords) => [
          serialization.logs({
            resourceLogs: [{ resource: own, scopeLogs: [{ scope: { name: "holdfast" }, logRecords }] }]
          }),
          Effect.void
        ]
      })
      return (line: string, level: LogEvent.Level) => exporter.push(record(line, level))
    })
  ).pipe(Layer.provide(OtlpExporter.layerFlusher))

  return Layer.mergeAll(
    logs,
    OtlpTracer.layer({ ...common, url: `${base}/v1/traces` }),
    OtlpMetrics.layer({ ...common, url: `${base}/v1/metrics` })
  ).pipe(Layer.provide(OtlpSerialization.layerJson), Layer.provide(FetchHttpClient.layer))
}
