import { assert, describe, it, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type * as HttpMessage from "holdfast/HttpMessage"
import { json } from "holdfast/HttpMessage"
import * as Capture from "holdfast/layers/logging/Capture"
import * as RequestContext from "holdfast/RequestContext"
import * as RequestLogger from "holdfast/RequestLogger"

const secret = Redacted.make("a secret for tests, of 32 bytes or more")
const logged = (options: RequestLogger.Options = {}) =>
  RequestLogger.layer({ secret, ...options }).pipe(Layer.provideMerge(Capture.layer))

const request = (headers: Record<string, string> = {}): HttpMessage.Request => ({
  method: "POST",
  path: "/api/functions/create-recognition",
  headers,
  body: ""
})
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

layer(logged())("a request", (it) => {
  it.effect("is logged from its beginning to its end, operations and calls between", () =>
    Effect.gen(function* () {
      const capture = yield* Capture.Capture
      const handler = RequestLogger.withRequest({ name: "create-recognition" })(() =>
        Effect.gen(function* () {
          yield* RequestLogger.withDatabaseOperation(Effect.as(Effect.sleep("245 millis"), { $id: "1" }), {
            operation: "CREATE",
            collection: "recognitions"
          })
          yield* RequestLogger.withExternalCall((headers) => Effect.succeed({ status: 202, headers }), {
            service: "slack",
            method: "POST",
            path: "/send?token=abc"
          })
          yield* Effect.logInfo("created", { recipient: "ada@example.com" })
          return json({ ok: true }, 201)
        })
      )
      const fiber = yield* Effect.forkChild(
        handler(request({ traceparent, "x-appwrite-user-id": "u1", "x-appwrite-client-ip": "203.0.113.42" }))
      )
      yield* TestClock.adjust("245 millis")
      const response = yield* Fiber.join(fiber)
      assert.strictEqual(response.headers["x-trace-id"], traceId)
      assert.deepStrictEqual(
        (yield* capture.events).map(({ type }) => type),
        ["REQUEST_INCOMING", "DATABASE_OPERATION", "EXTERNAL_CALL", "LOG", "REQUEST_COMPLETE"]
      )
      for (const event of yield* capture.events) assert.strictEqual(event.traceId, traceId)
      const incoming = yield* capture.one("REQUEST_INCOMING")
      assert.deepStrictEqual(Object.keys(incoming).slice(0, 7), [
        "type",
        "traceId",
        "method",
        "path",
        "user",
        "timestamp",
        "ip"
      ])
      assert.strictEqual(incoming.ip, "203.0.113.0")
      assert.strictEqual(incoming.parentSpanId, "00f067aa0ba902b7")
      const operation = yield* capture.one("DATABASE_OPERATION", {
        operation: "CREATE",
        collection: "recognitions",
        documentCount: 1,
        duration: "245ms",
        durationMs: 245
      })
      assert.strictEqual(operation.parentSpanId, incoming.spanId)
      yield* capture.one("EXTERNAL_CALL", { statusCode: 202, path: "/send?token=[redacted:assignment]" })
      yield* capture.one("LOG", { message: "created" })
      yield* capture.one("REQUEST_COMPLETE", {
        statusCode: 201,
        responseTime: "245ms",
        databaseOperations: { count: 1, durationMs: 245 },
        externalCalls: { count: 1 },
        slowest: { type: "DATABASE_OPERATION", name: "CREATE recognitions" }
      })
      console.log((yield* capture.lines).join("\n"))
      void RequestContext
      void Cause
      void Exit
      void Schema
    })
  )
})
describe("x", () => it("y", () => {}))
