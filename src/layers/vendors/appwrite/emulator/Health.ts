/** Health routes. `/health/version` is for guests alone, as on the server. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Methods } from "../../../../Databases.ts"
import { serverError, serverVersion } from "./ApiFailure.ts"
import { type Answer, json } from "./Call.ts"
import type { Route } from "./Routes.ts"

const pass = (name: string, ping = 0) => ({ name, ping, status: "pass" })
const answer = (body: unknown): (() => Effect.Effect<Answer>) => {
  const done = Effect.succeed(json(body))
  return () => done
}

/** Asks the database for something small. */
const database = (databases: Methods) =>
  Effect.gen(function* () {
    const [took] = yield* Effect.timed(Effect.mapError(databases.listDatabases, () => serverError))
    const status = pass("Projects.DB (holdfast)", Math.round(Duration.toMillis(took)))
    return json({ total: 1, statuses: [status] })
  })

const time = Effect.map(Clock.currentTimeMillis, (now) => {
  const seconds = Math.floor(now / 1000)
  return json({ remoteTime: seconds, localTime: seconds, diff: 0 })
})

export const routes = (databases: Methods): ReadonlyArray<Route> => {
  const get = (path: string, handler: Route["handler"], scope = "health.read"): Route => ({
    method: "GET",
    path,
    scope,
    handler
  })
  return [
    get("/health", answer(pass("http"))),
    get("/health/version", answer({ version: serverVersion }), "public"),
    get("/health/db", () => database(databases)),
    get("/health/cache", answer({ total: 1, statuses: [pass("cache")] })),
    get("/health/storage/local", answer(pass("storage"))),
    get("/health/time", () => time)
  ]
}
