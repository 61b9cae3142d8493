/** An emulator on a free port of the loopback, in this process. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Embedded from "holdfast/layers/databases/Embedded"
import * as Emulator from "holdfast/layers/vendors/appwrite/emulator/Emulator"
import { createServer, type Server } from "node:http"

export const project = "p"
export const key = "k"

/** Headers of a call with the key. */
export const asKey = { "x-appwrite-project": project, "x-appwrite-key": key }
/** Headers of a guest's call. */
export const asGuest = { "x-appwrite-project": project }

/** The endpoint; it is closed with the scope. `open`: makes the HTTP server. */
export const start = (options: Partial<Emulator.Options> = {}, open: () => Server = createServer) =>
  Effect.gen(function* () {
    const server = Emulator.layer({ project, keys: [{ secret: key }], storage: ":memory:", ...options }).pipe(
      Layer.provideMerge(
        NodeHttpServer.layerServer(open, { port: 0, host: "127.0.0.1", gracefulShutdownTimeout: 100 })
      ),
      Layer.provide(Embedded.layer({ filename: ":memory:", bare: true }))
    )
    const { address } = Context.get(yield* Layer.build(server), HttpServer.HttpServer)
    return `${HttpServer.formatAddress(address)}/v1`
  })

/** A call with a JSON body, and its JSON answer. */
export const send = (
  url: string,
  method: string,
  options: { readonly body?: unknown; readonly headers?: Record<string, string> } = {}
) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method,
      headers: { "content-type": "application/json", ...(options.headers ?? asKey) },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
    })
    const text = await response.text()
    const isJson = response.headers.get("content-type")?.includes("json") === true
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  })
