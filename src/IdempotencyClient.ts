/**
 * A request that may be sent again: one `Idempotency-Key` over all its attempts, so that what it asks for happens once.
 *
 *   send ── an answer ──────────────────────────────────────────▶ Answer, `replayed` where it is an earlier one's
 *    ▲   ── no answer, a passing status, still running ──▶ wait ──▶ send, until attempts or budget are spent
 *    └──────────────────────────────────────────────────────┘
 *        ── refused for good ────────────────────────────────────▶ a typed error, at once
 *
 * | heard | what follows |
 * |---|---|
 * | `Idempotency-Replayed: true`, whatever the status | the answer: another attempt would get the same |
 * | `Idempotency-Status: unprotected`, whatever the status | the answer: nobody remembers the key, so another attempt could happen twice |
 * | connection refused or broken, also within the body; time limit | again |
 * | 408, 425, 429, 500, 502, 503, 504 | again |
 * | 409 in-progress | again |
 * | 409 attempts-exhausted | again where Retry-After says when |
 * | 400 key-missing, key-invalid, user-invalid; 422 fingerprint-mismatch; 409 indeterminate; 410 response-not-kept | the error |
 * | all else, also a 400, 409, 410 or 422 without a problem document of ours | the answer |
 *
 * Between attempts: exponential back-off with full jitter, never shorter than Retry-After. A Retry-After date counts
 * from the answer's own `Date`, which comes from the same clock.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header-07; RFC 9110, sections 10.2.3 and 15; Brooker, "Exponential
 * Backoff And Jitter", AWS Architecture Blog 2015.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  BodyNotReplayable,
  type IdempotencyClientError,
  KeyRefused,
  KeyReused,
  KeyUnfit,
  OutcomeUnknown,
  ResponseGone,
  RetriesSpent,
  RetryTooFar
} from "./IdempotencyClientError.ts"
import { newKey } from "./internal/idempotency/NewKey.ts"
import * as Problem from "./Problem.ts"

export interface Options {
  /**
   * The key, 1 to 255 printable ASCII characters. Default: a new UUID v4 for each call. Give one that you have kept
   * where the same request may be sent by another call, as after a restart; `Answer` and the errors say which it was.
   */
  readonly key?: string | undefined
  /**
   * `string`: in quotes, as the draft writes it. `bare`: without, for servers that take quotes for a part of the key;
   * no spaces, quotes, commas, semicolons or backslashes then. Holdfast takes both. Default `string`.
   */
  readonly headerForm?: "string" | "bare" | undefined
  /** Sends so often at most, the first time included; 1 never repeats. Default 6. */
  readonly attempts?: number | undefined
  /** The longest back-off after the first attempt; it doubles with each. Default 500 milliseconds. */
  readonly base?: Duration.Input | undefined
  /** The longest back-off after any attempt; Retry-After may be longer. Default 30 seconds. */
  readonly cap?: Duration.Input | undefined
  /**
   * The time limit of one attempt, until its answer's body is there. Default 35 seconds: Appwrite cuts a synchronous
   * execution at 30, and its answer should come first.
   */
  readonly timeout?: Duration.Input | undefined
  /**
   * The time limit of the whole, waits included; a Retry-After beyond it ends the call at once. Default 3 minutes: a
   * server that died with the key holds it for a lease and a margin (65 seconds by default). "Infinity" for none.
   */
  readonly budget?: Duration.Input | undefined
}

const defaults = {
  attempts: 6,
  base: "500 millis",
  cap: "30 seconds",
  timeout: "35 seconds",
  budget: "3 minutes"
} as const

/** What was answered. A status such as 404 is an answer too. */
export interface Answer {
  /** Its body has been read: `text`, `json`, `arrayBuffer` and `HttpClientResponse.schemaBodyJson` give it, `stream` doesn't. */
  readonly response: HttpClientResponse
  /** It is the kept answer of an earlier attempt, or of an earlier call with this key. */
  readonly replayed: boolean
  /**
   * `unrecorded`: it has happened, but the server could not keep this answer; the same key may later get another.
   * `unprotected`: the server could not guard this request at all; sent again, it may happen again.
   */
  readonly idempotencyStatus: "unrecorded" | "unprotected" | undefined
  readonly key: string
  /** How often it was sent. */
  readonly attempts: number
}

