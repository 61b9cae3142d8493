/** Names of fields, judged and written once: logs have few names and many values. */
import * as LogEvent from "../../LogEvent.ts"
import * as FieldNames from "./FieldNames.ts"
import { quote } from "./Quote.ts"
import type { Texts } from "./Texts.ts"

/** What is done with what a field of that name holds. */
export type Verdict = "plain" | "secret" | "user" | "address" | "id"

interface Judged {
  /** Of the name as JSON. */
  readonly length: number
  /** In front of the value, for the first member of an object and the others; the same for a text, with its quote. */
  readonly first: string
  readonly next: string
  readonly firstText: string
  readonly nextText: string
  readonly verdict: Verdict
}

export interface Names {
  /** The name as JSON, secrets in it masked, and its verdict. */
  readonly of: (name: string) => Judged
}

/** Fields that hold ids of requests, which look as drawn as secrets do. */
const ids = new Set([
  "traceId",
  "spanId",
  "parentSpanId",
  "correlationId",
  "requestId",
  "executionId",
  "traceparent",
  "holdfast.correlation_id"
])

/** Most names that are remembered; most characters of a name that is. */
const remembered = 4000
const longest = 128
/** Most characters of a name that are written. */
const written = 256

/** Joined, which makes texts that are no concatenations: they stand in every line. */
const leads = (text: string) => ({
  first: ["{", text, ":"].join(""),
  next: [",", text, ":"].join(""),
  firstText: ["{", text, ':"'].join(""),
  nextText: [",", text, ':"'].join("")
})
const known = new Map<string, ReturnType<typeof leads> & { readonly isTrusted: boolean }>()
/** What stands in front of fields of our own. */
export const ours = (name: string) => {
  let found = known.get(name)
  if (found === undefined) {
    if (known.size >= remembered) known.clear()
    known.set(name, (found = { ...leads(quote(name)), isTrusted: LogEvent.trusted.has(name) }))
  }
  return found
}

export const make = (hidden: Iterable<string>, texts: Texts): Names => {
  const known = new Map<string, Judged>()
  const own = new Set(hidden)
  const verdictOf = (name: string): Verdict => {
    if (own.has(name)) return "secret"
    if (FieldNames.secretName(name)) return "secret"
    if (ids.has(name)) return "id"
    if (FieldNames.userName(name)) return "user"
    return FieldNames.addressName(name) ? "address" : "plain"
  }
  const judge = (name: string): Judged => {
    const clean = texts.redact(name.length > written * 4 ? name.slice(0, written * 4) : name)
    const text = quote(clean.length > written ? `${clean.slice(0, written)}…` : clean)
    return {
      length: text.length,
      ...leads(text),
      verdict: verdictOf(name)
    }
  }
  return {
    of: (name) => {
      const before = known.get(name)
      if (before !== undefined) return before
      const judged = judge(name)
      if (name.length <= longest) {
        if (known.size >= remembered) known.clear()
        known.set(name, judged)
      }
      return judged
    }
  }
}
