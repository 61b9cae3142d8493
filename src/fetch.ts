/**
 * `fetch` that may send again: one `Idempotency-Key` over all its attempts, so that what it asks for happens once. For
 * browsers and whatever else has `fetch`; imports nothing. With Effect, `IdempotencyClient` is the same.
 *
 * It follows the table of `IdempotencyClient`, which test/fetch.test.ts holds both to. From another origin a browser
 * shows a script only the headers that the server exposes: `Access-Control-Expose-Headers: Idempotency-Replayed,
 * Idempotency-Status, Retry-After, Date`, beside `Access-Control-Allow-Headers: Idempotency-Key`.
 */

export interface Options {
  /**
   * The key, 1 to 255 printable ASCII characters. Default: a new UUID v4 for each call. Give one that you have kept
   * where the same request may be sent by another call, as after a reload; the answer and the errors say which it was.
   */
  readonly key?: string | undefined
  /** Sends so often at most, the first time included; 1 never repeats. Default 6. */
  readonly attempts?: number | undefined
  /** Milliseconds, as all times here. The longest back-off after the first attempt; it doubles with each. Default 500. */
  readonly base?: number | undefined
  /** The longest back-off after any attempt; Retry-After may be longer. Default 30,000. */
  readonly cap?: number | undefined
  /** The time limit of one attempt, until its answer's body is there. Default 35,000. */
  readonly timeout?: number | undefined
  /** The time limit of the whole, waits included; a Retry-After beyond it ends the call at once. Default 180,000. */
  readonly budget?: number | undefined
  /** What sends. Default: the global `fetch`. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
  /** For tests: waits so long, or rejects with the signal's reason once that aborts. Default: by `setTimeout`. */
  readonly sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<unknown>) | undefined
  /** For tests: from 0 to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** For tests: milliseconds since the epoch. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/** What was answered. A status such as 404 is an answer too. */
export interface IdempotentResponse {
  /** As `fetch` gives it; its body has arrived whole. */
  readonly response: Response
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

const mend = "nothing has happened, mend the request"
/** The problems that end a call, and what to do. */
const refusals = {
  "key-missing": mend,
  "key-invalid": mend,
  "user-invalid": mend,
  "fingerprint-mismatch": "the key is another request's, give this one its own",
  indeterminate: "nobody knows whether it has happened, look before you send it with a new key",
  "response-not-kept": "it has happened, don't send it again"
}

export type Reason =
  /** Nothing was sent: the key is not printable ASCII, too long, or also given as a header. */
  | "key-unfit"
  /** Nothing was sent: the body can be sent but once. */
  | "body-not-replayable"
  /** The server asks to wait until `retryAt`, which is past the budget. */
  | "retry-too-far"
  /** No attempt was answered for good. It may have happened. */
  | "retries-spent"
  /** The kind of problem that the server answered; the message has its words. */
  | keyof typeof refusals

/** What else is known when a call fails. */
export interface Facts {
  readonly key: string
  /** How often it was sent. */
  readonly attempts?: number | undefined
  /** The last answer; its body can be read. Absent where there was none. */
  readonly response?: Response | undefined
  /** When the server says to come back, by this machine's clock. */
  readonly retryAt?: Date | undefined
  /** With `response-not-kept`: the status of the answer that is gone. */
  readonly originalStatus?: number | undefined
  /** Why the last attempt had no answer. */
  readonly cause?: unknown
}

/** Why there is no answer. A call that was aborted rejects with its signal's own reason instead, as `fetch` does. */
export class IdempotencyError extends Error {
  override readonly name = "IdempotencyError"
  readonly reason: Reason
  readonly facts: Facts
  constructor(reason: Reason, message: string, facts: Facts) {
    super(`${reason}, key ${facts.key}: ${message}`, facts.cause ? facts : {})
    this.reason = reason
    this.facts = facts
  }
}

const header = "idempotency-key"
const prefix = "urn:holdfast:problem:"
const passing = new Set([408, 425, 429, 500, 502, 503, 504])

const wait = (milliseconds: number, signal: AbortSignal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener("abort", () => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    })
  })

// A page that did not come by https has no randomUUID; as much chance in hexadecimal will do.
const newKey = () =>
  crypto.randomUUID?.() ??
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")

/** The members of a problem document of ours, its kind among them. */
const problemIn = (
  text: string
): { readonly kind?: string; readonly detail?: string; readonly originalStatus?: number } => {
  try {
    const members = JSON.parse(text)
    return members.type.startsWith(prefix) ? { ...members, kind: members.type.slice(prefix.length) } : {}
  } catch {
    return {}
  }
}