const keyHeader = "idempotency-key"
const passing = new Set([408, 425, 429, 500, 502, 503, 504])

type Refusal = KeyRefused | KeyReused | OutcomeUnknown | ResponseGone
interface Refused {
  readonly key: string
  readonly attempts: number
  readonly detail: string
}

/** What each kind of problem asks of a client. */
const reactions = {
  "key-missing": (facts: Refused): Refusal => new KeyRefused({ ...facts, problem: "key-missing" }),
  "key-invalid": (facts: Refused): Refusal => new KeyRefused({ ...facts, problem: "key-invalid" }),
  "user-invalid": (facts: Refused): Refusal => new KeyRefused({ ...facts, problem: "user-invalid" }),
  "fingerprint-mismatch": (facts: Refused): Refusal => new KeyReused(facts),
  indeterminate: (facts: Refused): Refusal => new OutcomeUnknown(facts),
  "response-not-kept": (facts: Refused, originalStatus: number | undefined): Refusal =>
    new ResponseGone({ ...facts, ...(originalStatus === undefined ? {} : { originalStatus }) }),
  "in-progress": "again",
  // The key is free again at a time that only the server knows: before that, every attempt is refused alike.
  "attempts-exhausted": "again when told",
  "transaction-conflict": "again",
  "transaction-invalid": "again",
  "store-unavailable": "again",
  "clock-skew": "again"
} satisfies Record<
  Problem.Kind,
  "again" | "again when told" | ((facts: Refused, originalStatus: number | undefined) => Refusal)
>

/** The header's value, or why there can't be one. */
const headerOf = (key: string, form: "string" | "bare"): Result.Result<string, string> => {
  if (!/^[ -~]{1,255}$/.test(key)) {
    return Result.fail(`a key is 1 to 255 printable ASCII characters, and this has ${key.length}`)
  }
  if (form === "string") return Result.succeed(`"${key.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
  return /[ ",;\\]/.test(key)
    ? Result.fail(`bare, it can't have spaces, quotes, commas, semicolons or backslashes; use headerForm: "string"`)
    : Result.succeed(key)
}

const isEncodable = (body: unknown) =>
  typeof body === "string" ||
  body instanceof ArrayBuffer ||
  ArrayBuffer.isView(body) ||
  body instanceof Blob ||
  body instanceof URLSearchParams ||
  body instanceof FormData

/** The request with a body that is the same bytes each time: a form would draw a new boundary for each attempt. */
const withBytes = Effect.fnUntraced(function* (request: HttpClientRequest.HttpClientRequest) {
  const { body } = request
  if (body._tag === "Empty" || body._tag === "Uint8Array") return request
  const content = body._tag === "FormData" ? body.formData : body._tag === "Raw" ? body.body : undefined
  if (!isEncodable(content)) {
    const name = body._tag === "Stream" ? "a stream" : (content?.constructor.name ?? String(content))
    return yield* new BodyNotReplayable({ body: name })
  }
  return yield* Effect.tryPromise({
    try: async () => {
      const encoded = new Response(content as ConstructorParameters<typeof Response>[0])
      const bytes = new Uint8Array(await encoded.arrayBuffer())
      const given = body._tag === "Raw" ? request.headers["content-type"] : undefined
      const type = given ?? encoded.headers.get("content-type") ?? undefined
      return HttpClientRequest.setBody(request, HttpBody.uint8Array(bytes, type))
    },
    catch: (cause) => new BodyNotReplayable({ body: "a body that can't be read", cause })
  })
})

/** What one attempt heard. */
type Heard =
  | {
      readonly response: HttpClientResponse
      readonly problem: Problem.Told | undefined
      /** A client that filters statuses fails with it. */
      readonly error: HttpClientError | undefined
    }
  | { readonly response: undefined; readonly silence: string; readonly cause?: unknown }

const innermost = (error: unknown): string => {
  if (Predicate.hasProperty(error, "cause") && error.cause !== undefined) return innermost(error.cause)
  if (!(error instanceof Error)) return String(error)
  return error.message === "" && Predicate.hasProperty(error, "code") ? String(error.code) : error.message
}

const problemIn = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** Sends once and reads the whole answer, since one that breaks off is no answer. The scope ends what is under way. */
const listen = (client: HttpClient.HttpClient, request: HttpClientRequest.HttpClientRequest, limit: number) =>
  HttpClient.withScope(client)
    .execute(request)
    .pipe(
      Effect.map((response) => ({ response, error: undefined })),
      Effect.catch((error) =>
        error.reason._tag === "StatusCodeError"
          ? Effect.succeed({ response: error.reason.response, error })
          : Effect.fail(error)
      ),
      Effect.flatMap(({ error, response }) =>
        Effect.map(response.arrayBuffer, (bytes): Heard => {
          const json = response.status < 400 ? Option.none() : problemIn(new TextDecoder().decode(bytes))
          return { response, problem: Problem.read(Option.getOrUndefined(json)), error }
        })
      ),
      Effect.catch((error) =>
        error.reason._tag === "InvalidUrlError" || error.reason._tag === "EncodeError"
          ? Effect.fail(error)
          : Effect.succeed<Heard>({ response: undefined, silence: innermost(error), cause: error })
      ),
      Effect.scoped,
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () =>
          Effect.succeed<Heard>({
            response: undefined,
            silence: `none within ${Duration.format(Duration.millis(limit))}`
          })
      })
    )

