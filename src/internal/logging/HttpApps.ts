/** Handlers of effect/http, logged: whatever they answer, also by failing, carries the ids of the trace. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RequestContext from "../../RequestContext.ts"
import { Ids } from "./Ids.ts"
import * as Messages from "./Messages.ts"
import * as Request from "./Request.ts"
import type { RequestLogger } from "./Service.ts"

/** What a failure is answered with, where it is no code of somebody's that says so: that runs once, in the server. */
const statusOf = (cause: Cause.Cause<unknown>): number | undefined => {
  for (const reason of cause.reasons) {
    const error: unknown = reason._tag === "Fail" ? reason.error : reason._tag === "Die" ? reason.defect : undefined
    if (HttpServerResponse.isHttpServerResponse(error)) return error.status
    if (HttpServerError.isHttpServerError(error) || Schema.isSchemaError(error)) {
      const answered = Effect.runSyncExit(HttpServerError.causeResponse(cause))
      return answered._tag === "Success" ? answered.value[0].status : undefined
    }
  }
  return undefined
}

export const run = <E, R>(
  options: Pick<Messages.Options, "name">,
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
    // Its body is its handler's alone: what was read can't be read again, however it is read.
    const message = { method, path: url, headers }
    return yield* Request.run(
      (context) => {
        const answer = RequestContext.toAnswer(context)
        // What a failure is answered with only the server knows.
        const later = HttpEffect.appendPreResponseHandler((_request, response) =>
          Effect.succeed(HttpServerResponse.setHeaders(response, answer))
        )
        return Effect.map(
          Effect.tapCause(app, () => later),
          HttpServerResponse.setHeaders(answer)
        )
      },
      {
        name: options.name,
        context: RequestContext.make(message, ids, Option.getOrUndefined(request.remoteAddress)),
        headers,
        body: undefined,
        answered: Messages.answered,
        failed: statusOf
      }
    )
  })
