/**
 * `npm run soak -- [--clients 64] [--seconds 30] [--fail 0.01] [--seed 1]`: so many clients at once against the
 * emulator on an SQLite file, while a share of their calls meets faults. No call hangs; each fault meets one call, and
 * no call fails otherwise; memory is flat. Exits with 1 where it is not so.
 *
 * Memory is what is left on the child's heap, and outside of it, after a collection: a quarter into the run and at its
 * end. The clients keep the number of rows and files between two bounds, so that what grows is a leak.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { random, start } from "./_emulator.ts"

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "64" },
    seconds: { type: "string", default: "30" },
    fail: { type: "string", default: "0.01" },
    seed: { type: "string", default: "1" }
  }
})
const clients = Number(values.clients)
const seconds = Number(values.seconds)
const seed = Number(values.seed)
if (!(clients >= 1) || !(seconds > 0) || !Number.isInteger(seed)) {
  console.error("--clients, --seconds and --seed are numbers above zero")
  process.exit(2)
}

/** Milliseconds after which a call counts as hung. */
const patience = 15_000
/** Megabytes that memory may grow between the two looks. */
const mostGrowth = 8
/** Rows that a client has at most. */
const mostRows = 40

const folder = mkdtempSync(join(tmpdir(), "holdfast-soak-"))
/** A second collection takes what the first has only unlocked. */
const answerer = `process.on("message", () => {
  gc()
  setTimeout(() => { gc(); process.send(process.memoryUsage()) }, 50)
})`
const emulator = await start(
  ["--database", `sqlite:${join(folder, "soak.db")}`, "--fail", values.fail, "--seed", values.seed],
  ["--expose-gc", "--import", `data:text/javascript,${encodeURIComponent(answerer)}`]
)

/** Megabytes. */
const memory = () =>
  new Promise<{ readonly used: number; readonly resident: number }>((resolve) => {
    emulator.process.once("message", (usage) => {
      const { arrayBuffers, external, heapUsed, rss } = usage as NodeJS.MemoryUsage
      resolve({ used: (heapUsed + external + arrayBuffers) / 1e6, resident: rss / 1e6 })
    })
    emulator.process.send({})
  })

/** What the clients met. */
const met = { answers: 0, lost: 0, unavailable: 0, broken: 0, limited: 0, hung: 0 }
const refusals = new Map<string, number>()
const unexpected: Array<string> = []
/** Milliseconds of each answered call. */
const durations: Array<number> = []

interface Answer {
  readonly status: number
  readonly body: { readonly $id?: string; readonly type?: string; readonly message?: string }
}

/** Undefined where no answer came. */
const call = async (method: string, path: string, body?: object): Promise<Answer | undefined> => {
  const form = body instanceof FormData
  const begun = performance.now()
  try {
    const response = await fetch(emulator.endpoint + path, {
      method,
      headers: { ...emulator.headers, ...(form ? {} : { "content-type": "application/json" }) },
      signal: AbortSignal.timeout(patience),
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) })
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    met.answers++
    durations.push(performance.now() - begun)
    const { status } = response
    const json = response.headers.get("content-type")?.startsWith("application/json") === true
    const answer = { status, body: json ? JSON.parse(bytes.toString()) : {} }
    if (status === 503) met.unavailable++
    else if (status === 429) met.limited++
    else if (status >= 500) met.broken++
    else if (status >= 400) {
      const type = `${status} ${answer.body.type}`
      refusals.set(type, (refusals.get(type) ?? 0) + 1)
      // A call that was lost may have been done, or not; nothing else explains a refusal.
      if (status !== 404 && status !== 409)
        unexpected.push(`${method} ${path} answered ${type}: ${answer.body.message}`)
    }
    return answer
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") {
      met.hung++
      unexpected.push(`${method} ${path} hung`)
    } else met.lost++
    return undefined
  }
}

/** Until it is answered as it should be, for what all clients need. */
const insist = async (method: string, path: string, body?: object) => {
  for (let attempt = 0; attempt < 50; attempt++) {
    const answer = await call(method, path, body)
    if (answer !== undefined && (answer.status < 300 || answer.status === 409)) return
  }
  throw new Error(`${method} ${path} does not come through`)
}

const table = "/tablesdb/soak/tables/rows"
const rows = `${table}/rows`
const files = "/storage/buckets/files/files"
const text = "The quick brown fox jumps over the lazy dog. ".repeat(20)
const query = (...queries: ReadonlyArray<object>) =>
  `?${queries.map((one, index) => `queries[${index}]=${encodeURIComponent(JSON.stringify(one))}`).join("&")}`

