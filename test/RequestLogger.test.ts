import { assert, describe, it, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type * as HttpMessage from "holdfast/HttpMessage"
import { json } from "holdfast/HttpMessage"
import * as Idempotency from "holdfast/Idempotency"
import * as Embedded from "holdfast/layers/databases/Embedded"
import * as Logged from "holdfast/layers/databases/Logged"
import * as Database from "holdfast/layers/idempotency/Database"
import * as MemoryStore from "holdfast/layers/idempotency/Memory"
import * as Capture from "holdfast/layers/logging/Capture"
import * as LogSink from "holdfast/LogSink"
import * as RequestContext from "holdfast/RequestContext"
import * as RequestLogger from "holdfast/RequestLogger"
import { Databases } from "holdfast/Databases"
import { fresh, logged, secret, traceId, traceparent } from "./support/logging.ts"

const request = (headers: Record<string, string> = {}, body = ""): HttpMessage.Request => ({
  method: "POST",
  path: "/api/functions/create-recognition",
  headers,
  body
})
const named = RequestLogger.withRequest({ name: "create-recognition" })

class CardRefused extends Schema.TaggedError<CardRefused>()("CardRefused", { reason: Schema.String }) {
  override get message() {
    return `the card was refused: ${this.reason}`
  }
}

describe("a request", () => {
  it.effect("is logged from its beginning to its end, operations and calls between", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const handler = named(() =>
          Effect.gen(function* () {
            yield* RequestLogger.withDatabaseOperation(Effect.delay(Effect.succeed({ $id: "1" }), "245 millis"), {
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
        const headers = { traceparent, "x-appwrite-user-id": "u1", "x-appwrite-client-ip": "203.0.113.42" }
        const fiber = yield* Effect.forkChild(handler(request(headers)))
        yield* TestClock.adjust("245 millis")
        const response = yield* Fiber.join(fiber)
        assert.strictEqual(response.headers["x-trace-id"], traceId)
        const events = yield* capture.events
        assert.deepStrictEqual(
          events.map(({ type }) => type),
          ["REQUEST_INCOMING", "DATABASE_OPERATION", "EXTERNAL_CALL", "LOG", "REQUEST_COMPLETE"]
        )
        for (const event of events) {
          assert.strictEqual(event.traceId, traceId)
          assert.strictEqual(event.correlationId, traceId)
          assert.strictEqual(event.function, "create-recognition")
        }
        const incoming = yield* capture.one("REQUEST_INCOMING", {
          user: /^[0-9a-f]{16}$/,
          ip: "203.0.113.0",
          parentSpanId: "00f067aa0ba902b7"
        })
        const { spanId } = incoming
        yield* capture.one("DATABASE_OPERATION", {
          documentCount: 1,
          duration: "245ms",
          durationMs: 245,
          parentSpanId: spanId
        })
        yield* capture.one("EXTERNAL_CALL", {
          statusCode: 202,
          path: "/send?token=[redacted:assignment]",
          parentSpanId: spanId
        })
        yield* capture.one("LOG", { message: "created", spanId })
        yield* capture.one("REQUEST_COMPLETE", {
          statusCode: 201,
          responseTime: "245ms",
          spanId,
          databaseOperations: { count: 1, durationMs: 245 },
          externalCalls: { count: 1 },
          slowest: { type: "DATABASE_OPERATION", name: "CREATE recognitions" },
          coldStart: true,
          replayed: false
        })
      })
    )
  )

  it.effect("has the specification's fields first, under its names and in its order", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        yield* named(() =>
          Effect.as(
            RequestLogger.withDatabaseOperation(Effect.void, {
              operation: "CREATE",
              collection: "c",
              documentCount: 1
            }),
            json({})
          )
        )(request())
        const first = (index: number, count: number) =>
          Effect.map(capture.lines, (lines) => Object.keys(JSON.parse(lines[index]!) as object).slice(0, count))
        assert.deepStrictEqual(yield* first(0, 7), ["type", "traceId", "method", "path", "user", "timestamp", "ip"])
        assert.deepStrictEqual(yield* first(1, 7), [
          "type",
          "traceId",
          "operation",
          "collection",
          "documentCount",
          "duration",
          "timestamp"
        ])
        assert.deepStrictEqual(yield* first(2, 5), ["type", "traceId", "statusCode", "responseTime", "timestamp"])
      })
    )
  )

  it.effect("that fails is logged with tag, cause chain and ids, before the failure goes on", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        let before = 0
        const refused = new CardRefused({ reason: "empty" })
        Object.assign(refused, { cause: new Error("the bank said no", { cause: "503" }) })
        const failure = yield* named(() => Effect.fail(refused))(request({ traceparent })).pipe(
          Effect.tapError(() => Effect.map(capture.lines, ({ length }) => (before = length))),
          Effect.flip
        )
        assert.strictEqual(failure, refused)
        assert.strictEqual(before, 2)
        const { error } = yield* capture.one("REQUEST_ERROR", { traceId, statusCode: null, level: "error" })
        assert.strictEqual(error.kind, "failure")
        assert.strictEqual(error.tag, "CardRefused")
        assert.strictEqual(error.message, "the card was refused: empty")
        assert.deepStrictEqual(error.fields, { reason: "empty" })
        assert.deepStrictEqual(
          error.causes?.map(({ message, tag }) => [tag, message]),
          [
            ["Error", "the bank said no"],
            ["string", "503"]
          ]
        )
      })
    )
  )

  it.effect.each([
    ["a defect", Effect.die(new TypeError("x is undefined")), { kind: "defect", tag: "TypeError" }],
    [
      "a handler that throws",
      Effect.sync(() => {
        throw new RangeError("no")
      }),
      { kind: "defect", tag: "RangeError" }
    ],
    ["an interruption", Effect.interrupt, { kind: "interruption", tag: "Interrupted" }],
    ["a failure that is no error", Effect.fail("no"), { kind: "failure", tag: "string", message: "no" }]
  ] as const)("%s is logged too", ([, effect, error]) =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const exit = yield* Effect.exit(named(() => effect)(request()))
        assert.isTrue(Exit.isFailure(exit))
        yield* capture.one("REQUEST_ERROR", { error })
      })
    )
  )

  it.effect("that is interrupted from outside is logged", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const started = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          named(() => Effect.andThen(Deferred.succeed(started, undefined), Effect.never))(request())
        )
        yield* Deferred.await(started)
        yield* Fiber.interrupt(fiber)
        yield* capture.one("REQUEST_ERROR", { error: { kind: "interruption" } })
      })
    )
  )

  it.effect("carries on to others what its caller sent", () =>
    fresh(
      Effect.gen(function* () {
        let sent: Record<string, string> = {}
        const client = RequestLogger.client("billing")(
          HttpClient.make((outgoing) => {
            sent = { ...outgoing.headers }
            return Effect.succeed(HttpClientResponse.fromWeb(outgoing, new Response(null, { status: 204 })))
          })
        )
        yield* named(() => Effect.as(Effect.orDie(client.get("http://127.0.0.1/charge?api_key=x")), json({})))(
          request({
            traceparent,
            tracestate: "foo=1",
            baggage: "k=v",
            "x-correlation-id": "order-17",
            "x-request-id": "r-1"
          })
        )
        const capture = yield* Capture.Capture
        const { spanId } = yield* capture.one("EXTERNAL_CALL", {
          service: "billing",
          method: "GET",
          path: "/charge?api_key=[redacted:assignment]",
          statusCode: 204
        })
        assert.deepStrictEqual(sent, {
          ...sent,
          traceparent: `00-${traceId}-${spanId}-01`,
          tracestate: "foo=1",
          baggage: "k=v",
          "x-trace-id": traceId,
          "x-correlation-id": "order-17",
          "x-request-id": "r-1"
        })
      })
    )
  )

  it.effect("nests what its operations do under them", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const operation = (collection: string) => ({ operation: "GET", collection })
        yield* named(() =>
          Effect.as(
            RequestLogger.withDatabaseOperation(
              RequestLogger.withDatabaseOperation(Effect.void, operation("inner")),
              operation("outer")
            ),
            json({})
          )
        )(request())
        const { spanId } = yield* capture.one("DATABASE_OPERATION", { collection: "outer" })
        yield* capture.one("DATABASE_OPERATION", { collection: "inner", parentSpanId: spanId })
      })
    )
  )

  it.effect("200 at once keep their ids apart, in every fiber", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const handler = named((own) =>
          Effect.gen(function* () {
            const id = own.headers["x-correlation-id"]
            yield* Effect.all(
              [
                Effect.logInfo("a", { id }),
                Effect.andThen(Effect.yieldNow, Effect.logInfo("b", { id })),
                RequestLogger.withDatabaseOperation(Effect.yieldNow, { operation: "GET", collection: id! })
              ],
              { concurrency: "unbounded" }
            )
            return json({})
          })
        )
        yield* Effect.forEach(
          Array.from({ length: 200 }),
          (_, index) => handler(request({ "x-correlation-id": `c-${index}` })),
          {
            concurrency: "unbounded"
          }
        )
        const events = yield* capture.events
        assert.strictEqual(events.length, 200 * 5)
        for (const event of events) {
          if (event.type === "LOG") assert.strictEqual(event.data?.["id"], event.correlationId)
          if (event.type === "DATABASE_OPERATION") assert.strictEqual(event.collection, event.correlationId)
        }
      })
    )
  )

  const Body = Schema.Struct({ amount: Schema.Int, card: Schema.String.annotate({ sensitive: true }) })
  it.effect("shows of its body what a schema lets through, and nothing otherwise", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const body = JSON.stringify({ amount: 5, card: "x", more: "y" })
        yield* named(() => Effect.succeed(json({})))(request({}, body))
        yield* RequestLogger.withRequest({ body: Body })(() => Effect.succeed(json({})))(request({}, body))
        yield* RequestLogger.withRequest({ body: Body })(() => Effect.succeed(json({})))(request({}, "no json"))
        const all = yield* capture.find("REQUEST_INCOMING")
        assert.deepStrictEqual(
          all.map((event) => event.body),
          [undefined, { amount: 5, card: "[redacted:sensitive]" }, undefined]
        )
      })
    )
  )

  it.effect("shows of its headers those that are allowed", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        yield* named(() => Effect.succeed(json({})))(
          request({ "content-type": "a/b", "x-thing": "1", authorization: "Basic opr:secret" })
        )
        const { headers } = yield* capture.one("REQUEST_INCOMING")
        assert.deepStrictEqual(headers, { "content-type": "a/b" })
      })
    )
  )
})

