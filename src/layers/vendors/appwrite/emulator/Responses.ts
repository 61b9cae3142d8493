/** Answers as HTTP: headers and compression as the server has them. */
import { deflateSync, gzipSync } from "node:zlib"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Headers } from "./Access.ts"
import * as ApiFailure from "./ApiFailure.ts"
import type { Answer } from "./Call.ts"
import * as Json from "./Json.ts"

const jsonType = "application/json; charset=UTF-8"
/** JSON of so many bytes is compressed where the client accepts it. Files never are. */
const compressedFrom = 1024
// The server's own level costs more than the loopback gains.
const compression = { level: 1 }

const encodings: ReadonlyArray<readonly [name: string, encode: (text: string | Uint8Array) => Uint8Array]> = [
  ["gzip", (text) => gzipSync(text, compression)],
  ["deflate", (text) => deflateSync(text, compression)]
]

const accepts = (accepted: string, name: string): boolean =>
  new RegExp(`(?:^|,)\\s*${name}\\s*(?:,|$|;(?!\\s*q=0(?:\\.0*)?\\s*(?:,|$)))`).test(accepted)

const json = (text: string | Uint8Array, status: number, accepted: string, headers: Headers) => {
  const encoding =
    accepted !== "" && Buffer.byteLength(text) >= compressedFrom
      ? encodings.find(([name]) => accepts(accepted, name))
      : undefined
  if (encoding === undefined) {
    const options = { status, contentType: jsonType, headers }
    return typeof text === "string"
      ? HttpServerResponse.text(text, options)
      : HttpServerResponse.uint8Array(text, options)
  }
  const [name, encode] = encoding
  return HttpServerResponse.uint8Array(encode(text), {
    status,
    contentType: jsonType,
    headers: { ...headers, "content-encoding": name, vary: "Accept-Encoding" }
  })
}

export interface Options {
  /** The request's Accept-Encoding. */
  readonly accepted: string
  /** Besides the answer's own. */
  readonly headers: Headers
}

export const fromAnswer = (answer: Answer, { accepted, headers }: Options): HttpServerResponse.HttpServerResponse => {
  if (answer._tag === "Json") return json(Json.stringify(answer.body), answer.status, accepted, headers)
  if (answer._tag === "JsonText") return json(answer.bytes, answer.status, accepted, headers)
  const { status } = answer
  if (answer._tag === "Empty") {
    return HttpServerResponse.empty({ status, headers: { ...headers, "content-type": "text/html" } })
  }
  const { bytes, contentType, length } = answer
  const options = { status, contentType, headers: { ...headers, ...answer.headers } }
  return bytes instanceof Uint8Array
    ? HttpServerResponse.uint8Array(bytes, options)
    : HttpServerResponse.stream(bytes, { ...options, contentLength: length })
}

export const fromFailure = (failure: ApiFailure.ApiFailure, { accepted, headers }: Options) =>
  json(Json.stringify(ApiFailure.body(failure)), failure.status, accepted, { ...headers, ...failure.headers })

const page = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>404 Not Found</title></head>
<body><h1>404 Not Found</h1><p>There is no such route.</p></body>
</html>
`
/** Routes that there are not, and methods that they do not have. */
export const notFound = HttpServerResponse.text(page, { status: 404, contentType: "text/html; charset=UTF-8" })
