/**
 * The floor of the bench of the emulator: `effect/http` on Node, which answers what was put under a path before.
 * It says where it listens on standard output.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"

const answers = new Map<string, HttpServerResponse.HttpServerResponse>()
const nothing = HttpServerResponse.empty({ status: 404 })

const application = HttpServerRequest.HttpServerRequest.use((request) =>
  request.method === "PUT"
    ? Effect.map(Effect.orDie(request.arrayBuffer), (body) => {
        const contentType = "application/json; charset=UTF-8"
        answers.set(request.url, HttpServerResponse.uint8Array(new Uint8Array(body), { contentType }))
        return HttpServerResponse.text("kept")
      })
    : Effect.succeed(answers.get(request.url) ?? nothing)
)

const main = Effect.gen(function* () {
  yield* HttpServer.serveEffect(application)
  const { address } = yield* HttpServer.HttpServer
  console.log(HttpServer.formatAddress(address))
  yield* Effect.never
}).pipe(
  Effect.scoped,
  Effect.provide(
    Layer.mergeAll(
      NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }),
      Layer.succeed(HttpMiddleware.TracerDisabledWhen)(() => true)
    )
  )
)

NodeRuntime.runMain(main)
