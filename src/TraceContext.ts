/**
 * W3C Trace Context: which trace a request belongs to, in headers.
 *
 *   traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *                version, trace id, parent id (the caller's span), flags
 *   tracestate:  vendor=value,other=value, the latest writer first
 *
 * A traceparent that is malformed in any way is as none: a new trace begins, and the tracestate goes with it. A
 * malformed tracestate goes alone. Node joins repeated headers with a comma: two traceparents are malformed, two
 * tracestates are one list.
 *
 * Source: W3C Trace Context, Level 2 (sections 3.2, 3.3 and 4); W3C Baggage, section 3.
 */

/** Header names in lower case. */
export const headers = { traceparent: "traceparent", tracestate: "tracestate", baggage: "baggage" } as const

export interface TraceContext {
  /** 32 hexadecimal digits in lower case, not all zero. */
  readonly traceId: string
  /** The caller's span, 16 hexadecimal digits in lower case, not all zero. */
  readonly parentId: string
  /** Whether the caller may have recorded the trace. */
  readonly sampled: boolean
  /** Whether the last 56 bits of the trace id are random, so that they can be sampled by. */
  readonly random: boolean
  /** Members in order, valid as they stand; empty where there are none. */
  readonly tracestate: string
}

/** What a traceparent says by itself. */
export type Traceparent = Omit<TraceContext, "tracestate">

const form = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/
/** Where each part stands, and how long version 00 is. */
const places = { version: [0, 2], traceId: [3, 35], parentId: [36, 52], flags: [53, 55] } as const
const zeros = /^0+$/

/** Spaces and tabs around a field are no part of it (RFC 9110, section 5.5); other white space is. */
const trim = (text: string): string => text.replaceAll(/^[ \t]+|[ \t]+$/g, "")

/** Whether it is an id of a trace: 32 hexadecimal digits in lower case, not all zero. */
export const isTraceId = (text: string): boolean => /^[0-9a-f]{32}$/.test(text) && !zeros.test(text)

/** Undefined where the specification calls it invalid. Of a later version, what version 00 knows is taken. */
export const parseTraceparent = (header: string | undefined): Traceparent | undefined => {
  if (header === undefined) return undefined
  const text = trim(header)
  if (!form.test(text)) return undefined
  const part = (name: keyof typeof places) => text.slice(...places[name])
  const [version, traceId, parentId] = [part("version"), part("traceId"), part("parentId")]
  if (version === "ff" || (version === "00" && text.length > places.flags[1])) return undefined
  if (zeros.test(traceId) || zeros.test(parentId)) return undefined
  const bits = Number.parseInt(part("flags"), 16)
  return { traceId, parentId, sampled: (bits & 1) !== 0, random: (bits & 2) !== 0 }
}

/** Most members of a tracestate; most characters that ours is sent on with. */
export const limits = { members: 32, characters: 512, longMember: 128 } as const

const key = "[a-z0-9][a-z0-9_\\-*/@]{0,255}"
const value = "[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]"
const member = new RegExp(`^${key}=${value}$`)

/** The members of a tracestate in order; empty where one is malformed, or there are more than 32. */
export const parseTracestate = (header: string | undefined): ReadonlyArray<string> => {
  if (header === undefined) return []
  const members: Array<string> = []
  const keys = new Set<string>()
  let count = 0
  for (const part of header.split(",")) {
    const own = trim(part)
    if (own === "") continue
    if (!member.test(own) || ++count > limits.members) return []
    const name = own.slice(0, own.indexOf("="))
    // Of a key that comes twice the first one was written last.
    if (keys.has(name)) continue
    keys.add(name)
    members.push(own)
  }
  return members
}

/**
 * Members as one header of at most 512 characters: first members of more than 128 characters are left out, then the
 * last ones (section 3.3.1.5).
 */
export const formatTracestate = (members: ReadonlyArray<string>): string => {
  const kept = [...members]
  const length = () => kept.reduce((sum, one) => sum + one.length + 1, -1)
  while (length() > limits.characters) {
    const long = kept.findLastIndex((one) => one.length > limits.longMember)
    kept.splice(long === -1 ? kept.length - 1 : long, 1)
  }
  return kept.join(",")
}

/** Undefined where there is no valid traceparent. */
export const fromHeaders = (given: Readonly<Record<string, string | undefined>>): TraceContext | undefined => {
  const parent = parseTraceparent(given[headers.traceparent])
  return parent === undefined
    ? undefined
    : { ...parent, tracestate: parseTracestate(given[headers.tracestate]).join(",") }
}

/** The header for whoever is called next; `parentId` is the caller's own span. Always of version 00. */
export const formatTraceparent = ({ parentId, random, sampled, traceId }: Traceparent): string =>
  `00-${traceId}-${parentId}-0${(sampled ? 1 : 0) + (random ? 2 : 0)}`

/** Headers for whoever is called next. */
export const toHeaders = (context: TraceContext): Readonly<Record<string, string>> => {
  const tracestate = formatTracestate(parseTracestate(context.tracestate))
  return {
    [headers.traceparent]: formatTraceparent(context),
    ...(tracestate === "" ? {} : { [headers.tracestate]: tracestate })
  }
}

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const baggageValue = "[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]*"
const property = `[ \\t]*;[ \\t]*${token}(?:[ \\t]*=[ \\t]*${baggageValue})?`
const baggageMember = new RegExp(`^${token}[ \\t]*=[ \\t]*${baggageValue}(?:${property})*$`)
/** What a platform must be able to pass on: 64 members and 8192 bytes. */
const baggageLimits = { members: 64, bytes: 8192 } as const

/** Baggage as it is passed on: malformed members and what is beyond 64 members or 8192 bytes is left out. */
export const parseBaggage = (header: string | undefined): string => {
  if (header === undefined) return ""
  let text = ""
  let count = 0
  for (const part of header.split(",")) {
    const own = trim(part)
    if (!baggageMember.test(own)) continue
    const longer = text === "" ? own : `${text},${own}`
    if (++count > baggageLimits.members || longer.length > baggageLimits.bytes) break
    text = longer
  }
  return text
}
