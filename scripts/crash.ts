/**
 * `npm run crash -- [--points 200] [--seed 1]`: eight writers against the emulator on an SQLite file, over HTTP; the
 * emulator is killed (SIGKILL) at a random moment, started again on the same file, and looked at: every acknowledged
 * write is there, and what was on its way is there whole or not at all. Then on, as many times as there are points.
 *
 * A writer has rows, files and a counter of its own, and one call on its way: so all that it may find after a kill is
 * what it had before the call or what it would have after it. Exits with 1 where it finds something else. The seed
 * decides what is written and when it is killed; how far the writers have come by then, the machine decides.
 */
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { type Emulator, random, start } from "./_emulator.ts"

const { values } = parseArgs({
  options: { points: { type: "string", default: "200" }, seed: { type: "string", default: "1" } }
})
const points = Number(values.points)
const seed = Number(values.seed)
if (!Number.isInteger(points) || points < 1 || !Number.isInteger(seed)) {
  console.error("--points and --seed are whole numbers, points at least 1")
  process.exit(2)
}

const writers = 8
/** Longest time from the first write to the kill, in milliseconds. */
const longest = 400
/** Milliseconds after which a call counts as hung. */
const patience = 10_000

const draw = random(seed)
const between = (least: number, most: number) => least + Math.floor(draw() * (most - least + 1))
const database = "crash"

/** What a writer knows of: `row ID`, `file ID` and `counter`, each with its content. */
type State = ReadonlyMap<string, string>
interface Writer {
  readonly name: string
  /** All that was acknowledged. */
  state: State
  /** With what is on its way; undefined where nothing is. */
  next: State | undefined
  /** The transaction whose commit is on its way, or was acknowledged last. */
  transaction: { readonly id: string; readonly committed: boolean } | undefined
  made: number
}

const textOf = (id: string, n: number) => `${id} ${n} ${"x".repeat(n % 300)}`
const contentOf = (id: string, n: number) => createHash("md5").update(textOf(id, n)).digest("hex")

const acknowledged = new Map<string, number>()
const problems: Array<string> = []
let unsure = 0
let whole = 0

class Refused extends Error {}

/** What the answers say that is read here. */
interface Answer {
  readonly $id: string
  readonly status: string
  readonly rows: ReadonlyArray<{
    readonly $id: string
    readonly n: number
    readonly text: string
    readonly writer: string
  }>
  readonly files: ReadonlyArray<{ readonly $id: string; readonly signature: string }>
}

const call = async (emulator: Emulator, method: string, path: string, body?: object): Promise<Answer> => {
  const form = body instanceof FormData
  const response = await fetch(emulator.endpoint + path, {
    method,
    headers: { ...emulator.headers, ...(form ? {} : { "content-type": "application/json" }) },
    signal: AbortSignal.timeout(patience),
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) })
  })
  const text = await response.text()
  if (response.status >= 400) throw new Refused(`${method} ${path} answered ${response.status} ${text}`)
  return JSON.parse(text === "" ? "{}" : text)
}

const rowsOf = (point: number) => `/tablesdb/${database}/tables/rows${point}/rows`
const countersOf = (point: number) => `/tablesdb/${database}/tables/counters${point}/rows`
const filesOf = (point: number) => `/storage/buckets/files${point}/files`

/** Tables, a bucket and counters for the writers of one point. */
const prepare = async (emulator: Emulator, point: number): Promise<ReadonlyArray<Writer>> => {
  const text = { key: "text", type: "string", size: 500 }
  const n = { key: "n", type: "integer" }
  const writer = { key: "writer", type: "string", size: 10 }
  const tables = `/tablesdb/${database}/tables`
  await call(emulator, "POST", tables, { tableId: `rows${point}`, name: "rows", columns: [writer, n, text] })
  await call(emulator, "POST", tables, { tableId: `counters${point}`, name: "counters", columns: [n] })
  await call(emulator, "POST", "/storage/buckets", { bucketId: `files${point}`, name: "files" })
  const names = Array.from({ length: writers }, (_, index) => `w${index}`)
  await call(emulator, "POST", countersOf(point), { rows: names.map(($id) => ({ $id, n: 0 })) })
  return names.map((name) => ({
    name,
    state: new Map([["counter", "0"]]),
    next: undefined,
    transaction: undefined,
    made: 0
  }))
}

/** The names of things of a kind that the writer has. */
const known = ({ state }: Writer, kind: string) =>
  [...state.keys()].flatMap((key) => (key.startsWith(`${kind} `) ? [key.slice(kind.length + 1)] : []))
const pick = <A>(list: ReadonlyArray<A>): A | undefined => list[between(0, list.length - 1)]
const newRow = (writer: Writer) => ({ id: `${writer.name}-${writer.made++}`, n: between(0, 1_000_000) })
const data = (writer: Writer, id: string, n: number) => ({ writer: writer.name, n, text: textOf(id, n) })

