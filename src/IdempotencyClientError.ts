/** All that a request with a key can end in but an answer. Each message says whether it may have happened, and what to do. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

const key = { /** Sent again with it, what has happened does not happen twice. */ key: Schema.String }
const attempts = { /** How often it was sent. */ attempts: Schema.Int }
/** What a server that refuses is quoted with. */
const refused = { ...key, ...attempts, /** The server's own words. */ detail: Schema.String }

/** Nothing was sent: the key can't be one, or not in this form. */
export class KeyUnfit extends Schema.TaggedError<KeyUnfit>()("KeyUnfit", { ...key, detail: Schema.String }) {
  override get message() {
    return `${JSON.stringify(this.key)} can't be sent as the key: ${this.detail}. Nothing was sent`
  }
}
/** Nothing was sent: the body can be sent but once. */
export class BodyNotReplayable extends Schema.TaggedError<BodyNotReplayable>()("BodyNotReplayable", {
  body: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `${this.body} can't be sent a second time, byte for byte. Nothing was sent. Read it first, then give its bytes: HttpBody.uint8Array`
  }
}
/** The server does not take the key, or the user that came with it. */
export class KeyRefused extends Schema.TaggedError<KeyRefused>()("KeyRefused", {
  ...refused,
  problem: Schema.Literals(["key-missing", "key-invalid", "user-invalid"])
}) {
  override get message() {
    return `the server refuses the request with key ${JSON.stringify(this.key)} (${this.problem}): ${this.detail}. Nothing has happened; mend the request`
  }
}
/** The key belongs to another request. */
export class KeyReused extends Schema.TaggedError<KeyReused>()("KeyReused", refused) {
  override get message() {
    return `key ${JSON.stringify(this.key)} was used for another request: ${this.detail}. This one has not happened; give it a key of its own`
  }
}
/** An attempt ended without a word, and the operation may not run twice. */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", refused) {
  override get message() {
    return `nobody knows whether the request with key ${JSON.stringify(this.key)} has happened: ${this.detail}. Look where its effect would be; only if it isn't there, send it with a new key`
  }
}
/** It has happened, but its answer is gone for good. */
export class ResponseGone extends Schema.TaggedError<ResponseGone>()("ResponseGone", {
  ...refused,
  /** The status of the answer that is gone. */
  originalStatus: Schema.optionalKey(Schema.Finite)
}) {
  override get message() {
    const status = this.originalStatus === undefined ? "" : ` with status ${this.originalStatus}`
    return `the request with key ${JSON.stringify(this.key)} was answered${status}, and the answer was not kept: ${this.detail}. Don't send it again; read its result where it is`
  }
}
/** The server says when to come back, and that is past the budget. */
export class RetryTooFar extends Schema.TaggedError<RetryTooFar>()("RetryTooFar", {
  ...key,
  ...attempts,
  /** By this machine's clock. */
  retryAt: Schema.DateTimeUtc,
  budget: Schema.Duration,
  last: Schema.String,
  status: Schema.Int
}) {
  override get message() {
    return `the server asks to wait until ${DateTime.formatIso(this.retryAt)}, past the budget of ${Duration.format(this.budget)} (attempt ${this.attempts}: ${this.last}). Send it then with the same key, ${JSON.stringify(this.key)}, or give a larger budget`
  }
}
/** No attempt was answered for good. */
export class RetriesSpent extends Schema.TaggedError<RetriesSpent>()("RetriesSpent", {
  ...key,
  ...attempts,
  elapsed: Schema.Duration,
  /** What the last attempt heard. */
  last: Schema.String,
  /** Absent where the last attempt had no answer. */
  status: Schema.optionalKey(Schema.Int),
  /** Where the last answer says when, by this machine's clock. */
  retryAt: Schema.optionalKey(Schema.DateTimeUtc),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    const when = this.retryAt === undefined ? "" : ` from ${DateTime.formatIso(this.retryAt)} on`
    return `no final answer after ${this.attempts} attempt${this.attempts === 1 ? "" : "s"} in ${Duration.format(this.elapsed)}; the last: ${this.last}. It may have happened: send it again${when} with the same key, ${JSON.stringify(this.key)}`
  }
}

/** All that a caller can meet, beside an `HttpClientError` for a URL that is none, or of a client that filters statuses. */
export const IdempotencyClientError = Schema.Union([
  KeyUnfit,
  BodyNotReplayable,
  KeyRefused,
  KeyReused,
  OutcomeUnknown,
  ResponseGone,
  RetryTooFar,
  RetriesSpent
])
export type IdempotencyClientError = typeof IdempotencyClientError.Type
