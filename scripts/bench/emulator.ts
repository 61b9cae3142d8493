/**
 * The emulator beside a bare server of `effect/http` that answers a fixed body, each a process of its own: the same
 * requests over the same few connections, answered by the same bytes. Rows are of 1 KB.
 *
 * Ours cost, in µs, is what a request (or a transaction) takes longer than at the bare server. Pages of 1000 rows may
 * take four times as long as there. Writes are measured in memory and on a file, where each waits for the disk.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { start } from "../_emulator.ts"
import { type Connection, open, request } from "./_connection.ts"
import { interleaved, ratio } from "./_measure.ts"

const connections = 8
const rounds = 7
/** Most times that a page of 1000 rows may take as long as at the bare server. */
const bound = 4

const bare = async () => {
  const program = new URL("_bare.ts", import.meta.url).pathname
  const child = spawn(process.execPath, ["--conditions=source", program], { stdio: ["ignore", "pipe", "inherit"] })
  process.on("exit", () => child.kill("SIGKILL"))
  for await (const line of createInterface({ input: child.stdout })) return { endpoint: line, child }
  throw new Error("the bare server ended before it listened")
}

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"))
const floor = await bare()
const inMemory = await start([])
const onFile = await start(["--database", `sqlite:${join(folder, "bench.db")}`])
const { headers } = inMemory
const portOf = ({ endpoint }: { readonly endpoint: string }) => Number(new URL(endpoint).port)
const ports = { bare: portOf(floor), memory: portOf(inMemory), file: portOf(onFile) }
/** Fresh ones for each case: a server closes those that were idle for seconds. */
const connect = (place: keyof typeof ports) =>
  Promise.all(Array.from({ length: connections }, () => open(ports[place])))
const close = (all: ReadonlyArray<Connection>) => {
  for (const connection of all) connection.close()
}

const base = "/v1/tablesdb/bench/tables"
// About 1 KB as JSON, with what the server adds.
const text = "The quick brown fox jumps over the lazy dog. ".repeat(15)
const data = (n: number) => ({ title: `title ${n}`, text, number: n, score: n / 100, done: n % 2 === 0 })
let rows = 0
const newId = () => `r${rows++}`

const expect = async (connection: Connection, bytes: string, status: number) => {
  const answer = await connection.call(bytes)
  if (answer.status !== status) throw new Error(`answered ${answer.status}, not ${status}: ${answer.body}`)
  return answer.body
}
const post = (path: string, body: object) => request("POST", path, headers, JSON.stringify(body))

const columns = [
  { key: "title", type: "string", size: 100, required: true },
  { key: "text", type: "string", size: 1000 },
  { key: "number", type: "integer" },
  { key: "score", type: "double" },
  { key: "done", type: "boolean" }
]
for (const place of ["memory", "file"] as const) {
  const all = await connect(place)
  const [connection] = all
  await expect(connection!, post("/v1/tablesdb", { databaseId: "bench", name: "bench" }), 201)
  for (const tableId of ["read", "written"]) {
    await expect(connection!, post(base, { tableId, name: tableId, columns }), 201)
  }
  for (let from = 0; from < 1000; from += 100) {
    const some = Array.from({ length: 100 }, (_, index) => ({ $id: `r${from + index}`, ...data(from + index) }))
    await expect(connection!, post(`${base}/read/rows`, { rows: some }), 201)
  }
  close(all)
}

interface Case {
  readonly name: string
  readonly places: ReadonlyArray<"memory" | "file">
  /** How often in a round. */
  readonly times: number
  /** Requests of one time, each with its status; what was answered before is known. */
  readonly steps: ReadonlyArray<{
    readonly status: number
    readonly request: (answers: ReadonlyArray<Buffer>) => string
  }>
  readonly bound?: number
}

const page = (limit: number) =>
  `${base}/read/rows?queries[0]=${encodeURIComponent(JSON.stringify({ method: "limit", values: [limit] }))}`
