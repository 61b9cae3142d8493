import { assert, describe, it } from "@effect/vitest"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Access from "holdfast/layers/vendors/appwrite/emulator/Access"
import * as ApiFailure from "holdfast/layers/vendors/appwrite/emulator/ApiFailure"
import { type Handler, json } from "holdfast/layers/vendors/appwrite/emulator/Call"
import * as Dispatcher from "holdfast/layers/vendors/appwrite/emulator/Dispatcher"
import * as Faults from "holdfast/layers/vendors/appwrite/emulator/Faults"
import { createServer } from "node:http"
import { asGuest, asKey, send, start } from "../../../../support/Emulator.ts"

const readBuckets = `missing scopes (["buckets.read"])`

describe("the emulator over HTTP", () => {
  it.live("answers health, and its version to guests alone", () =>
    Effect.gen(function* () {
      const endpoint = yield* start()
      const health = yield* send(`${endpoint}/health`, "GET")
      assert.deepStrictEqual(health.json, { name: "http", ping: 0, status: "pass" })
      assert.strictEqual((yield* send(`${endpoint}/health/db`, "GET")).json.total, 1)
      assert.strictEqual((yield* send(`${endpoint}/health/time`, "GET")).json.diff, 0)
      const version = yield* send(`${endpoint}/health/version`, "GET", { headers: {} })
      assert.deepStrictEqual(version.json, { version: "1.9.6" })
      assert.strictEqual((yield* send(`${endpoint}/health/version`, "GET")).status, 401)
    })
  )

  it.live.each([
    [{ ...asKey, "x-appwrite-key": "wrong" }, 401, "user_unauthorized"],
    [{ ...asKey, "x-appwrite-project": "other" }, 404, "project_not_found"],
    [{ "x-appwrite-key": "k" }, 403, "project_id_missing"],
    [asGuest, 401, "general_unauthorized_scope"],
    [{ ...asGuest, "x-appwrite-jwt": "x" }, 401, "user_jwt_invalid"]
  ] as const)("refuses %j", ([headers, status, type]) =>
    Effect.gen(function* () {
      const endpoint = yield* start()
      const refused = yield* send(`${endpoint}/storage/buckets`, "GET", { headers })
      assert.deepStrictEqual([refused.status, refused.json.code, refused.json.type], [status, status, type])
      assert.strictEqual(refused.json.version, ApiFailure.serverVersion)
      if (headers === asGuest) assert.strictEqual(refused.json.message, `User (role: guests) ${readBuckets}`)
    })
  )

  it.live("gives keys their scopes and no others", () =>
    Effect.gen(function* () {
      const endpoint = yield* start({ keys: [{ secret: "few", scopes: ["files.read"] }] })
      const headers = { "x-appwrite-project": "p", "x-appwrite-key": "few" }
      const refused = yield* send(`${endpoint}/storage/buckets`, "GET", { headers })
      assert.strictEqual(refused.json.message, `app.p@service.localhost (role: applications) ${readBuckets}`)
      assert.strictEqual((yield* send(`${endpoint}/storage/buckets/b/files`, "GET", { headers })).status, 404)
      assert.strictEqual((yield* send(`${endpoint}/health`, "GET", { headers })).status, 200)
    })
  )

  it.live("answers a page where there is no route", () =>
    Effect.gen(function* () {
      const endpoint = yield* start()
      for (const [method, path] of [
        ["GET", "/nosuch"],
        ["PATCH", "/health"],
        ["POST", "/storage"]
      ] as const) {
        const answer = yield* send(`${endpoint}${path}`, method)
        assert.strictEqual(answer.status, 404)
        assert.strictEqual(answer.headers.get("content-type"), "text/html; charset=UTF-8")
      }
    })
  )

  it.live("compresses long JSON alone, and only where it may", () =>
    Effect.gen(function* () {
      const endpoint = yield* start()
      const name = "n".repeat(120)
      for (let index = 0; index < 5; index++) {
        yield* send(`${endpoint}/storage/buckets`, "POST", { body: { bucketId: `b${index}`, name } })
      }
      const encoding = (path: string, accepted: string) =>
        Effect.map(
          send(`${endpoint}${path}`, "GET", { headers: { ...asKey, "accept-encoding": accepted } }),
          ({ headers, json }) => {
            assert.isObject(json)
            return headers.get("content-encoding")
          }
        )
      assert.strictEqual(yield* encoding("/storage/buckets", "br, gzip"), "gzip")
      assert.strictEqual(yield* encoding("/storage/buckets", "deflate"), "deflate")
      assert.isNull(yield* encoding("/storage/buckets", "identity"))
      assert.isNull(yield* encoding("/storage/buckets/b1", "gzip"))
    })
  )

  it.live("loses the connection over a body that is too long", () =>
    Effect.gen(function* () {
      const endpoint = yield* start()
      const post = (size: number) =>
        Effect.exit(
          Effect.tryPromise(() =>
            fetch(`${endpoint}/storage/buckets`, {
              method: "POST",
              headers: { ...asKey, "content-type": "application/json" },
              body: " ".repeat(size)
            })
          )
        )
      assert.strictEqual((yield* post(12_500_000))._tag, "Success")
      assert.strictEqual((yield* post(20_000_000))._tag, "Failure")
      assert.strictEqual((yield* send(`${endpoint}/health`, "GET")).status, 200)
    })
  )
})

