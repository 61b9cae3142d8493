/** The wire contract, on requests as data and on a real socket through effect/http. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { createServer } from "node:http"
import * as Attribute from "../src/Attribute.ts"
import { Databases } from "../src/Databases.ts"
import * as HttpMessage from "../src/HttpMessage.ts"
import * as Idempotency from "../src/Idempotency.ts"
import * as Embedded from "../src/layers/databases/Embedded.ts"
import * as Database from "../src/layers/idempotency/Database.ts"
import * as Memory from "../src/layers/idempotency/Memory.ts"
import * as Problem from "../src/Problem.ts"

const service = Idempotency.layer().pipe(Layer.provide(Memory.layer()))

const request = (
  headers: HttpMessage.Headers = {},
  body: string | Uint8Array = `{"b":1,"a":2}`
): HttpMessage.Request => ({
  method: "POST",
  path: "/recognitions?x=1",
  headers: { "content-type": "application/json", "idempotency-key": `"k1"`, ...headers },
  body
})
/** Without a header. */
const without = ({ headers, ...rest }: HttpMessage.Request, name: string): HttpMessage.Request => ({
  ...rest,
  headers: Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))
})

const counting = () => {
  const seen: Array<HttpMessage.Request> = []
  const handler = (one: HttpMessage.Request) =>
    Effect.sync(() => {
      seen.push(one)
      return HttpMessage.json({ number: seen.length }, 201, {
        Location: `/recognitions/${seen.length}`,
        "Set-Cookie": "session=1",
        "X-Appwrite-Execution-Id": "e1",
        "X-Custom": "kept"
      })
    })
  return { seen, handler }
}

const kindOf = ({ body, headers }: HttpMessage.Response) => {
  assert.strictEqual(headers["content-type"], "application/problem+json")
  return Problem.kindOf(JSON.parse(String(body)))
}

