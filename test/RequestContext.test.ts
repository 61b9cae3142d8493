import { assert, describe, it } from "@effect/vitest"
import * as RequestContext from "holdfast/RequestContext"

const ids = { traceId: () => "a".repeat(32), spanId: () => "b".repeat(16) }
const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
const of = (headers: Record<string, string>) => RequestContext.make({ method: "POST", path: "/", headers }, ids)

/** What a caller sends, and what becomes of it. */
const precedence: ReadonlyArray<
  readonly [title: string, headers: Record<string, string>, expected: Partial<RequestContext.RequestContext>]
> = [
  [
    "nothing: all new",
    {},
    { traceId: ids.traceId(), correlationId: ids.traceId(), requestId: ids.spanId(), random: true }
  ],
  [
    "traceparent goes before X-Trace-Id",
    { traceparent: `00-${trace}-00f067aa0ba902b7-00`, "x-trace-id": "c".repeat(32) },
    { traceId: trace, parentSpanId: "00f067aa0ba902b7", sampled: false, correlationId: trace }
  ],
  ["X-Trace-Id of 32 digits", { "x-trace-id": trace }, { traceId: trace, parentSpanId: undefined, random: false }],
  ["X-Trace-Id in upper case", { "x-trace-id": trace.toUpperCase() }, { traceId: trace }],
  ["X-Trace-Id of 64 bits", { "x-trace-id": "00f067aa0ba902b7" }, { traceId: `${"0".repeat(16)}00f067aa0ba902b7` }],
  [
    "X-Trace-Id that is a UUID",
    { "x-trace-id": "123e4567-e89b-12d3-a456-426614174000" },
    { traceId: "123e4567e89b12d3a456426614174000" }
  ],
  [
    "X-Trace-Id of another form is the correlation id",
    { "x-trace-id": "1a2b3c4d-5e6f7g8h" },
    { traceId: ids.traceId(), correlationId: "1a2b3c4d-5e6f7g8h" }
  ],
  ["X-Trace-Id of zeros", { "x-trace-id": "0".repeat(32) }, { traceId: ids.traceId() }],
  [
    "X-Correlation-Id goes before it",
    { "x-trace-id": "1a2b-x", "x-correlation-id": "order-17" },
    { correlationId: "order-17" }
  ],
  ["X-Request-Id", { "x-request-id": "r-1", "x-appwrite-execution-id": "e1" }, { requestId: "r-1", executionId: "e1" }],
  ["without it Appwrite's execution", { "x-appwrite-execution-id": "e1" }, { requestId: "e1", executionId: "e1" }],
  [
    "a forged id is none",
    { "x-correlation-id": "a\r\nb", "x-request-id": "", "x-appwrite-execution-id": " " },
    { correlationId: ids.traceId(), requestId: ids.spanId(), executionId: undefined }
  ],
  ["an id that is too long is none", { "x-correlation-id": "a".repeat(129) }, { correlationId: ids.traceId() }],
  [
    "who asks, and from where",
    { "x-appwrite-user-id": "u1", "x-appwrite-client-ip": "1.2.3.4" },
    { userId: "u1", ip: "1.2.3.4" }
  ],
  ["an anonymous caller", { "x-appwrite-user-id": "" }, { userId: undefined }],
  ["the first of the addresses that proxies add", { "x-forwarded-for": "1.2.3.4, 10.0.0.1" }, { ip: "1.2.3.4" }],
  ["an event", { "x-appwrite-trigger": "event" }, { trigger: "event" }],
  ["a trigger that there is not", { "x-appwrite-trigger": "x" }, { trigger: "http" }]
]

describe("the context of a request", () => {
  it.each(precedence)("%s", (_title, headers, expected) => {
    const context = of(headers)
    for (const [key, value] of Object.entries(expected))
      assert.deepStrictEqual(context[key as keyof typeof context], value, key)
  })

  it("goes on to whoever is called, with the span that calls", () => {
    const headers = RequestContext.toHeaders(
      of({ traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: "foo=1", baggage: "k=v" }),
      "c".repeat(16)
    )
    assert.deepStrictEqual(headers, {
      traceparent: `00-${trace}-${"c".repeat(16)}-01`,
      tracestate: "foo=1",
      baggage: "k=v",
      "x-trace-id": trace,
      "x-correlation-id": trace,
      "x-request-id": ids.spanId()
    })
  })

  it("of a task is a trace of its own, or part of another", () => {
    assert.strictEqual(RequestContext.ofTask("cleanup", ids).traceId, ids.traceId())
    const inherited = { traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: undefined }
    const part = RequestContext.ofTask("cleanup", ids, inherited)
    assert.strictEqual(part.traceId, trace)
    assert.strictEqual(part.trigger, "run")
  })
})
