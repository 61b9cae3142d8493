/**
 * kill -9 at each call of the store and each boundary of a first request, then its retry: once at once, once when the
 * lease is over, by a clock that is ahead. The outcomes are printed as a table, a row for each point.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Attribute from "../src/Attribute.ts"
import { Databases } from "../src/Databases.ts"
import * as Idempotency from "../src/Idempotency.ts"
import type { Options } from "../src/IdempotencyOptions.ts"
import * as Embedded from "../src/layers/databases/Embedded.ts"
import * as Child from "./support/Child.ts"
import { ask, type Kind, orders, type Point, points, type Request, times } from "./support/KilledRequest.ts"
import * as RedisServer from "./support/RedisServer.ts"
import * as ShiftedClock from "./support/ShiftedClock.ts"
import { skipped } from "./support/skipped.ts"
import * as StorePlaces from "./support/StorePlaces.ts"

/** What the retry comes to at once, under `atMostOnce` when the lease is over, and by default then. */
interface Outcome {
  readonly early: string
  readonly atMostOnce: string
  readonly late: string
  /** Of the handler and of its steps, by both processes; documents that its transactions wrote. */
  readonly starts: number
  readonly one?: number
  readonly two?: number
  readonly documents?: number
}

const free = { early: "runs", atMostOnce: "replayed", late: "replayed", starts: 1 }
const claimed = { early: "InProgress", atMostOnce: "Indeterminate", late: "runs" }
const done = { early: "replayed", atMostOnce: "replayed", late: "replayed", starts: 1 }

/** As the design says it for each point. */
const expected: { readonly [K in Kind]: { readonly [P in (typeof points)[K][number]]: Outcome } } = {
  run: {
    "clock asked …": { ...free, one: 1, two: 1 },
    "before the claim": { ...free, one: 1, two: 1 },
    "claim sent …": { ...claimed, starts: 1, one: 1, two: 1 },
    claimed: { ...claimed, starts: 1, one: 1, two: 1 },
    "in the handler": { ...claimed, starts: 2, one: 1, two: 1 },
    // What a step did is done again until its row is there: its token is the same.
    "in step one": { ...claimed, starts: 2, one: 2, two: 1 },
    "step one sent …": { ...claimed, starts: 2, one: 1, two: 1 },
    "after step one": { ...claimed, starts: 2, one: 1, two: 1 },
    "before the renewal": { ...claimed, starts: 2, one: 1, two: 1 },
    "renewal sent …": { ...claimed, starts: 2, one: 1, two: 1 },
    renewed: { ...claimed, starts: 2, one: 1, two: 1 },
    "in step two": { ...claimed, starts: 2, one: 1, two: 2 },
    "step two sent …": { ...claimed, starts: 2, one: 1, two: 1 },
    "after step two": { ...claimed, starts: 2, one: 1, two: 1 },
    "before the completion": { ...claimed, starts: 2, one: 1, two: 1 },
    "completion sent …": { ...done, one: 1, two: 1 },
    "completed, not answered": { ...done, one: 1, two: 1 }
  },
  transactional: {
    "before the claim": { ...free, documents: 1 },
    "claim sent …": { ...claimed, starts: 1, documents: 1 },
    "before the transaction": { ...claimed, starts: 1, documents: 1 },
    "transaction begun …": { ...claimed, starts: 1, documents: 1 },
    claimed: { ...claimed, starts: 1, documents: 1 },
    "in the handler": { ...claimed, starts: 2, documents: 1 },
    "staged by the handler": { ...claimed, starts: 2, documents: 1 },
    "before the staging": { ...claimed, starts: 2, documents: 1 },
    "staged …": { ...claimed, starts: 2, documents: 1 },
    "before the commit": { ...claimed, starts: 2, documents: 1 },
    "commit sent …": { ...done, documents: 1 },
    "committed, not answered": { ...done, documents: 1 }
  }
}

const documentsOf = (filename: string) =>
  Effect.map(
    Databases.use((databases) => databases.listDocuments(orders)),
    ({ total }) => total
  ).pipe(Effect.provide(Embedded.layer({ filename })), Effect.orDie)