describe("Idempotency.middleware on requests as data", () => {
  it.effect("replays status, headers and body, marks it, and echoes the key", () =>
    Effect.gen(function* () {
      const { handler, seen } = counting()
      const protect = Idempotency.middleware({ operation: "create" })(handler)
      const first = yield* protect(request())
      assert.strictEqual(first.status, 201)
      assert.strictEqual(first.headers["set-cookie"], "session=1")
      assert.strictEqual(first.headers["idempotency-key"], `"k1"`)
      assert.isUndefined(first.headers["idempotency-replayed"])
      const again = yield* protect(request())
      assert.deepStrictEqual(again, {
        status: 201,
        headers: {
          "content-type": "application/json",
          location: "/recognitions/1",
          "x-custom": "kept",
          "idempotency-replayed": "true",
          "idempotency-key": `"k1"`
        },
        body: first.body
      })
      assert.strictEqual(seen.length, 1)
    }).pipe(Effect.provide(service))
  )

  it.effect("keeps the headers that are asked for alone", () =>
    Effect.gen(function* () {
      const protect = Idempotency.middleware({ operation: "create", headers: ["Location", "Set-Cookie"] })(
        counting().handler
      )
      yield* protect(request())
      const { headers } = yield* protect(request())
      assert.deepStrictEqual(Object.keys(headers).toSorted(), ["idempotency-key", "idempotency-replayed", "location"])
    }).pipe(Effect.provide(service))
  )

  it.effect("compares JSON whatever the order of its keys, and everything else by its bytes", () =>
    Effect.gen(function* () {
      const { handler, seen } = counting()
      const protect = Idempotency.middleware({ operation: "create" })(handler)
      yield* protect(request())
      const same = yield* protect(request({ "content-type": "application/json; charset=utf-8" }, `{"a":2, "b":1}`))
      assert.strictEqual(same.headers["idempotency-replayed"], "true")
      for (const other of [
        request({}, `{"a":2,"b":2}`),
        request({ "content-type": "text/plain" }),
        { ...request(), method: "PATCH" },
        { ...request(), path: "/recognitions?x=2" }
      ]) {
        const refused = yield* protect(other)
        assert.strictEqual(refused.status, 422)
        assert.strictEqual(kindOf(refused), "fingerprint-mismatch")
      }
      const binary = (last: number) =>
        request({ "idempotency-key": "b1", "content-type": "image/png" }, new Uint8Array([1, 0xff, last]))
      yield* protect(binary(1))
      assert.strictEqual((yield* protect(binary(2))).status, 422)
      assert.strictEqual((yield* protect(binary(1))).headers["idempotency-replayed"], "true")
      assert.strictEqual(seen.length, 2)
    }).pipe(Effect.provide(service))
  )

  it.effect("compares the fields that are asked for alone", () =>
    Effect.gen(function* () {
      const { handler } = counting()
      const protect = Idempotency.middleware({
        operation: "create",
        fingerprint: ({ body }) => JSON.parse(String(body)).a
      })(handler)
      yield* protect(request())
      assert.strictEqual((yield* protect(request({}, `{"a":2,"b":9}`))).headers["idempotency-replayed"], "true")
      assert.strictEqual((yield* protect(request({}, `{"a":3}`))).status, 422)
    }).pipe(Effect.provide(service))
  )

  it.effect("refuses what is no key with the reason, and runs nothing", () =>
    Effect.gen(function* () {
      const { handler, seen } = counting()
      const protect = Idempotency.middleware({ operation: "create" })(handler)
      const missing = yield* protect(without(request(), "idempotency-key"))
      assert.strictEqual(missing.status, 400)
      assert.strictEqual(kindOf(missing), "key-missing")
      for (const key of ["", `"a`, "a, b", `"a", "b"`, "ü", "x".repeat(256), "a b"]) {
        const refused = yield* protect(request({ "idempotency-key": key }))
        assert.strictEqual(refused.status, 400, key)
        assert.strictEqual(kindOf(refused), "key-invalid", key)
      }
      const strict = Idempotency.middleware({ operation: "create", strict: true })(handler)
      assert.strictEqual((yield* strict(request({ "idempotency-key": "bare" }))).status, 400)
      assert.strictEqual(kindOf(yield* protect(request({ "x-appwrite-user-id": "evil, real" }))), "user-invalid")
      assert.strictEqual(seen.length, 0)
    }).pipe(Effect.provide(service))
  )

  it.effect("takes a bare token, a quoted string and parameters for one key", () =>
    Effect.gen(function* () {
      const { handler, seen } = counting()
      const protect = Idempotency.middleware({ operation: "create" })(handler)
      for (const key of ["k1", `"k1"`, ` "k1" `, `"k1";v=1`, "k1;v=1"]) {
        assert.strictEqual((yield* protect(request({ "idempotency-key": key }))).status, 201, key)
      }
      assert.strictEqual(seen.length, 1)
    }).pipe(Effect.provide(service))
  )

  it.effect("lets other methods pass, and says where nothing protects", () =>
    Effect.gen(function* () {
      const { handler, seen } = counting()
      const protect = Idempotency.middleware({ operation: "create", keyPolicy: "optional" })(handler)
      yield* protect({ ...request(), method: "GET" })
      yield* protect({ ...request(), method: "GET" })
      const open = yield* protect(without(request(), "idempotency-key"))
      assert.strictEqual(open.headers["idempotency-status"], "unprotected")
      assert.strictEqual(seen.length, 3)
    }).pipe(Effect.provide(service))
  )

  it.effect("validates before the claim, so that a malformed request burns no key", () =>
    Effect.gen(function* () {
      const { handler } = counting()
      let isValid = false
      const protect = Idempotency.middleware({
        operation: "create",
        validate: () => Effect.sync(() => (isValid ? undefined : HttpMessage.json({ error: "no" }, 400)))
      })(handler)
      assert.strictEqual((yield* protect(request({}, "{"))).status, 400)
      isValid = true
      assert.strictEqual((yield* protect(request())).status, 201)
    }).pipe(Effect.provide(service))
  )

  it.effect("tells a client that comes too early when to come again", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const protect = Idempotency.middleware({ operation: "create" })(() =>
        Effect.as(Deferred.await(gate), HttpMessage.json({ ok: true }))
      )
      const first = yield* Effect.forkChild(protect(request()), { startImmediately: true })
      const early = yield* protect(request())
      assert.strictEqual(early.status, 409)
      assert.strictEqual(kindOf(early), "in-progress")
      const seconds = Number(early.headers["retry-after"])
      assert.isTrue(Number.isInteger(seconds) && seconds >= 65 && seconds <= 67, early.headers["retry-after"])
      // Another body is a mismatch while the first one runs, too.
      assert.strictEqual((yield* protect(request({}, "{}"))).status, 422)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(first)).status, 200)
    }).pipe(Effect.provide(service))
  )

  it.effect("users, operations and tenants have keys of their own; who is anonymous, too", () =>
    Effect.gen(function* () {
      const { handler, seen } = counting()
      const protect = Idempotency.middleware({
        operation: "create",
        tenantOf: ({ headers }) => headers["x-tenant"] ?? ""
      })(handler)
      for (const headers of [{}, { "x-appwrite-user-id": "u1" }, { "x-appwrite-user-id": "u2" }, { "x-tenant": "t" }])
        assert.isUndefined((yield* protect(request(headers))).headers["idempotency-replayed"])
      assert.strictEqual(seen.length, 4)
    }).pipe(Effect.provide(service))
  )

  it.effect("an empty body is replayed as an empty body", () =>
    Effect.gen(function* () {
      let runs = 0
      const protect = Idempotency.middleware({ operation: "create" })(() =>
        Effect.sync(() => {
          runs++
          return HttpMessage.empty()
        })
      )
      yield* protect(request())
      const again = yield* protect(request())
      assert.deepInclude(again, { status: 204, body: "" })
      assert.strictEqual(runs, 1)
    }).pipe(Effect.provide(service))
  )

  it.effect("a 503 is given back, a 500 stays claimed, a final one is kept", () =>
    Effect.gen(function* () {
      const answers = [
        HttpMessage.json({}, 503),
        { ...HttpMessage.json({}, 502), final: true },
        HttpMessage.json({}, 500)
      ]
      const protect = Idempotency.middleware({ operation: "create", renew: false })(() =>
        Effect.sync(() => answers.shift()!)
      )
      assert.strictEqual((yield* protect(request())).status, 503)
      assert.strictEqual((yield* protect(request())).status, 502)
      assert.strictEqual((yield* protect(request())).status, 502)
      const other = request({ "idempotency-key": "k2" })
      assert.strictEqual((yield* protect(other)).status, 500)
      assert.strictEqual((yield* protect(other)).status, 409)
      yield* TestClock.adjust("66 seconds")
      answers.push(HttpMessage.json({}, 200))
      assert.strictEqual((yield* protect(other)).status, 200)
    }).pipe(Effect.provide(service))
  )

  it.live("writes what a handler stages with its completion, once", () =>
    Effect.gen(function* () {
      const db = yield* Databases
      yield* db.createCollection("orders", { attributes: [Attribute.integer("number")] })
      const protect = Idempotency.middleware({ operation: "order", transactional: true })(() =>
        Effect.gen(function* () {
          const { stage } = yield* Idempotency.Transaction
          const document = { $id: "o1", number: 1 }
          yield* stage([{ _tag: "CreateDocument", database: "main", collection: "orders", document }])
          return HttpMessage.json(document, 201)
        })
      )
      for (const replayed of [undefined, "true"]) {
        const answer = yield* protect(request())
        assert.strictEqual(answer.status, 201)
        assert.strictEqual(answer.headers["idempotency-replayed"], replayed)
      }
      // Nothing is staged without a key, whatever the method.
      assert.strictEqual(
        kindOf(yield* protect(without({ ...request(), method: "GET" }, "idempotency-key"))),
        "key-missing"
      )
      // Another key, the same order: nothing is applied, and the client may come again.
      const conflict = yield* protect(request({ "idempotency-key": "k2" }))
      assert.strictEqual(conflict.status, 503)
      assert.strictEqual(kindOf(conflict), "transaction-conflict")
      assert.strictEqual((yield* db.listDocuments("orders")).total, 1)
    }).pipe(
      Effect.provide(
        Idempotency.layer().pipe(
          Layer.provide(Database.layer({ secret: Redacted.make("s".repeat(32)) })),
          Layer.provideMerge(Embedded.memory)
        )
      )
    )
  )

  it.effect("what only its author can mend is told to a client as no more than that it can't be protected", () =>
    Effect.gen(function* () {
      const { handler, seen } = counting()
      for (const options of [{ ttl: "1 second" }, { transactional: true }, { fingerprint: () => /a/ }] as const) {
        const refused = yield* Idempotency.middleware({ operation: "create", ...options })(handler)(request())
        assert.strictEqual(kindOf(refused), "store-unavailable")
      }
      assert.strictEqual(seen.length, 0)
    }).pipe(Effect.provide(service), Effect.provide(Logger.layer([])))
  )

  it.effect("a typed failure is no response: it goes on to whoever answers it, and the key is given back", () =>
    Effect.gen(function* () {
      let runs = 0
      const protect = Idempotency.middleware({ operation: "create" })(() =>
        Effect.suspend(() => Effect.fail({ _tag: "Declined", retryable: false, runs: ++runs } as const))
      )
      assert.strictEqual((yield* Effect.flip(protect(request()))).runs, 1)
      assert.strictEqual((yield* Effect.flip(protect(request()))).runs, 2)
    }).pipe(Effect.provide(service))
  )

  it("reads an Appwrite request and answers it", () => {
    const read = HttpMessage.fromAppwrite({
      method: "post",
      path: "/a",
      queryString: "b=1",
      headers: { "Content-Type": "application/json", "Idempotency-Key": "k" },
      bodyText: "{}",
      bodyBinary: new Uint8Array([1])
    })
    assert.deepStrictEqual(read, {
      method: "POST",
      path: "/a?b=1",
      headers: { "content-type": "application/json", "idempotency-key": "k" },
      body: "{}"
    })
    const image = HttpMessage.fromAppwrite({
      method: "POST",
      path: "/",
      headers: { "content-type": "image/png" },
      bodyText: "�",
      bodyBinary: new Uint8Array([0xff])
    })
    assert.deepStrictEqual(image.body, new Uint8Array([0xff]))
    const res = {
      text: (body: string, status: number, headers: Record<string, string>): ReadonlyArray<unknown> => [
        "text",
        body,
        status,
        headers
      ],
      binary: (body: Buffer, status: number): ReadonlyArray<unknown> => ["binary", [...body], status]
    }
    assert.deepStrictEqual(HttpMessage.toAppwrite(HttpMessage.json([1], 201), res), [
      "text",
      "[1]",
      201,
      { "content-type": "application/json" }
    ])
    assert.deepStrictEqual(HttpMessage.toAppwrite({ status: 200, headers: {}, body: new Uint8Array([7]) }, res), [
      "binary",
      [7],
      200
    ])
  })
})

