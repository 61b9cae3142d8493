/** Calls on rows and columns that no recording has: what a hostile client sends, and answers beside what is stored. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { asGuest, send, start } from "../../../../support/Emulator.ts"

const base = "/tablesdb/d/tables/t"
const setUp = Effect.fnUntraced(function* (options?: Parameters<typeof start>[0]) {
  const endpoint = yield* start(options)
  const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    send(endpoint + path, method, { body, ...(headers === undefined ? {} : { headers }) })
  yield* call("POST", "/tablesdb", { databaseId: "d", name: "d" })
  const columns = [
    { key: "s", type: "string", size: 100 },
    { key: "i", type: "integer", default: 7 },
    { key: "f", type: "double" }
  ]
  const table = yield* call("POST", "/tablesdb/d/tables", { tableId: "t", name: "t", columns })
  assert.strictEqual(table.status, 201, table.text)
  return call
})
const query = (...queries: ReadonlyArray<object>) =>
  queries.map((one, index) => `queries[${index}]=${encodeURIComponent(JSON.stringify(one))}`).join("&")
const test = (name: string, body: Effect.Effect<void, unknown>) => it.live(name, () => body)
const scoped = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.scoped(effect)

describe("what is sent in place of objects", () => {
  test(
    "is refused where operations are staged, and nothing of it is committed",
    scoped(
      Effect.gen(function* () {
        const call = yield* setUp()
        const { json: transaction } = yield* call("POST", "/tablesdb/transactions", {})
        const path = `/tablesdb/transactions/${transaction.$id}`
        const bulk = (action: string, data: unknown) => ({ databaseId: "d", tableId: "t", action, data })
        for (const operation of [
          null,
          5,
          [],
          bulk("bulkCreate", [null]),
          bulk("bulkCreate", [5]),
          bulk("bulkCreate", ["x"]),
          bulk("bulkUpsert", [null]),
          bulk("bulkUpsert", [5]),
          bulk("bulkUpdate", { data: 5 })
        ]) {
          const { json, status } = yield* call("POST", `${path}/operations`, { operations: [operation] })
          assert.deepStrictEqual(
            [status, json.type],
            [400, "general_argument_invalid"],
            JSON.stringify({ operation, json })
          )
        }
        assert.strictEqual((yield* call("PATCH", path, { commit: true })).status, 200)
        assert.strictEqual((yield* call("GET", `${base}/rows`)).json.total, 0)
      })
    )
  )

  test(
    "thousands of levels are refused, and so are more values than a statement holds",
    scoped(
      Effect.gen(function* () {
        const call = yield* setUp()
        const deep = `{"s":${"[".repeat(5000)}${"]".repeat(5000)}}`
        const answer = yield* call("POST", `${base}/rows`, { rowId: "a", data: deep })
        assert.strictEqual(answer.status, 400, answer.text)
        const values = Array.from({ length: 500 }, (_, index) => `v${index}`)
        const queries = Array.from({ length: 100 }, () =>
          JSON.stringify({ method: "contains", attribute: "s", values })
        )
        const many = yield* call("PATCH", `${base}/rows`, { data: { s: "x" }, queries })
        assert.deepStrictEqual([many.status, many.json.type], [400, "general_query_invalid"], many.text)
        const some = yield* call("PATCH", `${base}/rows`, { data: { s: "x" }, queries: queries.slice(0, 60) })
        assert.strictEqual(some.status, 200, some.text)
      })
    )
  )

  test(
    "a whole number beyond 2^53 compares with a double, and not with a date",
    scoped(
      Effect.gen(function* () {
        const call = yield* setUp()
        yield* call("POST", `${base}/rows`, { rowId: "a", data: { f: 2 ** 53 } })
        const big = (attribute: string) =>
          call("GET", `${base}/rows?${query({ method: "equal", attribute, values: [2 ** 53] })}`)
        assert.strictEqual((yield* big("f")).json.total, 1)
        const date = yield* big("$createdAt")
        assert.deepStrictEqual([date.status, date.json.type], [400, "general_query_invalid"])
      })
    )
  )
})

describe("answers beside what is stored", () => {
  test(
    "a change by query shows the default for null, which it stores, and null for what was not selected",
    scoped(
      Effect.gen(function* () {
        const call = yield* setUp()
        yield* call("POST", `${base}/rows`, { rowId: "a", data: { s: "x", f: 1.5 } })
        const queries = [JSON.stringify({ method: "select", values: ["s"] })]
        const { json } = yield* call("PATCH", `${base}/rows`, { data: { i: null }, queries })
        const { f, i, s } = json.rows[0]
        assert.deepStrictEqual({ s, i, f }, { s: "x", i: 7, f: null })
        const stored = (yield* call("GET", `${base}/rows/a`)).json
        assert.deepStrictEqual([stored.i, stored.f], [null, 1.5])
      })
    )
  )

  test(
    "a name that is taken leaves the change of a column undone",
    scoped(
      Effect.gen(function* () {
        const call = yield* setUp()
        const body = { required: true, default: null, newKey: "s" }
        assert.strictEqual((yield* call("PATCH", `${base}/columns/integer/i`, body)).status, 409)
        assert.strictEqual((yield* call("GET", `${base}/columns/i`)).json.required, false)
      })
    )
  )

  test(
    "a table whose id is 0 gets one of its own; a column that was processing when it was deleted goes on so",
    scoped(
      Effect.gen(function* () {
        const call = yield* setUp({ settle: 60_000 })
        const { json } = yield* call("POST", "/tablesdb/d/tables", { tableId: "0", name: "zero" })
        assert.match(json.$id, /^[0-9a-f]{20}$/)
        yield* call("POST", `${base}/columns/integer`, { key: "late", required: false })
        assert.strictEqual((yield* call("DELETE", `${base}/columns/late`)).status, 204)
        assert.strictEqual((yield* call("GET", `${base}/columns/late`)).json.status, "processing")
      })
    )
  )

  test(
    "more rows than a page, staged: each is known to be there",
    scoped(
      Effect.gen(function* () {
        const call = yield* setUp()
        const rows = Array.from({ length: 31 }, (_, index) => ({ $id: `x${index}`, f: index }))
        yield* call("POST", `${base}/rows`, { rows })
        const { json: transaction } = yield* call("POST", "/tablesdb/transactions", {})
        yield* call("PATCH", `${base}/rows/x29`, { data: { f: 100 }, transactionId: transaction.$id })
        const { json } = yield* call("GET", `${base}/rows/x29?transactionId=${transaction.$id}`)
        assert.strictEqual(json.f, 100)
        assert.notStrictEqual(json.$sequence, "")
      })
    )
  )

  test(
    "a guest who may update but not read counts up",
    scoped(
      Effect.gen(function* () {
        const call = yield* setUp()
        yield* call("PUT", base, { name: "t", permissions: ['update("any")'] })
        yield* call("POST", `${base}/rows`, { rowId: "a", data: { f: 1 } })
        const counted = yield* call(
          "PATCH",
          `${base}/rows/a/f/increment`,
          { value: 2 },
          {
            ...asGuest,
            "content-type": "application/json"
          }
        )
        assert.strictEqual(counted.status, 200, counted.text)
        assert.strictEqual((yield* call("GET", `${base}/rows/a`)).json.f, 3)
      })
    )
  )
})
