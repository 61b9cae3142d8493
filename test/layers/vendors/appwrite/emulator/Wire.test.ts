/** What hostile clients found on the wire: pipelined calls, encodings, long doubles, sizes of columns with a format. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { connect } from "node:net"
import { asKey, send, start } from "../../../../support/Emulator.ts"

/** A table `t` with these columns in the database `d`, and where its rows are. */
const table = Effect.fnUntraced(function* (endpoint: string, columns: ReadonlyArray<object>, indexes: object[] = []) {
  yield* send(`${endpoint}/tablesdb`, "POST", { body: { databaseId: "d", name: "d" } })
  const body = { tableId: "t", name: "t", columns, indexes }
  const made = yield* send(`${endpoint}/tablesdb/d/tables`, "POST", { body })
  return {
    status: made.status,
    type: made.json.type as string | undefined,
    rows: `${endpoint}/tablesdb/d/tables/t/rows`
  }
})
const create = (rows: string, data: object) => send(rows, "POST", { body: { rowId: "unique()", data } })

describe("the wire", () => {
  it.live("a fault that cuts a pipelined call ends the connection", () =>
    Effect.gen(function* () {
      const endpoint = new URL(yield* start({ faults: { rate: 1, seed: 1 } }))
      for (let attempt = 0; attempt < 5; attempt++) {
        const ended = yield* Effect.promise(
          () =>
            new Promise<boolean>((resolve) => {
              const socket = connect(Number(endpoint.port), "127.0.0.1")
              const head = `GET /v1/health HTTP/1.1\r\nhost: x\r\n${Object.entries(asKey)
                .map(([name, value]) => `${name}: ${value}\r\n`)
                .join("")}\r\n`
              let text = ""
              const answered = () => text.split("HTTP/1.1 ").length - 1
              socket.on("data", (data) => {
                text += String(data)
                // As many answers as calls are as good as an end.
                if (answered() >= 6) socket.destroy()
              })
              socket.on("error", () => undefined)
              socket.on("close", () => resolve(true))
              socket.write(head.repeat(6))
            })
        )
        assert.isTrue(ended)
      }
    })
  )

  it.live("an encoding that is refused is not used", () =>
    Effect.gen(function* () {
      const endpoint = yield* start()
      const { rows } = yield* table(endpoint, [{ key: "s", type: "string", size: 4000 }])
      yield* create(rows, { s: "x".repeat(3000) })
      for (const [accepted, encoding] of [
        ["gzip", "gzip"],
        ["gzip;q=0", null],
        ["gzip;q=0, deflate", "deflate"],
        ["deflate;q=0.0,gzip;q=0.5", "gzip"],
        ["identity", null]
      ] as const) {
        const answer = yield* send(rows, "GET", { headers: { ...asKey, "accept-encoding": accepted } })
        assert.strictEqual(answer.headers.get("content-encoding"), encoding, accepted)
        assert.strictEqual(answer.json.rows[0].s.length, 3000)
      }
    })
  )

  it.live("with quirks a double keeps 14 digits, but whole numbers are exact", () =>
    Effect.gen(function* () {
      const endpoint = yield* start({ quirks: true })
      const { rows } = yield* table(endpoint, [{ key: "f", type: "double" }])
      for (const [sent, stored] of [
        [9_007_199_254_740_991, 9_007_199_254_740_991],
        [-7_086_518_134_374_654, -7_086_518_134_374_654],
        [2 / 3, 0.66666666666667],
        [0.1 + 0.2, 0.3]
      ] as const) {
        const { json } = yield* create(rows, { f: sent })
        assert.strictEqual((yield* send(`${rows}/${json.$id}`, "GET")).json.f, stored)
      }
    })
  )

  it.live("the size of a column with a format counts for values, lists, defaults, indexes and the row", () =>
    Effect.gen(function* () {
      const endpoint = yield* start()
      const column = { key: "e", type: "string", format: "enum", size: 3, elements: ["abc", "abcd"] }
      const { rows } = yield* table(endpoint, [column, { ...column, key: "l", array: true }])
      assert.strictEqual((yield* create(rows, { e: "abc", l: ["abc"] })).status, 201)
      for (const data of [{ e: "abcd" }, { l: ["abc", "abcd"] }]) {
        const refused = yield* create(rows, data)
        assert.deepStrictEqual([refused.status, refused.json.type], [400, "row_invalid_structure"])
      }
      const others: ReadonlyArray<readonly [number, object[], object[]]> = [
        [400, [{ ...column, default: "abcd" }], []],
        [201, [{ key: "u", type: "string", format: "url", size: 100 }], [{ key: "i", type: "key", attributes: ["u"] }]],
        [400, Array.from({ length: 5 }, (_, n) => ({ key: `u${n}`, type: "string", format: "url", size: 10_000 })), []]
      ]
      for (const [status, columns, indexes] of others) {
        assert.strictEqual((yield* table(yield* start(), columns, indexes)).status, status)
      }
    })
  )
})
