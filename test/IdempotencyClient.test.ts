/**
 * `IdempotencyClient`: when it sends, waits and gives up, by a clock that the tests move; what it refuses to send; and,
 * over a real socket, what is only seen there. test/fetch.test.ts has the table of what follows which answer.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as IdempotencyClient from "../src/IdempotencyClient.ts"
import * as ClientError from "../src/IdempotencyClientError.ts"
import * as Problem from "../src/Problem.ts"

const order = HttpClientRequest.post("http://shop.test/orders?a=1").pipe(HttpClientRequest.bodyText("pay"))

const failureOf = <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.flip(Effect.map(call, () => "it was answered"))

// --- A client without a network: answers in turn, the last for ever ---

type Line = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError>

const say =
  (status: number, headers: Record<string, string> = {}, body: string | null = null): Line =>
  (request) =>
    Effect.succeed(HttpClientResponse.fromWeb(request, new Response(body, { status, headers })))
const problem = (kind: Problem.Kind, headers: Record<string, string> = {}) => {
  const document = Problem.document(kind, { detail: `about ${kind}`, originalStatus: 201 } as never)
  return say(document.status, headers, JSON.stringify(document))
}
const breakOff: Line = (request) =>
  Effect.fail(new HttpClientError({ reason: new TransportError({ request, cause: new Error("other side closed") }) }))
const silent: Line = () => Effect.never
const ok = say(200, {}, "paid")

/** Runs a call on such a client, moving the clock until it ends; `at`: seconds at which it sent. */
const play = Effect.fnUntraced(function* (
  script: ReadonlyArray<Line>,
  options: IdempotencyClient.Options & { readonly chance?: number } = {}
) {
  const at: Array<number> = []
  const requests: Array<HttpClientRequest.HttpClientRequest> = []
  const client = HttpClient.make((request) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      at.push(now / 1000)
      requests.push(request)
      return script[Math.min(at.length, script.length) - 1]!(request)
    })
  )
  const fiber = yield* IdempotencyClient.execute(order, options).pipe(
    Effect.provideService(HttpClient.HttpClient, client),
    Effect.provideService(Random.Random, {
      nextDoubleUnsafe: () => options.chance ?? 1,
      nextIntUnsafe: () => assert.fail("jitter is a part")
    }),
    Effect.result,
    Effect.forkChild
  )
  yield* TestClock.adjust("1 day")
  const result = yield* Fiber.join(fiber)
  const keys = new Set(requests.map(({ headers }) => headers["idempotency-key"]))
  assert.isAtMost(keys.size, 1, "one key over all attempts")
  return { result, at, requests }
})
const errorIn = <E>(result: Result.Result<unknown, E>): E =>
  Result.isFailure(result) ? result.failure : assert.fail("it was answered")

