/** The same function, followed: its lines go to the execution's log, with the trace of whoever called it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Databases } from "holdfast/Databases"
import * as HttpMessage from "holdfast/HttpMessage"
import * as Idempotency from "holdfast/Idempotency"
import * as Embedded from "holdfast/layers/databases/Embedded"
import * as Logged from "holdfast/layers/databases/Logged"
import * as Database from "holdfast/layers/idempotency/Database"
import * as AppwriteConsole from "holdfast/layers/logging/AppwriteConsole"
import * as JsonLines from "holdfast/layers/logging/JsonLines"
import * as Otlp from "holdfast/layers/logging/Otlp"
import * as RequestLogger from "holdfast/RequestLogger"

const file = Config.withDefault(Config.String("DATABASE_FILE"), ".data/function.db")
const databases = Layer.unwrap(
  Effect.map(file, (filename) => Logged.layer.pipe(Layer.provide(Embedded.layer({ filename, databaseId: "main" }))))
)
const keys = Layer.unwrap(Effect.map(file, (filename) => Database.layerBeside(filename)))

const layer = Idempotency.layer().pipe(
  Layer.provide(keys),
  Layer.provideMerge(databases),
  Layer.provideMerge(FetchHttpClient.layer),
  Layer.provideMerge(RequestLogger.layerConfig()),
  // Traces go to a collector where OTEL_EXPORTER_OTLP_ENDPOINT names one.
  Layer.provide(Otlp.layerConfig()),
  // For lines outside of an execution; those of one go to its own log.
  Layer.provide(JsonLines.layerConfig({ to: "stderr" })),
  Layer.provide(NodeServices.layer)
)

/** Lives as long as the container. */
const runtime = ManagedRuntime.make(layer)

const create = Idempotency.middleware({ operation: "recognition_create" })(({ body }) =>
  Effect.gen(function* () {
    const db = yield* Databases
    const { reason } = JSON.parse(String(body)) as { readonly reason: string }
    const { $id } = yield* Effect.orDie(db.createDocument("recognitions", { reason }))
    const slack = RequestLogger.client("slack")(yield* HttpClient.HttpClient)
    const hook = yield* Effect.orDie(Config.withDefault(Config.String("SLACK_HOOK"), "http://127.0.0.1:9/hook"))
    // Whether Slack hears of it is in the log, and no reason to fail.
    yield* Effect.ignore(slack.post(hook))
    yield* Effect.logInfo("recognized", { id: $id })
    return HttpMessage.json({ id: $id }, 201)
  })
)
const handler = RequestLogger.withRequest({ name: "create-recognition" })(create)

export default async <A>(context: HttpMessage.AppwriteContext<A> & AppwriteConsole.Context): Promise<A> => {
  const request = HttpMessage.fromAppwrite(context.req)
  const response = await runtime.runPromise(AppwriteConsole.provide(context)(handler(request)))
  return HttpMessage.toAppwrite(response, context.res)
}
