/** The examples of logging, run; and the service that the W3C's harness asks for, on a real socket. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, type IncomingHttpHeaders } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { afterAll, beforeAll } from "vitest"
import { Databases } from "../src/Databases.ts"
import * as Attribute from "../src/Attribute.ts"
import * as Embedded from "../src/layers/databases/Embedded.ts"

const root = join(import.meta.dirname, "..")
const node = ["--conditions=source"]

describe("examples/logging/sample-lines.ts", () => {
  const sample = async (ip: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...node, join(root, "examples", "logging", "sample-lines.ts")],
      { env: { ...process.env, LOG_IP: ip } }
    )
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  /** The specification's lines, where privacy and ids do not change them. */
  const specified = [
    {
      type: "REQUEST_INCOMING",
      traceId: "1a2b3c4d5e6f70819a2b3c4d5e6f7081",
      method: "POST",
      path: "/api/functions/create-recognition",
      user: "211ceff7fb0348fb",
      timestamp: "2024-01-15T10:30:45.123Z",
      ip: "203.0.113.0"
    },
    {
      type: "DATABASE_OPERATION",
      traceId: "1a2b3c4d5e6f70819a2b3c4d5e6f7081",
      operation: "CREATE",
      collection: "recognitions",
      documentCount: 1,
      duration: "245ms",
      timestamp: "2024-01-15T10:30:45.368Z"
    },
    {
      type: "REQUEST_COMPLETE",
      traceId: "1a2b3c4d5e6f70819a2b3c4d5e6f7081",
      statusCode: 200,
      responseTime: "350ms",
      timestamp: "2024-01-15T10:30:45.473Z"
    }
  ]
  it("writes the specification's three lines: names, order, types, values", async () => {
    const lines = await sample("short")
    assert.strictEqual(lines.length, 3)
    for (const [index, expected] of specified.entries()) {
      const names = Object.keys(expected)
      assert.deepStrictEqual(Object.keys(lines[index]!).slice(0, names.length), names)
      assert.deepStrictEqual(Object.fromEntries(names.map((name) => [name, lines[index]![name]])), expected)
    }
  })
  it("leaves the address whole where that is wanted", async () => {
    const [first] = await sample("full")
    assert.strictEqual(first!["ip"], "203.0.113.42")
  })
})

describe("examples/functions/traced-recognition.ts", () => {
  it("is what docs/logging.md shows, and writes the lines of an execution into its log", async () => {
    const code = readFileSync(join(root, "examples", "functions", "traced-recognition.ts"), "utf8")
    assert.include(readFileSync(join(root, "docs", "logging.md"), "utf8"), code.slice(code.indexOf("\n") + 1))
    const folder = mkdtempSync(join(tmpdir(), "holdfast-function-"))
    const filename = join(folder, "function.db")
    await Effect.runPromise(
      Effect.gen(function* () {
        const db = yield* Databases
        yield* db.createDatabase("main").pipe(Effect.ignore)
        yield* db.createCollection("recognitions", { attributes: [Attribute.string("reason", { size: 100 })] })
      }).pipe(Effect.provide(Embedded.layer({ filename, databaseId: "main" }).pipe(Layer.fresh)))
    )
    let heard: IncomingHttpHeaders = {}
    const slack = createServer((request, response) => {
      heard = request.headers
      response.writeHead(204).end()
    })
    slack.listen(0, "127.0.0.1")
    await once(slack, "listening")
    process.env["DATABASE_FILE"] = filename
    process.env["SLACK_HOOK"] = `http://127.0.0.1:${(slack.address() as AddressInfo).port}/hook?token=abc`
    const { default: entrypoint } = await import("../examples/functions/traced-recognition.ts")
    const execution = async (key: string) => {
      const logs: Array<string> = []
      const answer = await entrypoint({
        req: {
          method: "POST",
          path: "/",
          headers: {
            "content-type": "application/json",
            "idempotency-key": key,
            "x-appwrite-user-id": "u1",
            "x-appwrite-execution-id": `execution-${key}`,
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
          },
          bodyText: `{"reason":"Great work!"}`
        },
        res: {
          text: (body: string, status: number, headers: Record<string, string>) => ({ body, status, headers }),
          binary: (bytes: Buffer, status: number, headers: Record<string, string>) => ({
            body: bytes.toString(),
            status,
            headers
          })
        },
        log: (text) => void logs.push(text),
        error: (text) => void logs.push(text)
      })
      const events = logs.flatMap((text) => text.split("\n")).map((line) => JSON.parse(line) as Record<string, unknown>)
      return { answer, events }
    }
    const [first, second] = await Promise.all([execution("a"), execution("b")])
    const again = await execution("a")
    slack.close()
    delete process.env["DATABASE_FILE"]
    delete process.env["SLACK_HOOK"]
    rmSync(folder, { recursive: true })

    assert.strictEqual(first.answer.status, 201)
    assert.strictEqual(first.answer.headers["x-trace-id"], "4bf92f3577b34da6a3ce929d0e0e4736")
    for (const [name, { events }] of [
      ["a", first],
      ["b", second],
      ["a", again]
    ] as const)
      for (const event of events) assert.strictEqual(event["executionId"], `execution-${name}`)
    const types = first.events.map(({ collection, service, type }) =>
      [type, collection ?? service].filter(Boolean).join(" ")
    )
    assert.strictEqual(types[0], "REQUEST_INCOMING")
    assert.includeMembers(types, [
      "DATABASE_OPERATION idempotency-keys",
      "DATABASE_OPERATION recognitions",
      "EXTERNAL_CALL slack",
      "LOG"
    ])
    assert.strictEqual(types.at(-1), "REQUEST_COMPLETE")
    assert.match(String(heard["traceparent"]), /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/)
    assert.strictEqual(again.answer.body, first.answer.body)
    assert.isTrue(again.events.at(-1)!["replayed"])
    assert.notInclude(JSON.stringify(first.events), "token=abc")
  })
})

