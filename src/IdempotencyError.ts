/** All that a caller of an idempotent operation can meet. Those that a client can meet have a problem document. */
import * as Schema from "effect/Schema"
import * as Problem from "./Problem.ts"

/** Seconds until `until`, rounded up: what Retry-After says. */
const wait = { /** Milliseconds from now until another attempt makes sense. */ retryAfter: Schema.Number }
const waiting = (milliseconds: number) => `${Math.max(1, Math.ceil(milliseconds / 1000))} s`

/** The operation asks for a key. */
export class KeyMissing extends Schema.TaggedError<KeyMissing>()("KeyMissing", {}) {
  override get message() {
    return "the request has no Idempotency-Key, and this operation needs one. Send a new UUID with each new request, the same one with its retries"
  }
}
/** A key that is none. */
export class KeyInvalid extends Schema.TaggedError<KeyInvalid>()("KeyInvalid", {
  value: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the Idempotency-Key ${JSON.stringify(this.value)} can't be used: ${this.problem}. Send one header with 1 to 255 printable ASCII characters, as a UUID`
  }
}
/** A user id that Appwrite does not give. */
export class UserInvalid extends Schema.TaggedError<UserInvalid>()("UserInvalid", { value: Schema.String }) {
  override get message() {
    return `${JSON.stringify(this.value)} is no user id: 1 to 36 of a-z, A-Z, 0-9, period, hyphen, underscore, a letter or digit first. A proxy that joins repeated headers makes such values: let it drop the client's own`
  }
}
/** The key was used for something else. */
export class FingerprintMismatch extends Schema.TaggedError<FingerprintMismatch>()("FingerprintMismatch", {}) {
  override get message() {
    return "this Idempotency-Key was used for another request. Send a new key for a new request, and the very same request for a retry"
  }
}
/** Another attempt has the key. */
export class InProgress extends Schema.TaggedError<InProgress>()("InProgress", {
  ...wait,
  why: Schema.Literals(["running", "expiring", "lost"])
}) {
  override get message() {
    const what = {
      running: "the first request with this Idempotency-Key is still running",
      expiring: "this Idempotency-Key is about to expire, and takes no new attempt",
      lost: "another attempt has taken over this Idempotency-Key"
    }[this.why]
    return `${what}. Send the same request again in ${waiting(this.retryAfter)}`
  }
}
/** The lease ran out under `atMostOnce`: the effect may have happened. */
export class Indeterminate extends Schema.TaggedError<Indeterminate>()("Indeterminate", {}) {
  override get message() {
    return "the first attempt never ended: its effect may have happened or not, and it is not tried again. Look whether it has, then send a new request with a new key if it has not"
  }
}
/** Every slot of the key is used. */
export class AttemptsExhausted extends Schema.TaggedError<AttemptsExhausted>()("AttemptsExhausted", wait) {
  override get message() {
    return `all attempts that one Idempotency-Key may have were made, and none ended well. Send a new key, or this one in ${waiting(this.retryAfter)}`
  }
}
/** It has happened; its answer was too large, or parts of it are gone. */
export class ResponseNotKept extends Schema.TaggedError<ResponseNotKept>()("ResponseNotKept", {
  /** The first answer's status, where it was an HTTP response. */
  originalStatus: Schema.NullOr(Schema.Int)
}) {
  override get message() {
    return `the request has happened${this.originalStatus === null ? "" : ` (status ${this.originalStatus})`}, but its response was not kept. Do not send it again: read its result where it is`
  }
}
/** Nothing of the transaction was applied, and nothing will be; the key is free. */
export class TransactionConflict extends Schema.TaggedError<TransactionConflict>()("TransactionConflict", {}) {
  override get message() {
    return "the transaction met what others have written meanwhile; nothing of it was applied. Send the same request again"
  }
}
/** The transaction was refused, and would be again. */
export class TransactionInvalid extends Schema.TaggedError<TransactionInvalid>()("TransactionInvalid", {
  detail: Schema.String
}) {
  override get message() {
    return `the transaction was refused, and nothing of it was applied: ${this.detail}. Mend what the handler stages`
  }
}
/** The key has no slot left for a step. */
export class ChainFull extends Schema.TaggedError<ChainFull>()("ChainFull", { step: Schema.String }) {
  override get message() {
    return `there is no slot left to record the step ${JSON.stringify(this.step)}: a key has 63 for all attempts, renewals and steps. Put small steps together, or make the lease longer`
  }
}
/** The collection of keys is another than ours. */
export class StoreShapeMismatch extends Schema.TaggedError<StoreShapeMismatch>()("StoreShapeMismatch", {
  collection: Schema.String,
  column: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the collection ${JSON.stringify(this.collection)} can't hold idempotency keys: ${this.column}: ${this.detail}. Rename or delete that collection, then it is made anew at the next request`
  }
}
/** The store did not answer, or not in time. Nobody was told that a key is free. */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  operation: Schema.String,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `the idempotency store can't be used (${this.operation}): ${this.detail}`
  }
}
/** Time can't be trusted, so nothing that rests on it is. */
export class ClockSkew extends Schema.TaggedError<ClockSkew>()("ClockSkew", {
  /** Ours less the store's, in milliseconds. */
  difference: Schema.Number,
  margin: Schema.Number
}) {
  override get message() {
    return `this clock and the store's differ by ${Math.round(this.difference)} ms, and the margin allows ${this.margin} ms. Synchronise the clocks (NTP), or raise the margin in every process`
  }
}
/** A store that others can read needs a secret for what it shows. */
export class SecretMissing extends Schema.TaggedError<SecretMissing>()("SecretMissing", {
  store: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the idempotency store on ${this.store} needs HOLDFAST_SECRET: ${this.problem}. Set it to at least 32 random bytes, as from: openssl rand -base64 32`
  }
}
/** Options that can't work together. */
export class OptionsInvalid extends Schema.TaggedError<OptionsInvalid>()("OptionsInvalid", {
  option: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the option ${this.option} of idempotency can't be used: ${this.detail}`
  }
}

