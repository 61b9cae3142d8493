/** Events as lines: written whole where they fit, else with less of their values, never beyond their sink's limit. */
import * as Names from "./Names.ts"
import * as Paths from "./Paths.ts"
import { byPath, type Caps, type Settings, ValueWriter } from "./ValueWriter.ts"

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

/** The most that a sink takes of one line. */
export interface Limit {
  readonly size: number
  readonly unit: "bytes" | "characters"
}

type Fields = Readonly<Record<string, unknown>>

const isWithin = (text: string, { size, unit }: Limit): boolean =>
  text.length <= size && (unit === "characters" || text.length * 3 <= size || Buffer.byteLength(text) <= size)

export class Serializer {
  readonly #settings: Settings
  readonly #root: Paths.State
  /** Where paths stand for the data, which they are told from as well as from the line. */
  readonly #data: Paths.State
  readonly #writer: ValueWriter
  #isBusy = false

  constructor(settings: Settings) {
    this.#settings = settings
    this.#writer = new ValueWriter(settings)
    this.#root = Paths.none.with(settings.paths)
    const { children, any } = settings.paths ?? Paths.node()
    this.#data = this.#root.with(children.get("data")).with(any)
  }

  /**
   * One event as one line, within the limit. `tail`: members that were written before, each with its comma in front.
   * What no cap makes short enough keeps its own fields alone.
   */
  line(event: Fields, tail: string, limit: Limit): string {
    // A getter or a toJSON that logs: its line is one of its own.
    if (this.#isBusy) return new Serializer(this.#settings).line(event, tail, limit)
    const { texts } = this.#settings
    const { exempt } = texts
    const { traceId } = event
    this.#isBusy = true
    try {
      texts.exempt = typeof traceId === "string" ? traceId : ""
      for (const own of caps) {
        const text = this.#try(event, tail, own, limit)
        if (isWithin(text, limit)) return text
      }
      return this.#least(event)
    } finally {
      this.#isBusy = false
      texts.exempt = exempt
    }
  }

  /** What is left of a line for which nothing is short enough: its own fields, each a few words. */
  #least(event: Fields): string {
    this.#writer.begin(least, Number.MAX_SAFE_INTEGER)
    let isFirst = true
    for (const key of Object.keys(event)) {
      const value = event[key]
      if (carried.has(key) || value === undefined) continue
      const { first, isTrusted, next } = Names.ours(key)
      const at = this.#root.under(key)
      this.#writer.out += isFirst ? first : next
      isFirst = false
      if (isTrusted && typeof value === "string") this.#writer.out += `"${value}"`
      else if (at.hidden) this.#writer.out += byPath
      else this.#writer.value(value, at)
    }
    return `${this.#writer.out},"truncated":true}`
  }

  /** Members of every line of a request, with a comma in front of each. */
  members(fields: Fields): string {
    if (this.#isBusy) return new Serializer(this.#settings).members(fields)
    this.#writer.begin(caps[0]!, Number.MAX_SAFE_INTEGER)
    for (const key of Object.keys(fields)) this.#writer.member(key, fields[key], Paths.none, false)
    // To look into a text makes it one piece, which every line then takes as it is.
    this.#writer.out.charCodeAt(0)
    return this.#writer.out
  }

  #try(event: Fields, tail: string, own: Caps, limit: Limit): string {
    this.#writer.begin(own, limit.size)
    let isFirst = true
    for (const key in event) {
      const value = event[key]
      if (value === undefined) continue
      const { first, firstText, isTrusted, next, nextText } = Names.ours(key)
      if (isTrusted && typeof value === "string") {
        this.#writer.out += isFirst ? firstText : nextText
        this.#writer.out += value
        this.#writer.out += '"'
      } else {
        const at = this.#root.under(key)
        this.#writer.out += isFirst ? first : next
        if (typeof value === "number") this.#writer.out += Number.isFinite(value) ? String(value) : "null"
        else if (at.hidden) this.#writer.out += byPath
        else if (key === "spans") this.#writer.numbers(value as Readonly<Record<string, number>>)
        // Paths are told from the data on, as the caller knows it.
        else this.#writer.value(value, key === "data" ? this.#data : at)
      }
      isFirst = false
    }
    this.#writer.out += tail
    return this.#writer.out + (this.#writer.cut ? ',"truncated":true}' : "}")
  }
}