describe("npm run trace-service", () => {
  const service = spawn(
    process.execPath,
    [...node, join(root, "scripts", "trace-service.ts"), "--port", "0", "--log", "/dev/null"],
    {
      stdio: ["ignore", "pipe", "inherit"]
    }
  )
  let port = 0
  const harness = createServer((request, response) => {
    seen.push(request.headers)
    request.resume()
    request.on("end", () => response.end("null"))
  })
  let seen: Array<IncomingHttpHeaders> = []

  beforeAll(async () => {
    harness.listen(0, "127.0.0.1")
    for await (const line of createInterface({ input: service.stdout })) {
      port = Number(/:(\d+)\//.exec(line)![1])
      break
    }
  })
  afterAll(() => {
    service.kill("SIGKILL")
    harness.close()
  })

  /** A request as bytes, so that headers come twice where they are written twice. */
  const ask = async (headers: ReadonlyArray<string>, calls = 1): Promise<ReadonlyArray<IncomingHttpHeaders>> => {
    seen = []
    const url = `http://127.0.0.1:${(harness.address() as AddressInfo).port}/`
    const body = JSON.stringify(Array.from({ length: calls }, () => ({ url, arguments: [] })))
    const socket = connect(port, "127.0.0.1")
    socket.write(
      [
        "POST /test HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
        ...headers,
        "",
        body
      ].join("\r\n")
    )
    let answer = ""
    for await (const chunk of socket) answer += String(chunk)
    assert.match(answer, /^HTTP\/1\.1 200/)
    return seen
  }
  const traceId = "12345678901234567890123456789012"
  const traceparent = `traceparent: 00-${traceId}-1234567890123456-01`
  const idOf = (headers: IncomingHttpHeaders) => String(headers["traceparent"]).split("-")[1]

  it("keeps the trace over its calls, each with a span of its own", async () => {
    const calls = await ask([traceparent, "tracestate: foo=1"], 3)
    assert.strictEqual(calls.length, 3)
    for (const headers of calls) {
      assert.strictEqual(idOf(headers), traceId)
      assert.strictEqual(headers["tracestate"], "foo=1")
      assert.strictEqual(headers["x-trace-id"], traceId)
    }
    assert.strictEqual(new Set(calls.map((headers) => headers["traceparent"])).size, 3)
  })
  it("begins a new one where traceparent comes twice", async () => {
    const [headers] = await ask([traceparent, traceparent])
    assert.notStrictEqual(idOf(headers!), traceId)
    assert.match(String(headers!["traceparent"]), /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]$/)
  })
  it("takes several tracestates as one, in order", async () => {
    const [headers] = await ask([traceparent, "tracestate: a=1,b=2", "TraceState: c=3", "tracestate:"])
    assert.strictEqual(headers!["tracestate"], "a=1,b=2,c=3")
  })
})
