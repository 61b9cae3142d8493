/** What holds through `Databases` also holds through node-appwrite against the emulator, over a real socket. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as Embedded from "../../../../../src/layers/databases/Embedded.ts"
import * as Emulator from "../../../../../src/layers/vendors/appwrite/emulator/Emulator.ts"
import { contract } from "../../../../contract/Databases.ts"
import * as SdkDatabases from "../../../../support/SdkDatabases.ts"

const [project, key] = ["p", "k"]

/** A hundred queries of 4096 characters stand in one address. */
const open = () => createServer({ maxHeaderSize: 2 * 1024 * 1024 })

/** On a free port of the loopback, over an engine in memory, without the real server's faults. */
const emulator = Effect.gen(function* () {
  const server = Emulator.layer({ project, keys: [{ secret: key }], storage: ":memory:" }).pipe(
    Layer.provideMerge(NodeHttpServer.layerServer(open, { port: 0, host: "127.0.0.1", gracefulShutdownTimeout: 100 })),
    Layer.provide(Embedded.memory)
  )
  const { address } = Context.get(yield* Layer.build(server), HttpServer.HttpServer)
  return { endpoint: `${HttpServer.formatAddress(address)}/v1`, project, key }
})

contract("node-appwrite against the emulator", SdkDatabases.layer(emulator), { overWire: true })
