/**
 * Values as JSON, in one pass that redacts, cuts, escapes and writes. Nothing is changed, whatever it is given, and
 * nothing thrown: what can't be read is said to be so.
 */
import * as Redaction from "../../Redaction.ts"
import { FieldsOf, shownApart } from "./Failures.ts"
import * as Kinds from "./Kinds.ts"
import type * as Names from "./Names.ts"
import * as Paths from "./Paths.ts"
import { escape, quote } from "./Quote.ts"
import * as Sensitive from "./Sensitive.ts"
import { mark, type Texts } from "./Texts.ts"

/** How much of a value is written. */
export interface Caps {
  /** Characters of one text. */
  readonly text: number
  /** Members of one object, items of one list. */
  readonly members: number
  readonly depth: number
  /** Values in all. */
  readonly values: number
}

/** A secret may begin within so many characters before a cut: they are looked at, and not written. */
const margin = 512

/** A number that could be one of a card. */
const long = 1e12

/** Characters of an id. */
const longestId = 256

const unreadable = '"[unreadable]"'
/** What stands for what a path hides. */
export const byPath = `"${mark("path")}"`
const byName = `"${mark("name")}"`

export interface Settings {
  readonly texts: Texts
  /** The same for ids of requests. */
  readonly ids: Texts
  readonly names: Names.Names
  readonly hash: (kind: string, value: string) => string
  readonly ip: "short" | "full" | "none"
  readonly paths: Paths.Node | undefined
}

type Fields = Readonly<Record<string, unknown>>

export class ValueWriter {
  readonly #settings: Settings
  /** What is written so far. */
  out = ""
  /** Something was left out of it. */
  cut = false
  #caps: Caps = { text: 0, members: 0, depth: 0, values: 0 }
  #depth = 0
  #values = 0
  /** Characters that may still come. */
  #left = 0
  readonly #around: Array<object> = []

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Forgets what was written. `left`: characters that may come. */
  begin(own: Caps, left: number): void {
    this.out = ""
    this.#caps = own
    this.#depth = 0
    this.#values = 0
    this.#left = left
    this.cut = false
    this.#around.length = 0
  }

  /** Numbers under names that are anybody's, and say nothing of them. */
  numbers(value: Readonly<Record<string, number>>): void {
    const members = Object.entries(value).map(([name, own]) => `${quote(this.#settings.texts.redact(name))}:${own}`)
    this.out += `{${members.join(",")}}`
  }

  /** What stands between the quotes. */
  #escaped(value: string): string {
    const most = Math.min(this.#caps.text, Math.max(this.#left, 32))
    const own = value.length <= most ? this.#settings.texts.escaped(value) : this.#shortened(value, most)
    this.#left -= own.length + 2
    return own
  }

