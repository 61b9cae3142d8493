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
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
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

/** Breaks the connection; what is going on for it ends with that. */
const cut = (request: Request): Effect.Effect<never> =>
  Effect.suspend(() => {
    NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()
    return Effect.never
  })

/** A body that is too long or breaks off costs the connection, as on the server. */
const readBody = (request: Request): Effect.Effect<Buffer> =>
  hasBody(request)
    ? Effect.matchEffect(Effect.provideService(request.arrayBuffer, HttpIncomingMessage.MaxBodySize, largestBody), {
        onSuccess: (bytes) => Effect.succeed(Buffer.from(bytes)),
        onFailure: () => cut(request)
      })
    : Effect.succeed(noBytes)

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

  const toResponse = (answer: Effect.Effect<Answer, ApiFailure.ApiFailure>, settings: Responses.Options): Response =>
    Effect.matchCauseEffect(answer, {
      onSuccess: (done) => Effect.succeed(Responses.fromAnswer(done, settings)),
      onFailure: (cause) => {
        const failure = Cause.findErrorOption(cause)
        if (failure._tag === "Some") {
          if (failure.value.status >= 500) counts.unexpected++
          return Effect.succeed(Responses.fromFailure(failure.value, settings))
        }
        if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
        counts.unexpected++
        return Effect.as(
          Effect.logError("a bug of the emulator", cause),
          Responses.fromFailure(ApiFailure.serverError, settings)
        )
      }
    })

  const perform = (request: Request, path: string, search: string): Response => {
    const found = match(request.method, path)
    if (found === undefined) return Effect.succeed(Responses.notFound)
    const { headers, method } = request
    const { endpoint } = found
    const accepted = headers["accept-encoding"] ?? ""
    const caller = access.identify(headers)
    const refusal = caller._tag === "ApiFailure" ? caller : access.refuse(caller, headers, endpoint.scopes)
    if (caller._tag === "ApiFailure" || refusal !== undefined) {
      return toResponse(Effect.fail(refusal ?? ApiFailure.serverError), { accepted, headers: noHeaders })
    }
    const rate = endpoint.rateLimit === undefined ? noHeaders : rateHeaders(endpoint.rateLimit, Date.now())
    return Effect.flatMap(readBody(request), (bytes) => {
      const call = new Call({ method, headers, caller, path: found.path, search, bytes })
      return Effect.uninterruptible(toResponse(endpoint.handler(call), { accepted, headers: rate }))
    })
  }

  const withFault = (fault: Faults.Fault, request: Request, done: Response): Response => {
    counts.faults[fault]++
    const failure = Faults.answers[fault]
    if (failure !== undefined)
      return Effect.succeed(Responses.fromFailure(failure, { accepted: "", headers: noHeaders }))
    if (fault === "refused") return cut(request)
    if (fault === "cutBefore") return Effect.andThen(readBody(request), cut(request))
    return Effect.andThen(done, cut(request))
  }

  return HttpServerRequest.HttpServerRequest.use((request) => {
    const { url } = request
    const question = url.indexOf("?")
    const path = question < 0 ? url : url.slice(0, question)
    const done = perform(request, path, question < 0 ? "" : url.slice(question + 1))
    if (path.startsWith(ownPath)) return done
    const { fault, latency } = Faults.decide(options.faults, counts.calls++)
    const answer = fault === undefined ? done : withFault(fault, request, done)
    return latency > 0 ? Effect.andThen(Effect.sleep(latency), answer) : answer
  })
}