describe("levels", () => {
  it.effect("below the setting cost a line and nothing else", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        yield* named(() =>
          Effect.as(Effect.all([Effect.logInfo("a"), Effect.logWarning("b"), Effect.logError("c")]), json({}, 200))
        )(request())
        yield* named(() => Effect.succeed(json({}, 500)))(request())
        assert.deepStrictEqual(
          (yield* capture.events).map(({ level, type }) => `${type} ${level}`),
          ["LOG warn", "LOG error", "REQUEST_COMPLETE error"]
        )
      }),
      { level: "warn" }
    )
  )
  it.effect("none: no line at all", () =>
    fresh(
      Effect.gen(function* () {
        yield* named(() => Effect.fail("no"))(request()).pipe(Effect.ignore)
        assert.deepStrictEqual(yield* (yield* Capture.Capture).lines, [])
      }),
      { level: "none" }
    )
  )
  it.effect("that there are not refuse to build", () =>
    Effect.gen(function* () {
      const wrong = { level: "loud" } as unknown as RequestLogger.Options
      const error = yield* Effect.flip(fresh(Effect.void, wrong))
      assert.include(error.message, '"loud" is none of debug, info, warn, error, none')
    })
  )
})

describe("sampling", () => {
  const half = { sampling: { ratio: 0.5, slow: 1000, keptLines: 3 } }
  const low = `00-${"1".repeat(32)}-00f067aa0ba902b7-01`
  const high = `00-${"f".repeat(32)}-00f067aa0ba902b7-01`
  it.effect("is by the trace id alone", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const handler = named(() => Effect.succeed(json({})))
        for (const header of [low, high, low]) yield* handler(request({ traceparent: header }))
        const events = yield* capture.events
        assert.deepStrictEqual(new Set(events.map((event) => event.traceId)), new Set(["f".repeat(32)]))
        assert.strictEqual(events.length, 2)
      }),
      half
    )
  )
  it.effect("keeps all lines of a request that failed, answered 5xx, logged an error or was slow", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const run = <E>(effect: Effect.Effect<HttpMessage.Response, E>) =>
          Effect.ignore(named(() => Effect.andThen(Effect.logInfo("first"), effect))(request({ traceparent: low })))
        yield* run(Effect.fail("no"))
        yield* run(Effect.succeed(json({}, 503)))
        yield* run(Effect.as(Effect.logError("bad"), json({})))
        const slow = yield* Effect.forkChild(run(Effect.delay(Effect.succeed(json({})), "1001 millis")))
        yield* TestClock.adjust("1001 millis")
        yield* Fiber.join(slow)
        yield* run(Effect.succeed(json({})))
        assert.strictEqual((yield* capture.find("REQUEST_COMPLETE")).length, 3)
        assert.strictEqual((yield* capture.find("REQUEST_ERROR")).length, 1)
        assert.strictEqual((yield* capture.find("LOG", { message: "first" })).length, 4)
      }),
      { sampling: { ratio: 0.5, slow: 1000 } }
    )
  )
  it.effect("keeps back so many lines, and says how many it dropped", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const many = Effect.forEach(Array.from({ length: 10 }), (_, index) => Effect.logInfo(`line ${index}`))
        yield* Effect.ignore(named(() => Effect.andThen(many, Effect.fail("no")))(request({ traceparent: low })))
        assert.strictEqual((yield* capture.events).length, 3)
        yield* capture.one("REQUEST_INCOMING")
        yield* capture.one("REQUEST_ERROR", { lostLines: 9 })
      }),
      half
    )
  )
  it.effect.each([
    [{ ratio: 2 }, "sampling.ratio"],
    [{ slow: -1 }, "sampling.slow"],
    [{ keptLines: 0 }, "sampling.keptLines"]
  ] as const)("%j refuses to build", ([sampling, option]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(fresh(Effect.void, { sampling }))
      assert.strictEqual(error.option, option)
    })
  )
})