describe("IdempotencyClient.execute waits", () => {
  it.effect("twice as long after each attempt, for answers that pass and for none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* play([say(503)])).at, [0, 0.5, 1.5, 3.5, 7.5, 15.5])
      assert.deepStrictEqual((yield* play([breakOff], { attempts: 3 })).at, [86_400, 86_400.5, 86_401.5])
    })
  )

  it.effect("up to the cap, by a part that chance gives", () =>
    Effect.gen(function* () {
      const capped = yield* play([say(503)], { base: "1 second", cap: "3 seconds", attempts: 5 })
      assert.deepStrictEqual(capped.at, [0, 1, 3, 6, 9])
      const { at } = yield* play([say(503)], { base: "8 seconds", chance: 0.25, attempts: 3 })
      assert.deepStrictEqual(
        at.map((second) => second - 86_400),
        [0, 2, 6]
      )
    })
  )

  it.effect.each([
    ["seconds", { "retry-after": "66" }, 66],
    ["none, where the back-off is longer", { "retry-after": "0" }, 0.5],
    [
      "a date, from the answer's own",
      { "retry-after": "Fri, 02 Jan 2026 00:01:30 GMT", date: "Fri, 02 Jan 2026 00:00:20 GMT" },
      70
    ],
    ["a date without the answer's own, by the clock", { "retry-after": "Thu, 01 Jan 1970 00:01:00 GMT" }, 60],
    ["a date that is over", { "retry-after": "Wed, 31 Dec 1969 23:00:00 GMT" }, 0.5],
    ["what is no time", { "retry-after": "a while" }, 0.5],
    ["less than nothing", { "retry-after": "-5" }, 0.5]
  ] as const)("as Retry-After asks: %s", ([, headers, seconds]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* play([problem("in-progress", headers), ok])).at, [0, seconds])
    })
  )

  it.effect("never shorter than Retry-After, whatever chance gives", () =>
    Effect.gen(function* () {
      const exhausted = problem("attempts-exhausted", { "retry-after": "90" })
      assert.deepStrictEqual((yield* play([exhausted, ok], { chance: 0 })).at, [0, 90])
    })
  )

  it.effect("no longer than the time limit for an attempt", () =>
    Effect.gen(function* () {
      const { at, result } = yield* play([silent, silent, ok], { chance: 0 })
      assert.deepStrictEqual(at, [0, 35, 70])
      if (Result.isFailure(result)) assert.fail(result.failure.message)
      assert.strictEqual(result.success.attempts, 3)
    })
  )

  it.effect("without end where there is no budget and no time limit", () =>
    Effect.gen(function* () {
      const options = { budget: "Infinity", timeout: "Infinity", attempts: 100, cap: "10 minutes" } as const
      const { at, result } = yield* play([...Array.from({ length: 99 }, () => say(503)), ok], options)
      assert.lengthOf(at, 100)
      const told = yield* play([say(503, { "retry-after": "7" })], { ...options, attempts: 1100, base: 0 })
      assert.strictEqual(told.at.at(-1)! - told.at[0]!, 1099 * 7)
      assert.isTrue(Result.isSuccess(result))
    })
  )
})

