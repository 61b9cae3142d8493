/**
 * One process of a race: asks for the key of every round, and again as it is told to, until it has a final answer.
 *
 * Reads orders on stdin, a line each: rounds to enter, rounds that are undisturbed from now on. Prints what `Told`
 * lists. It stops itself, at the very point, so that no stop falls into a lock of the machine's; the parent continues it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { closeSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import * as Idempotency from "../../src/Idempotency.ts"
import type { IdempotencyError } from "../../src/IdempotencyError.ts"
import type { Operations, Ownership } from "../../src/IdempotencyStore.ts"
import { Current } from "../../src/internal/idempotency/Current.ts"
import * as ShiftedClock from "../../test/support/ShiftedClock.ts"
import * as StorePlaces from "../../test/support/StorePlaces.ts"
import { random } from "../_emulator.ts"
import * as Faults from "./faults.ts"
import { type Answer, monotonic, open, type Point, type Told } from "./ledger.ts"
import { type Round, times } from "./plan.ts"
import * as Orders from "./orders.ts"

export interface Settings {
  readonly index: number
  readonly place: StorePlaces.Place
  readonly folder: string
  readonly seed: number
  /** Of its clock, in milliseconds. */
  readonly offset: number
  readonly overwrites: boolean
}
export type Order = { readonly enter: ReadonlyArray<Round> } | { readonly free: ReadonlyArray<number> }

const settings: Settings = JSON.parse(process.argv[2]!)
const { folder, index, offset, overwrites, place, seed } = settings
const chance = random(seed * 1000 + index)
const append = open(join(folder, "ledger"))
const tell = (told: Told) => void writeSync(1, `${JSON.stringify(told)}\n`)

const rounds = new Map<number, Round>()
const free = new Set<number>()

/**
 * The first process that comes here has the stop of the round. An owner that came past its point without being there (no
 * renewal was due, an answer came too late to be read) stops where it completes, or before it answers.
 */
const pass = (id: number, point: Point) => {
  const stop = rounds.get(id)?.stop
  if (stop === undefined || free.has(id)) return
  const isLater = point === "answering" || (point === "completion sent" && stop.point !== "completed")
  if (stop.point !== point && !(isLater && stop.point !== "answering")) return
  try {
    closeSync(openSync(join(folder, `stop-${id}`), "wx"))
  } catch {
    return
  }
  tell({ mark: "stopping", round: id, point, milliseconds: stop.milliseconds })
  process.kill(process.pid, "SIGSTOP")
}

/** Nothing has happened: the key may go to the next. */
class Again extends Schema.TaggedError<Again>()("Again", {}) {
  readonly retryable = true
}
const Value = Schema.Struct({ run: Schema.String, text: Schema.String })

let runs = 0
/** Whose handler runs under it. */
const running = new WeakMap<Ownership, { readonly round: number; readonly run: string }>()
const failed = new Set<number>()

/** Writes down which renewals count, and until when. */
const noting = (operations: Operations): Operations => ({
  ...operations,
  renew: (ownership) =>
    Effect.tap(operations.renew(ownership), ({ _tag }) =>
      Effect.clockWith((clock) =>
        Effect.sync(() => {
          const known = running.get(ownership)
          const at = monotonic()
          if (_tag === "Written" && known !== undefined)
            append({ mark: "renewed", at, ...known, lease: at + ownership.remaining(clock) })
        })
      )
    )
})

/** The handler of a round; `ran` gets its run. */
const handling = (round: Round, ran: Array<string>) =>
  Effect.gen(function* () {
    const run = `${index}.${runs++}`
    ran.push(run)
    pass(round.id, "starting")
    const current = yield* Current
    if (current === undefined) return yield* Effect.die(new Error("a handler without its attempt"))
    const clock = yield* Clock.Clock
    const token = yield* Idempotency.token()
    const { ownership } = current
    // How long its generation lives is known of the attempt alone.
    const left = (ownership as unknown as { readonly expiresAt: number }).expiresAt - clock.currentTimeMillisUnsafe()
    const at = monotonic()
    running.set(ownership, { round: round.id, run })
    const lease = at + ownership.remaining(clock)
    append({ mark: "start", at, round: round.id, run, process: index, token, lease, expiresAt: at + left })
    const fails = round.failing === index && !failed.has(round.id)
    const body = Effect.gen(function* () {
      const length = free.has(round.id) ? Math.min(round.handler, 100) : round.handler
      yield* Effect.sleep(length / 2)
      pass(round.id, "running")
      yield* Effect.sleep(length / 2)
      if (fails) {
        failed.add(round.id)
        return yield* new Again()
      }
      return { run, text: "x".repeat(Math.floor(chance() * 3000)) + String(chance()) }
    })
    return yield* Effect.onExit(body, (exit) =>
      Effect.sync(() => {
        let how: "done" | "released" | "interrupted" = "interrupted"
        if (Exit.isSuccess(exit)) how = "done"
        else if (exit.cause.reasons.every(({ _tag }) => _tag === "Fail")) how = "released"
        append({ mark: "end", at: monotonic(), round: round.id, run, how })
      })
    )
  })