describe("a sink that fails", () => {
  it.effect("fails no request, and is counted", () =>
    Effect.gen(function* () {
      const sink = LogSink.make({
        name: "broken",
        write: () => {
          throw new Error("gone")
        }
      })
      const layer = RequestLogger.layer({ secret }).pipe(Layer.provide(Layer.succeed(LogSink.LogSink, sink)))
      const lost = yield* Effect.provide(
        Effect.andThen(named(() => Effect.succeed(json({})))(request()), RequestLogger.lost),
        layer
      )
      assert.strictEqual(lost, 2)
    })
  )
  it.effect("of one request does not take the lines of others", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const own = Capture.make()
        const handler = named(() => Effect.as(Effect.logInfo("x"), json({})))
        yield* Effect.provideService(handler(request()), LogSink.LogSink, own.sink)
        yield* handler(request())
        assert.strictEqual((yield* own.capture.lines).length, 3)
        assert.strictEqual((yield* capture.lines).length, 3)
      })
    )
  )
})

describe("an async handler", () => {
  it.live("gets the same lines without Effect", () =>
    Effect.promise(async () => {
      const runtime = ManagedRuntime.make(logged())
      const handler = RequestLogger.promise(runtime, { name: "plain" })(async (own, log) => {
        log.info("begun", { path: own.path })
        const saved = await log.databaseOperation({ operation: "CREATE", collection: "c" }, async () => ({ $id: "1" }))
        await log.externalCall({ service: "s", method: "GET", path: "/" }, async (headers) => ({
          status: 200,
          headers
        }))
        log.warn("odd", new Error("but fine"))
        return json(saved, 201)
      })
      const response = await handler(request({ traceparent }))
      assert.strictEqual(response.headers["x-trace-id"], traceId)
      const events = await runtime.runPromise(Effect.flatMap(Effect.service(Capture.Capture), ({ events }) => events))
      assert.deepStrictEqual(
        events.map(({ type }) => type),
        ["REQUEST_INCOMING", "LOG", "DATABASE_OPERATION", "EXTERNAL_CALL", "LOG", "REQUEST_COMPLETE"]
      )
      for (const event of events) assert.strictEqual(event.traceId, traceId)
      await runtime.dispose()
    })
  )
  it.live("throws what it threw, after that was logged", () =>
    Effect.promise(async () => {
      const runtime = ManagedRuntime.make(logged())
      const thrown = new TypeError("no")
      const handler = RequestLogger.promise(runtime)(async (_request, log) => {
        await log.databaseOperation({ operation: "GET", collection: "c" }, () => Promise.reject(thrown))
        return json({})
      })
      const caught = await handler(request()).catch((error: unknown) => error)
      assert.strictEqual(caught, thrown)
      const capture = await runtime.runPromise(Effect.service(Capture.Capture))
      await runtime.runPromise(capture.one("DATABASE_OPERATION", { error: { tag: "TypeError" } }))
      await runtime.runPromise(capture.one("REQUEST_ERROR", { error: { tag: "TypeError", message: "no" } }))
      await runtime.dispose()
    })
  )
})

