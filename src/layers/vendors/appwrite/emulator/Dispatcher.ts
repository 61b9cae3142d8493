/**
 * From a request to its route and back. In the server's order: the route, the project and the key, the scope, then the
 * parameters, which are the handler's.
 *
 * Once its body is read a call is done to the end, also when the client has gone: nothing is left half done.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Access } from "./Access.ts"
import * as ApiFailure from "./ApiFailure.ts"
import { type Answer, Call } from "./Call.ts"
import * as Faults from "./Faults.ts"
import * as Responses from "./Responses.ts"
import * as Routes from "./Routes.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = Effect.Effect<HttpServerResponse.HttpServerResponse>

/** Calls below it are not the server's: they meet no faults and are not counted. */
export const ownPath = "/v1/holdfast/"

/** The server resets the connection somewhere between 12.5 and 20 MB. */
const largestBody = ByteSize.mebibytes(16)

export interface Options {
  readonly routes: ReadonlyArray<Routes.Route>
  readonly access: Access
  readonly faults: Faults.Options
  readonly counts: Faults.Counts
}

const noBytes = Buffer.alloc(0)
const hasBody = ({ headers, method }: Request) =>
  method !== "GET" &&
  method !== "HEAD" &&
  (headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0")

/** Breaks the connection. The response that it answers goes nowhere. */
const cut = (request: Request): Response =>
  Effect.sync(() => {
    // The request's own socket: a pipelined call's response has none yet.
    NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()
    return HttpServerResponse.empty()
  })

/** Bytes from which on a body lies in memory of its own, never in the pool that small buffers share. */
const longBody = 64 * 1024

/** Gives the memory of a page back at once: left to the garbage collector, pages of a megabyte make it run all the time. */
const releaseWhenSent = (request: Request, bytes: Uint8Array): void => {
  NodeHttpServerRequest.toServerResponse(request).once("finish", () => {
    if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0)
  })
}

/** The body, for what comes next. One that is too long or breaks off costs the connection, as on the server. */
const withBody = (request: Request, next: (bytes: Buffer) => Response): Response =>
  hasBody(request)
    ? Effect.matchEffect(Effect.provideService(request.arrayBuffer, HttpIncomingMessage.MaxBodySize, largestBody), {
        onSuccess: (bytes) => next(Buffer.from(bytes)),
        onFailure: () => cut(request)
      })
    : next(noBytes)

/** As the server has them: nobody counts, the window is the minute. */
const rateHeaders = (limit: number, now: number) => ({
  "x-ratelimit-limit": String(limit),
  "x-ratelimit-remaining": String(limit - 1),
  "x-ratelimit-reset": String((Math.floor(now / 60_000) + 1) * 60)
})
const noHeaders = {}

/** The application for an HTTP server. */
export const make = (options: Options): Effect.Effect<HttpServerResponse.HttpServerResponse, never, Request> => {
  const { access, counts } = options
  const match = Routes.compile(options.routes)

  const toResponse = (
    request: Request,
    answer: Effect.Effect<Answer, ApiFailure.ApiFailure>,
    settings: Responses.Options
  ): Response =>
    Effect.matchCauseEffect(answer, {
      onSuccess: (done) => {
        if (done._tag === "JsonText" && done.bytes.byteLength >= longBody) releaseWhenSent(request, done.bytes)
        return Effect.succeed(Responses.fromAnswer(done, settings))
      },
      onFailure: (cause) => {
        // Failed with it, or thrown by a body that is asked for.
        const failure = Cause.squash(cause)
        if (failure instanceof ApiFailure.ApiFailure) {
          if (failure.status >= 500) counts.unexpected++
          return Effect.succeed(Responses.fromFailure(failure, settings))
        }
        if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
        counts.unexpected++
        return Effect.as(
          Effect.logError("a bug of the emulator", cause),
          Responses.fromFailure(ApiFailure.serverError, settings)
        )
      }
    })

  const perform = (request: Request, path: string, search: string, arrived: number): Response => {
    const found = match(request.method, path)
    if (found === undefined) return Effect.succeed(Responses.notFound)
    const { headers, method } = request
    const { endpoint } = found
    const accepted = headers["accept-encoding"] ?? ""
    const caller = access.identify(headers)
    const refuse = (failure: ApiFailure.ApiFailure) =>
      Effect.succeed(Responses.fromFailure(failure, { accepted, headers: noHeaders }))
    if (caller._tag === "ApiFailure") return refuse(caller)
    const refusal = access.refuse(caller, headers, endpoint.scopes)
    if (refusal !== undefined) return refuse(refusal)
    const rate = endpoint.rateLimit === undefined ? noHeaders : rateHeaders(endpoint.rateLimit, Date.now())
    return withBody(request, (bytes) => {
      const call = new Call({ method, headers, caller, arrived, path: found.path, search, bytes })
      const answer = Effect.suspend(() => endpoint.handler(call))
      return Effect.uninterruptible(toResponse(request, answer, { accepted, headers: rate }))
    })
  }

  const withFault = (fault: Faults.Fault, request: Request, done: Response): Response => {
    counts.faults[fault]++
    const failure = Faults.answers[fault]
    if (failure !== undefined)
      return Effect.succeed(Responses.fromFailure(failure, { accepted: "", headers: noHeaders }))
    if (fault === "refused") return cut(request)
    if (fault === "cutBefore") return withBody(request, () => cut(request))
    return Effect.andThen(done, cut(request))
  }

  return HttpServerRequest.HttpServerRequest.use((request) => {
    const { url } = request
    const question = url.indexOf("?")
    const path = question < 0 ? url : url.slice(0, question)
    const search = question < 0 ? "" : url.slice(question + 1)
    const arrived = performance.now()
    const done = Effect.suspend(() => perform(request, path, search, arrived))
    if (path.startsWith(ownPath)) return done
    const { fault, latency } = Faults.decide(options.faults, counts.calls++)
    const answer = fault === undefined ? done : withFault(fault, request, done)
    return latency > 0 ? Effect.andThen(Effect.sleep(latency), answer) : answer
  })
}