/** Milliseconds that the answer asks to wait; undefined where it does not say. */
const askedOf = ({ headers }: Response, now: number) => {
  const value = headers.get("retry-after") ?? ""
  if (/^\d+$/.test(value)) return Number(value) * 1000
  // A date counts from the answer's own, which comes from the same clock.
  const wait = Date.parse(value) - (Date.parse(headers.get("date") ?? "") || now)
  return Number.isNaN(wait) ? undefined : Math.max(0, wait)
}

/**
 * As `fetch(input, init)`, with a key that stays the same over all attempts, until there is an answer. The body is read
 * before the first and sent byte for byte in each; a stream is refused. `init.signal` ends attempts and waits.
 *
 * Rejects with an `IdempotencyError`, whose message says whether it may have happened and what to do; with the signal's
 * reason; and with a `TypeError` where `fetch` would not send at all, as for an address that is none.
 */
export const idempotentFetch = async (
  input: string | URL | Request,
  init: RequestInit = {},
  options: Options = {}
): Promise<IdempotentResponse> => {
  const { attempts = 6, base = 500, cap = 30_000, timeout = 35_000, budget = 180_000, key = newKey() } = options
  const { fetch: send = fetch, sleep = wait, random = Math.random, now = Date.now } = options

  if ((init.body as unknown) instanceof ReadableStream) {
    throw new IdempotencyError("body-not-replayable", "a stream can be sent but once, read it first", { key })
  }
  const template = new Request(input, init)
  const { headers, method, signal } = template
  if (headers.has(header) || !/^[ -~]{1,255}$/.test(key)) {
    throw new IdempotencyError("key-unfit", "give 1 to 255 printable ASCII characters, and no header", { key })
  }
  // In quotes: a String of structured fields, as the draft has it.
  headers.set(header, `"${key.replaceAll(/["\\]/g, "\\$&")}"`)
  // Bytes, since a form would draw a new boundary for each attempt.
  const bytes = await template.arrayBuffer()
  const body = method === "GET" || method === "HEAD" ? {} : { body: bytes }

  /** One attempt: its answer, with the body as text, or why there was none. */
  const listen = async (limit: number): Promise<{ response?: Response; text?: string; cause?: unknown }> => {
    signal.throwIfAborted()
    const controller = new AbortController()
    const abort = () => controller.abort(signal.reason)
    signal.addEventListener("abort", abort)
    const timer = setTimeout(() => controller.abort(new Error(`none within ${limit} ms`)), limit)
    try {
      const response = await send(new Request(template, { ...body, signal: controller.signal }))
      // An answer that breaks off is none.
      return { response, text: await response.clone().text() }
    } catch (cause) {
      signal.throwIfAborted()
      return { cause }
    } finally {
      // What has arrived is the caller's: nothing ends it any more.
      clearTimeout(timer)
      signal.removeEventListener("abort", abort)
    }
  }

  const end = now() + budget
  for (let attempt = 1; ; attempt++) {
    // A longer one would end at once.
    const { cause, response, text = "" } = await listen(Math.min(timeout, end - now(), 2 ** 31 - 1))
    const facts = { key, attempts: attempt, response, cause }
    let asked: number | undefined
    let isHopeless = attempt >= attempts
    let last = `no answer: ${cause}`
    if (response) {
      const { status } = response
      const replayed = response.headers.get("idempotency-replayed") === "true"
      const mark = response.headers.get("idempotency-status")
      const idempotencyStatus = mark === "unrecorded" || mark === "unprotected" ? mark : undefined
      // Sent again, a replay stays what it is, and what is unprotected may happen twice.
      const isFinal = status < 400 || replayed || mark === "unprotected"
      const { detail = "", kind = "", originalStatus } = isFinal ? {} : problemIn(text)
      last = `${status} ${kind} ${detail}`.trim()
      if (Object.hasOwn(refusals, kind)) {
        const reason = kind as keyof typeof refusals
        throw new IdempotencyError(reason, `${refusals[reason]} (${last})`, { ...facts, originalStatus })
      }
      const isExhausted = kind === "attempts-exhausted"
      if (isFinal || !(isExhausted || kind === "in-progress" || passing.has(status))) {
        return { response, replayed, idempotencyStatus, key, attempts: attempt }
      }
      asked = askedOf(response, now())
      // The key is free again at a time that only the server knows.
      isHopeless ||= isExhausted && asked === undefined
    }

    const left = end - now()
    const delay = Math.max(asked ?? 0, random() * Math.min(cap, base * 2 ** (attempt - 1)) || 0)
    if (isHopeless || delay >= left) {
      const retryAt = asked === undefined ? undefined : new Date(Math.min(now() + asked, 8.64e15))
      throw new IdempotencyError(
        isHopeless || !retryAt || asked! < left ? "retries-spent" : "retry-too-far",
        `it may have happened, send it again with this key${retryAt ? ` from ${retryAt.toISOString()} on` : ""} (${last})`,
        { ...facts, retryAt }
      )
    }
    await sleep(delay, signal)
  }
}
