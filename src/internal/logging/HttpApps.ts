/** Handlers of effect/http, logged: whatever they answer, also by failing, carries the ids of the trace. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as RequestContext from "../../RequestContext.ts"
import { Ids } from "./Ids.ts"
import * as Messages from "./Messages.ts"
import * as Request from "./Request.ts"
import type { RequestLogger } from "./Service.ts"

/** The longest body, in bytes, that is read for the log before its handler reads it. */
const longestBody = 65_536

const isReadable = ({ headers }: HttpServerRequest.HttpServerRequest): boolean => {
  const type = (headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase()
  const length = Number(headers["content-length"] ?? Number.NaN)
  return (type === "application/json" || type.endsWith("+json")) && length <= longestBody
}

/** A request whose body was read: its stream begins anew. */
const rewound = (request: HttpServerRequest.HttpServerRequest, text: string): HttpServerRequest.HttpServerRequest =>
  new Proxy(request, {
    get: (target, name) =>
      name === "stream" ? Stream.make(new TextEncoder().encode(text)) : (Reflect.get(target, name, target) as unknown)
  })

/** What a failure is answered with, as effect/http does it. */
const statusOf = (cause: Cause.Cause<unknown>): number | undefined => {
  const answered = Effect.runSyncExit(HttpServerError.causeResponse(cause))
  return answered._tag === "Success" ? answered.value[0].status : undefined
}

export const run = <E, R>(
  options: Messages.Options,
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  E | HttpServerError.HttpServerError,
  R | RequestLogger | HttpServerRequest.HttpServerRequest
> =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const ids = yield* Ids
    const { headers, method, url } = request
    const isRead = options.body !== undefined && isReadable(request)
    const text = isRead ? yield* request.text : ""
    const message = { method, path: url, headers, body: text }
    const handler = isRead
      ? Effect.provideService(app, HttpServerRequest.HttpServerRequest, rewound(request, text))
      : app
    return yield* Request.run(
      (context) => {
        const answer = RequestContext.toAnswer(context)
        // Also for what a failure is answered with, which only the server knows.
        const always = HttpEffect.appendPreResponseHandler((_request, response) =>
          Effect.succeed(HttpServerResponse.setHeaders(response, answer))
        )
        return Effect.andThen(always, Effect.map(handler, HttpServerResponse.setHeaders(answer)))
      },
      {
        name: options.name,
        context: RequestContext.make(message, ids, Option.getOrUndefined(request.remoteAddress)),
        headers,
        body: isRead ? Messages.bodyOf(options, message) : undefined,
        answered: Messages.answered,
        failed: statusOf
      }
    )
  })
