/** Idempotency of HTTP handlers: the wire contract, on requests and responses as data, and on effect/http. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as HttpMessage from "../../HttpMessage.ts"
import { IdempotencyError, type OptionsInvalid, ResponseNotKept, toProblem } from "../../IdempotencyError.ts"
import * as IdempotencyKey from "../../IdempotencyKey.ts"
import type * as Options from "../../IdempotencyOptions.ts"
import * as Problem from "../../Problem.ts"
import { canonicalJson } from "../CanonicalJson.ts"
import * as ExactJson from "../ExactJson.ts"
import { sha256 } from "../Hash.ts"
import type { Content } from "./Content.ts"
import * as Guard from "./Guard.ts"
import * as Hashes from "./Hashes.ts"
import * as Outcome from "./Outcome.ts"
import { payloadText } from "./Payload.ts"
import * as Service from "./Service.ts"
import * as Transaction from "./Transaction.ts"

export interface MiddlewareOptions<R = never> extends Options.Options {
  /** What is done; equal keys of different operations are different keys. */
  readonly operation: string
  /** Methods that need a key; others pass. Default POST and PATCH. */
  readonly methods?: ReadonlyArray<string> | undefined
  /** Who calls; undefined is an anonymous caller. Default the header `x-appwrite-user-id`. */
  readonly userId?: ((request: HttpMessage.Request) => string | undefined) | undefined
  /** A customer whose keys are apart from those of others. Default the option `tenant`. */
  readonly tenantOf?: ((request: HttpMessage.Request) => string) | undefined
  /** What makes it the same request, as JSON. Default method, path, content type and the whole body. */
  readonly fingerprint?: ((request: HttpMessage.Request) => unknown) | undefined
  /** Looks at a request before its key is claimed; a response refuses it, and the key stays unused. */
  readonly validate?:
    | ((request: HttpMessage.Request) => Effect.Effect<HttpMessage.Response | undefined, never, R>)
    | undefined
  /** What the handler stages in `Idempotency.Transaction` is written with its completion, exactly once. Default false. */
  readonly transactional?: boolean | undefined
  /** Default by the table in docs/idempotency.md. */
  readonly outcome?: ((exit: Exit.Exit<HttpMessage.Response, unknown>) => Outcome.Outcome) | undefined
}

type Response = HttpMessage.Response

const mediaType = (request: HttpMessage.Request): string =>
  (request.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase()

const bodyText = ({ body }: HttpMessage.Request): string =>
  typeof body === "string" ? body : new TextDecoder("utf-8", { ignoreBOM: true }).decode(body)

/** JSON in one form, so that the order of its keys does not count; other bodies by their bytes. */
const bodyPart = (request: HttpMessage.Request, type: string): string => {
  if (type === "application/json" || type.endsWith("+json")) {
    try {
      return `json ${canonicalJson(ExactJson.parse(bodyText(request)))}`
    } catch {
      // What can't be read is compared as it came.
    }
  }
  const { body } = request
  return typeof body === "string" ? `text ${body}` : `bytes ${sha256(body)}`
}

const partsOf = (
  request: HttpMessage.Request,
  fingerprint: ((request: HttpMessage.Request) => unknown) | undefined
): Result.Result<ReadonlyArray<string>, OptionsInvalid> => {
  if (fingerprint !== undefined) return Result.map(payloadText(fingerprint(request)), (text) => ["fields", text])
  const type = mediaType(request)
  return Result.succeed(["http", request.method, request.path, type, bodyPart(request, type)])
}

const withHeaders = (response: Response, headers: HttpMessage.Headers): Response => ({
  ...response,
  headers: { ...response.headers, ...headers }
})

/** The key goes back as a structured-field String. */
const echo = (key: string): string => `"${key.replaceAll(/["\\]/g, String.raw`\$&`)}"`

const marks: { readonly [S in Guard.Status]: HttpMessage.Headers } = {
  first: {},
  replayed: { "idempotency-replayed": "true" },
  unrecorded: { "idempotency-status": "unrecorded" },
  unprotected: { "idempotency-status": "unprotected" }
}

const refusal = Effect.fnUntraced(function* (error: IdempotencyError): Effect.fn.Return<Response> {
  // Its client is told nothing of what only whoever wrote it can mend.
  if (error._tag === "OptionsInvalid" || error._tag === "StoreShapeMismatch") yield* Effect.logError(error.message)
  const { document, retryAfter, status } = toProblem(error, yield* Random.next)
  const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }
  return {
    status,
    headers: { "content-type": Problem.contentType, "cache-control": "no-store", ...headers },
    body: JSON.stringify(document)
  }
})

