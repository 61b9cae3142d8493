/** Secrets in texts: the rules of `Redaction`, applied to a text of any length. */
import * as Redaction from "../../Redaction.ts"
import * as Features from "./Features.ts"
import { secretName } from "./FieldNames.ts"
import { escape } from "./Quote.ts"

type Rule = Omit<Redaction.Rule, "matches" | "ignores">

export interface Texts {
  /** An id that is written where it stands: the trace's own. */
  exempt: string
  /** The text without secrets; itself where it has none. */
  readonly redact: (text: string) => string
  /** The same, as it stands in JSON between its quotes. */
  readonly escaped: (text: string) => string
}

/** A rule, and what it needs as bits. */
interface Prepared extends Rule {
  readonly mask: number
  /** Finds whether there is a match: cheaper than to replace none. */
  readonly probe: RegExp
}
/** Most sets of features whose rules are remembered. */
const remembered = 1000
const noRules: ReadonlyArray<Prepared> = []

export const mark = (name: string): string => `[redacted:${name}]`

/** What stays of a match in front of the mark. */
const keptOf = (groups: unknown): string => {
  if (typeof groups !== "object" || groups === null) return ""
  for (const [name, text] of Object.entries(groups))
    if (typeof text === "string" && name.startsWith("keep")) return text
  return ""
}

const segments = /[^\s"'<>&?;,]+/g
const encoded = /%[0-9a-f]{2}/i
/** Text that was encoded more often than this is no secret to anybody who reads logs. */
const rounds = 3

const decodedOnce = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    // Escapes that are no UTF-8: each that is ASCII by itself.
    return text.replaceAll(/%[2-7][0-9a-f]/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)))
  }
}

/** A parameter whose name says that its value is secret. */
const parameter = /(?<keep>[?&;](?<name>[\w.%[\]$-]{1,64})=)[^&;\s#"'<>]+/g

const withoutParts = (
  text: string,
  parts: ReadonlyArray<readonly [begin: number, end: number]>,
  instead: string
): string => {
  let own = ""
  let at = 0
  for (const [begin, end] of parts) {
    own += text.slice(at, begin) + instead
    at = end
  }
  return own + text.slice(at)
}

const withoutValue = (match: string, ...rest: ReadonlyArray<unknown>): string => {
  const groups = rest.at(-1) as { readonly keep: string; readonly name: string }
  return secretName(decodedOnce(groups.name)) && !match.startsWith("[redacted:", groups.keep.length)
    ? groups.keep + mark("parameter")
    : match
}
const isParameter = Features.mask(["query", "sign"])
/** `hash` gives what takes the place of values that must stay comparable. */
export const make = (options: Redaction.Options, hash: (kind: string, value: string) => string): Texts => {
  const disabled = new Set<string>(options.disabled ?? [])
  const ip = options.ip ?? "short"
  const rules: ReadonlyArray<Rule> =
    options.patterns === false
      ? (options.rules ?? [])
      : [
          ...(options.rules ?? []),
          ...(Redaction.rules as ReadonlyArray<Redaction.Rule>).filter(
            ({ name }) => !disabled.has(name) && !(name === "address" && ip === "full")
          )
        ]
  const prepared = rules.map((rule): Prepared => ({
    ...rule,
    pattern: new RegExp(rule.pattern.source, `${rule.pattern.flags.replaceAll(/[gy]/g, "")}g`),
    mask: Features.mask(rule.needs ?? []),
    probe: new RegExp(rule.pattern.source, rule.pattern.flags.replaceAll(/[gy]/g, ""))
  }))
  const patterns = options.patterns !== false
  const isIdle = prepared.length === 0 && !patterns

  const byFeatures = new Map<number, ReadonlyArray<Prepared>>()
  /** The rules that may find something in a text with these features. */
  const rulesFor = (found: number): ReadonlyArray<Prepared> => {
    const before = byFeatures.get(found)
    if (before !== undefined) return before
    if (byFeatures.size >= remembered) byFeatures.clear()
    const own = prepared.filter(({ mask }) => (mask & ~found) === 0)
    byFeatures.set(found, own.length === 0 ? noRules : own)
    return own
  }

  const redactKnown = (text: string, found: number): string => {
    const own = apply(text, found)
    return patterns && (found & Features.features.percent) !== 0 ? applyDecoded(own) : own
  }
  const self: Texts = {
    exempt: "",
    redact: (text) => (isIdle ? text : redactKnown(text, Features.of(text))),
    escaped: (text) => {
      if (isIdle) return escape(text)
      const found = Features.of(text)
      const own = redactKnown(text, found)
      return own === text && (found & Features.features.loud) === 0 ? text : escape(own)
    }
  }

  const replace = ({ accepts, name, parts, pattern, replacement }: Rule, text: string): string =>
    text.replace(pattern, (match: string, ...rest: ReadonlyArray<unknown>) => {
      if (match === self.exempt || (accepts !== undefined && !accepts(match))) return match
      if (parts !== undefined) return withoutParts(match, parts(match), mark(name))
      if (replacement === "hash") return `[${name}:${hash(name, match.toLowerCase())}]`
      if (replacement === "shorten") return (ip === "none" ? undefined : Redaction.shortenAddress(match)) ?? mark(name)
      return keptOf(rest.at(-1)) + mark(name)
    })

  const apply = (text: string, found: number): string => {
    let own = text
    for (const rule of rulesFor(found)) if (rule.probe.test(own)) own = replace(rule, own)
    return patterns && (found & isParameter) === isParameter ? own.replace(parameter, withoutValue) : own
  }

  /** What is percent-encoded is looked at as it reads; where that holds a secret, it stands there as it reads, without it. */
  const applyDecoded = (text: string): string =>
    text.replaceAll(segments, (segment) => {
      if (!encoded.test(segment)) return segment
      let plain = segment
      for (let round = 0; round < rounds; round++) {
        const next = decodedOnce(plain)
        if (next === plain) break
        plain = next
        const clean = apply(plain, Features.of(plain))
        if (clean !== plain) return clean
      }
      return segment
    })

  return self
}
