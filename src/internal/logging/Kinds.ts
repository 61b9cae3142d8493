/** Kinds of values that are written other than as records. */

type Fields = Readonly<Record<string, unknown>>

/** The text, number or truth that an object of these classes holds; undefined for others. */
export const unboxed = (value: object): string | number | boolean | undefined => {
  switch (Object.prototype.toString.call(value)) {
    case "[object String]":
    case "[object Number]":
    case "[object Boolean]":
      return value.valueOf() as string | number | boolean
    default:
      return undefined
  }
}

/** What stands for a value of which its kind says enough. */
export const saidOf = (value: object): string | undefined => {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '"[invalid date]"' : `"${value.toISOString()}"`
  if (ArrayBuffer.isView(value)) return `"[${value.constructor.name} of ${value.byteLength} bytes]"`
  if (value instanceof ArrayBuffer) return `"[ArrayBuffer of ${value.byteLength} bytes]"`
  return undefined
}

/** What a secret's field may hold and say nothing: whether there is one, none, or how many. */
export const isHarmless = (name: string, value: unknown): boolean =>
  value === null || value === "" || typeof value === "boolean" || (typeof value === "number" && /tokens$/i.test(name))

/** Requests and responses: what, and not with which headers and body. */
export const messageOf = (value: object): string | undefined => {
  const has = (kind: string) => `~effect/http/${kind}` in value
  const read = (name: string) => String((value as Fields)[name])
  if (has("HttpClientRequest") || has("HttpServerRequest") || value instanceof Request)
    return `[request ${read("method")} ${read("url")}]`
  if (has("HttpClientResponse") || has("HttpServerResponse") || value instanceof Response)
    return `[response ${read("status")}]`
  if (has("HttpBody") || value instanceof Blob) return "[body]"
  return value instanceof Promise ? "[promise]" : undefined
}

/** Whether it shows its values as pairs of a name and a value, as Headers, URLSearchParams and FormData do. */
export const isPairs = (value: object): value is Iterable<readonly [string, unknown]> =>
  !("toJSON" in value) &&
  "entries" in value &&
  typeof value.entries === "function" &&
  "has" in value &&
  Symbol.iterator in value &&
  Object.keys(value).length === 0
