/** The fields of a body that a schema lets into the log. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as HttpMessage from "../../HttpMessage.ts"
import * as Paths from "./Paths.ts"
import * as Sensitive from "./Sensitive.ts"
import { mark } from "./Texts.ts"

const known = new WeakMap<Schema.Top, Paths.Node>()

const hiddenOf = (schema: Schema.Top): Paths.Node => {
  let root = known.get(schema)
  if (root === undefined) {
    known.set(schema, (root = Paths.node()))
    for (const steps of Sensitive.paths(schema)) Paths.add(root, steps)
  }
  return root
}

/** A copy without what is hidden. */
const without = (value: unknown, at: Paths.State): unknown => {
  if (at.hidden) return mark("sensitive")
  // What is hidden within a text, as in JSON within JSON, can't be taken out of it.
  if (typeof value === "string" && at !== Paths.none) return mark("sensitive")
  if (at === Paths.none || typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((item, index) => without(item, at.under(String(index))))
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, without(own, at.under(key))]))
}

const text = ({ body }: HttpMessage.Request): string =>
  typeof body === "string" ? body : new TextDecoder().decode(body)

/** Undefined where the body is no JSON, or not what the schema takes: then none of it is known to be harmless. */
export const of = (schema: Schema.Codec<unknown, unknown>, request: HttpMessage.Request): unknown => {
  try {
    const encoded = Schema.toEncoded(schema)
    const decoded = Schema.decodeUnknownResult(encoded)(JSON.parse(text(request)))
    return Result.isSuccess(decoded) ? without(decoded.success, Paths.none.with(hiddenOf(schema))) : undefined
  } catch {
    return undefined
  }
}
