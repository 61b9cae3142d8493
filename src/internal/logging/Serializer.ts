/**
 * Values as JSON, in one pass that redacts, cuts, escapes and writes. Nothing is changed, whatever it is given, and
 * nothing thrown: what can't be read is said to be so.
 */
import * as Redaction from "../../Redaction.ts"
import * as LogEvent from "../../LogEvent.ts"
import { FieldsOf, shownApart } from "./Failures.ts"
import * as Names from "./Names.ts"
import * as Paths from "./Paths.ts"
import { quote } from "./Quote.ts"
import * as Sensitive from "./Sensitive.ts"
import { mark, type Texts } from "./Texts.ts"

/** How much of a value is written. */
interface Caps {
  /** Characters of one text. */
  readonly text: number
  /** Members of one object, items of one list. */
  readonly members: number
  readonly depth: number
  /** Values in all. */
  readonly values: number
}

/** Tried in order, until the line fits. */
const caps: ReadonlyArray<Caps> = [
  { text: 8192, members: 256, depth: 10, values: 4000 },
  { text: 1024, members: 64, depth: 6, values: 400 },
  { text: 256, members: 16, depth: 4, values: 80 },
  { text: 64, members: 4, depth: 2, values: 16 }
]

/** What stands when nothing fits. */
const least: Caps = { text: 24, members: 3, depth: 2, values: 12 }
/** Fields that hold whatever a caller gives. */
const carried: ReadonlySet<string> = new Set(["data", "headers", "body", "spans"])

/** A secret may begin within so many characters before a cut: they are looked at, and not written. */
const margin = 512

/** A number that could be one of a card. */
const long = 1e12

/** Characters of an id. */
const longestId = 256

const unreadable = '"[unreadable]"'

export interface Settings {
  readonly texts: Texts
  /** The same for ids of requests. */
  readonly ids: Texts
  readonly names: Names.Names
  readonly hash: (kind: string, value: string) => string
  readonly ip: "short" | "full" | "none"
  readonly paths: Paths.Node | undefined
}

/** The most that a sink takes of one line. */
export interface Limit {
  readonly size: number
  readonly unit: "bytes" | "characters"
}

/** A line, and whether something was left out of it. */
export interface Written {
  readonly text: string
  readonly cut: boolean
}

type Fields = Readonly<Record<string, unknown>>

const isWithin = (text: string, { size, unit }: Limit): boolean =>
  text.length <= size && (unit === "characters" || text.length * 3 <= size || Buffer.byteLength(text) <= size)

export class Serializer {
  readonly #settings: Settings
  readonly #roots: ReadonlyArray<Paths.Node>
  #caps: Caps = caps[0]!
  #depth = 0
  #values = 0
  /** Characters that may still come. */
  #left = 0
  #cut = false
  readonly #around: Array<object> = []

  constructor(settings: Settings) {
    this.#settings = settings
    this.#roots = settings.paths === undefined ? Paths.none : [settings.paths]
  }

  /**
   * One event as one line, within the limit. `tail`: members that were written before, each with its comma in front.
   * What no cap makes short enough keeps its own fields alone.
   */
  line(event: Fields, tail: string, limit: Limit): Written {
    const { traceId } = event
    this.#settings.texts.exempt = typeof traceId === "string" ? traceId : ""
    for (const own of caps) {
      const text = this.#try(event, tail, own, limit)
      if (isWithin(text, limit)) return { text, cut: this.#cut }
    }
    return { text: this.#least(event), cut: true }
  }

  /** What is left of a line for which nothing is short enough: its own fields, each a few words. */
  #least(event: Fields): string {
    this.#begin(least, Number.MAX_SAFE_INTEGER)
    let text = ""
    for (const key of Object.keys(event)) {
      if (carried.has(key)) continue
      const value = event[key]
      const written =
        typeof value === "string" && LogEvent.trusted.has(key) ? `"${value}"` : this.#value(value, Paths.none)
      if (written !== undefined) text += `,"${key}":${written}`
    }
    return `{${text.slice(1)},"truncated":true}`
  }

  /** Members of every line of a request, with a comma in front of each. */
  members(fields: Fields): string {
    this.#begin(caps[0]!, Number.MAX_SAFE_INTEGER)
    let text = ""
    for (const key of Object.keys(fields)) text += `,${this.#member(key, fields[key], Paths.none)}`
    return text
  }

  #begin(own: Caps, left: number): void {
    this.#caps = own
    this.#depth = 0
    this.#values = 0
    this.#left = left
    this.#cut = false
    this.#around.length = 0
  }