const encode = (exit: Exit.Exit<Response, unknown>, allowed: ReadonlyArray<string> | undefined): Content => {
  if (Exit.isFailure(exit)) return { kind: "failure", status: null, headers: {}, body: undefined }
  const { body, headers, status } = exit.value
  const kept = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => HttpMessage.isRepeatable(name) && (allowed === undefined || allowed.includes(name)))
  return { kind: "response", status, headers: Object.fromEntries(kept), body }
}

const decode = ({ body, headers, kind, status }: Content): Effect.Effect<Response, ResponseNotKept> =>
  kind === "response" && status !== null && body !== undefined
    ? Effect.succeed({ status, headers, body })
    : Effect.fail(new ResponseNotKept({ originalStatus: status }))

const isOurs = Schema.is(IdempotencyError)

type Handler<E, R> = (request: HttpMessage.Request) => Effect.Effect<Response, E, R>

/** A handler of requests as data, protected. */
const handlerOf =
  <RV>(options: MiddlewareOptions<RV>) =>
  <E, R>(own: Handler<E, R>): Handler<E, Exclude<R, Transaction.Transaction> | RV | Service.Idempotency> => {
    type Rest = Exclude<R, Transaction.Transaction>
    const isTransactional = options.transactional ?? false
    // Where it is not asked for, a handler that needs it finds none: that is a bug of whoever put them together.
    const handler: Handler<E, Rest> = (request) => Transaction.provide(own(request), isTransactional)
    const methods = new Set((options.methods ?? ["POST", "PATCH"]).map((method) => method.toUpperCase()))
    const userOf = options.userId ?? ((request) => request.headers["x-appwrite-user-id"])

    const guarded = Effect.fnUntraced(function* (
      request: HttpMessage.Request,
      given: string | undefined,
      service: Service.Idempotency["Service"],
      resolved: Options.Resolved
    ): Effect.fn.Return<Response, E | IdempotencyError, Rest> {
      const parts = yield* Effect.fromResult(partsOf(request, options.fingerprint))
      const key = given ?? `payload:${Hashes.fingerprint("", parts, undefined)}`
      const userId = userOf(request)
      const asked: Service.Asked<Response, E, Rest, Response> = {
        operation: options.operation,
        key,
        userId: userId === "" ? undefined : userId,
        parts,
        options: options.tenantOf === undefined ? resolved : { ...resolved, tenant: options.tenantOf(request) },
        handler: handler(request),
        reconcile: undefined,
        outcome:
          options.outcome ??
          ((exit) => {
            const by = Outcome.ofExit(exit, resolved.parameters.atMostOnce, (response) =>
              Outcome.ofStatus(response.status, response.final ?? false)
            )
            // A typed failure is no response yet, so there is nothing to repeat: it is given back.
            return by === "store" && Exit.isFailure(exit) ? "release" : by
          }),
        encode: (exit) => encode(exit, resolved.headers),
        decode,
        tell: (value, status) => withHeaders(value, marks[status])
      }
      return yield* Effect.withFiber((fiber) => Service.protect(fiber, service, asked))
    })

    return Effect.fnUntraced(function* (
      request: HttpMessage.Request
    ): Effect.fn.Return<Response, E, Rest | RV | Service.Idempotency> {
      // Nothing is staged without a key, whatever the method.
      if (!methods.has(request.method) && !isTransactional) return yield* handler(request)
      const service = yield* Service.Idempotency
      const prepared = yield* Effect.result(
        Effect.gen(function* () {
          const shape = { reconcile: false, transactional: isTransactional }
          const resolved = yield* Effect.fromResult(service.resolve(options, shape))
          if (isTransactional && !service.environment.store.transactional)
            return yield* Service.withoutTransactions(service.name)
          const { keyPolicy: policy, strict } = resolved
          const key = yield* Effect.fromResult(
            IdempotencyKey.fromHeader(request.headers[IdempotencyKey.header], {
              strict,
              // Nothing is written once without a key.
              required: policy === "required" || (policy === "optional" && isTransactional)
            })
          )
          return { key, resolved }
        })
      )
      if (prepared._tag === "Failure") return yield* refusal(prepared.failure)
      const { key, resolved } = prepared.success
      if (options.validate !== undefined) {
        const refused = yield* options.validate(request)
        if (refused !== undefined) return refused
      }
      if (key === undefined && resolved.keyPolicy === "optional")
        return withHeaders(yield* handler(request), marks.unprotected)
      const answered = guarded(request, key, service, resolved).pipe(
        Effect.catchIf(isOurs, (error) => refusal(error))
      ) as Effect.Effect<Response, E, Rest>
      return key === undefined ? yield* answered : withHeaders(yield* answered, { [IdempotencyKey.header]: echo(key) })
    })
  }