const databases = Logged.layer.pipe(Layer.provideMerge(Embedded.layer({ filename: ":memory:", databaseId: "main" })))

describe("without being asked", () => {
  layer(
    Layer.mergeAll(
      logged(),
      Logged.layer.pipe(Layer.provide(Embedded.layer({ filename: ":memory:", databaseId: "main" })))
    )
  )("operations on databases", (it) => {
    it.effect("are lines, with their counts and failures", () =>
      Effect.gen(function* () {
        const db = yield* Databases
        const capture = yield* Capture.Capture
        yield* db.createCollection("c", { attributes: [] })
        yield* db.createDocuments("c", [{ $id: "a" }, { $id: "b" }])
        yield* db.listDocuments("c")
        yield* Effect.ignore(db.getDocument("c", "nope"))
        yield* capture.one("DATABASE_OPERATION", {
          operation: "CREATE",
          documentCount: 2,
          database: "main",
          traceId: null
        })
        yield* capture.one("DATABASE_OPERATION", { operation: "LIST", documentCount: 2 })
        yield* capture.one("DATABASE_OPERATION", {
          operation: "GET",
          documentCount: null,
          level: "warn",
          error: { tag: "DatabasesError" }
        })
      })
    )
  })

  const idempotent = Idempotency.middleware({ operation: "charge" })(() => Effect.succeed(json({ charged: true }, 201)))
  const handler = RequestLogger.withRequest({ name: "charge" })(idempotent)
  const keyed = (headers: Record<string, string>) => handler(request({ "idempotency-key": "k1", ...headers }))

  it.effect("the store of keys is, and a replay is a request of the trace of its caller", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const first = yield* keyed({ traceparent, "x-correlation-id": "one" })
        const own = `00-${"a".repeat(32)}-00f067aa0ba902b7-01`
        const second = yield* keyed({ traceparent: own, "x-correlation-id": "two" })
        assert.strictEqual(first.headers["x-trace-id"], traceId)
        assert.strictEqual(second.headers["x-trace-id"], "a".repeat(32))
        assert.strictEqual(second.headers["idempotency-replayed"], "true")
        assert.strictEqual(
          (yield* capture.find("DATABASE_OPERATION", { traceId, collection: "idempotency-keys", operation: "CREATE" }))
            .length,
          2
        )
        yield* capture.one("REQUEST_COMPLETE", { traceId: "a".repeat(32), replayed: true })
      }).pipe(Effect.provide(Idempotency.layer({ localCache: 0 }).pipe(Layer.provide(MemoryStore.layer()))))
    )
  )

  it.effect("but not twice, where the store stands on databases that are logged", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        yield* keyed({})
        const operations = yield* capture.find("DATABASE_OPERATION")
        assert.deepStrictEqual(
          operations.map(({ operation }) => operation).filter((name) => name === "CREATE"),
          ["CREATE", "CREATE"]
        )
        assert.deepStrictEqual(
          [...new Set(operations.map(({ collection, operation }) => `${operation} ${collection}`))],
          ["DESCRIBE_TARGET *", "TIME idempotency-keys", "CREATE idempotency-keys"]
        )
      }).pipe(
        Effect.provide(
          Idempotency.layer().pipe(Layer.provide(Database.layer({ secret }).pipe(Layer.provide(databases))))
        )
      )
    )
  )
})

