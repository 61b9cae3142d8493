/** A collector on a real socket. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { empty } from "holdfast/HttpMessage"
import * as Capture from "holdfast/layers/logging/Capture"
import * as Otlp from "holdfast/layers/logging/Otlp"
import { LogTap } from "holdfast/LogSink"
import * as RequestLogger from "holdfast/RequestLogger"

interface Received {
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

const collector = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<{ readonly endpoint: string; readonly received: Array<Received>; readonly close: () => void }>(
        (resolve) => {
          const received: Array<Received> = []
          const server = createServer((request, response) => {
            let body = ""
            request.on("data", (chunk: Buffer) => (body += String(chunk)))
            request.on("end", () => {
              received.push({ path: request.url!, headers: request.headers, body: JSON.parse(body) })
              response.end("{}")
            })
          })
          server.listen(0, "127.0.0.1", () =>
            resolve({
              endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
              received,
              close: () => void server.close()
            })
          )
        }
      )
  ),
  ({ close }) => Effect.sync(close)
)

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
}
interface LogRecord {
  readonly traceId: string
  readonly spanId: string
  readonly severityText: string
  readonly body: { readonly stringValue: string }
}
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"

describe("a collector", () => {
  it.live("gets spans, logs and metrics, with the ids of the lines; the last of them when the process ends", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { endpoint, received } = yield* collector
        const layer = RequestLogger.layer({ secret: Redacted.make("a secret for tests") }).pipe(
          Layer.provideMerge(
            Otlp.layer({ endpoint, service: "recognitions", headers: { "x-key": Redacted.make("k") } })
          ),
          Layer.provideMerge(Capture.layer)
        )
        const lines = yield* Effect.gen(function* () {
          const captured = yield* Capture.Capture
          const handler = RequestLogger.withRequest({ name: "create" })(() =>
            Effect.gen(function* () {
              yield* RequestLogger.withDatabaseOperation(Effect.void, { operation: "CREATE", collection: "c" })
              yield* Effect.withSpan(Effect.logWarning("odd", { to: "ada@example.com" }), "own work")
              return empty()
            })
          )
          yield* handler({
            method: "POST",
            path: "/",
            headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
            body: ""
          })
          return yield* captured.events
        }).pipe(Effect.provide(layer))
        const bodies = (path: string) => received.filter((one) => one.path === path).map(({ body }) => body)
        const spans = (
          bodies("/v1/traces") as ReadonlyArray<{
            resourceSpans: ReadonlyArray<{ scopeSpans: ReadonlyArray<{ spans: ReadonlyArray<Span> }> }>
          }>
        ).flatMap(({ resourceSpans }) =>
          resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
        )
        const records = (
          bodies("/v1/logs") as ReadonlyArray<{
            resourceLogs: ReadonlyArray<{ scopeLogs: ReadonlyArray<{ logRecords: ReadonlyArray<LogRecord> }> }>
          }>
        ).flatMap(({ resourceLogs }) =>
          resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
        )
        assert.isAbove(bodies("/v1/metrics").length, 0)
        assert.strictEqual(received[0]!.headers["x-key"], "k")
        assert.sameMembers(
          spans.map(({ name }) => name),
          ["POST create", "CREATE c", "own work"]
        )
        for (const span of spans) assert.strictEqual(span.traceId, traceId)
        const root = spans.find(({ name }) => name === "POST create")!
        assert.strictEqual(root.parentSpanId, "00f067aa0ba902b7")
        assert.strictEqual(spans.find(({ name }) => name === "CREATE c")!.parentSpanId, root.spanId)
        for (const event of lines) {
          const record = records.find(
            (one) =>
              one.spanId === event.spanId && (one.body.stringValue === event.type || one.body.stringValue === "odd")
          )
          assert.strictEqual(record?.traceId, traceId)
          assert.isTrue(spans.some(({ spanId }) => spanId === event.spanId))
        }
        assert.strictEqual(records.length, lines.length)
        assert.notInclude(JSON.stringify(received), "ada@example.com")
      })
    )
  )

  const configured = (settings: Readonly<Record<string, string>>) =>
    Effect.gen(function* () {
      return { tap: yield* LogTap, tracer: yield* Tracer.Tracer }
    }).pipe(
      Effect.provide(Otlp.layerConfig()),
      Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(settings)))
    )
  it.live.each([
    [{}],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: "true" }]
  ])("is nothing with the settings %j", ([settings]) =>
    Effect.gen(function* () {
      const { tap, tracer } = yield* configured(settings as Readonly<Record<string, string>>)
      assert.isUndefined(tap)
      assert.strictEqual(tracer, Tracer.nativeTracer)
    })
  )
  it.live("is there with an endpoint in the settings", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* collector
      const { tap, tracer } = yield* configured({
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b,other=c"
      })
      assert.isDefined(tap)
      assert.notStrictEqual(tracer, Tracer.nativeTracer)
    }).pipe(Effect.scoped)
  )
})
