/** Requests and responses as data: what an Appwrite function gets and gives, and what a router does. */

/** Names of headers in lower case. */
export type Headers = Readonly<Record<string, string>>

export interface Request {
  /** In upper case. */
  readonly method: string
  /** With its query, from the first slash on. */
  readonly path: string
  readonly headers: Headers
  /** Text, or bytes as they came. */
  readonly body: string | Uint8Array
}

export interface Response {
  readonly status: number
  readonly headers: Headers
  readonly body: string | Uint8Array
  /** A 5xx that is the answer for good, and is kept as any other. Default false. */
  readonly final?: boolean | undefined
}

const lowerCase = (headers: Readonly<Record<string, string>>): Headers =>
  Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]))

export const json = (value: unknown, status = 200, headers: Headers = {}): Response => ({
  status,
  headers: { "content-type": "application/json", ...lowerCase(headers) },
  body: JSON.stringify(value)
})

/** An answer without a body, as 204. */
export const empty = (status = 204, headers: Headers = {}): Response => ({
  status,
  headers: lowerCase(headers),
  body: ""
})

/** What an Appwrite function finds in `context.req`, as far as it is used here. */
export interface AppwriteRequest {
  readonly method: string
  readonly path: string
  readonly queryString?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly bodyText?: string | undefined
  readonly bodyBinary?: Uint8Array | undefined
}
/** What it finds in `context.res`. */
export interface AppwriteResponse<A> {
  readonly binary: (bytes: Buffer, status: number, headers: Record<string, string>) => A
  readonly text: (body: string, status: number, headers: Record<string, string>) => A
}

/** What an Appwrite function is called with, as far as it is used here. */
export interface AppwriteContext<A> {
  readonly req: AppwriteRequest
  readonly res: AppwriteResponse<A>
}

/** The request of an Appwrite function. Its text is taken where it has one: binary bodies are read as bytes. */
export const fromAppwrite = (request: AppwriteRequest): Request => {
  const headers = lowerCase(request.headers)
  const query = request.queryString === undefined || request.queryString === "" ? "" : `?${request.queryString}`
  const isText = /^(?:text\/|application\/(?:json|xml|x-www-form-urlencoded|[\w.+-]+\+json))/.test(
    headers["content-type"] ?? "text/plain"
  )
  return {
    method: request.method.toUpperCase(),
    path: `${request.path}${query}`,
    headers,
    body: (isText ? request.bodyText : request.bodyBinary) ?? request.bodyText ?? request.bodyBinary ?? ""
  }
}

/** Answers an Appwrite function: `return HttpMessage.toAppwrite(response, context.res)`. */
export const toAppwrite = <A>(response: Response, to: AppwriteResponse<A>): A =>
  typeof response.body === "string"
    ? to.text(response.body, response.status, { ...response.headers })
    : to.binary(Buffer.from(response.body), response.status, { ...response.headers })

const never: ReadonlySet<string> = new Set([
  "set-cookie",
  "date",
  "content-length",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // Of the request that is answered, not of the one that is repeated.
  "traceparent",
  "tracestate",
  "baggage",
  "x-trace-id",
  "x-correlation-id",
  "x-request-id"
])

/** Whether a header may be given to whoever repeats a request: no cookies, nothing of one connection, trace or moment. */
export const isRepeatable = (header: string): boolean =>
  !never.has(header) && !header.startsWith("x-appwrite-") && !header.startsWith("idempotency-")