describe("IdempotencyClient.execute gives up", () => {
  it.effect("where Retry-After is past the budget, at once, and names the time", () =>
    Effect.gen(function* () {
      const script = [say(503, { "retry-after": "100" }), problem("in-progress", { "retry-after": "120" })]
      const { at, result } = yield* play(script, { key: "order-17" })
      assert.deepStrictEqual(at, [0, 100])
      const error = errorIn(result)
      assert.instanceOf(error, ClientError.RetryTooFar)
      assert.strictEqual(DateTime.formatIso(error.retryAt), "1970-01-01T00:03:40.000Z")
      assert.deepStrictEqual([error.attempts, error.status], [2, 409])
      assert.strictEqual(
        error.message,
        `the server asks to wait until 1970-01-01T00:03:40.000Z, past the budget of 3m (attempt 2: status 409, in-progress (about in-progress)). Send it then with the same key, "order-17", or give a larger budget`
      )
    })
  )

  it.effect("where Retry-After is beyond all dates", () =>
    Effect.gen(function* () {
      const { result } = yield* play([say(503, { "retry-after": "9".repeat(400) })])
      assert.instanceOf(errorIn(result), ClientError.RetryTooFar)
    })
  )

  it.effect("after its attempts, and names the key to go on with", () =>
    Effect.gen(function* () {
      const { result } = yield* play([breakOff, say(429, { "retry-after": "7" })], { attempts: 2, key: "order-17" })
      const error = errorIn(result)
      assert.instanceOf(error, ClientError.RetriesSpent)
      assert.strictEqual(error.status, 429)
      assert.strictEqual(
        error.message,
        `no final answer after 2 attempts in 500ms; the last: status 429. It may have happened: send it again from 1970-01-01T00:00:07.500Z on with the same key, "order-17"`
      )
    })
  )

  it.effect("without an answer, and says why there was none", () =>
    Effect.gen(function* () {
      const broken = errorIn((yield* play([breakOff], { attempts: 1, key: "k" })).result)
      assert.match(broken.message, /after 1 attempt in 0; the last: no answer \(other side closed\)/)
      const late = errorIn((yield* play([silent], { attempts: 1, timeout: "5 seconds" })).result)
      assert.match(late.message, /no answer \(none within 5s\)/)
    })
  )

  it.effect("when the budget is spent: it neither waits nor hopes beyond", () =>
    Effect.gen(function* () {
      const waiting = yield* play([say(503)], { budget: "4 seconds", attempts: 100 })
      assert.deepStrictEqual(waiting.at, [0, 0.5, 1.5, 3.5])
      assert.instanceOf(errorIn(waiting.result), ClientError.RetriesSpent)
      const hoping = errorIn((yield* play([silent], { budget: "40 seconds", chance: 0 })).result)
      assert.instanceOf(hoping, ClientError.RetriesSpent)
      assert.strictEqual(hoping.attempts, 2)
      assert.deepStrictEqual(hoping.elapsed, Duration.seconds(40))
    })
  )

  it.effect("and calls it spent, not too far, where the back-off alone is past the budget", () =>
    Effect.gen(function* () {
      const { at, result } = yield* play([say(503, { "retry-after": "0" })], { budget: "400 millis" })
      assert.lengthOf(at, 1)
      assert.instanceOf(errorIn(result), ClientError.RetriesSpent)
    })
  )

  it.effect.each([
    ["key-missing", "KeyRefused", /Nothing has happened/],
    ["key-invalid", "KeyRefused", /Nothing has happened/],
    ["user-invalid", "KeyRefused", /Nothing has happened/],
    ["fingerprint-mismatch", "KeyReused", /give it a key of its own/],
    ["indeterminate", "OutcomeUnknown", /Look where its effect would be/],
    ["response-not-kept", "ResponseGone", /answered with status 201.*Don't send it again/]
  ] as const)("at once, and says what to do: %s", ([kind, tag, remedy]) =>
    Effect.gen(function* () {
      const { at, result } = yield* play([say(500), problem(kind, { "retry-after": "1" }), ok], { key: "order-17" })
      assert.lengthOf(at, 2)
      const error = errorIn(result)
      assert.strictEqual(error._tag, tag)
      assert.match(error.message, remedy)
      assert.include(error.message, `"order-17"`)
      assert.include(error.message, `about ${kind}`)
    })
  )

  it.effect("and every error can be written as JSON and read again", () =>
    Effect.gen(function* () {
      const codec = Schema.toCodecJson(ClientError.IdempotencyClientError)
      const scripts = [[breakOff], [say(503, { "retry-after": "999" })], [problem("response-not-kept")]]
      for (const script of scripts) {
        const error = errorIn((yield* play(script)).result)
        if (error._tag === "HttpClientError") assert.fail(error.message)
        const json = JSON.stringify(yield* Schema.encodeEffect(codec)(error))
        const read = yield* Schema.decodeUnknownEffect(codec)(JSON.parse(json))
        assert.strictEqual(read.message, error.message)
      }
    })
  )
})

describe("IdempotencyClient.execute sends", () => {
  const uuid = /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/
  const headerOf = (options?: IdempotencyClient.Options) =>
    Effect.map(play([ok], options), ({ requests, result }) =>
      Result.isFailure(result) ? result.failure.message : requests[0]!.headers["idempotency-key"]
    )

  it.effect("a UUID of version 4, another for each call, drawn from the service of chance", () =>
    Effect.gen(function* () {
      const keys = [yield* headerOf(), yield* headerOf()]
      for (const key of keys) assert.match(key!, uuid)
      assert.notStrictEqual(keys[0], keys[1])
      const counting = { getRandomValues: (bytes: Uint8Array) => bytes.fill(0xab) } as unknown as typeof crypto
      const key = yield* Effect.provideService(headerOf(), WebCrypto.WebCrypto, counting)
      assert.strictEqual(key, `"abababab-abab-4bab-abab-abababababab"`)
    })
  )

  it.effect("the key that is given, in the form that is asked", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* headerOf({ key: "order-17" }), `"order-17"`)
      assert.strictEqual(yield* headerOf({ key: "order-17", headerForm: "bare" }), "order-17")
      assert.strictEqual(yield* headerOf({ key: String.raw`an "own" \ key` }), String.raw`"an \"own\" \\ key"`)
      assert.strictEqual(yield* headerOf({ key: "x".repeat(255) }), `"${"x".repeat(255)}"`)
    })
  )

  it.effect.each([
    [{ key: "" }, /1 to 255 printable ASCII characters, and this has 0/],
    [{ key: "x".repeat(256) }, /this has 256/],
    [{ key: "a\nb" }, /printable/],
    [{ key: "schlüssel" }, /printable/],
    [{ key: "a b", headerForm: "bare" }, /use headerForm: "string"/],
    [{ key: "a;b", headerForm: "bare" }, /use headerForm: "string"/]
  ] as const)("nothing where the key can't be one: %j", ([options, words]) =>
    Effect.gen(function* () {
      const { at, result } = yield* play([ok], options)
      assert.lengthOf(at, 0)
      const error = errorIn(result)
      assert.strictEqual(error._tag, "KeyUnfit")
      assert.match(error.message, words)
    })
  )

  const sendThrough = (request: HttpClientRequest.HttpClientRequest) => {
    const sent: Array<HttpClientRequest.HttpClientRequest> = []
    const client = HttpClient.make((request) => {
      sent.push(request)
      return say(sent.length < 3 ? 503 : 200)(request)
    })
    return IdempotencyClient.execute(request, { base: 0 }).pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.as(sent)
    )
  }

  it.effect("nothing where the request has a key of its own, which it would not know", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(sendThrough(HttpClientRequest.setHeader(order, "Idempotency-Key", "mine")))
      assert.strictEqual(error._tag, "KeyUnfit")
      assert.match(error.message, /"mine".*option `key`/)
    })
  )

  const data = new FormData()
  data.set("name", "Ada")
  data.set("file", new Blob([new Uint8Array([0, 255, 13, 10])]), "a.bin")
  const raw = (body: unknown, contentType?: string) => HttpBody.raw(body, { contentType })

  it.effect.each([
    ["nothing", HttpBody.empty, undefined, ""],
    ["bytes", HttpBody.uint8Array(new Uint8Array([0, 255])), "application/octet-stream", "\u0000\u00ff"],
    ["JSON", HttpBody.jsonUnsafe({ a: 1 }), "application/json", `{"a":1}`],
    ["raw text", raw("pay"), "text/plain;charset=UTF-8", "pay"],
    ["raw text of a type", raw("{}", "application/json"), "application/json", "{}"],
    ["a raw Blob", raw(new Blob(["{}"], { type: "x/y" })), "x/y", "{}"],
    ["raw parameters", raw(new URLSearchParams("a=1")), "application/x-www-form-urlencoded;charset=UTF-8", "a=1"],
    [
      "a form",
      HttpBody.formData(data),
      /^multipart\/form-data; boundary=/,
      /name="file"; filename="a.bin"[^]*\u00ff\r\n\r\n--/
    ]
  ] as const)("%s byte for byte in each attempt", ([, body, type, content]) =>
    Effect.gen(function* () {
      const sent = yield* sendThrough(HttpClientRequest.setBody(order, body))
      assert.lengthOf(sent, 3)
      const wires = sent.map(({ body, headers }) => ({
        type: headers["content-type"],
        bytes: body._tag === "Uint8Array" ? Buffer.from(body.body).toString("latin1") : ""
      }))
      if (type instanceof RegExp) assert.match(wires[0]!.type!, type)
      else assert.strictEqual(wires[0]!.type, type)
      if (content instanceof RegExp) assert.match(wires[0]!.bytes, content)
      else assert.strictEqual(wires[0]!.bytes, content)
      for (const wire of wires) assert.deepStrictEqual(wire, wires[0])
    })
  )

  it.effect.each([
    ["a stream", HttpBody.stream(Stream.make(new Uint8Array([1])))],
    ["ReadableStream", raw(new Blob(["a"]).stream())],
    ["undefined", raw(undefined)]
  ] as const)("nothing where the body is %s, and says what to do", ([name, body]) =>
    Effect.gen(function* () {
      const error = yield* failureOf(sendThrough(HttpClientRequest.setBody(order, body)))
      assert.strictEqual(error._tag, "BodyNotReplayable")
      assert.include(error.message, `${name} can't be sent a second time`)
      assert.include(error.message, "HttpBody.uint8Array")
    })
  )

  it.effect("once where the address is none: that does not pass", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(sendThrough(HttpClientRequest.setUrl(order, "http://")))
      assert.strictEqual(error._tag, "HttpClientError")
    })
  )
})