describe("metrics", () => {
  it.effect("have the time of requests, operations and calls, under OpenTelemetry's names", () =>
    fresh(
      Effect.gen(function* () {
        yield* named(() =>
          Effect.gen(function* () {
            yield* RequestLogger.withDatabaseOperation(Effect.void, { operation: "CREATE", collection: "metered" })
            yield* RequestLogger.withExternalCall(() => Effect.succeed({ status: 200 }), {
              service: "metered",
              method: "GET",
              path: "/"
            })
            return json({})
          })
        )(request())
        const text = yield* PrometheusMetrics.format()
        for (const name of [
          "http_server_request_duration",
          "db_client_operation_duration",
          "http_client_request_duration"
        ])
          assert.include(text, name)
        assert.match(text, /db_client_operation_duration_count\{[^}]*metered[^}]*\} 1/)
      }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
    )
  )
})

describe("a task", () => {
  it.effect("is a trace, or part of the one that it inherits", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const seen = yield* RequestLogger.withTask(
          Effect.map(RequestContext.current, (own) => own?.traceId),
          {
            name: "migrate up",
            inherited: { traceparent }
          }
        )
        assert.strictEqual(seen, traceId)
        yield* capture.one("REQUEST_INCOMING", { method: "RUN", path: "migrate up", trigger: "run", traceId })
        yield* capture.one("REQUEST_COMPLETE", { statusCode: 200 })
        yield* RequestLogger.withTask(Effect.succeed(1), { name: "cleanup", failed: (code) => code !== 0 })
        yield* capture.one("REQUEST_COMPLETE", { statusCode: 500, level: "error" })
      })
    )
  )
})

describe("without HOLDFAST_SECRET", () => {
  it.effect("one secret is drawn for the process, and that is said once", () =>
    Effect.gen(function* () {
      const { capture, sink } = Capture.make()
      const layer = RequestLogger.layer().pipe(Layer.provide(Layer.succeed(LogSink.LogSink, sink)))
      const context = yield* Effect.scoped(Layer.build(layer))
      const asked = named(() => Effect.succeed(json({})))(request({ "x-appwrite-user-id": "u1" }))
      yield* Effect.provideContext(Effect.andThen(asked, asked), context)
      yield* capture.one("LOG", { level: "warn", message: /HOLDFAST_SECRET is not set/ })
      const users = (yield* capture.find("REQUEST_INCOMING")).map(({ user }) => user)
      assert.strictEqual(users[0], users[1])
    })
  )
})