/** What the store can fail with. */
export const StoreError = Schema.Union([StoreUnavailable, ClockSkew, StoreShapeMismatch])
export type StoreError = typeof StoreError.Type

export const IdempotencyError = Schema.Union([
  KeyMissing,
  KeyInvalid,
  UserInvalid,
  FingerprintMismatch,
  InProgress,
  Indeterminate,
  AttemptsExhausted,
  ResponseNotKept,
  TransactionConflict,
  TransactionInvalid,
  ChainFull,
  StoreShapeMismatch,
  StoreUnavailable,
  ClockSkew,
  OptionsInvalid
])
export type IdempotencyError = typeof IdempotencyError.Type

/** What a client is told: which problem, and whether to come again. */
const kinds = {
  KeyMissing: "key-missing",
  KeyInvalid: "key-invalid",
  UserInvalid: "user-invalid",
  FingerprintMismatch: "fingerprint-mismatch",
  InProgress: "in-progress",
  Indeterminate: "indeterminate",
  AttemptsExhausted: "attempts-exhausted",
  ResponseNotKept: "response-not-kept",
  TransactionConflict: "transaction-conflict",
  TransactionInvalid: "transaction-invalid",
  // A handler that lets them through has failed by them; the store is as good as gone for its client.
  ChainFull: "store-unavailable",
  StoreShapeMismatch: "store-unavailable",
  StoreUnavailable: "store-unavailable",
  OptionsInvalid: "store-unavailable",
  ClockSkew: "clock-skew"
} as const satisfies Record<IdempotencyError["_tag"], Problem.Kind>

/** What the server's operator alone should read is not said to clients. */
const unprotectable = "requests can't be protected against repetition at the moment. Send the same request again"
const secretly: Partial<Record<IdempotencyError["_tag"], string>> = {
  StoreShapeMismatch: unprotectable,
  StoreUnavailable: unprotectable,
  ClockSkew: unprotectable,
  OptionsInvalid: unprotectable,
  TransactionInvalid: "the operation was refused by the database, and nothing of it was applied"
}

export interface ProblemResponse {
  readonly status: number
  readonly document: Problem.Document
  /** Seconds, for Retry-After. */
  readonly retryAfter: number | undefined
}

/** The problem document of an error. `jitter`: 0 to 1, of a second, so that clients do not come back all at once. */
export const toProblem = (error: IdempotencyError, jitter: number): ProblemResponse => {
  const kind = kinds[error._tag]
  const detail = secretly[error._tag] ?? error.message
  const document =
    error._tag === "ResponseNotKept"
      ? Problem.document("response-not-kept", { detail, originalStatus: error.originalStatus ?? 200 })
      : Problem.document(kind as Exclude<Problem.Kind, "response-not-kept">, { detail })
  const milliseconds = "retryAfter" in error ? error.retryAfter : document.status === 503 ? 1000 : undefined
  return {
    status: document.status,
    document,
    retryAfter: milliseconds === undefined ? undefined : Math.max(1, Math.ceil(milliseconds / 1000 + jitter))
  }
}