  #try(event: Fields, tail: string, own: Caps, limit: Limit): string {
    this.#begin(own, limit.size)
    const isPathed = this.#roots.length > 0
    let text = ""
    for (const key in event) {
      const value = event[key]
      if (value === undefined) continue
      let written: string | undefined
      if (typeof value === "number") written = Number.isFinite(value) ? String(value) : "null"
      else if (typeof value === "string" && LogEvent.trusted.has(key)) written = `"${value}"`
      else {
        const nodes = isPathed ? Paths.under(this.#roots, key) : Paths.none
        if (nodes.some(({ hidden }) => hidden)) written = `"${mark("path")}"`
        // Paths are told from the data on, as the caller knows it.
        else written = this.#value(value, key === "data" && isPathed ? [...this.#roots, ...nodes] : nodes)
      }
      if (written !== undefined) text += text === "" ? `{"${key}":${written}` : `,"${key}":${written}`
    }
    return `${text}${tail}${this.#cut ? ',"truncated":true' : ""}}`
  }

  #text(value: string): string {
    const most = Math.min(this.#caps.text, Math.max(this.#left, 32))
    if (value.length <= most) {
      const own = quote(this.#settings.texts.redact(value))
      this.#left -= own.length
      return own
    }
    this.#cut = true
    const window = this.#settings.texts.redact(value.slice(0, most + margin))
    // The last word may be a secret's beginning.
    const whole = window.slice(0, Math.max(0, Math.min(most, window.length - margin))).replace(/\S{1,512}$/, "")
    const own = quote(`${whole.replace(/[\ud800-\udbff]$/, "")}[${value.length - whole.length} more]`)
    this.#left -= own.length
    return own
  }

  /** Undefined for what JSON leaves out. */
  #value(value: unknown, nodes: ReadonlyArray<Paths.Node>): string | undefined {
    switch (typeof value) {
      case "string":
        return this.#text(value)
      case "number":
        return this.#number(value)
      case "boolean":
        return value ? "true" : "false"
      case "bigint":
        return this.#text(String(value))
      case "undefined":
        return undefined
      case "symbol":
        return this.#text(String(value))
      case "function":
        return this.#text(`[function ${value.name}]`)
      default:
        return value === null || value === undefined ? "null" : this.#nested(value, nodes)
    }
  }

