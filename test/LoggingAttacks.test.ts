/** What somebody who wished logging ill has tried: no request changes by it, and nothing stands in a line that must not. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { empty, json, type Request } from "holdfast/HttpMessage"
import * as Capture from "holdfast/layers/logging/Capture"
import * as JsonLines from "holdfast/layers/logging/JsonLines"
import * as Otlp from "holdfast/layers/logging/Otlp"
import * as Presets from "holdfast/layers/logging/Presets"
import * as LogLine from "holdfast/LogLine"
import * as LogSink from "holdfast/LogSink"
import * as RequestLogger from "holdfast/RequestLogger"
import { fresh, logged, recordingTracer, secret, traceId as trace, traceparent } from "./support/logging.ts"

const request = (headers: Record<string, string> = {}, path = "/"): Request => ({
  method: "POST",
  path,
  headers,
  body: ""
})
const named = RequestLogger.withRequest({ name: "attacked" })

const selfish = new AggregateError([], "selfish")
selfish.errors.push(selfish)
let wide: Error = new Error("leaf")
for (let level = 0; level < 8; level++)
  wide = new AggregateError(
    Array.from({ length: 10 }, () => wide),
    "wide"
  )
let deep: Error = new Error("leaf")
for (let level = 0; level < 30_000; level++) deep = new AggregateError([deep], "deep")

describe("an error", () => {
  it.live.each([
    ["holds itself", selfish],
    ["holds a hundred million", wide],
    ["is 30,000 deep", deep],
    [
      "has a message that throws",
      Object.defineProperty(new Error("x"), "message", {
        get: () => {
          throw new Error("no")
        }
      })
    ],
    [
      "is a revoked proxy",
      (() => {
        const { proxy, revoke } = Proxy.revocable(new Error("x"), {})
        revoke()
        return proxy
      })()
    ]
  ] as const)("that %s is logged, and goes on as it is", ([, error]) =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const begun = process.cpuUsage()
        const caught = yield* Effect.flip(named(() => Effect.fail(error))(request()))
        const { user } = process.cpuUsage(begun)
        assert.isTrue(caught === error)
        yield* capture.one("REQUEST_ERROR", { error: { kind: "failure" } })
        assert.isBelow(user, 500_000)
      })
    )
  )

  it.effect("has its fields hidden by their paths", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const error = Object.assign(new Error("m"), { detail: { x: "SECRET" } })
        yield* Effect.ignore(named(() => Effect.fail(error))(request()))
        yield* Effect.logInfo("x", { a: error })
        assert.notInclude((yield* capture.lines).join(), "SECRET")
      }),
      { redaction: { paths: ["error.fields.detail.x", "a.detail", "a.message"] } }
    )
  )
})

describe("code without types", () => {
  it.live("that answers nothing, gives no headers or throws at once changes nothing but its line", () =>
    Effect.promise(async () => {
      const runtime = ManagedRuntime.make(logged())
      const nothing = RequestLogger.promise(runtime)((() => undefined) as never)
      assert.isUndefined(await nothing({ method: "GET", path: "/" } as never))
      const plain = RequestLogger.promise(runtime)((() => ({ status: 200 })) as never)
      assert.strictEqual((await plain({ ...request(), headers: { traceparent: [traceparent] } } as never)).status, 200)
      const thrown = new RangeError("at once")
      const throwing = RequestLogger.promise(runtime)(() => {
        throw thrown
      })
      assert.strictEqual(await throwing(request()).catch((error: unknown) => error), thrown)
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      const hostile = RequestLogger.promise(runtime)(async (_request, log) => {
        log.info("given", proxy)
        return empty()
      })
      assert.strictEqual((await hostile(request())).status, 204)
      await runtime.dispose()
    })
  )

  it.effect("whose own ids stand in an answer gives ours alone", () =>
    fresh(
      Effect.gen(function* () {
        const { headers } = yield* named(() => Effect.succeed(json({}, 200, {})))(request({ traceparent }))
        assert.strictEqual(headers["x-trace-id"], trace)
        const own = yield* named(() => Effect.succeed({ status: 200, headers: { "X-Trace-Id": "mine" }, body: "" }))(
          request()
        )
        assert.deepStrictEqual(
          Object.keys(own.headers).filter((name) => name.toLowerCase() === "x-trace-id"),
          ["x-trace-id"]
        )
      })
    )
  )

  it.effect.each([
    [{ redaction: { headers: "accept" } }, "redaction.headers"],
    [{ redaction: { names: "pw" } }, "redaction.names"],
    [{ redaction: { disabled: ["nope"] } }, "redaction.disabled"],
    [{ redaction: { rules: [{ name: "x" }] } }, "redaction.rules"],
    [{ redaction: { schemas: [{}] } }, "redaction.schemas"],
    [{ secret: "plain" }, "secret"]
  ])("and gives %j is told which option is wrong", ([options, option]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(fresh(Effect.void, options as RequestLogger.Options))
      assert.strictEqual(error._tag, "LogOptionsInvalid")
      if (error._tag === "LogOptionsInvalid") assert.strictEqual(error.option, option)
    })
  )

  it.effect("and names no preset, or no collector, is told so", () =>
    Effect.gen(function* () {
      const sink = Layer.succeed(LogSink.LogSink, LogSink.make({ name: "test", write: () => {} }))
      const preset = Presets.layer("nope" as Presets.Preset).pipe(Layer.provide(sink))
      assert.include((yield* Effect.flip(Effect.scoped(Layer.build(preset)))).message, '"nope" is no preset')
      const collector = yield* Effect.flip(Effect.scoped(Layer.build(Otlp.layer({ endpoint: "nonsense" }))))
      assert.include(collector.message, "nonsense")
    })
  )
})

describe("a sink of somebody's", () => {
  it.effect("may die at everything: the request ends as it does", () =>
    Effect.gen(function* () {
      const die = () => {
        throw new Error("gone")
      }
      const sink: LogSink.Sink = LogSink.make({ name: "hostile", write: die, lost: die, flush: Effect.sync(die) })
      const layer = RequestLogger.layer({ secret }).pipe(Layer.provide(Layer.succeed(LogSink.LogSink, sink)))
      const { status } = yield* Effect.provide(named(() => Effect.succeed(empty()))(request()), layer)
      assert.strictEqual(status, 204)
    })
  )

  it.live("that is a pipe without a reader refuses to build, and does not wait for one", () =>
    Effect.promise(async () => {
      const folder = mkdtempSync(join(tmpdir(), "holdfast-pipe-"))
      const to = join(folder, "pipe")
      await promisify(execFile)("mkfifo", [to])
      const made = await Effect.runPromise(Effect.result(Effect.scoped(JsonLines.make({ to }))))
      assert.isTrue(Result.isFailure(made))
      rmSync(folder, { recursive: true })
    })
  )
})

describe("a line", () => {
  it.effect("that was cut or hidden out of its form is still an event", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const sink = LogSink.make({
        name: "test",
        limit: { size: 7900, unit: "characters" },
        write: (line) => void lines.push(line)
      })
      const options = { secret, redaction: { paths: ["headers", "error.fields"] } }
      const layer = RequestLogger.layer(options).pipe(Layer.provide(Layer.succeed(LogSink.LogSink, sink)))
      const long = (index: number) =>
        new Error(`${index} ${"x ".repeat(1000)}`, { cause: new Error("y ".repeat(1000)) })
      const errors = new AggregateError(
        Array.from({ length: 5 }, (_, index) => long(index)),
        "many"
      )
      const handler = named(() =>
        Effect.gen(function* () {
          yield* Effect.withLogSpan(Effect.logInfo("in"), "token")
          yield* Effect.logInfo(
            "x",
            new Proxy(
              {},
              {
                ownKeys: () => {
                  throw new Error("no")
                }
              }
            )
          )
          yield* Effect.logInfo("x", Object.assign(Object.create(null) as object, { toJSON: () => "text" }))
          return yield* Effect.fail(errors)
        })
      )
      yield* Effect.ignore(Effect.provide(handler(request({ accept: "x" })), layer))
      assert.strictEqual(lines.length, 5)
      for (const line of lines) {
        assert.isTrue(Result.isSuccess(LogLine.parse(line)), line)
        assert.isAtMost(line.length, 7900)
      }
    })
  )
  it.each([
    '{"type":"LOG","traceId":null,"message":"x","timestamp":"+999999-01-01","level":"info"}',
    '{"type":"DATABASE_OPERATION","traceId":null,"operation":"a","collection":"b","documentCount":1,"duration":"0ms","timestamp":"2024-01-15T10:30:45.368Z","level":"info","durationMs":1e308}'
  ])("%s is none", (line) => assert.isTrue(Result.isFailure(LogLine.parse(line))))
  it("behind a byte order mark is one", () => {
    const line =
      '\ufeff{"type":"LOG","traceId":null,"message":"x","timestamp":"2024-01-15T10:30:45.368Z","level":"info"}'
    assert.isTrue(Result.isSuccess(LogLine.parse(line)))
  })
})

describe("a trace", () => {
  it.effect("goes on in a task or a request inside a request", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        yield* named(() =>
          Effect.andThen(
            RequestLogger.withTask(Effect.void, { name: "task" }),
            RequestLogger.withRequest({ name: "inner" })(() => Effect.succeed(empty()))(request())
          )
        )(request({ traceparent, "x-correlation-id": "c1" }))
        const [outer, task, inner] = yield* capture.find("REQUEST_INCOMING")
        for (const event of [task, inner]) {
          assert.strictEqual(event!.traceId, trace)
          assert.strictEqual(event!.parentSpanId, outer!.spanId)
          assert.strictEqual(event!.correlationId, "c1")
        }
      })
    )
  )
  it.effect("has no parents that no line has, also where spans without lines lie between", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const operation = { operation: "GET", collection: "c" }
        yield* named(() =>
          Effect.as(
            Effect.withSpan(RequestLogger.withDatabaseOperation(Effect.logInfo("in it"), operation), "between"),
            empty()
          )
        )(request())
        const { spanId } = yield* capture.one("REQUEST_INCOMING")
        const inside = yield* capture.one("DATABASE_OPERATION", { parentSpanId: spanId })
        yield* capture.one("LOG", { spanId: inside.spanId })
      })
    )
  )
})

describe("a client", () => {
  const answering = (seen: (request: HttpClientRequest.HttpClientRequest) => void) =>
    HttpClient.make((outgoing) => {
      seen(outgoing)
      return Effect.succeed(HttpClientResponse.fromWeb(outgoing, new Response("ok")))
    })

  it.effect("with an address of its own keeps it, sends one trace, and shows no webhook", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        let sent: HttpClientRequest.HttpClientRequest | undefined
        const based = answering((own) => (sent = own)).pipe(
          HttpClient.mapRequest(HttpClientRequest.prependUrl("http://127.0.0.1:1"))
        )
        const hook = ["/services", "T02ABCDEFGH", "B06ABCDEFGH", "KJhskdfhKJH"].join("/")
        yield* named(() => Effect.as(Effect.orDie(RequestLogger.client("slack")(based).post(hook)), empty()))(
          request({ traceparent })
        )
        const { spanId } = yield* capture.one("EXTERNAL_CALL", {
          statusCode: 200,
          path: "/services/[redacted:webhook]"
        })
        assert.strictEqual(sent!.url, `http://127.0.0.1:1${hook}`)
        assert.strictEqual(sent!.headers["traceparent"], `00-${trace}-${spanId}-01`)
        assert.notProperty(sent!.headers, "b3")
      })
    )
  )
  it.live("that fails shows neither the headers nor the body that it sent", () =>
    fresh(
      Effect.gen(function* () {
        const capture = yield* Capture.Capture
        const handler = named(() =>
          Effect.gen(function* () {
            const client = RequestLogger.client("away")(yield* HttpClient.HttpClient)
            const outgoing = HttpClientRequest.post("http://127.0.0.1:1/x").pipe(
              HttpClientRequest.setHeader("x-custom-thing", "HEADERVALUE"),
              HttpClientRequest.bodyText("BODYVALUE")
            )
            yield* client.execute(outgoing)
            return empty()
          })
        )
        yield* Effect.ignore(handler(request({ baggage: "k=BAGGAGEVALUE" })))
        const text = (yield* capture.lines).join("\n")
        yield* capture.one("EXTERNAL_CALL", { level: "warn" })
        for (const value of ["HEADERVALUE", "BODYVALUE", "BAGGAGEVALUE"]) assert.notInclude(text, value)
      }).pipe(Effect.provide(FetchHttpClient.layer))
    )
  )
})

describe("a router", () => {
  const size = Effect.gen(function* () {
    const own = yield* HttpServerRequest.HttpServerRequest
    const bytes = yield* Stream.runFold(
      own.stream,
      () => 0,
      (sum, chunk: Uint8Array) => sum + chunk.length
    )
    return HttpServerResponse.text(String(bytes))
  })
  const routes = HttpRouter.use((router) =>
    Effect.gen(function* () {
      yield* router.prefixed("/api").add("POST", "/size", size)
      yield* router.add("POST", "/teapot", Effect.fail(HttpServerResponse.text("teapot", { status: 418 })))
      yield* router.add(
        "POST",
        "/both",
        RequestLogger.withRequest({ name: "route" })(Effect.succeed(HttpServerResponse.empty()))
      )
    })
  )
  const everywhere = HttpRouter.middleware((app) => RequestLogger.withRequest({ name: "all" })(app), { global: true })

  it.live(
    "keeps the bodies of its requests, and its failures' answers, with their ids; a route is inside the rest",
    () =>
      fresh(
        Effect.gen(function* () {
          const capture = yield* Capture.Capture
          const send = (path: string, body: string) =>
            Effect.flatMap(HttpClient.HttpClient, (client) =>
              client.execute(HttpClientRequest.post(path).pipe(HttpClientRequest.bodyText(body, "application/json")))
            )
          yield* Layer.build(
            HttpRouter.serve(Layer.merge(routes, everywhere), { disableLogger: true, disableListenLog: true })
          )
          assert.strictEqual(yield* (yield* send("/api/size", `{"amount":5}`)).text, "12")
          assert.strictEqual(yield* (yield* send("/api/size", "y".repeat(300_000))).text, "300000")
          const failed = yield* send("/teapot", "{}")
          assert.strictEqual(failed.status, 418)
          const { traceId } = yield* capture.one("REQUEST_ERROR", { statusCode: 418, level: "warn" })
          assert.strictEqual(failed.headers["x-trace-id"], traceId)
          yield* capture.clear
          yield* send("/both", "{}")
          const [outer, inner] = yield* capture.find("REQUEST_INCOMING")
          assert.strictEqual(inner!.traceId, outer!.traceId)
          assert.strictEqual(inner!.parentSpanId, outer!.spanId)
        }).pipe(Effect.scoped, Effect.provide(NodeHttpServer.layerTest))
      )
  )
})

describe("what is told to others", () => {
  it.effect("a tracer gets attributes as lines have them", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recordingTracer()
      const layer = logged().pipe(Layer.provide(Layer.succeed(Tracer.Tracer, tracer)))
      const attributes = {
        password: "hunter2",
        nested: { password: "hunter2", list: [["AKIA", "IOSFODNN7EXAMPLE"].join("")] },
        card: 4_111_111_111_111_111,
        userId: "user-77",
        [["ghp_", "aZ3kQ9xW7mN2bV5cR8tY1uP4aZ3kQ9xW7mN2"].join("")]: 1,
        error: new Error("password=hunter2")
      }
      yield* Effect.provide(
        named(() => Effect.as(Effect.withSpan(Effect.void, "work", { attributes }), empty()))(request({ traceparent })),
        layer
      )
      const told = JSON.stringify(spans.map((span) => [...span.attributes]))
      for (const value of ["hunter2", "IOSFODNN7", "4111111111111111", "user-77", "aZ3kQ9xW7m"])
        assert.notInclude(told, value)
      // What lines and spans are joined by is whole.
      assert.include(told, trace)
    })
  )
  it.effect("labels of metrics are those of a logger's own rules, whoever wrote them first", () =>
    Effect.gen(function* () {
      const told = (options: RequestLogger.Options) =>
        fresh(
          Effect.andThen(
            RequestLogger.withDatabaseOperation(Effect.void, { operation: "GET", collection: "of bob@example.com" }),
            PrometheusMetrics.format()
          ),
          options
        ).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
      assert.include(yield* told({ redaction: { patterns: false } }), "bob@example.com")
      assert.notInclude(yield* told({}), "bob@example.com")
    })
  )
  it.effect("labels of metrics hold no secrets, and no method that somebody thought of", () =>
    fresh(
      Effect.gen(function* () {
        const key = ["ghp_", "aZ3kQ9xW7mN2bV5cR8tY1uP4aZ3kQ9xW7mN2"].join("")
        yield* named(() =>
          Effect.as(
            RequestLogger.withDatabaseOperation(Effect.void, {
              operation: "GET",
              collection: `of ada@example.com ${key}`
            }),
            empty()
          )
        )({ ...request(), method: `POST ${key}` })
        const text = yield* PrometheusMetrics.format()
        assert.notInclude(text, key)
        assert.notInclude(text, "ada@example.com")
        assert.include(text, "_OTHER")
      }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
    )
  )
})

describe("time", () => {
  it.live.each([`/%zz${"a".repeat(8000)}`, `/${"a".repeat(7900)}%`, `/${"%".repeat(8000)}`, `/${"%41".repeat(2600)}`])(
    "a hostile path costs less than 30 milliseconds (%#)",
    ([path]) =>
      fresh(
        Effect.gen(function* () {
          const handler = named(() => Effect.succeed(empty()))
          yield* handler(request())
          const begun = process.cpuUsage()
          for (let round = 0; round < 5; round++) yield* handler(request({}, path))
          assert.isBelow(process.cpuUsage(begun).user / 5, 30_000)
        })
      )
  )
})

describe("a process", () => {
  it("that ends writes what every logger on its sink keeps back", async () => {
    const program = `
      import * as Effect from "effect/Effect"
      import * as Scope from "effect/Scope"
      import * as JsonLines from "holdfast/layers/logging/JsonLines"
      const sink = await Effect.runPromise(Effect.provideService(JsonLines.make(), Scope.Scope, Scope.makeUnsafe()))
      for (const name of ["one", "two"]) sink.attach(() => sink.write(name, "info"))
      process.exit(0)`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=source", "--input-type=module", "-e", program],
      { cwd: join(import.meta.dirname, "..") }
    )
    assert.strictEqual(stdout, "one\ntwo\n")
  })

  it("ends gracefully where it was told how, whenever that was", async () => {
    const program = `
      import * as Effect from "effect/Effect"
      import * as ManagedRuntime from "effect/ManagedRuntime"
      import * as JsonLines from "holdfast/layers/logging/JsonLines"
      process.once("SIGTERM", () => setImmediate(() => { process.stdout.write("graceful"); process.exit(3) }))
      const runtime = ManagedRuntime.make(JsonLines.layer({ to: "/dev/null" }))
      await runtime.runPromise(Effect.void)
      process.send("ready")
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", program], {
      cwd: join(import.meta.dirname, ".."),
      stdio: ["ignore", "pipe", "inherit", "ipc"]
    })
    let text = ""
    child.stdout!.on("data", (chunk: Buffer) => (text += String(chunk)))
    await once(child, "message")
    child.kill("SIGTERM")
    await once(child, "close")
    assert.strictEqual(text, "graceful")
    assert.strictEqual(child.exitCode, 3)
  })
})