  #shortened(value: string, most: number): string {
    this.cut = true
    const window = this.#settings.texts.redact(value.slice(0, most + margin))
    // The last word may be a secret's beginning.
    const whole = window.slice(0, Math.max(0, Math.min(most, window.length - margin))).replace(/\S{1,512}$/, "")
    return escape(`${whole.replace(/[\ud800-\udbff]$/, "")}[${value.length - whole.length} more]`)
  }

  #text(value: string): void {
    this.out += '"'
    this.out += this.#escaped(value)
    this.out += '"'
  }

  /** What JSON leaves out is null here; members leave it out before. */
  value(value: unknown, at: Paths.State): void {
    switch (typeof value) {
      case "string":
        return this.#text(value)
      case "number":
        return this.#number(value)
      case "boolean":
        this.out += value ? "true" : "false"
        return
      case "bigint":
      case "symbol":
        return this.#text(String(value))
      case "function":
        return this.#text(`[function ${value.name}]`)
      case "undefined":
        this.out += "null"
        return
      default:
        if (value === null || value === undefined) this.out += "null"
        else this.#nested(value, at)
    }
  }

  #number(value: number): void {
    if (!Number.isFinite(value)) this.out += `"${value}"`
    else if (value < long || !Number.isSafeInteger(value)) this.out += value
    else {
      const text = String(value)
      const own = this.#settings.texts.redact(text)
      this.out += own === text ? text : quote(own)
    }
  }

  #nested(value: object, at: Paths.State): void {
    if (this.#depth >= this.#caps.depth || this.#values > this.#caps.values || this.#left <= 0) {
      this.cut = true
      this.out += '"[cut]"'
      return
    }
    if (this.#around.includes(value)) {
      this.out += '"[circular]"'
      return
    }
    const before = this.out
    this.#around.push(value)
    this.#depth++
    this.#values++
    try {
      this.#object(value, at)
    } catch {
      this.out = before + unreadable
    } finally {
      this.#depth--
      this.#around.pop()
    }
  }

  #object(value: object, at: Paths.State): void {
    if (Array.isArray(value)) return this.#list(value, value.length, at)
    if (Object.getPrototypeOf(value) === Object.prototype && !("toJSON" in value)) return this.#record(value, at)
    if (value instanceof FieldsOf) return this.#record(value.error, at.with(Sensitive.ofValue(value.error)), shownApart)
    this.#special(value, at.with(Sensitive.ofValue(value)))
  }

  /** What is no plain record, and what is one after all. */
  #special(value: object, at: Paths.State): void {
    if (value instanceof Error) return this.#error(value, at)
    if (value instanceof Map) return this.#entries(value, value.size, at)
    if (value instanceof Set) return this.#list(value, value.size, at)
    const inner = Kinds.unboxed(value)
    if (inner !== undefined) return this.value(inner, at)
    const said = Kinds.saidOf(value)
    if (said !== undefined) {
      this.out += said
      return
    }
    const message = Kinds.messageOf(value)
    if (message !== undefined) return this.#text(message)
    if (value instanceof URL || value instanceof RegExp) return this.#text(String(value))
    if (Kinds.isPairs(value)) return this.#entries(value, Number.MAX_SAFE_INTEGER, at)
    if ("toJSON" in value && typeof value.toJSON === "function") {
      const own: unknown = value.toJSON()
      if (own !== value) return this.value(own, at)
    }
    this.#record(value, at)
  }

  #list(items: Iterable<unknown>, size: number, at: Paths.State): void {
    let count = 0
    this.out += "["
    for (const item of items) {
      if (count > 0) this.out += ","
      if (count === this.#caps.members || this.#left <= 0) {
        this.cut = true
        this.out += `"[${size - count} more]"`
        break
      }
      const own = at === Paths.none ? at : at.item(count)
      count++
      if (own.hidden) this.out += byPath
      else this.value(item, own)
      this.#left -= 1
    }
    this.out += "]"
  }

  #entries(entries: Iterable<readonly [unknown, unknown]>, size: number, at: Paths.State): void {
    let count = 0
    let isFirst = true
    for (const [key, value] of entries) {
      if (count === this.#caps.members || this.#left <= 0) {
        this.#more(Math.max(0, size - count), isFirst)
        isFirst = false
        break
      }
      if (this.member(this.#nameOf(key), value, at, isFirst)) isFirst = false
      count++
    }
    this.out += isFirst ? "{}" : "}"
  }

  #nameOf(key: unknown): string {
    if (typeof key !== "object" || key === null) return String(key)
    const before = this.out
    this.out = ""
    this.value(key, Paths.none)
    const name = this.out
    this.out = before
    return name
  }

  #more(left: number, isFirst: boolean): void {
    this.cut = true
    this.out += `${isFirst ? "{" : ","}"[more]":${left}`
  }

  #record(value: object, at: Paths.State, skipped?: ReadonlySet<string>): void {
    const isEmpty = this.#membersOf(value, at, true, skipped)
    this.out += isEmpty ? "{}" : "}"
  }

  /** Answers whether the next member is still the first. */
  #membersOf(value: object, at: Paths.State, none: boolean, skipped?: ReadonlySet<string>): boolean {
    const keys = Object.keys(value)
    let isFirst = none
    let count = 0
    for (const key of keys) {
      if (skipped?.has(key) === true) continue
      if (count === this.#caps.members || this.#left <= 0) {
        this.#more(keys.length - count, isFirst)
        return false
      }
      let own: unknown
      try {
        own = (value as Fields)[key]
      } catch {
        own = "[unreadable]"
      }
      if (this.member(key, own, at, isFirst)) isFirst = false
      count++
    }
    return isFirst
  }

  /** Answers whether it stands there: JSON leaves out what is undefined. */
  member(name: string, value: unknown, at: Paths.State, isFirst: boolean): boolean {
    if (value === undefined) return false
    const { first, firstText, length, next, nextText, verdict } = this.#settings.names.of(name)
    this.#left -= length
    const own = at === Paths.none ? at : at.under(name)
    if (verdict === "plain" && typeof value === "string" && !own.hidden) {
      this.out += isFirst ? firstText : nextText
      this.out += this.#escaped(value)
      this.out += '"'
      return true
    }
    this.out += isFirst ? first : next
    if (own.hidden) this.out += byPath
    else if (verdict === "plain") this.value(value, own)
    else this.#judged(verdict, name, value, own)
    return true
  }

  #judged(verdict: Exclude<Names.Verdict, "plain">, name: string, value: unknown, at: Paths.State): void {
    if (verdict === "secret") {
      if (Kinds.isHarmless(name, value)) this.value(value, at)
      else this.out += byName
    } else if (verdict === "user") this.#user(value, at)
    else if (typeof value !== "string" || value === "") this.value(value, at)
    else if (verdict === "id" && value.length > longestId) this.#text(value)
    else if (verdict === "id") this.out += quote(this.#settings.ids.redact(value))
    else this.#address(value)
  }

  /** Who somebody is: the same hash wherever it stands. */
  #user(value: unknown, at: Paths.State): void {
    if (Array.isArray(value) && value.length <= this.#caps.members) {
      this.out += "["
      for (const [index, one] of value.entries()) {
        if (index > 0) this.out += ","
        this.#user(one, at.item(index))
      }
      this.out += "]"
      return
    }
    const isId = typeof value === "number" || typeof value === "bigint" || (typeof value === "string" && value !== "")
    if (!isId) return this.value(value, at)
    const text = String(value)
    const kind = text.includes("@") ? "email" : "user"
    this.out += quote(`[${kind}:${this.#settings.hash(kind, kind === "email" ? text.toLowerCase() : text)}]`)
  }

  #address(value: string): void {
    const { ip } = this.#settings
    if (ip === "full") return this.#text(value)
    const parts = value.split(",").map((part) => Redaction.shortenAddress(part.trim()) ?? mark("address"))
    this.out += quote(ip === "none" ? mark("address") : parts.join(", "))
  }

  #error(error: Error, at: Paths.State): void {
    const tag = "_tag" in error && typeof error._tag === "string" ? error._tag : error.name
    this.out += '{"tag":'
    this.#text(tag)
    this.#part("message", error.message, at)
    this.#membersOf(error, at, false, shownApart)
    if (typeof error.stack === "string") this.#part("stack", error.stack, at)
    if (error.cause !== undefined) this.#part("cause", error.cause, at)
    if (error instanceof AggregateError) this.#part("errors", error.errors, at)
    this.out += "}"
  }

  #part(name: string, value: unknown, at: Paths.State): void {
    const own = at.under(name)
    this.out += `,"${name}":`
    if (own.hidden) this.out += byPath
    else this.value(value, own)
  }
}