const fromServer = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const body = new Uint8Array(yield* request.arrayBuffer)
  return {
    method: request.method,
    path: request.url,
    headers: request.headers,
    body
  } satisfies HttpMessage.Request
})

/** What stands beside the data of a response: cookies, which are never kept. */
interface ServerResponse extends Response {
  readonly original?: HttpServerResponse.HttpServerResponse
}

/** With its whole body, whatever it is made of. */
const fromServerResponse = Effect.fnUntraced(function* (original: HttpServerResponse.HttpServerResponse) {
  const context = yield* Effect.context()
  return yield* Effect.promise(async (): Promise<ServerResponse> => {
    const web = HttpServerResponse.toWeb(original, { context })
    const headers: Record<string, string> = {}
    for (const [name, value] of web.headers) if (name !== "set-cookie") headers[name] = value
    return { status: original.status, headers, body: new Uint8Array(await web.arrayBuffer()), original }
  })
})

const toServerResponse = ({
  body,
  headers,
  original,
  status
}: ServerResponse): HttpServerResponse.HttpServerResponse => {
  const contentType = headers["content-type"]
  const response =
    body.length === 0
      ? HttpServerResponse.empty({ status, headers })
      : typeof body === "string"
        ? HttpServerResponse.text(body, { status, headers, contentType: contentType ?? "text/plain" })
        : HttpServerResponse.uint8Array(body, {
            status,
            headers,
            contentType: contentType ?? "application/octet-stream"
          })
  if (original === undefined) return response
  const cookie = original.headers["set-cookie"]
  const withHeader = cookie === undefined ? response : HttpServerResponse.setHeader(response, "set-cookie", cookie)
  return HttpServerResponse.replaceCookies(withHeader, original.cookies)
}

/** Protects a handler of requests as data, or a handler of effect/http. */
export interface Middleware<RV> {
  <E, R>(handler: Handler<E, R>): Handler<E, Exclude<R, Transaction.Transaction> | RV | Service.Idempotency>
  <E, R>(
    app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    E | HttpServerError,
    Exclude<R, Transaction.Transaction> | RV | Service.Idempotency | HttpServerRequest.HttpServerRequest
  >
}

/**
 * Protects an HTTP handler by the `Idempotency-Key` of its requests. It refuses with problem documents (RFC 9457), and
 * replays status, headers and body byte for byte, with `Idempotency-Replayed: true`.
 *
 *   const create = Idempotency.middleware({ operation: "recognition_create" })((request) => …)
 *
 * Source: draft-ietf-httpapi-idempotency-key-header-07.
 */
export const middleware = <RV = never>(options: MiddlewareOptions<RV>): Middleware<RV> => {
  const protect = handlerOf(options)
  const ofApp = <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const handler = protect(() => Effect.flatMap(app, fromServerResponse))
      return toServerResponse(yield* handler(yield* fromServer(request)))
    })
  const either = (
    it: Handler<unknown, unknown> | Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, unknown>
  ) => (Effect.isEffect(it) ? ofApp(it) : protect(it))
  return either as Middleware<RV>
}
