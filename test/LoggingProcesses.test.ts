/** Processes that log while their sink is slow, full, closed or away, or while they are killed. */
import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach } from "vitest"
import type { Order } from "./support/loggingChild.ts"

interface Report {
  readonly times: ReadonlyArray<number>
  readonly lost: number
}

const children: Array<ChildProcess> = []
const folders: Array<string> = []
const servers: Array<Server> = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL")
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  for (const server of servers.splice(0)) server.close()
})

const start = async (order: Order) => {
  const program = join(import.meta.dirname, "support", "loggingChild.ts")
  const child = spawn(process.execPath, ["--conditions=source", program, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  children.push(child)
  let errors = ""
  child.stderr!.on("data", (chunk: Buffer) => (errors += String(chunk)))
  const [first] = (await once(child, "message")) as [unknown]
  assert.deepStrictEqual(first, { ready: true }, errors)
  return child
}
const run = async (child: ChildProcess): Promise<Report> => {
  const reported = once(child, "message")
  child.send("go")
  const [report] = (await reported) as [Report]
  return report
}
const collect = (child: ChildProcess): (() => string) => {
  let text = ""
  child.stdout!.on("data", (chunk: Buffer) => (text += String(chunk)))
  return () => text
}
const linesOf = (text: string) => text.split("\n").filter((line) => line !== "")
const ended = (child: ChildProcess) =>
  child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve()
const file = () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-log-"))
  folders.push(folder)
  return join(folder, "log.jsonl")
}

const order: Order = { to: "stdout", batch: 0, requests: 200, concurrency: "unbounded", width: 100 }
/** Lines of a request. */
const each = 4
/** Milliseconds that a request may take at the most, sink or no sink. */
const inTime = 3000

describe.each([0, 4096])("in batches of %s characters", (batch) => {
  it("200 requests at once: no line carries another's ids, none is lost", async () => {
    const child = await start({ ...order, batch })
    const text = collect(child)
    const { lost } = await run(child)
    await ended(child)
    assert.strictEqual(lost, 0)
    const events = linesOf(text()).map(
      (line) =>
        JSON.parse(line) as {
          type: string
          traceId: string
          correlationId: string
          path?: string
          data?: { id: string }
        }
    )
    assert.strictEqual(events.length, order.requests * each)
    const traces = new Map<string, string>()
    for (const { correlationId, data, path, traceId } of events) {
      assert.strictEqual(`c-${(data?.id ?? path)!.slice(1)}`, correlationId)
      assert.strictEqual(traces.get(correlationId) ?? traceId, traceId)
      traces.set(correlationId, traceId)
    }
    assert.strictEqual(new Set(traces.values()).size, order.requests)
  })

  it("a closed pipe: every request ends in time, every line counts as lost", async () => {
    const child = await start({ ...order, batch })
    child.stdout!.destroy()
    await once(child.stdout!, "close")
    const { lost, times } = await run(child)
    assert.strictEqual(lost, order.requests * each)
    assert.isBelow(Math.max(...times), inTime)
  })

  it("a full disk: every request ends in time, every line counts as lost", async () => {
    const child = await start({ ...order, to: "/dev/full", batch })
    const { lost, times } = await run(child)
    assert.strictEqual(lost, order.requests * each)
    assert.isBelow(Math.max(...times), inTime)
  })

  it.each([
    ["at once", "unbounded"],
    ["one after another", 1]
  ] as const)(
    "a reader that stops, requests %s: they end in time; what was not lost comes when it reads again",
    async (_title, concurrency) => {
      const child = await start({ ...order, batch, buffer: 200_000, width: 4000, concurrency })
      // Nobody reads: the pipe fills, then the buffer.
      child.stdout!.pause()
      const { lost, times } = await run(child)
      assert.isBelow(Math.max(...times), inTime)
      assert.isAbove(lost, 0)
      const text = collect(child)
      child.stdout!.resume()
      await ended(child)
      await new Promise((resolve) =>
        child.stdout!.readableEnded ? resolve(undefined) : child.stdout!.once("end", resolve)
      )
      const lines = linesOf(text())
      for (const line of lines) JSON.parse(line)
      assert.strictEqual(lines.length + lost, order.requests * each)
    }
  )

  it("a collector that hangs: every request ends in time, no line is lost", async () => {
    const server = createServer(() => {})
    servers.push(server)
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const address = server.address() as { readonly port: number }
    const child = await start({ ...order, batch, endpoint: `http://127.0.0.1:${address.port}` })
    const text = collect(child)
    const { lost, times } = await run(child)
    assert.strictEqual(lost, 0)
    assert.isBelow(Math.max(...times), inTime)
    await ended(child)
    assert.strictEqual(linesOf(text()).length, order.requests * each)
  })

  it("SIGKILL: no line of a request that has ended is lost", async () => {
    const to = file()
    const child = await start({ ...order, to, batch, forever: true })
    const handed: Array<number> = []
    child.on("message", (message: { readonly handed: number }) => handed.push(message.handed))
    child.send("go")
    while (handed.length < 200) await once(child, "message")
    child.kill("SIGKILL")
    await ended(child)
    const complete = linesOf(readFileSync(to, "utf8")).filter((line) => line.startsWith('{"type":"REQUEST_COMPLETE"'))
    const paths = new Set(complete.map((line) => (JSON.parse(line) as { readonly path: string }).path))
    for (const index of handed) assert.isTrue(paths.has(`/${index}`), `request ${index}`)
  })

  it.each([undefined, "/dev/null"])(
    "SIGTERM: every line is out, and the process ends by it (another sink: %s)",
    async (second) => {
      const to = file()
      const child = await start({ ...order, to, batch, forever: true, ...(second === undefined ? {} : { second }) })
      child.send("go")
      const seen = { last: 0 }
      child.on("message", ({ handed }: { readonly handed: number }) => void (seen.last = handed))
      while (seen.last < 100) await once(child, "message")
      child.kill("SIGTERM")
      await ended(child)
      assert.strictEqual(child.signalCode, "SIGTERM")
      const lines = linesOf(readFileSync(to, "utf8"))
      for (const line of lines) JSON.parse(line)
      assert.isAtLeast(lines.length, (seen.last + 1) * each)
    }
  )

  it("an exception that nobody catches: every line is out", async () => {
    const to = file()
    const child = await start({ ...order, to, batch: batch * 1000, crash: true })
    const { lost } = await run(child)
    await ended(child)
    assert.strictEqual(child.exitCode, 1)
    assert.strictEqual(lost, 0)
    assert.strictEqual(linesOf(readFileSync(to, "utf8")).length, order.requests * each)
  })
})
