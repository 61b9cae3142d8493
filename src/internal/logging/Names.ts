/** Names of fields, judged and written once: logs have few names and many values. */
import * as Redaction from "../../Redaction.ts"
import { quote } from "./Quote.ts"
import type { Texts } from "./Texts.ts"

/** What is done with what a field of that name holds. */
export type Verdict = "plain" | "secret" | "user" | "address" | "id"

interface Judged {
  readonly text: string
  readonly verdict: Verdict
}

export interface Names {
  /** The name as JSON, secrets in it masked, and its verdict. */
  readonly of: (name: string) => Judged
}

/** Fields that hold ids of requests, which look as drawn as secrets do. */
const ids = new Set(["traceId", "spanId", "parentSpanId", "correlationId", "requestId", "executionId", "traceparent"])

/** Most names that are remembered; most characters of a name that is. */
const remembered = 4000
const longest = 128
/** Most characters of a name that are written. */
const written = 256

export const make = (hidden: Iterable<string>, texts: Texts): Names => {
  const known = new Map<string, Judged>()
  const own = new Set(hidden)
  const verdictOf = (name: string): Verdict => {
    if (own.has(name)) return "secret"
    if (Redaction.secretName(name)) return "secret"
    if (ids.has(name)) return "id"
    if (Redaction.userName(name)) return "user"
    return Redaction.addressName(name) ? "address" : "plain"
  }
  const judge = (name: string): Judged => {
    const clean = texts.redact(name.length > written * 4 ? name.slice(0, written * 4) : name)
    return { text: quote(clean.length > written ? `${clean.slice(0, written)}…` : clean), verdict: verdictOf(name) }
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