/** Milliseconds that the answer asks to wait; undefined where it does not say. */
const askedOf = ({ headers }: HttpClientResponse, now: number): number | undefined => {
  const asked = Headers.parseRetryAfter(headers["retry-after"] ?? "")
  if (Result.isFailure(asked)) return undefined
  const sent = Result.map(Headers.parseHttpDate(headers["date"] ?? ""), DateTime.toEpochMillis)
  return Duration.toMillis(
    Headers.retryAfterDelay(
      asked.success,
      Result.getOrElse(sent, () => now)
    )
  )
}

const statusOf = ({ headers }: HttpClientResponse): Answer["idempotencyStatus"] => {
  const value = headers["idempotency-status"]
  return value === "unrecorded" || value === "unprotected" ? value : undefined
}

const lastOf = (heard: Heard): string => {
  if (heard.response === undefined) return `no answer (${heard.silence})`
  const { problem, response } = heard
  if (problem === undefined) return `status ${response.status}`
  return `status ${response.status}, ${problem.kind}${problem.detail === undefined ? "" : ` (${problem.detail})`}`
}

// A server may ask for longer than there are dates.
const dateIn = (now: number, wait: number) => DateTime.makeUnsafe(Math.min(now + wait, 8.64e15))

interface Limits {
  readonly attempts: number
  /** Milliseconds, as all below. */
  readonly base: number
  readonly cap: number
  readonly timeout: number
  readonly budget: number
}

interface Moment {
  readonly key: string
  /** Counts from 1. */
  readonly attempt: number
  readonly now: number
  readonly elapsed: number
  /** From 0 to 1: this wait's part of the longest back-off. */
  readonly jitter: number
}

type Verdict =
  | { readonly answer: Answer }
  | { readonly error: IdempotencyClientError | HttpClientError }
  | { readonly wait: number }