/** One call, which changes what the writer has from `state` to `next` or not at all. */
const apply = async (kind: string, writer: Writer, next: State, run: () => Promise<unknown>) => {
  writer.next = next
  await run()
  writer.state = next
  writer.next = undefined
  acknowledged.set(kind, (acknowledged.get(kind) ?? 0) + 1)
}

type Action = (emulator: Emulator, point: number, writer: Writer) => Promise<void>

const createRow: Action = (emulator, point, writer) => {
  const { id, n } = newRow(writer)
  const next = new Map(writer.state).set(`row ${id}`, contentOf(id, n))
  return apply("rows", writer, next, () =>
    call(emulator, "POST", rowsOf(point), { rowId: id, data: data(writer, id, n) })
  )
}

const createRows: Action = (emulator, point, writer) => {
  const rows = Array.from({ length: between(2, 50) }, () => newRow(writer))
  const next = new Map([...writer.state, ...rows.map(({ id, n }) => [`row ${id}`, contentOf(id, n)] as const)])
  const body = { rows: rows.map(({ id, n }) => ({ $id: id, ...data(writer, id, n) })) }
  return apply("bulk creations", writer, next, () => call(emulator, "POST", rowsOf(point), body))
}

const updateRow: Action = async (emulator, point, writer) => {
  const id = pick(known(writer, "row"))
  if (id === undefined) return
  const n = between(0, 1_000_000)
  const next = new Map(writer.state).set(`row ${id}`, contentOf(id, n))
  await apply("updates", writer, next, () =>
    call(emulator, "PATCH", `${rowsOf(point)}/${id}`, { data: data(writer, id, n) })
  )
}

const deleteRow: Action = async (emulator, point, writer) => {
  const id = pick(known(writer, "row"))
  if (id === undefined) return
  const next = new Map(writer.state)
  next.delete(`row ${id}`)
  await apply("deletions", writer, next, () => call(emulator, "DELETE", `${rowsOf(point)}/${id}`))
}

const counted = (writer: Writer, by: number) => String(Number(writer.state.get("counter")) + by)

const increment: Action = (emulator, point, writer) => {
  const value = between(1, 9)
  const next = new Map(writer.state).set("counter", counted(writer, value))
  return apply("increments", writer, next, () =>
    call(emulator, "PATCH", `${countersOf(point)}/${writer.name}/n/increment`, { value })
  )
}

/** New rows, one changed, one deleted, the counter in another table: all of it at the commit. */
const transaction: Action = async (emulator, point, writer) => {
  const rows = Array.from({ length: between(2, 8) }, () => newRow(writer))
  const next = new Map([...writer.state, ...rows.map(({ id, n }) => [`row ${id}`, contentOf(id, n)] as const)])
  const value = between(1, 9)
  next.set("counter", counted(writer, value))
  const place = { databaseId: database, tableId: `rows${point}` }
  const operations: Array<object> = rows.map(({ id, n }) => ({
    ...place,
    action: "create",
    rowId: id,
    data: data(writer, id, n)
  }))
  const [changed, deleted] = known(writer, "row")
  if (changed !== undefined) {
    const n = between(0, 1_000_000)
    next.set(`row ${changed}`, contentOf(changed, n))
    operations.push({ ...place, action: "update", rowId: changed, data: data(writer, changed, n) })
  }
  if (deleted !== undefined) {
    next.delete(`row ${deleted}`)
    operations.push({ ...place, action: "delete", rowId: deleted })
  }
  const counter = { ...place, tableId: `counters${point}`, rowId: writer.name }
  operations.splice(between(0, operations.length), 0, {
    ...counter,
    action: "increment",
    data: { column: "n", value }
  })
  const { $id } = await call(emulator, "POST", "/tablesdb/transactions", {})
  await call(emulator, "POST", `/tablesdb/transactions/${$id}/operations`, { operations })
  writer.transaction = { id: $id, committed: false }
  await apply("transactions", writer, next, () =>
    call(emulator, "PATCH", `/tablesdb/transactions/${$id}`, { commit: true })
  )
  writer.transaction = { id: $id, committed: true }
}

const createFile: Action = (emulator, point, writer) => {
  const { id, n } = newRow(writer)
  const form = new FormData()
  form.set("fileId", id)
  form.set("file", new Blob([textOf(id, n)]), "a.txt")
  const next = new Map(writer.state).set(`file ${id}`, contentOf(id, n))
  return apply("files", writer, next, () => call(emulator, "POST", filesOf(point), form))
}

const actions: ReadonlyArray<Action> = [
  createRow,
  createRow,
  createRows,
  updateRow,
  deleteRow,
  increment,
  transaction,
  transaction,
  createFile
]

