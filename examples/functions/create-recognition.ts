/** An Appwrite function that creates a recognition once, however often it is asked to. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as HttpMessage from "holdfast/HttpMessage"
import * as Idempotency from "holdfast/Idempotency"
import * as Embedded from "holdfast/layers/databases/Embedded"
import * as Database from "holdfast/layers/idempotency/Database"

const store = (filename: string) =>
  Database.layerBeside(filename).pipe(Layer.provideMerge(Embedded.layer({ filename })))

const layer = Idempotency.layer().pipe(
  Layer.provide(
    Layer.unwrap(Effect.map(Config.String("DATABASE_FILE").pipe(Config.withDefault(".data/function.db")), store))
  ),
  Layer.provide(NodeServices.layer)
)

/** Lives as long as the container. */
const runtime = ManagedRuntime.make(layer)

const read = ({ body }: HttpMessage.Request): object | undefined => {
  try {
    return JSON.parse(String(body))
  } catch {
    return undefined
  }
}

const create = Idempotency.middleware({
  operation: "recognition_create",
  // Before the key is claimed: a request that can't be read uses up none.
  validate: (request) =>
    Effect.succeed(read(request) === undefined ? HttpMessage.json({ error: "the body is no JSON" }, 400) : undefined)
})((request) =>
  Effect.gen(function* () {
    const recognition = read(request)
    // The same in every attempt: whoever is called with it does its part once, too.
    const token = yield* Idempotency.token("badge")
    return HttpMessage.json({ ...recognition, badge: token }, 201)
  })
)

export default async <A>({ req, res }: HttpMessage.AppwriteContext<A>): Promise<A> =>
  HttpMessage.toAppwrite(await runtime.runPromise(create(HttpMessage.fromAppwrite(req))), res)
