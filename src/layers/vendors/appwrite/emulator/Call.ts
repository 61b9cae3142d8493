/** One call, as a handler sees it, and what it answers. Bodies and queries are parsed when they are asked for. */
import { isUtf8 } from "node:buffer"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Caller, Headers } from "./Access.ts"
import * as ApiFailure from "./ApiFailure.ts"
import * as Fields from "./Fields.ts"
import * as Json from "./Json.ts"
import * as Multipart from "./Multipart.ts"

export type Answer =
  | { readonly _tag: "Json"; readonly status: number; readonly body: unknown }
  /** JSON that is written already. */
  | { readonly _tag: "JsonText"; readonly status: number; readonly bytes: Uint8Array }
  | { readonly _tag: "Empty"; readonly status: number }
  | {
      readonly _tag: "Bytes"
      readonly status: number
      readonly contentType: string
      readonly headers: Headers
      /** Of the whole body. */
      readonly length: number
      readonly bytes: Uint8Array | Stream.Stream<Uint8Array>
    }

export const json = (body: unknown, status = 200): Answer => ({ _tag: "Json", status, body })
/** What deletions answer. */
export const noContent: Answer = { _tag: "Empty", status: 204 }

export type Handler = (call: Call) => Effect.Effect<Answer, ApiFailure.ApiFailure>

/** What PHP counts as nothing. */
const isEmpty = (value: unknown) => value === null || value === false || value === "" || value === 0 || value === "0"

/**
 * A JSON body as PHP takes it: what is no JSON, nothing, `null`, `false`, 0 and "" count as no parameters; a list has
 * its positions as names. Another text or number breaks the server.
 */
const jsonFields = (bytes: Buffer): Fields.Fields => {
  if (bytes.length === 0 || !isUtf8(bytes)) return {}
  let value: unknown
  try {
    value = Json.parse(bytes.toString("utf8"))
  } catch {
    return {}
  }
  if (isEmpty(value) || (value instanceof Json.Decimal && value.value === 0)) return {}
  if (typeof value !== "object" || value instanceof Json.Decimal) throw ApiFailure.serverError
  return Array.isArray(value) ? Object.fromEntries(value.entries()) : (value as Fields.Fields)
}

const noFields: Fields.Fields = {}

export class Call {
  readonly method: string
  readonly headers: Headers
  readonly caller: Caller
  /** When it came in, by the monotonic clock, in milliseconds. */
  readonly arrived: number
  /** Parameters of the path, decoded. */
  readonly path: Readonly<Record<string, string>>
  readonly #search: string
  readonly #bytes: Buffer
  #query: Fields.Fields | undefined
  #body: Fields.Fields | undefined
  #form: Multipart.Form | undefined

  constructor(options: {
    readonly method: string
    readonly headers: Headers
    readonly caller: Caller
    readonly arrived?: number
    readonly path: Readonly<Record<string, string>>
    readonly search: string
    readonly bytes: Buffer
  }) {
    this.method = options.method
    this.headers = options.headers
    this.caller = options.caller
    this.arrived = options.arrived ?? performance.now()
    this.path = options.path
    this.#search = options.search
    this.#bytes = options.bytes
  }

  /** Parameters of the query: texts, and lists of them. */
  get query(): Fields.Fields {
    return (this.#query ??= Fields.fromQuery(this.#search))
  }

  /** Parameters of the body. Throws `ApiFailure` where the server breaks. */
  get body(): Fields.Fields {
    return (this.#body ??= this.#parseBody())
  }

  /** Where the server looks for parameters: in the query of a GET, else in the body. */
  get input(): Fields.Fields {
    return this.method === "GET" || this.method === "HEAD" ? this.query : this.body
  }

  /** Files of a form. */
  get files(): ReadonlyArray<Multipart.File> {
    return this.#multipart()?.files ?? []
  }

  #multipart(): Multipart.Form | undefined {
    const type = this.headers["content-type"] ?? ""
    if (!type.startsWith("multipart/form-data")) return undefined
    return (this.#form ??= Multipart.parse(this.#bytes, type))
  }

  #parseBody(): Fields.Fields {
    const type = (this.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase()
    if (type === "application/json") return jsonFields(this.#bytes)
    if (type === "multipart/form-data") return this.#multipart()?.fields ?? noFields
    if (type === "application/x-www-form-urlencoded") return Fields.fromQuery(this.#bytes.toString("utf8"))
    return noFields
  }
}
