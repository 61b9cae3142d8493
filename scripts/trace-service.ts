/**
 * A service as the harness of W3C Trace Context asks for: `npm run trace-service -- --port 5000`. It answers a POST whose
 * body is a list of `{ url, arguments }` by posting those arguments to each url, within the trace of the request.
 *
 * Source: github.com/w3c/trace-context, test/README.md.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as JsonLines from "holdfast/layers/logging/JsonLines"
import * as RequestLogger from "holdfast/RequestLogger"
import { createServer } from "node:http"
import { parseArgs } from "node:util"

const options = { port: { type: "string", default: "5000" }, log: { type: "string" } } as const
const given = (): { readonly port: string; readonly log?: string | undefined } => {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    console.error(`${(error as Error).message}\nUsage: npm run trace-service -- [--port N] [--log FILE]`)
    return process.exit(2)
  }
}
const values = given()
const port = Number(values.port)
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`--port ${values.port} is no port: a number from 0 to 65535`)
  process.exit(2)
}

const Calls = Schema.Array(Schema.Struct({ url: Schema.String, arguments: Schema.optionalKey(Schema.Unknown) }))

const answer = Effect.gen(function* () {
  const calls = yield* Effect.result(HttpServerRequest.schemaBodyJson(Calls))
  if (calls._tag === "Failure")
    return HttpServerResponse.text("a list of { url, arguments } is wanted\n", { status: 400 })
  const client = RequestLogger.client("harness")(yield* HttpClient.HttpClient)
  const statuses = yield* Effect.forEach(calls.success, ({ arguments: own = [], url }) =>
    HttpClientRequest.post(url).pipe(
      HttpClientRequest.bodyJson(own),
      Effect.flatMap((request) => client.execute(request)),
      Effect.map(({ status }) => status)
    )
  )
  return yield* HttpServerResponse.json({ statuses })
})

const routes = HttpRouter.add("POST", "/*", RequestLogger.withRequest({ name: "trace-service" })(answer))
const logger = RequestLogger.layer().pipe(Layer.provide(JsonLines.layer({ to: values.log ?? "stderr" })))

const server = HttpRouter.serve(routes, { disableLogger: true }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port })),
  Layer.provide(FetchHttpClient.layer),
  Layer.provide(logger),
  Layer.tap((context) => {
    const { address } = Context.get(context, HttpServer.HttpServer)
    return Console.log(`listening on http://127.0.0.1:${"port" in address ? address.port : port}/`)
  })
)

NodeRuntime.runMain(Layer.launch(server))
