/** The emulator: chooses the engine, the storage and the HTTP server, and says where it listens. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as Emulator from "../../layers/vendors/appwrite/emulator/Emulator.ts"
import * as Launch from "../launch.ts"
import * as Target from "../targets/emulator.ts"
import { version } from "../version.ts"
import { flags } from "./flags.ts"

/** A hundred queries of 4096 characters stand in one address. */
const longestHead = 2 * 1024 * 1024
const open = () => createServer({ maxHeaderSize: longestHead })

const command = Command.make(
  "emulator",
  flags,
  Effect.fnUntraced(function* ({ database, host, json, keys, port, project, quirks, ...rest }) {
    const { databases, storage } = yield* Target.make(database)
    const faults = { latency: rest.latency, rate: rest.fail, seed: rest.seed }
    const server = Emulator.layer({ project, keys, storage, faults, quirks, settle: rest.settle }).pipe(
      Layer.provideMerge(NodeHttpServer.layerServer(open, { port, host, gracefulShutdownTimeout: "2 seconds" })),
      Layer.provide(databases)
    )
    const context = yield* Layer.build(server)
    const { address } = Context.get(context, HttpServer.HttpServer)
    const endpoint = `${HttpServer.formatAddress(address)}/v1`
    const [key] = keys
    const facts = { endpoint, project, key: key?.secret, database }
    yield* Console.log(
      json ? JSON.stringify(facts) : `${endpoint} project ${project} key ${key?.secret}, ${database} (Ctrl-C stops it)`
    )
    yield* Effect.never
  }, Effect.scoped)
).pipe(
  Command.withDescription("An Appwrite server for tests and local development: databases, storage, faults on demand"),
  Command.withExamples([
    { command: "emulator --port 0 --json", description: "On a free port, in memory" },
    {
      command: "emulator --database sqlite:.data/emulator.db --key k1 --key k2=rows.read",
      description: "Kept, two keys"
    },
    { command: "emulator --fail 0.05 --latency 20 --seed 7", description: "A bad day, the same each time" }
  ])
)

// A signal is how it ends.
Launch.launch(
  command.pipe(
    Command.run({ version }),
    Effect.provide(Launch.presenter),
    Effect.catchTags({
      InvalidSetting: Launch.refuse,
      DatabasesError: Launch.refuse,
      ServeError: ({ cause }) =>
        Launch.refuse({ message: `can't listen: ${cause instanceof Error ? cause.message : String(cause)}` })
    })
  ),
  0
)