/** Three documents, beside whatever other handlers of this key have written. */
const staging = (round: Round, ran: Array<string>) =>
  Effect.tap(handling(round, ran), ({ run }) =>
    Effect.flatMap(Idempotency.Transaction, ({ stage }) =>
      stage(
        Array.from({ length: Orders.each }, (_, part) => ({
          _tag: "CreateDocument",
          database: "main",
          collection: Orders.collection,
          document: { $id: `${run}.${part}`, round: round.id, run }
        }))
      )
    )
  )

/** One call, and how long its caller waits for the next; undefined where it is done. */
const ask = Effect.fnUntraced(function* (round: Round) {
  const ran: Array<string> = []
  const options = {
    operation: "race",
    key: `round-${round.id}`,
    payload: round.id,
    success: Value,
    ttl: round.ttl,
    localCache: index % 2 === 0 ? 0 : 256
  }
  const transacted = Effect.map(Idempotency.transactional(staging(round, ran), options), (value) => ({
    value,
    status: "recorded"
  }))
  const result = yield* Effect.result(
    round.kind === "transactional" ? transacted : Idempotency.attempt(handling(round, ran), options)
  )
  // Its own value, in this call or after one that heard nothing; in a brief round others may have begun anew meanwhile.
  if (result._tag === "Success" && (round.kind === "brief" || result.success.value.run.startsWith(`${index}.`)))
    pass(round.id, "answering")
  const answer = { mark: "answer", at: monotonic(), round: round.id, process: index, ran } as const
  if (result._tag === "Success") {
    const { status, value } = result.success
    tell({ ...answer, tag: "value", status, body: JSON.stringify(value), run: value.run, isFinal: true })
    return undefined
  }
  const wait = waitOf(result.failure)
  const told = { tag: result.failure._tag, body: "", run: "", isFinal: wait === undefined }
  const status = result.failure._tag === "InProgress" ? result.failure.why : result.failure.message
  tell({ ...answer, ...told, status } satisfies Answer)
  return wait
})

const waitOf = (error: Again | IdempotencyError): number | undefined => {
  switch (error._tag) {
    case "InProgress":
      return error.retryAfter + chance() * 50
    case "Again":
      return chance() * 50
    // A 503 says a second.
    case "StoreUnavailable":
    case "TransactionConflict":
      return 1000
    default:
      return undefined
  }
}

const enter = (round: Round) =>
  Effect.gen(function* () {
    yield* Effect.sleep(round.delays[index]!)
    for (let wait = yield* ask(round); wait !== undefined; wait = yield* ask(round)) yield* Effect.sleep(wait)
    // Once more: whoever has the answer gets it again.
    if (round.kind !== "brief") yield* ask(round)
  })

const store = StorePlaces.layer(place, {
  operations: noting,
  slots: Faults.disturbed({
    draw: chance,
    roundOf: (key) => Number(key.slice("round-".length)),
    isDisturbed: (round) => !free.has(round),
    pass,
    tell,
    overwrites
  })
})
const program = Effect.gen(function* () {
  const context = yield* Effect.context<Idempotency.Idempotency>()
  const clock = ShiftedClock.make(offset)
  const run = Effect.runForkWith(context)
  createInterface({ input: process.stdin }).on("line", (line) => {
    const order: Order = JSON.parse(line)
    if ("free" in order) for (const id of order.free) free.add(id)
    else {
      for (const round of order.enter) {
        rounds.set(round.id, round)
        run(
          Effect.provideService(enter(round), Clock.Clock, clock).pipe(
            Effect.catchCause((cause) => Effect.sync(() => tell({ mark: "broken", detail: String(cause) })))
          )
        )
      }
    }
  })
  tell({ mark: "ready" })
  return yield* Effect.never
})
process.stdin.on("end", () => process.exit(0))
Effect.runFork(
  program.pipe(
    Effect.provide(Layer.provide(Idempotency.layer({ lease: times.lease, margin: times.margin }), store)),
    Effect.catchCause((cause) =>
      Effect.sync(() => {
        tell({ mark: "broken", detail: String(cause) })
        process.exit(1)
      })
    )
  )
)
