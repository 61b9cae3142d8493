/** Handlers of requests as data, logged: their answers carry the ids of the trace. */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as HttpMessage from "../../HttpMessage.ts"
import * as RequestContext from "../../RequestContext.ts"
import { Ids } from "./Ids.ts"
import * as LoggedBody from "./LoggedBody.ts"
import * as Request from "./Request.ts"
import type { RequestLogger } from "./Service.ts"

export interface Options {
  readonly name?: string | undefined
  readonly body?: Schema.Codec<unknown, unknown> | undefined
}

const replayedHeader = "idempotency-replayed"

/** What the last line says of a response. */
export const answered = ({
  headers,
  status
}: {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
}): Request.Answered => ({ status, replayed: headers[replayedHeader] === "true" })

/** A response with the ids of its trace, whatever its own headers say. What is no response stays what it is. */
const withIds = (response: HttpMessage.Response, ids: HttpMessage.Headers): HttpMessage.Response => {
  if (typeof response !== "object" || response === null) return response
  const own = Object.entries(response.headers ?? {}).filter(([name]) => !(name.toLowerCase() in ids))
  return { ...response, headers: { ...Object.fromEntries(own), ...ids } }
}

/** The fields of its body that are logged. */
export const bodyOf = (options: Options, request: HttpMessage.Request): unknown =>
  options.body === undefined ? undefined : LoggedBody.of(options.body, request)

export const run = <E, R>(
  options: Options,
  request: HttpMessage.Request,
  handler: (context: RequestContext.RequestContext) => Effect.Effect<HttpMessage.Response, E, R>
): Effect.Effect<HttpMessage.Response, E, R | RequestLogger> =>
  Effect.flatMap(Ids, (ids) =>
    Request.run(
      (context) => Effect.map(handler(context), (response) => withIds(response, RequestContext.toAnswer(context))),
      {
        name: options.name,
        context: RequestContext.make(request, ids),
        headers: RequestContext.textsOf(request.headers),
        body: bodyOf(options, request),
        answered
      }
    )
  )
