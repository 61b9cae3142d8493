/**
 * An Appwrite server in this process, for tests, local development and CI: a `Databases` behind Appwrite's HTTP API,
 * with storage, keys and scopes, and faults on demand. It behaves as a real 1.9.6 was recorded
 * (test/fixtures/appwrite).
 */
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { Databases } from "../../../../Databases.ts"
import { JsonLists } from "../../JsonLists.ts"
import * as Sqlite from "../../Sqlite.ts"
import * as Access from "./Access.ts"
import { json } from "./Call.ts"
import * as AllRoutes from "./databases/AllRoutes.ts"
import * as Metadata from "./databases/Metadata.ts"
import * as Overlaps from "./databases/Overlaps.ts"
import * as Dispatcher from "./Dispatcher.ts"
import * as Faults from "./Faults.ts"
import * as Health from "./Health.ts"
import type { Route } from "./Routes.ts"
import * as Buckets from "./storage/Buckets.ts"
import * as Files from "./storage/Files.ts"
import * as Store from "./storage/Store.ts"

export interface Options extends Access.Options {
  /** Where buckets and files lie: a path, or `:memory:`. */
  readonly storage: string
  /** Largest file that a bucket may allow, in bytes. Default 30,000,000, as on the recorded server. */
  readonly largestFile?: number | undefined
  readonly faults?: Faults.Options | undefined
  /** Milliseconds until new attributes and indexes are available. Default 0. */
  readonly settle?: number | undefined
  /** Also what the real server does wrong. Default false. */
  readonly quirks?: boolean | undefined
}

/** What the emulator says of itself. */
const own = (counts: Faults.Counts): ReadonlyArray<Route> => [
  { method: "GET", path: "/holdfast/faults", scope: "global", handler: () => Effect.sync(() => json(counts)) }
]

const make = Effect.fnUntraced(function* (options: Options) {
  const databases = yield* Databases
  const jsonLists = yield* Effect.serviceOption(JsonLists)
  const store = yield* Effect.acquireRelease(
    Effect.sync(() => Store.open(options.storage)),
    (open) => Effect.sync(() => open.close())
  )
  const known = yield* Effect.acquireRelease(
    Effect.sync(() => Sqlite.open({ filename: options.storage })),
    (open) => Effect.sync(() => open.close())
  )
  const quirks = options.quirks ?? false
  const settle = options.settle ?? 0
  const counts = Faults.counts()
  const routes = [
    ...Health.routes(databases),
    ...Buckets.routes(store, { largestFile: options.largestFile ?? 30_000_000 }),
    ...Files.routes(store, { quirks }),
    ...AllRoutes.routes({
      databases,
      jsonLists,
      metadata: Metadata.make(known),
      settle,
      quirks,
      overlaps: Overlaps.make()
    }),
    ...own(counts)
  ]
  const application = Dispatcher.make({
    routes,
    access: Access.make(options),
    faults: options.faults ?? {},
    counts
  })
  yield* HttpServer.serveEffect(application)
})

/** Serves on the HTTP server that is given. */
export const layer = (options: Options): Layer.Layer<never, never, HttpServer.HttpServer | Databases> =>
  Layer.effectDiscard(make(options)).pipe(
    // Spans of requests cost more than the requests.
    Layer.provide(Layer.succeed(HttpMiddleware.TracerDisabledWhen)(() => true))
  )