  #number(value: number): string {
    if (!Number.isFinite(value)) return `"${value}"`
    const text = String(value)
    if (value < long || !Number.isSafeInteger(value)) return text
    const own = this.#settings.texts.redact(text)
    return own === text ? text : quote(own)
  }

  #nested(value: object, nodes: ReadonlyArray<Paths.Node>): string {
    if (this.#depth >= this.#caps.depth || this.#values > this.#caps.values || this.#left <= 0) {
      this.#cut = true
      return '"[cut]"'
    }
    if (this.#around.includes(value)) return '"[circular]"'
    this.#around.push(value)
    this.#depth++
    this.#values++
    try {
      return this.#object(value, nodes)
    } catch {
      return unreadable
    } finally {
      this.#depth--
      this.#around.pop()
    }
  }

  #object(value: object, nodes: ReadonlyArray<Paths.Node>): string {
    if (value instanceof FieldsOf) {
      const sensitive = Sensitive.ofValue(value.error)
      return this.#record(value.error as Fields, sensitive === undefined ? Paths.none : [sensitive], shownApart)
    }
    if (Array.isArray(value)) return this.#list(value, value.length, nodes)
    const sensitive = Sensitive.ofValue(value)
    const within = sensitive === undefined ? nodes : [...nodes, sensitive]
    return this.#special(value, within) ?? this.#record(value as Fields, within)
  }

  /** What is no plain record; undefined for what is. */
  #special(value: object, within: ReadonlyArray<Paths.Node>): string | undefined {
    if (value instanceof Error) return this.#error(value, within)
    if (value instanceof Map) return this.#entries(value, value.size, within)
    if (value instanceof Set) return this.#list(value, value.size, within)
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? '"[invalid date]"' : `"${value.toISOString()}"`
    if (ArrayBuffer.isView(value)) return `"[${value.constructor.name} of ${value.byteLength} bytes]"`
    if (value instanceof ArrayBuffer) return `"[ArrayBuffer of ${value.byteLength} bytes]"`
    if (value instanceof URL || value instanceof RegExp) return this.#text(String(value))
    if (isPairs(value)) return this.#entries(value, Number.MAX_SAFE_INTEGER, within)
    if ("toJSON" in value && typeof value.toJSON === "function") {
      const own: unknown = value.toJSON()
      if (own !== value) return this.#value(own, within) ?? "null"
    }
    return undefined
  }

  #list(items: Iterable<unknown>, size: number, nodes: ReadonlyArray<Paths.Node>): string {
    let text = ""
    let count = 0
    for (const item of items) {
      if (count === this.#caps.members || this.#left <= 0) {
        this.#cut = true
        text += `,"[${size - count} more]"`
        break
      }
      const own = nodes.length === 0 ? nodes : Paths.under(nodes, String(count))
      const written = own.some(({ hidden }) => hidden) ? `"${mark("path")}"` : (this.#value(item, own) ?? "null")
      text += count++ === 0 ? written : `,${written}`
      this.#left -= 1
    }
    return `[${text}]`
  }

  #entries(entries: Iterable<readonly [unknown, unknown]>, size: number, nodes: ReadonlyArray<Paths.Node>): string {
    let text = ""
    let count = 0
    for (const [key, value] of entries) {
      if (count === this.#caps.members || this.#left <= 0) {
        this.#cut = true
        text += `${text === "" ? "" : ","}"[more]":${Math.max(0, size - count)}`
        break
      }
      const name = typeof key === "object" && key !== null ? (this.#value(key, Paths.none) ?? "null") : String(key)
      const written = this.#member(name, value, nodes)
      if (written !== "") text += text === "" ? written : `,${written}`
      count++
    }
    return `{${text}}`
  }

  #record(value: Fields, nodes: ReadonlyArray<Paths.Node>, skipped?: ReadonlySet<string>): string {
    const keys = Object.keys(value)
    let text = ""
    let count = 0
    for (const key of keys) {
      if (skipped?.has(key) === true) continue
      if (count === this.#caps.members || this.#left <= 0) {
        this.#cut = true
        text += `${text === "" ? "" : ","}"[more]":${keys.length - count}`
        break
      }
      let own: unknown
      try {
        own = value[key]
      } catch {
        own = "[unreadable]"
      }
      const written = this.#member(key, own, nodes)
      if (written !== "") text += text === "" ? written : `,${written}`
      count++
    }
    return `{${text}}`
  }

  /** Empty for what JSON leaves out. */
  #member(name: string, value: unknown, nodes: ReadonlyArray<Paths.Node>): string {
    if (value === undefined) return ""
    const { text, verdict } = this.#settings.names.of(name)
    this.#left -= text.length
    const own = nodes.length === 0 ? nodes : Paths.under(nodes, name)
    for (const { hidden } of own) if (hidden) return `${text}:"${mark("path")}"`
    if (verdict === "plain") {
      const written = this.#value(value, own)
      return written === undefined ? "" : `${text}:${written}`
    }
    return `${text}:${this.#judged(verdict, value, own)}`
  }

  #judged(verdict: Exclude<Names.Verdict, "plain">, value: unknown, nodes: ReadonlyArray<Paths.Node>): string {
    if (verdict === "secret") return value === null ? "null" : `"${mark("name")}"`
    if (typeof value !== "string" || value === "") return this.#value(value, nodes) ?? "null"
    if (verdict === "id" && value.length <= longestId) return quote(this.#settings.ids.redact(value))
    if (verdict === "id") return this.#text(value)
    if (verdict === "user") return quote(`[user:${this.#settings.hash("user", value)}]`)
    return this.#address(value)
  }

  #address(value: string): string {
    const { ip } = this.#settings
    if (ip === "full") return this.#text(value)
    if (ip === "none") return `"${mark("address")}"`
    const parts = value.split(",").map((part) => Redaction.shortenAddress(part.trim()) ?? mark("address"))
    return quote(parts.join(", "))
  }

  #error(error: Error, nodes: ReadonlyArray<Paths.Node>): string {
    const tag = "_tag" in error && typeof error._tag === "string" ? error._tag : error.name
    const head: Array<string> = [`"tag":${this.#text(tag)}`, `"message":${this.#text(error.message)}`]
    const own = this.#record(error as unknown as Fields, nodes, shownApart)
    if (own !== "{}") head.push(own.slice(1, -1))
    if (typeof error.stack === "string") head.push(`"stack":${this.#text(error.stack)}`)
    if (error.cause !== undefined) head.push(`"cause":${this.#value(error.cause, Paths.none) ?? "null"}`)
    if (error instanceof AggregateError) head.push(`"errors":${this.#value(error.errors, Paths.none) ?? "null"}`)
    return `{${head.join(",")}}`
  }
}

/** Whether it shows its values as pairs of a name and a value, as Headers, URLSearchParams and FormData do. */
const isPairs = (value: object): value is Iterable<readonly [string, unknown]> =>
  !("toJSON" in value) &&
  "entries" in value &&
  typeof value.entries === "function" &&
  "has" in value &&
  Symbol.iterator in value &&
  Object.keys(value).length === 0