describe("Idempotency.middleware on effect/http", () => {
  const create = Idempotency.middleware({ operation: "create" })
  let runs = 0
  const routes = HttpRouter.addAll([
    HttpRouter.route(
      "POST",
      "/json",
      create(
        Effect.gen(function* () {
          const input = yield* Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ json }) => json)
          return yield* HttpServerResponse.json(
            { input, run: ++runs },
            { status: 201, headers: { "x-two": "2" } }
          ).pipe(Effect.flatMap((response) => HttpServerResponse.setCookie(response, "session", "1")))
        })
      )
    ),
    HttpRouter.route(
      "POST",
      "/cookie",
      create(Effect.sync(() => HttpServerResponse.text("c", { headers: { "set-cookie": "raw=1" } })))
    ),
    HttpRouter.route(
      "POST",
      "/stream",
      create(
        Effect.sync(() =>
          HttpServerResponse.stream(Stream.make(`${++runs}`, "!").pipe(Stream.encodeText), {
            contentType: "text/plain"
          })
        )
      )
    ),
    HttpRouter.route(
      "POST",
      "/empty",
      create(
        Effect.sync(() => {
          runs++
          return HttpServerResponse.empty({ status: 204 })
        })
      )
    )
  ])
  const server = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
    Layer.provide(service)
  )
  const post = (path: string, key: string, body: string) =>
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const url = `${HttpServer.formatAddress(address)}${path}`
      return yield* Effect.promise(async () => {
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json", ...(key === "" ? {} : { "idempotency-key": key }) },
          body
        })
        return { status: response.status, headers: response.headers, text: await response.text() }
      })
    })

  it.live("replays over a socket what a route answers: JSON, streams, nothing", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(server)
      yield* Effect.gen(function* () {
        for (const path of ["/json", "/stream", "/empty"]) {
          const before = runs
          const first = yield* post(path, `k${path}`, `{"a":1,"b":2}`)
          const again = yield* post(path, `"k${path}"`, `{"b":2,"a":1}`)
          assert.strictEqual(runs, before + 1, path)
          assert.strictEqual(again.status, first.status)
          assert.strictEqual(again.text, first.text)
          assert.strictEqual(again.headers.get("content-type"), first.headers.get("content-type"))
          assert.strictEqual(again.headers.get("idempotency-replayed"), "true")
          assert.isNull(first.headers.get("idempotency-replayed"))
        }
        const cookie = yield* post("/json", "k9", "{}")
        assert.include(cookie.headers.get("set-cookie") ?? "", "session=1")
        assert.strictEqual(cookie.headers.get("x-two"), "2")
        assert.isNull((yield* post("/json", "k9", "{}")).headers.get("set-cookie"))
        assert.strictEqual((yield* post("/cookie", "k10", "{}")).headers.get("set-cookie"), "raw=1")
        assert.isNull((yield* post("/cookie", "k10", "{}")).headers.get("set-cookie"))
        const missing = yield* post("/json", "", "{}")
        assert.strictEqual(missing.status, 400)
        assert.strictEqual(Problem.kindOf(JSON.parse(missing.text)), "key-missing")
      }).pipe(Effect.provideService(HttpServer.HttpServer, Context.get(context, HttpServer.HttpServer)))
    })
  )
})