/** Asks as another process would, whose clock is ahead. */
const retry = (place: StorePlaces.Place, request: Request, offset: number, options: Options = {}) =>
  Effect.match(
    ask(request, () => {}, options),
    { onSuccess: (how) => how, onFailure: (error) => error._tag }
  ).pipe(
    Effect.provide(
      Layer.provide(
        Idempotency.layer(times),
        StorePlaces.layer(place, {
          // The server's clock too.
          slots: (own) => ({
            ...own,
            time: Effect.map(own.time, (time) => (time === undefined ? time : time + offset))
          })
        })
      )
    ),
    Effect.provideService(Clock.Clock, ShiftedClock.make(offset)),
    Effect.orDie
  )

const kill = Effect.fnUntraced(function* (kind: Kind, point: Point, place: StorePlaces.Place, folder: string) {
  const key = `${kind} ${point}`.replaceAll(/[^a-z ]/g, "")
  const request: Request = { kind, key, ledger: join(folder, key) }
  if (kind === "transactional" && place._tag === "sqlite")
    yield* Databases.use((databases) =>
      databases.createCollection(orders, { attributes: [Attribute.string("run", { size: 36 })] })
    ).pipe(Effect.provide(Embedded.layer({ filename: place.filename })), Effect.orDie)
  const child = yield* Child.start("killedRequest.main.ts", JSON.stringify({ ...request, place, point }))
  yield* child.line("at ")
  yield* child.kill("SIGKILL")
  assert.deepStrictEqual(yield* child.ended, { code: null, signal: "SIGKILL" })
  const early = yield* retry(place, request, 0)
  const over = times.lease + times.margin + 1000
  const atMostOnce = yield* retry(place, request, over, { mode: "atMostOnce" })
  const late = yield* retry(place, request, over)
  const ledger = readFileSync(request.ledger, "utf8").split("\n")
  const count = (what: string) => ledger.filter((line) => line === what).length
  const outcome: Outcome = { early, atMostOnce, late, starts: count("start") }
  return kind === "run" || place._tag !== "sqlite"
    ? { ...outcome, one: count("one"), two: count("two") }
    : { ...outcome, documents: yield* documentsOf(place.filename) }
}, Effect.scoped)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-kill-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Kills at each point, and prints what came of it. */
const killAll = Effect.fnUntraced(function* (
  name: string,
  kind: Kind,
  path: string,
  placeOf: (index: number) => StorePlaces.Place
) {
  const all: ReadonlyArray<Point> = points[kind]
  const found = yield* Effect.forEach(
    all,
    (point, index) => Effect.map(kill(kind, point, placeOf(index), path), (outcome) => [point, outcome] as const),
    { concurrency: 3 }
  )
  const widest = Math.max(...all.map((point) => point.length))
  const rows = found.map(([point, { atMostOnce, early, late, ...counts }]) => {
    const counted = Object.entries(counts).map(([what, n]) => `${what} ${n}`)
    return `${point.padEnd(widest)} | ${early.padEnd(10)} | ${atMostOnce.padEnd(13)} | ${late.padEnd(8)} | ${counted.join(", ")}`
  })
  const head = `${"killed".padEnd(widest)} | at once    | atMostOnce    | later    | in all`
  console.log([`${name}, ${kind}: ${found.length} points`, head, ...rows].join("\n"))
  const wanted: { readonly [point: string]: Outcome } = expected[kind]
  assert.deepStrictEqual(Object.fromEntries(found), wanted)
})

describe("a process that is killed in the middle of a first request", () => {
  for (const kind of ["run", "transactional"] as const) {
    it.live(`SQLite, ${kind}: the retry comes to what the point says`, () =>
      Effect.scoped(
        Effect.flatMap(folder, (path) =>
          killAll("SQLite", kind, path, (index) => ({ _tag: "sqlite", filename: join(path, `${index}.db`) }))
        )
      )
    )
  }
  it.live.skipIf(!RedisServer.isInstalled)("Redis: the retry comes to what the point says", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const path = yield* folder
        const { url } = yield* RedisServer.start()
        yield* killAll("Redis", "run", path, () => ({ _tag: "redis", url }))
      })
    )
  )
})

if (!RedisServer.isInstalled) skipped("Killed requests on Redis", "redis-server", RedisServer.install)
