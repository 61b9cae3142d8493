/**
 * `holdfast/fetch` and `IdempotencyClient` are held to one table over real sockets; then what `fetch` alone has: bodies,
 * waits, abort, its size.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { afterEach, assert, describe, it, onTestFinished, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { idempotentFetch, IdempotencyError, type Options, type Reason } from "../src/fetch.ts"
import * as IdempotencyClient from "../src/IdempotencyClient.ts"
import * as ClientError from "../src/IdempotencyClientError.ts"
import * as Problem from "../src/Problem.ts"

type Responder = (response: ServerResponse, request: IncomingMessage) => void
type Facts = { readonly [header: string]: string }

const say =
  (status: number, body = "", headers: Facts = {}): Responder =>
  (response) =>
    response.writeHead(status, headers).end(body)
const problem = (kind: Problem.Kind, headers: Facts = {}): Responder => {
  const document = Problem.document(kind, { detail: `about ${kind}`, originalStatus: 201 } as never)
  return say(document.status, JSON.stringify(document), { "content-type": Problem.contentType, ...headers })
}
const breakOff: Responder = (_, { socket }) => socket.destroy()
const breakWithinBody: Responder = (response, { socket }) => {
  response.writeHead(200, { "content-length": "1000" })
  response.write("half of", () => socket.destroy())
}

/** A server that answers by the script, the last line for ever; closed when the test is over. */
const serve = async (...script: ReadonlyArray<Responder>) => {
  const requests: Array<{ readonly key: string; readonly type: string | undefined; readonly body: string }> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const { "content-type": type, "idempotency-key": key } = request.headers
      requests.push({ key: String(key), type, body: Buffer.concat(chunks).toString("hex") })
      script[Math.min(requests.length, script.length) - 1]!(response, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders?a=1`, requests, server }
}

const uuid = /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/
const hex = (text: string) => Buffer.from(text).toString("hex")

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

// --- One table for all ---

interface Outcome {
  /** A status where there is an answer, else why not. */
  readonly end: number | Reason
  readonly attempts: number
  readonly replayed?: boolean
  readonly idempotencyStatus?: "unrecorded" | "unprotected" | undefined
}

const byFetch = async (url: string): Promise<Outcome> => {
  try {
    const options = { sleep: async () => {}, random: () => 0 }
    const answer = await idempotentFetch(url, { method: "POST", body: "pay" }, options)
    const { attempts, idempotencyStatus, replayed, response } = answer
    return { end: response.status, attempts, replayed, idempotencyStatus }
  } catch (error) {
    assert.instanceOf(error, IdempotencyError)
    return { end: error.reason, attempts: error.facts.attempts! }
  }
}

const reasons = {
  KeyUnfit: () => "key-unfit",
  BodyNotReplayable: () => "body-not-replayable",
  KeyRefused: ({ problem }) => problem,
  KeyReused: () => "fingerprint-mismatch",
  OutcomeUnknown: () => "indeterminate",
  ResponseGone: () => "response-not-kept",
  RetryTooFar: () => "retry-too-far",
  RetriesSpent: () => "retries-spent"
} satisfies {
  [E in ClientError.IdempotencyClientError as E["_tag"]]: (error: E) => Reason
}

const byEffect =
  (client: Layer.Layer<HttpClient.HttpClient>) =>
  (url: string): Promise<Outcome> =>
    IdempotencyClient.execute(HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText("pay")), { base: 0 }).pipe(
      Effect.result,
      Effect.map((result): Outcome => {
        if (Result.isSuccess(result)) {
          const { attempts, idempotencyStatus, replayed, response } = result.success
          return { end: response.status, attempts, replayed, idempotencyStatus }
        }
        const error = result.failure
        if (error._tag === "HttpClientError") assert.fail(error.message)
        const end = (reasons[error._tag] as (error: ClientError.IdempotencyClientError) => Reason)(error)
        return { end, attempts: "attempts" in error ? error.attempts : 0 }
      }),
      Effect.provide(client),
      Effect.runPromise
    )

const once = (end: number, more: Partial<Outcome> = {}): Outcome => ({
  end,
  attempts: 1,
  replayed: false,
  idempotencyStatus: undefined,
  ...more
})
const again = { ...once(200), attempts: 2 }
const ok = say(200, "paid")
const soon = { "retry-after": "0" }
const late = { "retry-after": "86400" }

const reactions = {
  "key-missing": { end: "key-missing", attempts: 1 },
  "key-invalid": { end: "key-invalid", attempts: 1 },
  "user-invalid": { end: "user-invalid", attempts: 1 },
  "fingerprint-mismatch": { end: "fingerprint-mismatch", attempts: 1 },
  "in-progress": again,
  indeterminate: { end: "indeterminate", attempts: 1 },
  "attempts-exhausted": { end: "retries-spent", attempts: 1 },
  "response-not-kept": { end: "response-not-kept", attempts: 1 },
  "transaction-conflict": again,
  "transaction-invalid": again,
  "store-unavailable": again,
  "clock-skew": again
} satisfies Record<Problem.Kind, Outcome>

const table: ReadonlyArray<readonly [title: string, script: ReadonlyArray<Responder>, outcome: Outcome]> = [
  ...[200, 201, 204, 400, 401, 403, 404, 409, 410, 422, 501, 505].map(
    (status) => [`${status} is the answer`, [say(status)], once(status)] as const
  ),
  ...[408, 425, 429, 500, 502, 503, 504].map((status) => [`${status} passes`, [say(status), ok], again] as const),
  ...Object.entries(reactions).map(
    ([kind, outcome]) => [`problem ${kind}`, [problem(kind as Problem.Kind), ok], outcome] as const
  ),
  ["409 of another's problem type is the answer", [say(409, `{"type":"about:blank"}`)], once(409)],
  ["409 in HTML is the answer", [say(409, "<h1>Conflict</h1>")], once(409)],
  ["409 with a type that is no text is the answer", [say(409, `{"type":{}}`)], once(409)],
  ["422 in null is the answer", [say(422, "null")], once(422)],
  [
    "200 is the answer, though it looks like a problem",
    [say(200, JSON.stringify(Problem.document("indeterminate", { detail: "" })))],
    once(200)
  ],
  ["a replay is told", [say(201, "paid", { "idempotency-replayed": "true" })], once(201, { replayed: true })],
  ["a replayed 503 is the answer", [say(503, "", { "idempotency-replayed": "true" })], once(503, { replayed: true })],
  [
    "a replayed problem is the answer",
    [problem("fingerprint-mismatch", { "idempotency-replayed": "true" })],
    once(422, { replayed: true })
  ],
  [
    "unrecorded is told",
    [say(200, "", { "idempotency-status": "unrecorded" })],
    once(200, { idempotencyStatus: "unrecorded" })
  ],
  ["unrecorded, 500 passes", [say(500, "", { "idempotency-status": "unrecorded" }), ok], again],
  [
    "unprotected, 500 is the answer: again might be twice",
    [say(500, "", { "idempotency-status": "unprotected" })],
    once(500, { idempotencyStatus: "unprotected" })
  ],
  ["a status of idempotency that it doesn't know is none", [say(200, "", { "idempotency-status": "new" })], once(200)],
  ["the connection breaks without an answer", [breakOff, ok], again],
  ["the connection breaks within the answer", [breakWithinBody, ok], again],
  ["still running, twice", [problem("in-progress", soon), problem("in-progress", soon), ok], { ...again, attempts: 3 }],
  ["exhausted, and free again soon", [problem("attempts-exhausted", soon), ok], again],
  [
    "exhausted, and not free within the budget",
    [problem("attempts-exhausted", late)],
    { end: "retry-too-far", attempts: 1 }
  ],
  ["503 until past the budget", [say(503, "", late)], { end: "retry-too-far", attempts: 1 }],
  ["a Retry-After that is none is passed over", [say(503, "", { "retry-after": "soon" }), ok], again],
  ["503 for ever", [say(503)], { end: "retries-spent", attempts: 6 }],
  ["no answer for ever", [breakOff], { end: "retries-spent", attempts: 6 }]
]

const clients = {
  "holdfast/fetch": byFetch,
  "IdempotencyClient on fetch": byEffect(FetchHttpClient.layer),
  "IdempotencyClient on undici": byEffect(NodeHttpClient.layerUndici)
}

describe.each(Object.entries(clients))("%s", (_, client) => {
  it.each(table)("%s", async (_, script, outcome) => {
    const { requests, url } = await serve(...script)
    assert.deepStrictEqual(await client(url), outcome)
    assert.lengthOf(requests, outcome.attempts)
    assert.match(requests[0]!.key, uuid)
    assert.strictEqual(requests[0]!.body, hex("pay"))
    for (const request of requests) assert.deepStrictEqual(request, requests[0])
  })

  it("what happened before the connection broke happens once, and is replayed", async () => {
    const orders = new Map<string, string>()
    const { requests, url } = await serve((response, request) => {
      const key = String(request.headers["idempotency-key"])
      const order = orders.get(key)
      if (order === undefined) {
        orders.set(key, `order ${orders.size + 1}`)
        request.socket.destroy()
      } else response.writeHead(201, { "idempotency-replayed": "true" }).end(order)
    })
    assert.deepStrictEqual(await client(url), { ...once(201, { replayed: true }), attempts: 2 })
    assert.strictEqual(orders.size, 1)
    assert.lengthOf(requests, 2)
  })

  it("nobody listens", async () => {
    const { server, url } = await serve(ok)
    await new Promise((resolve) => server.close(resolve))
    assert.deepStrictEqual(await client(url), { end: "retries-spent", attempts: 6 })
  })
})

// --- holdfast/fetch alone ---

const post = (url: string, options: Options = {}, init: RequestInit = {}) =>
  idempotentFetch(url, { method: "POST", body: "pay", ...init }, { sleep: async () => {}, random: () => 0, ...options })

const refusal = async (call: Promise<unknown>): Promise<IdempotencyError> => {
  const error = await call.then(
    () => assert.fail("it was answered"),
    (error: unknown) => error
  )
  assert.instanceOf(error, IdempotencyError)
  return error
}

describe("idempotentFetch", () => {
  it("gives the response as fetch does, its body whole, however large", async () => {
    const body = "x".repeat(5_000_000)
    const { url } = await serve(say(200, body, { "x-one": "1" }))
    const { response } = await post(url)
    assert.strictEqual(response.headers.get("x-one"), "1")
    assert.strictEqual(response.url, url)
    assert.strictEqual(await response.text(), body)
  })

  it("sends the key that is given, quoted, and says which it was", async () => {
    const { requests, url } = await serve(ok)
    assert.strictEqual((await post(url, { key: String.raw`my "own" \ key` })).key, String.raw`my "own" \ key`)
    assert.strictEqual(requests[0]!.key, String.raw`"my \"own\" \\ key"`)
  })

  it("draws another key for each call, also on a page without randomUUID", async () => {
    const { requests, url } = await serve(ok)
    const insecure = { getRandomValues: crypto.getRandomValues.bind(crypto) }
    const first = await post(url)
    assert.strictEqual(requests[0]!.key, `"${first.key}"`)
    vi.stubGlobal("crypto", insecure)
    const keys = [first.key, (await post(url)).key, (await post(url)).key]
    assert.match(keys[1]!, /^[0-9a-f]{32}$/)
    assert.strictEqual(new Set(keys).size, 3)
  })

  it.each(["", "a\nb", "schlüssel", "x".repeat(256)])("refuses %j as a key before it sends", async (key) => {
    const { requests, url } = await serve(ok)
    assert.strictEqual((await refusal(post(url, { key }))).reason, "key-unfit")
    assert.lengthOf(requests, 0)
  })

  it("refuses a header of its own, whose key it would not know", async () => {
    const { requests, url } = await serve(ok)
    const error = await refusal(post(url, {}, { headers: { "Idempotency-Key": "mine" } }))
    assert.strictEqual(error.reason, "key-unfit")
    assert.lengthOf(requests, 0)
  })

  const form = () => {
    const data = new FormData()
    data.set("name", "Ada")
    data.set("file", new Blob([new Uint8Array([0, 255, 13, 10])]), "a.bin")
    return data
  }
  it.each([
    ["text", "pay", "text/plain;charset=UTF-8"],
    ["bytes", new Uint8Array([0, 255, 13, 10]), undefined],
    ["a buffer", new Uint8Array([1, 2]).buffer, undefined],
    ["a Blob", new Blob(["{}"], { type: "application/json" }), "application/json"],
    ["parameters", new URLSearchParams({ a: "ü" }), "application/x-www-form-urlencoded;charset=UTF-8"],
    ["a form", form(), /^multipart\/form-data; boundary=/],
    ["no body", null, undefined]
  ] as const)("sends %s byte for byte in each attempt", async (_, body, type) => {
    const { requests, url } = await serve(breakOff, say(503), ok)
    assert.strictEqual((await post(url, {}, { body })).attempts, 3)
    const expected = Buffer.from(await new Response(body).arrayBuffer())
    // A form's boundary is drawn anew by each reader, so only its length is known beforehand.
    if (body instanceof FormData) assert.lengthOf(requests[0]!.body, expected.length * 2)
    else assert.strictEqual(requests[0]!.body, expected.toString("hex"))
    if (type instanceof RegExp) assert.match(requests[0]!.type!, type)
    else assert.strictEqual(requests[0]!.type, type)
    for (const request of requests) assert.deepStrictEqual(request, requests[0])
  })

  it("sends what the body was when it was called", async () => {
    const body = new Uint8Array([1, 2, 3])
    const { requests, url } = await serve((response) => {
      body.fill(9)
      say(503)(response, response.req)
    }, ok)
    await post(url, {}, { body })
    assert.deepStrictEqual(
      requests.map(({ body }) => body),
      ["010203", "010203"]
    )
  })

  it("takes a Request, with its headers and its body", async () => {
    const { requests, url } = await serve(say(503), ok)
    const request = new Request(url, { method: "PUT", body: "pay", headers: { "content-type": "x/y" } })
    assert.strictEqual((await idempotentFetch(request, {}, { sleep: async () => {} })).attempts, 2)
    assert.deepStrictEqual(
      requests.map(({ body, type }) => [body, type]),
      [
        [hex("pay"), "x/y"],
        [hex("pay"), "x/y"]
      ]
    )
  })

  it("sends a GET, which has no body", async () => {
    const { requests, url } = await serve(say(503), ok)
    assert.strictEqual((await idempotentFetch(new URL(url), undefined, { sleep: async () => {} })).attempts, 2)
    assert.strictEqual(requests[1]!.body, "")
  })

  it("refuses a stream, and says what to do", async () => {
    const { requests, url } = await serve(ok)
    const error = await refusal(post(url, {}, { body: new Blob(["a"]).stream(), duplex: "half" }))
    assert.strictEqual(error.reason, "body-not-replayable")
    assert.match(error.message, /read it first/)
    assert.lengthOf(requests, 0)
  })

  it("rejects as fetch does what can't be sent at all", async () => {
    const error: unknown = await idempotentFetch("http://", {}).catch((error: unknown) => error)
    assert.instanceOf(error, TypeError)
  })

  /** The waits of a call, with a clock that they move. */
  const waits = async (script: ReadonlyArray<Responder>, options: Options = {}) => {
    const { url } = await serve(...script)
    const slept: Array<number> = []
    let now = Date.parse("2026-01-01T00:00:00Z")
    const sleep = async (milliseconds: number) => {
      slept.push(milliseconds)
      now += milliseconds
    }
    const call = post(url, { sleep, now: () => now, random: () => 1, ...options })
    return { slept, call: await call.catch((error: unknown) => error as IdempotencyError) }
  }

  it("waits twice as long after each attempt, up to the cap, by a part that chance gives", async () => {
    assert.deepStrictEqual((await waits([say(503)])).slept, [500, 1000, 2000, 4000, 8000])
    assert.deepStrictEqual((await waits([breakOff], { random: () => 0.1 })).slept, [50, 100, 200, 400, 800])
    assert.deepStrictEqual((await waits([say(503)], { base: 10, cap: 25, attempts: 5 })).slept, [10, 20, 25, 25])
  })

  it.each([
    ["seconds", { "retry-after": "66" }, 66_000],
    ["no time, where the back-off is longer", { "retry-after": "0" }, 500],
    [
      "a date, from the answer's own",
      { "retry-after": "Fri, 02 Jan 2026 00:01:30 GMT", date: "Fri, 02 Jan 2026 00:00:20 GMT" },
      70_000
    ],
    [
      "a date that is over",
      { "retry-after": "Thu, 01 Jan 2015 00:00:00 GMT", date: "Fri, 02 Jan 2026 00:00:20 GMT" },
      500
    ]
  ])("waits as Retry-After asks: %s", async (_, headers, expected) => {
    assert.deepStrictEqual((await waits([problem("in-progress", headers), ok])).slept, [expected])
  })

  it("counts a Retry-After date from its own clock where the answer has no date", async () => {
    const undated: Responder = (response, request) => {
      response.sendDate = false
      say(503, "", { "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" })(response, request)
    }
    assert.deepStrictEqual((await waits([undated, ok])).slept, [60_000])
  })

  it("gives up where Retry-After is past the budget, and names the time", async () => {
    const { call, slept } = await waits([
      say(503, "", { "retry-after": "100" }),
      say(429, "", { "retry-after": "120" })
    ])
    assert.deepStrictEqual(slept, [100_000])
    assert.instanceOf(call, IdempotencyError)
    assert.strictEqual(call.reason, "retry-too-far")
    assert.deepStrictEqual(call.facts.retryAt, new Date("2026-01-01T00:03:40Z"))
    assert.match(call.message, /from 2026-01-01T00:03:40.000Z on/)
    assert.include(call.message, call.facts.key)
    assert.strictEqual(call.facts.response?.status, 429)
  })

  it("takes a Retry-After beyond all dates", async () => {
    const { call } = await waits([say(503, "", { "retry-after": "9".repeat(400) })])
    assert.instanceOf(call, IdempotencyError)
    assert.strictEqual(call.reason, "retry-too-far")
  })

  it("keeps to the budget with its back-off as well", async () => {
    const { call, slept } = await waits([say(503)], { budget: 4000, attempts: 100 })
    assert.deepStrictEqual(slept, [500, 1000, 2000])
    assert.instanceOf(call, IdempotencyError)
    assert.strictEqual(call.reason, "retries-spent")
    assert.strictEqual(call.facts.attempts, 4)
  })

  it("calls it spent, not too far, where the back-off alone is past the budget", async () => {
    const { call, slept } = await waits([say(503, "", { "retry-after": "0" })], { budget: 400 })
    assert.deepStrictEqual(slept, [])
    assert.instanceOf(call, IdempotencyError)
    assert.strictEqual(call.reason, "retries-spent")
  })

  it("goes on for ever if it is told to, still by Retry-After, through the fetch that is given", async () => {
    let count = 0
    const unwell = async () =>
      new Response(null, { status: ++count < 1100 ? 503 : 200, headers: { "retry-after": "7" } })
    const options = { fetch: unwell, base: 0, attempts: Infinity, budget: Infinity, timeout: Infinity }
    const { call, slept } = await waits([], options)
    assert.strictEqual("attempts" in call ? call.attempts : call.message, 1100)
    assert.deepStrictEqual(new Set(slept), new Set([7000]))
  })

  it("says what the server said, and gives its answer to read", async () => {
    const error = await refusal(post((await serve(problem("response-not-kept"))).url))
    assert.match(error.message, /don't send it again.*410 response-not-kept about response-not-kept/)
    assert.strictEqual(error.facts.originalStatus, 201)
    const document: unknown = await error.facts.response?.json()
    assert.strictEqual(Problem.kindOf(document), "response-not-kept")
  })

  it("says why there was no answer", async () => {
    const error = await refusal(post((await serve(breakOff)).url, { attempts: 1 }))
    assert.match(error.message, /may have happened, send it again with this key.*fetch failed/)
    assert.instanceOf(error.cause, TypeError)
  })

  it("ends an attempt at its time limit, and sends again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const arrived = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    const silent: Responder = (_, { socket }) => {
      socket.on("close", () => closed.resolve())
      arrived.resolve()
    }
    const call = post((await serve(silent, ok)).url)
    await arrived.promise
    vi.advanceTimersByTime(35_000)
    assert.strictEqual((await call).attempts, 2)
    await closed.promise
  })

  describe("abort", () => {
    const reason = new Error("the user went away")

    it("before it sends", async () => {
      const { requests, url } = await serve(ok)
      const error: unknown = await post(url, {}, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)
      assert.strictEqual(error, reason)
      assert.lengthOf(requests, 0)
    })

    it("while an attempt runs: the connection ends, none follows", async () => {
      const controller = new AbortController()
      const closed = Promise.withResolvers<void>()
      const { requests, url } = await serve((_, { socket }) => {
        socket.on("close", () => closed.resolve())
        controller.abort(reason)
      })
      const error: unknown = await post(url, {}, { signal: controller.signal }).catch((error: unknown) => error)
      assert.strictEqual(error, reason)
      await closed.promise
      assert.lengthOf(requests, 1)
    })

    it("in the last attempt: with its reason as well", async () => {
      const controller = new AbortController()
      const { url } = await serve(() => controller.abort(reason))
      const call = post(url, { attempts: 1 }, { signal: controller.signal })
      assert.strictEqual(await call.catch((error: unknown) => error), reason)
    })

    it("while it waits", async () => {
      const controller = new AbortController()
      const { requests, url } = await serve(say(503, "", { "retry-after": "60" }))
      const options: Options = {
        sleep: undefined,
        // It is asked right before the wait begins.
        random: () => {
          queueMicrotask(() => controller.abort(reason))
          return 0
        }
      }
      const error: unknown = await post(url, options, { signal: controller.signal }).catch((error: unknown) => error)
      assert.strictEqual(error, reason)
      assert.lengthOf(requests, 1)
    })

    it("after the answer: neither it nor the time limit touches what has arrived", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      const controller = new AbortController()
      const signals: Array<AbortSignal> = []
      const options: Options = {
        fetch: (request) => {
          signals.push(request.signal)
          return fetch(request)
        }
      }
      const { response } = await post((await serve(say(503), ok)).url, options, { signal: controller.signal })
      vi.advanceTimersByTime(35_000)
      controller.abort(reason)
      assert.deepStrictEqual(
        signals.map(({ aborted }) => aborted),
        [false, false]
      )
      assert.strictEqual(await response.text(), "paid")
    })
  })

  it("is small, alone, and imports nothing: the size that the README says", async () => {
    const bundle = await rolldown({ input: join(import.meta.dirname, "../src/fetch.ts") })
    const { output } = await bundle.generate({ format: "esm", minify: true })
    await bundle.close()
    assert.lengthOf(output, 1)
    const [{ code, dynamicImports, exports, imports }] = output
    assert.deepStrictEqual(
      { imports, dynamicImports, exports },
      { imports: [], dynamicImports: [], exports: ["IdempotencyError", "idempotentFetch"] }
    )
    assert.notMatch(code, /\bimport\b|\brequire\b/)
    const { length } = gzipSync(code)
    assert.isAtMost(length, 1800, `${code.length} bytes minified, ${length} with gzip`)
  })
})