// --- Over a socket ---

/** The address of a server that is closed with the scope. */
const serve = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((request, response) => {
        request.resume().on("end", () => answer(request, response))
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`))

describe.each([
  ["fetch", FetchHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici]
] as const)("IdempotencyClient.execute on %s", (_, client) => {
  it.effect("reads the answer whole; its body stays readable", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ text: "x".repeat(2_000_000) })
      const url = yield* serve((_, response) => response.end(body))
      const { response } = yield* IdempotencyClient.execute(HttpClientRequest.post(url))
      assert.strictEqual(yield* response.text, body)
      const { text } = yield* HttpClientResponse.schemaBodyJson(Schema.Struct({ text: Schema.String }))(response)
      assert.lengthOf(text, 2_000_000)
    }).pipe(Effect.provide(client))
  )

  it.effect("an attempt that is over its limit, or is interrupted, leaves no connection open", () =>
    Effect.gen(function* () {
      const moments = () => [Deferred.makeUnsafe<void>(), Deferred.makeUnsafe<void>()] as const
      const [arrived, closed] = [moments(), moments()]
      const halfRead = Deferred.makeUnsafe<void>()
      let count = 0
      const url = yield* serve((request, response) => {
        const index = count++
        request.socket.on("close", () => Deferred.doneUnsafe(closed[index]!, Effect.void))
        // The first says nothing, the second stops within its body.
        if (index === 1) response.writeHead(200).write("half")
        Deferred.doneUnsafe(arrived[index]!, Effect.void)
      })
      const watched = HttpClient.tap(yield* HttpClient.HttpClient, () => Deferred.succeed(halfRead, undefined))
      const fiber = yield* IdempotencyClient.execute(HttpClientRequest.post(url), { base: 0 }).pipe(
        Effect.provideService(HttpClient.HttpClient, watched),
        Effect.forkChild
      )
      yield* Deferred.await(arrived[0])
      yield* TestClock.adjust("35 seconds")
      yield* Deferred.await(closed[0])
      yield* Deferred.await(halfRead)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(closed[1])
    }).pipe(Effect.provide(client))
  )

  it.effect("reads the answers of a client that fails for them", () =>
    Effect.gen(function* () {
      let count = 0
      const url = yield* serve((_, response) => response.writeHead([503, 404][count++]!).end())
      const strict = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
      const error = yield* IdempotencyClient.execute(HttpClientRequest.post(url), { base: 0 }).pipe(
        Effect.provideService(HttpClient.HttpClient, strict),
        failureOf
      )
      assert.strictEqual(count, 2)
      assert(error._tag === "HttpClientError" && error.response?.status === 404)
    }).pipe(Effect.provide(client))
  )
})
