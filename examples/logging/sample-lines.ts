/**
 * The three lines of the specification: `npx tsx examples/logging/sample-lines.ts`. The clock stands where the
 * specification's stood, so that the times are its times; `LOG_IP=full` leaves the address whole.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as HttpMessage from "holdfast/HttpMessage"
import * as JsonLines from "holdfast/layers/logging/JsonLines"
import * as RequestLogger from "holdfast/RequestLogger"

const ip = Config.withDefault(Config.Literals(["short", "full", "none"], "LOG_IP"), "short")

const logger = Layer.unwrap(
  Effect.map(ip, (ip) =>
    RequestLogger.layer({
      secret: Redacted.make("an example: yours comes from HOLDFAST_SECRET"),
      redaction: { ip, headers: [] }
    })
  )
).pipe(Layer.provide(JsonLines.layer()))

const handler = RequestLogger.withRequest()(() =>
  Effect.gen(function* () {
    const saved = yield* RequestLogger.withDatabaseOperation(Effect.delay(Effect.succeed({ $id: "1" }), "245 millis"), {
      operation: "CREATE",
      collection: "recognitions"
    })
    return yield* Effect.delay(Effect.succeed(HttpMessage.json(saved)), "105 millis")
  })
)

const program = Effect.gen(function* () {
  yield* TestClock.setTime(Date.parse("2024-01-15T10:30:45.123Z"))
  const answer = yield* Effect.forkChild(
    handler({
      method: "POST",
      path: "/api/functions/create-recognition",
      headers: {
        traceparent: "00-1a2b3c4d5e6f70819a2b3c4d5e6f7081-00f067aa0ba902b7-01",
        "x-appwrite-user-id": "ada",
        "x-appwrite-client-ip": "203.0.113.42"
      },
      body: "{}"
    })
  )
  yield* TestClock.adjust("245 millis")
  yield* TestClock.adjust("105 millis")
  yield* Fiber.join(answer)
})

await Effect.runPromise(program.pipe(Effect.provide(logger), Effect.provide(TestClock.layer())))
