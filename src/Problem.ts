/**
 * What a client is told that meets a rule of idempotency: a problem document (RFC 9457), one kind for each rule.
 *
 * The `type` of a kind never changes, so programs compare it; titles and details are for people. The types are URNs,
 * which promise no page behind them and need no host.
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** The media type of a problem document. */
export const contentType = "application/problem+json"

const prefix = "urn:holdfast:problem:"

const define = <const K extends string, const S extends number, const F extends Schema.Struct.Fields = {}>(
  kind: K,
  status: S,
  title: string,
  extensions: F = {} as F
) => ({
  /** What a client compares. */
  type: `${prefix}${kind}` as const,
  title,
  /** The status that it is answered with. */
  status,
  schema: Schema.Struct({
    type: Schema.Literal(`${prefix}${kind}`),
    title: Schema.String,
    status: Schema.Literal(status),
    /** What happened this time, and what helps. */
    detail: Schema.String,
    /** A URI of this one occurrence. */
    instance: Schema.optionalKey(Schema.String),
    ...extensions
  })
})

/** The kinds; all lists of them follow from this one. */
export const problems = {
  "key-missing": define("key-missing", 400, "The request needs an Idempotency-Key"),
  "key-invalid": define("key-invalid", 400, "The Idempotency-Key is not valid"),
  "user-invalid": define("user-invalid", 400, "The user id is not valid"),
  "fingerprint-mismatch": define("fingerprint-mismatch", 422, "The Idempotency-Key belongs to another request"),
  "in-progress": define("in-progress", 409, "The first request is still running"),
  indeterminate: define("indeterminate", 409, "Nobody knows whether the request has happened"),
  "attempts-exhausted": define("attempts-exhausted", 409, "All attempts of this Idempotency-Key have failed"),
  "response-not-kept": define("response-not-kept", 410, "The request has happened, its response was not kept", {
    /** The first answer's status; `status` can't say it, since RFC 9457 keeps that for this document's own. */
    originalStatus: Schema.Int
  }),
  "transaction-conflict": define("transaction-conflict", 503, "The transaction met another one"),
  "transaction-invalid": define("transaction-invalid", 500, "The transaction was refused"),
  "store-unavailable": define("store-unavailable", 503, "The idempotency store can't be reached"),
  "clock-skew": define("clock-skew", 503, "The clocks differ too much")
} as const

export type Kind = keyof typeof problems

export const Kind = Schema.Literals(Object.keys(problems) as ReadonlyArray<Kind>)

/** The document of one kind. */
export type DocumentOf<K extends Kind> = (typeof problems)[K]["schema"]["Type"]

/** Any of our documents, strictly as `document` writes them. */
export const Document = Schema.Union(Object.values(problems).map(({ schema }) => schema))
export type Document = DocumentOf<Kind>

/**
 * The document of a kind, ready for JSON. `facts` are `detail`, which says what happened and what helps, an `instance`
 * where there is one, and the kind's own members.
 */
export const document = <K extends Kind>(
  kind: K,
  facts: Omit<DocumentOf<K>, "type" | "title" | "status">
): DocumentOf<K> => {
  const { status, title, type } = problems[kind]
  return { type, title, status, ...facts } as DocumentOf<K>
}

/** What is known of somebody's document. */
export interface Told {
  readonly kind: Kind
  readonly detail: string | undefined
  readonly originalStatus: number | undefined
}

/**
 * Reads whatever was answered; undefined where it is no document of ours. Members of another JSON type count as absent
 * and those it does not know are passed over, so that a later server can say more (RFC 9457, section 3.1).
 */
export const read = (value: unknown): Told | undefined => {
  if (!Predicate.hasProperty(value, "type") || typeof value.type !== "string") return undefined
  const kind = value.type.startsWith(prefix) ? value.type.slice(prefix.length) : ""
  if (!Object.hasOwn(problems, kind)) return undefined
  const { detail, originalStatus } = value as { readonly detail?: unknown; readonly originalStatus?: unknown }
  return {
    kind: kind as Kind,
    detail: typeof detail === "string" ? detail : undefined,
    originalStatus: typeof originalStatus === "number" ? originalStatus : undefined
  }
}

/** The kind of whatever was answered; undefined where it is no document of ours. */
export const kindOf = (value: unknown): Kind | undefined => read(value)?.kind