describe("the dispatcher", () => {
  /** An application of a few routes, without a port. */
  const serve = (handlers: { readonly [path: string]: Handler }) => {
    const counts = Faults.counts()
    const application = Dispatcher.make({
      routes: Object.entries(handlers).map(([path, handler]) => ({
        method: "POST",
        path,
        scope: "global",
        rateLimit: 120,
        handler
      })),
      access: Access.make({ project: "p", keys: [{ secret: "k" }] }),
      faults: {},
      counts
    })
    return Effect.gen(function* () {
      const server = HttpServer.serve(application).pipe(
        Layer.provideMerge(NodeHttpServer.layerServer(createServer, { port: 0, host: "127.0.0.1" }))
      )
      const { address } = Context.get(yield* Layer.build(server), HttpServer.HttpServer)
      return { endpoint: `${HttpServer.formatAddress(address)}/v1`, counts }
    })
  }

  it.live("gives a handler its path, query, body and caller, integers exact", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* serve({
        "/echo/:id": (call) =>
          Effect.sync(() =>
            json({ path: call.path, query: call.query, body: call.body, caller: call.caller._tag }, 201)
          )
      })
      const text = yield* Effect.promise(async () => {
        const response = await fetch(`${endpoint}/echo/%C3%BC?queries[0]=a+b`, {
          method: "POST",
          headers: { ...asKey, "content-type": "application/json" },
          body: `{"n":9223372036854775807}`
        })
        assert.strictEqual(response.status, 201)
        assert.strictEqual(response.headers.get("x-ratelimit-limit"), "120")
        assert.strictEqual(response.headers.get("x-ratelimit-remaining"), "119")
        assert.strictEqual(Number(response.headers.get("x-ratelimit-reset")) % 60, 0)
        return await response.text()
      })
      assert.strictEqual(
        text,
        `{"path":{"id":"ü"},"query":{"queries":["a b"]},"body":{"n":9223372036854775807},"caller":"Key"}`
      )
    })
  )

  it.live("answers 500 for a bug and for a body that breaks the server, and counts them", () =>
    Effect.gen(function* () {
      const { counts, endpoint } = yield* serve({
        "/bug": () => Effect.die("on purpose"),
        "/thrown": () => {
          throw new Error("on purpose")
        },
        "/body": (call) => Effect.sync(() => json(call.body))
      })
      for (const path of ["/bug", "/thrown", "/body"]) {
        const answer = yield* send(`${endpoint}${path}`, "POST", { body: "text" })
        assert.deepStrictEqual(
          [answer.status, answer.json],
          [500, { message: "Server Error", code: 500, type: "general_unknown", version: "1.9.6" }]
        )
      }
      assert.strictEqual(counts.unexpected, 3)
    }).pipe(Effect.provide(Logger.layer([])))
  )

  it.live("does a call to its end when the client has gone", () =>
    Effect.gen(function* () {
      const finished = yield* Deferred.make<string>()
      const entered = yield* Deferred.make<void>()
      const gone = yield* Deferred.make<void>()
      const { endpoint } = yield* serve({
        "/slow": () =>
          Effect.gen(function* () {
            yield* Deferred.succeed(entered, undefined)
            yield* Deferred.await(gone)
            yield* Deferred.succeed(finished, "whole")
            return json({})
          }),
        "/quick": () => Effect.succeed(json({}))
      })
      const controller = new AbortController()
      const lost = fetch(`${endpoint}/slow`, { method: "POST", headers: asKey, signal: controller.signal }).catch(
        () => "lost"
      )
      yield* Deferred.await(entered)
      controller.abort()
      assert.strictEqual(yield* Effect.promise(() => lost), "lost")
      // By the time that it has answered another call, the server has heard of the end too.
      yield* Effect.promise(() => fetch(`${endpoint}/quick`, { method: "POST", headers: asKey }))
      yield* Deferred.succeed(gone, undefined)
      assert.strictEqual(yield* Deferred.await(finished), "whole")
    })
  )
})