const get = (name: string, times: number, path: string, more: object = {}, limit?: number): Case => ({
  name,
  places: ["memory"],
  times,
  steps: [{ status: 200, request: () => request("GET", path, { ...headers, ...more }) }],
  ...(limit === undefined ? {} : { bound: limit })
})
const idIn = (answer: Buffer | undefined): string => JSON.parse(String(answer)).$id
const transactions = "/v1/tablesdb/transactions"
const creations = () =>
  Array.from({ length: 10 }, () => ({
    databaseId: "bench",
    tableId: "written",
    action: "create",
    rowId: newId(),
    data: data(1)
  }))

const cases: ReadonlyArray<Case> = [
  {
    name: "createRow",
    places: ["memory", "file"],
    times: 800,
    steps: [{ status: 201, request: () => post(`${base}/written/rows`, { rowId: newId(), data: data(1) }) }]
  },
  get("getRow", 2000, `${base}/read/rows/r500`),
  get("listRows of 100", 400, page(100)),
  get("listRows of 1000", 400, page(1000), {}, bound),
  get("listRows of 1000, gzip", 80, page(1000), { "accept-encoding": "gzip, deflate" }),
  {
    name: "transaction of 10",
    places: ["memory", "file"],
    times: 80,
    steps: [
      { status: 201, request: () => post(transactions, {}) },
      {
        status: 201,
        request: ([opened]) => post(`${transactions}/${idIn(opened)}/operations`, { operations: creations() })
      },
      {
        status: 200,
        request: ([opened]) => request("PATCH", `${transactions}/${idIn(opened)}`, headers, `{"commit":true}`)
      }
    ]
  }
]

const perSecond = (rate: number) => Math.round(rate).toLocaleString("en").padStart(7)
let missed = 0
for (const { bound: limit, name, places, steps, times } of cases) {
  for (const place of places) {
    const [ours, others] = [await connect(place), await connect("bare")]
    // What ours answers is what the bare server is to answer, to requests that are as long.
    const answers: Array<Buffer> = []
    for (const step of steps) answers.push(await expect(ours[0]!, step.request(answers), step.status))
    for (const [index, answer] of answers.entries()) {
      const head = Buffer.from(`PUT /${index} HTTP/1.1\r\nhost: x\r\ncontent-length: ${answer.length}\r\n\r\n`)
      await others[0]!.call(Buffer.concat([head, answer]))
    }
    const round = (where: ReadonlyArray<Connection>) => async () => {
      let left = times
      await Promise.all(
        where.map(async (connection) => {
          while (left-- > 0) {
            const known: Array<Buffer> = []
            for (const [index, step] of steps.entries()) {
              const bytes = step.request(known)
              const sent = where === others ? bytes.replace(/ \S+ /, ` /${index} `) : bytes
              known.push(await expect(connection, sent, where === others ? 200 : step.status))
            }
          }
        })
      )
      return times
    }
    const rates = await interleaved(
      [
        { name: "holdfast", run: round(ours) },
        { name: "bare", run: round(others) }
      ],
      rounds
    )
    close([...ours, ...others])
    const { floorRate, rate, ratio: share } = ratio(rates, "holdfast", "bare")
    const size = answers.reduce((total, answer) => total + answer.length, 0)
    const cost = Math.round(1e6 / rate - 1e6 / floorRate).toLocaleString("en")
    const allowed = limit === undefined ? "" : ` (at most ${limit})`
    if (limit !== undefined && 1 / share > limit) missed++
    console.log(
      `${name.padEnd(22)} ${place.padEnd(6)} ${perSecond(rate)}/s   bare ${perSecond(floorRate)}/s   ${(1 / share).toFixed(1)} × as long${allowed}, ours ${cost} µs, ${size.toLocaleString("en")} bytes`
    )
  }
}

floor.child.kill("SIGKILL")
await inMemory.stop("SIGTERM")
await onFile.stop("SIGTERM")
rmSync(folder, { recursive: true })
if (missed > 0) {
  console.error(`pages of 1000 rows take more than ${bound} × as long as at the bare server`)
  process.exit(1)
}