/** The rule, whole: what follows what an attempt heard. */
const judge = (heard: Heard, moment: Moment, limits: Limits): Verdict => {
  const { attempt, elapsed, jitter, key, now } = moment
  const left = limits.budget - elapsed
  // Past 30 doublings the cap has long won, and 0 × Infinity is no number.
  const backOff = jitter * Math.min(limits.cap, limits.base * 2 ** Math.min(attempt - 1, 30))
  const last = lastOf(heard)
  const spent = { key, attempts: attempt, elapsed: Duration.millis(Math.round(elapsed)), last }
  if (heard.response === undefined) {
    return attempt >= limits.attempts || backOff >= left
      ? { error: new RetriesSpent({ ...spent, cause: heard.cause }) }
      : { wait: backOff }
  }

  const { error, problem, response } = heard
  const { status } = response
  const replayed = response.headers["idempotency-replayed"] === "true"
  const idempotencyStatus = statusOf(response)
  const isFinal = replayed || idempotencyStatus === "unprotected"
  const reaction = isFinal || problem === undefined ? undefined : reactions[problem.kind]
  if (typeof reaction === "function") {
    const detail = problem?.detail ?? "it says no more"
    return { error: reaction({ key, attempts: attempt, detail }, problem?.originalStatus) }
  }
  if (isFinal || (reaction === undefined && !passing.has(status))) {
    return error === undefined
      ? { answer: { response, replayed, idempotencyStatus, key, attempts: attempt } }
      : { error }
  }

  const asked = askedOf(response, now)
  const retryAt = asked === undefined ? {} : { retryAt: dateIn(now, asked) }
  if (attempt >= limits.attempts || (reaction === "again when told" && asked === undefined)) {
    return { error: new RetriesSpent({ ...spent, ...retryAt, status }) }
  }
  if (asked !== undefined && asked >= left) {
    const budget = Duration.millis(limits.budget)
    return { error: new RetryTooFar({ key, attempts: attempt, retryAt: dateIn(now, asked), budget, last, status }) }
  }
  const wait = Math.max(backOff, asked ?? 0)
  return wait >= left ? { error: new RetriesSpent({ ...spent, ...retryAt, status }) } : { wait }
}

const monotonic = Clock.clockWith((clock) => Effect.map(clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6))

/**
 * Sends the request with a key, the same over all attempts, until it has an answer. Needs an `HttpClient`, whose own
 * retries should be off. The key comes from `WebCrypto`, the jitter from `Random`.
 *
 * Fails with `IdempotencyClientError`; each of its messages says whether the request may have happened and what to do.
 */
export const execute = Effect.fn("IdempotencyClient.execute")(function* (
  request: HttpClientRequest.HttpClientRequest,
  options: Options = {}
) {
  const millis = (option: "base" | "cap" | "timeout" | "budget") =>
    Duration.toMillis(Duration.fromInputUnsafe(options[option] ?? defaults[option]))
  const limits: Limits = {
    attempts: options.attempts ?? defaults.attempts,
    base: millis("base"),
    cap: millis("cap"),
    timeout: millis("timeout"),
    budget: millis("budget")
  }

  const given = request.headers[keyHeader]
  if (given !== undefined) {
    return yield* new KeyUnfit({ key: given, detail: "the request has this header already; give the option `key`" })
  }
  const key = options.key ?? (yield* newKey)
  const header = headerOf(key, options.headerForm ?? "string")
  if (Result.isFailure(header)) return yield* new KeyUnfit({ key, detail: header.failure })
  const sent = HttpClientRequest.setHeader(yield* withBytes(request), keyHeader, header.success)

  const client = yield* HttpClient.HttpClient
  const began = yield* monotonic
  for (let attempt = 1; ; attempt++) {
    const limit = Math.min(limits.timeout, limits.budget - ((yield* monotonic) - began))
    const heard = yield* listen(client, sent, limit)
    const elapsed = (yield* monotonic) - began
    const now = yield* Clock.currentTimeMillis
    const verdict = judge(heard, { key, attempt, now, elapsed, jitter: yield* Random.next }, limits)
    if ("answer" in verdict) return verdict.answer
    if ("error" in verdict) return yield* Effect.fail(verdict.error)
    yield* Effect.sleep(verdict.wait)
  }
})