/** Writes until the emulator is gone. A refusal is a problem: nothing that is sent deserves one. */
const write = async (emulator: Emulator, point: number, writer: Writer, dead: () => boolean) => {
  try {
    for (;;) await pick(actions)!(emulator, point, writer)
  } catch (error) {
    if (error instanceof Refused || !dead()) problems.push(`point ${point}: ${error}`)
  }
}

/** All that the tables and the bucket of a point hold, for each writer. */
const read = async (emulator: Emulator, point: number): Promise<ReadonlyMap<string, State>> => {
  const states = new Map<string, Map<string, string>>()
  const put = (writer: string, key: string, content: string) => {
    const state = states.get(writer) ?? new Map<string, string>()
    states.set(writer, state.set(key, content))
  }
  const all = `?queries[0]=${encodeURIComponent(`{"method":"limit","values":[1000000]}`)}`
  for (const { $id, n, text, writer } of (await call(emulator, "GET", rowsOf(point) + all)).rows) {
    put(writer, `row ${$id}`, text === textOf($id, n) ? contentOf($id, n) : "spoilt")
  }
  for (const { $id, n } of (await call(emulator, "GET", countersOf(point) + all)).rows) put($id, "counter", String(n))
  for (const { $id, signature } of (await call(emulator, "GET", filesOf(point) + all)).files) {
    put($id.split("-", 1)[0]!, `file ${$id}`, signature)
  }
  return states
}

const different = (left: State, right: State) =>
  [...new Set([...left.keys(), ...right.keys()])].filter((key) => left.get(key) !== right.get(key))

/** Holds what is there against what a writer knows; what was on its way is then known too. */
const check = async (emulator: Emulator, point: number, writer: Writer, found: State) => {
  const { next, state } = writer
  const lacking = different(found, state)
  const applied = next !== undefined && different(found, next).length === 0 && lacking.length > 0
  if (next !== undefined) {
    unsure++
    if (applied) whole++
  }
  if (!applied && lacking.length > 0) {
    const moving = new Set(next === undefined ? [] : different(state, next))
    const lost = lacking.filter((key) => !moving.has(key))
    const what = lost.length > 0 ? `acknowledged but not so: ${lost.join(", ")}` : `half there: ${lacking.join(", ")}`
    problems.push(`point ${point}, writer ${writer.name}: ${what}`)
  }
  const { transaction: last } = writer
  if (last !== undefined) {
    const expected = last.committed || applied ? "committed" : "pending"
    const { status } = await call(emulator, "GET", `/tablesdb/transactions/${last.id}`)
    if (status !== expected) problems.push(`point ${point}: transaction ${last.id} is ${status}, not ${expected}`)
  }
  writer.state = found
  writer.next = undefined
}

const folder = mkdtempSync(join(tmpdir(), "holdfast-crash-"))
const flags = ["--database", `sqlite:${join(folder, "crash.db")}`]
const begun = performance.now()
const history: Array<ReadonlyArray<Writer>> = []
let emulator = await start(flags)
await call(emulator, "POST", "/tablesdb", { databaseId: database, name: database })
for (let point = 0; point < points; point++) {
  const all = await prepare(emulator, point)
  history.push(all)
  let dead = false
  const writing = Promise.all(all.map((writer) => write(emulator, point, writer, () => dead)))
  await new Promise((resolve) => {
    setTimeout(resolve, draw() * longest)
  })
  dead = true
  await emulator.stop("SIGKILL")
  await writing
  emulator = await start(flags)
  const found = await read(emulator, point)
  for (const writer of all) await check(emulator, point, writer, found.get(writer.name) ?? new Map())
  for (const name of found.keys()) {
    if (!all.some((writer) => writer.name === name)) problems.push(`point ${point}: things of nobody, ${name}`)
  }
}
// Later kills took nothing of what earlier points had written.
let things = 0
for (const [point, all] of history.entries()) {
  const found = await read(emulator, point)
  for (const { name, state } of all) {
    things += state.size
    const lost = different(found.get(name) ?? new Map(), state)
    if (lost.length > 0) problems.push(`point ${point}, writer ${name}, at the end: ${lost.join(", ")}`)
  }
}
await emulator.stop("SIGTERM")
rmSync(folder, { recursive: true })

const kinds = [...acknowledged].map(([kind, count]) => `${count} ${kind}`).join(", ")
console.log(`${points} kills in ${Math.round((performance.now() - begun) / 1000)} s, seed ${seed}`)
console.log(`acknowledged: ${kinds}; rows, files and counters at the end: ${things}`)
console.log(`on their way at a kill: ${unsure}, of which there ${whole}, not there ${unsure - whole}`)
console.log(`${problems.length} problems (lost, half there, refused without a reason)`)
for (const problem of problems.slice(0, 50)) console.error(problem)
if (problems.length > 0) process.exit(1)