const client = async (name: string, draw: () => number, until: number) => {
  const own: Array<string> = []
  let made = 0
  const next = () => `${name}-${made++}`
  const some = () => own[Math.floor(draw() * own.length)] ?? `${name}-none`
  const data = () => ({ client: name, n: Math.floor(draw() * 1000), text })
  const remove = async (count: number) => {
    for (const id of own.splice(0, count)) await call("DELETE", `${rows}/${id}`)
  }
  const steps: ReadonlyArray<() => Promise<unknown>> = [
    async () => {
      const id = next()
      own.push(id)
      await call("POST", rows, { rowId: id, data: data() })
    },
    async () => {
      const ids = Array.from({ length: 5 }, next)
      own.push(...ids)
      await call("POST", rows, { rows: ids.map(($id) => ({ $id, ...data() })) })
    },
    () => call("GET", `${rows}/${some()}`),
    () => call("GET", rows + query({ method: "limit", values: [50] })),
    () =>
      call(
        "GET",
        rows + query({ method: "equal", attribute: "client", values: [name] }, { method: "orderDesc", attribute: "n" })
      ),
    () => call("PATCH", `${rows}/${some()}`, { data: data() }),
    () => call("PATCH", `${rows}/${some()}/n/increment`, { value: 1 }),
    () => call("GET", table),
    async () => {
      const opened = await call("POST", "/tablesdb/transactions", {})
      if (opened?.status !== 201) return
      const path = `/tablesdb/transactions/${opened.body.$id}`
      const ids = [next(), next()]
      own.push(...ids)
      const operations = ids.map((rowId) => ({
        databaseId: "soak",
        tableId: "rows",
        action: "create",
        rowId,
        data: data()
      }))
      const staged = await call("POST", `${path}/operations`, { operations })
      if (staged?.status === 201) await call("PATCH", path, draw() < 0.8 ? { commit: true } : { rollback: true })
      await call("DELETE", path)
    },
    async () => {
      const id = next()
      const form = new FormData()
      form.set("fileId", id)
      form.set("file", new Blob([text.repeat(20)]), "a.txt")
      await call("POST", files, form)
      await call("GET", `${files}/${id}/download`)
      await call("DELETE", `${files}/${id}`)
    },
    () => remove(3)
  ]
  while (performance.now() < until) {
    await steps[Math.floor(draw() * steps.length)]!()
    if (own.length > mostRows) await remove(own.length - mostRows / 2)
  }
}

await insist("POST", "/tablesdb", { databaseId: "soak", name: "soak" })
await insist("POST", "/tablesdb/soak/tables", {
  tableId: "rows",
  name: "rows",
  columns: [
    { key: "client", type: "string", size: 20 },
    { key: "n", type: "integer" },
    { key: "text", type: "string", size: 2000 }
  ],
  indexes: [{ key: "client", type: "key", attributes: ["client"] }]
})
await insist("POST", "/storage/buckets", { bucketId: "files", name: "files" })

const begun = performance.now()
const until = begun + seconds * 1000
const running = Promise.all(
  Array.from({ length: clients }, (_, index) => client(`c${index}`, random(seed * 1000 + index), until))
)
await new Promise((resolve) => {
  setTimeout(resolve, seconds * 250)
})
const early = await memory()
await running
const took = (performance.now() - begun) / 1000
const late = await memory()

interface Counts {
  readonly calls: number
  readonly faults: Readonly<Record<string, number>>
  readonly unexpected: number
}
const counts = (await (await fetch(`${emulator.endpoint}/holdfast/faults`)).json()) as Counts
await emulator.stop("SIGTERM")
rmSync(folder, { recursive: true })

const { faults } = counts
const growth = late.used - early.used
const cut = (faults["refused"] ?? 0) + (faults["cutBefore"] ?? 0) + (faults["cutAfter"] ?? 0)
const sum = met.answers + met.lost + met.hung
durations.sort((left, right) => left - right)
const within = (share: number) => `${Math.round(durations[Math.ceil(durations.length * share) - 1] ?? 0)} ms`
const megabytes = (amount: number) => `${amount.toFixed(1)} MB`
console.log(
  `${clients} clients, ${took.toFixed(1)} s, seed ${seed}: ${counts.calls} calls, ${Math.round(counts.calls / took)} a second; half within ${within(0.5)}, 99 % within ${within(0.99)}, the longest ${within(1)}`
)
console.log(
  `faults asked for: ${cut} connections cut, ${faults["unavailable"]} × 503, ${faults["broken"]} × 500, ${faults["limited"]} × 429; met: ${met.lost}, ${met.unavailable}, ${met.broken}, ${met.limited}`
)
console.log(`5xx that nobody asked for: ${counts.unexpected}; hung: ${met.hung}`)
console.log(
  `refusals after lost calls: ${[...refusals].map(([type, count]) => `${count} × ${type}`).join(", ") || "none"}`
)
console.log(
  `memory after a collection: ${megabytes(early.used)} at a quarter, ${megabytes(late.used)} at the end (${growth >= 0 ? "+" : ""}${megabytes(growth)}, at most +${mostGrowth} MB); resident ${megabytes(early.resident)}, ${megabytes(late.resident)}`
)

if (sum !== counts.calls) unexpected.push(`${sum} calls sent, ${counts.calls} met by the emulator`)
if (met.lost !== cut) unexpected.push(`${met.lost} connections lost, ${cut} cut on purpose`)
if (met.unavailable !== faults["unavailable"]) unexpected.push("503 that nobody asked for")
if (met.broken !== faults["broken"]) unexpected.push("500 that nobody asked for")
if (met.limited !== faults["limited"]) unexpected.push("429 that nobody asked for")
if (counts.unexpected > 0) unexpected.push(`${counts.unexpected} × 5xx counted by the emulator itself`)
if (growth > mostGrowth) unexpected.push(`memory grew by ${megabytes(growth)}`)
for (const one of unexpected.slice(0, 50)) console.error(one)
if (unexpected.length > 0) process.exit(1)
