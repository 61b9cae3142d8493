/**
 * Writes that can be taken back: each is in the journal before it happens, with what it finds, and on a stack after.
 *
 * Only small things stay in memory: where the entries stand. Documents are read back from the journal when needed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Semaphore from "effect/Semaphore"
import { Databases, failure, type Methods } from "../../Databases.ts"
import { DatabasesError, Unavailable } from "../../DatabasesError.ts"
import type { Before, JournalUnavailable, Position, RunJournal } from "../../MigrationJournal.ts"
import { batchLimit, type Mutation, type Of, path, type ResultOf } from "../../Operation.ts"
import * as Paging from "../Paging.ts"
import * as Query from "../../Query.ts"
import { hashesAfter } from "./After.ts"
import { messageOf } from "./CauseMessage.ts"
import * as Inverse from "./Inverse.ts"
import * as Report from "./Report.ts"
import * as Undo from "./Undo.ts"

/** The savepoints that the running fiber is inside, outermost first. */
export const Savepoints: Context.Reference<ReadonlyArray<number>> = Context.Reference<ReadonlyArray<number>>(
  "holdfast/internal/Savepoints",
  { defaultValue: () => [] }
)

interface Recorded {
  readonly sequence: number
  readonly savepoints: ReadonlyArray<number>
  /** What it wrote, for people. */
  readonly what: string
  /** Where it wrote: a collection, or a database. Undefined outside `Databases`. */
  readonly where: string | undefined
  readonly undo: Effect.Effect<Undo.Report>
}
interface Said {
  readonly savepoints: ReadonlyArray<number>
  readonly line: Report.Line
}

/** A collection's path, or its database's where the operation is about that. */
const whereOf = (operation: Mutation): string | undefined =>
  "collection" in operation
    ? `${operation.database}/${operation.collection}`.toLowerCase()
    : "database" in operation
      ? operation.database.toLowerCase()
      : undefined
const overlap = (one: string, other: string) =>
  one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)

export interface WriteOptions {
  /** Where the documents are that the operation destroys. */
  readonly captured?: ReadonlyArray<Position>
  /** Runs when the write is done, before anybody can interrupt. */
  readonly onDone?: () => unknown
  /** Runs when the write has been undone. */
  readonly onUndone?: () => unknown
}

export interface Recorder {
  /** Does it, recorded. Not to be interrupted in between. */
  readonly write: <T extends Mutation["_tag"]>(
    operation: Of<T>,
    options?: WriteOptions
  ) => Effect.Effect<ResultOf<T>, DatabasesError>
  /** Saves documents of a collection that an operation is about to destroy. */
  readonly capture: (
    operation: Mutation,
    collection: string,
    filters?: ReadonlyArray<Query.Query>
  ) => Effect.Effect<ReadonlyArray<Position>, DatabasesError>
  /** Does something outside `Databases`, recorded. */
  readonly step: <A, E, R>(
    name: string,
    body: Effect.Effect<A, E, R>,
    undo: Effect.Effect<unknown, unknown, R> | undefined
  ) => Effect.Effect<A, E | DatabasesError, R>
  /** What `effect` wrote is undone when it fails, and only that. */
  readonly savepoint: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly say: (line: Report.Line) => Effect.Effect<void>
  readonly changes: Effect.Effect<ReadonlyArray<string>>
  /** What savepoints could not undo. */
  readonly leftovers: Effect.Effect<Undo.Report>
  /** No write gets in from here on. */
  readonly close: Effect.Effect<void>
  /** Undoes all, last first. */
  readonly rollback: Effect.Effect<Undo.Report>
}

/** `live` is written, `journal` remembers. `rollback` tries again what savepoints could not undo. */
export const make = Effect.fnUntraced(function* (live: Methods, journal: RunJournal) {
  const turn = yield* Semaphore.make(1)
  const stack: Array<Recorded> = []
  const said: Array<Said> = []
  const failedSavepoints: Array<Undo.Report> = []
  const endedSavepoints = new Set<number>()
  let closed = false
  let lastSequence = 0
  let lastSavepoint = 0

  const toDatabasesError = (operation: Mutation) => (error: JournalUnavailable) =>
    failure(operation, new Unavailable({ type: "general_unknown", detail: error.message }))

  /** Of a write by a fiber that outlived what it belongs to. */
  const late = Effect.fnUntraced(function* (operation: string, where: string) {
    const savepoints = yield* Savepoints
    const over = closed ? "migration" : savepoints.some((id) => endedSavepoints.has(id)) ? "savepoint" : undefined
    if (over === undefined) return
    return yield* new DatabasesError({
      operation,
      path: where,
      reason: new Unavailable({
        type: "general_unknown",
        detail: `the ${over} has ended; a fiber that it left behind wants to write`
      })
    })
  })

  const lookUp = Effect.fnUntraced(function* (operation: Mutation): Effect.fn.Return<Before, DatabasesError> {
    const needs = Inverse.needs(operation)
    if (!("database" in operation)) return {}
    const databases = live.in(operation.database)
    // What is not there is refused by the operation itself, in its own words.
    const found = <A>(effect: Effect.Effect<A, DatabasesError>) =>
      effect.pipe(
        Effect.catchReasons("DatabasesError", {
          NotFound: () => Effect.succeed(undefined),
          // Ids so long that no query holds them.
          InvalidQuery: () => Effect.succeed(undefined)
        })
      )
    const database = needs.database === true ? yield* found(databases.getDatabase(operation.database)) : undefined
    const collection =
      needs.collection === true && "collection" in operation
        ? yield* found(databases.getCollection(operation.collection))
        : undefined
    const documents =
      needs.documents === undefined ||
      needs.documents.length === 0 ||
      needs.documents.length > batchLimit ||
      !("collection" in operation)
        ? undefined
        : yield* found(
            databases.listDocuments(
              operation.collection,
              [Query.equal("$id", needs.documents), Query.limit(needs.documents.length)],
              { total: false }
            )
          )
    return {
      ...(database === undefined ? {} : { database }),
      ...(collection === undefined ? {} : { collection }),
      ...(documents === undefined ? {} : { documents: documents.documents })
    }
  })

  const undone = Effect.fnUntraced(function* (sequence: number, report: Undo.Report, onUndone?: () => unknown) {
    onUndone?.()
    // The store has the truth; an undo is repeatable, so a missing line costs a recovery only time.
    yield* Effect.ignore(journal.append({ _tag: "Undone", sequence, conflicts: report.conflicts }))
    return report
  })

  const readAfter = (position: Position): Effect.Effect<Inverse.Facts["after"], JournalUnavailable> =>
    Effect.map(journal.read(position), (entry) => (entry._tag === "Done" ? entry.after : {}))

  const undoWrite = (
    sequence: number,
    what: string,
    intent: Position,
    after: Effect.Effect<Inverse.Facts["after"], JournalUnavailable>,
    onUndone: (() => unknown) | undefined
  ): Effect.Effect<Undo.Report> =>
    Effect.gen(function* () {
      const entry = yield* journal.read(intent)
      if (entry._tag !== "Intent") return Undo.nothing
      const actions = Inverse.undo(entry.operation as Mutation, {
        before: entry.before,
        after: yield* after,
        captured: entry.captured
      })
      return Undo.join(yield* Effect.forEach(actions, (action) => Undo.run(live, journal, action)))
    }).pipe(
      Effect.catch((error) =>
        Effect.succeed<Undo.Report>({
          conflicts: [],
          remaining: [`${what}: ${error.message}`]
        })
      ),
      Effect.flatMap((report) => undone(sequence, report, onUndone))
    )

  const write = Effect.fnUntraced(function* <T extends Mutation["_tag"]>(
    operation: Of<T>,
    options?: WriteOptions
  ): Effect.fn.Return<ResultOf<T>, DatabasesError> {
    const mutation: Mutation = operation
    yield* late(mutation._tag, path(mutation))
    const savepoints = yield* Savepoints
    const before = yield* lookUp(mutation)
    const sequence = ++lastSequence
    const intent = yield* Effect.mapError(
      journal.append({ _tag: "Intent", sequence, operation: mutation, before, captured: options?.captured ?? [] }),
      toDatabasesError(mutation)
    )
    const result = yield* Effect.tapError(live.execute(operation), (error) =>
      Effect.ignore(journal.append({ _tag: "Refused", sequence, error: error.message }))
    )
    const after = hashesAfter(mutation, result, before)
    options?.onDone?.()
    // On the stack even when the journal fails now: the write has happened, and is taken back.
    const done = yield* Effect.exit(journal.append({ _tag: "Done", sequence, after }))
    const recorded = Exit.isSuccess(done) ? readAfter(done.value) : Effect.succeed(after)
    const what = `${mutation._tag} ${path(mutation)}`
    const undo = undoWrite(sequence, what, intent, recorded, options?.onUndone)
    stack.push({ sequence, savepoints, what, where: whereOf(mutation), undo })
    yield* Effect.mapError(done, toDatabasesError(mutation))
    return result
  })

  const step = Effect.fnUntraced(function* <A, E, R>(
    name: string,
    body: Effect.Effect<A, E, R>,
    undo: Effect.Effect<unknown, unknown, R> | undefined
  ): Effect.fn.Return<A, E | DatabasesError, R> {
    const noJournal = ({ message }: JournalUnavailable) =>
      new DatabasesError({
        operation: "step",
        path: name,
        reason: new Unavailable({ type: "general_unknown", detail: message })
      })
    yield* late("step", name)
    // An undo may use `Databases` too: past the end of the migration, unrecorded.
    const context = Context.add(yield* Effect.context<R>(), Databases, Databases.of(live))
    const savepoints = yield* Savepoints
    const sequence = ++lastSequence
    yield* Effect.mapError(journal.append({ _tag: "StepIntent", sequence, step: name }), noJournal)
    const takeBack: Effect.Effect<Undo.Report> =
      undo === undefined
        ? Effect.succeed({ conflicts: [], remaining: [`step ${name}: it has no undo`] })
        : Effect.exit(Effect.provide(undo, context)).pipe(
            Effect.map((exit) =>
              Exit.isSuccess(exit)
                ? Undo.nothing
                : { conflicts: [], remaining: [`step ${name}: ${messageOf(exit.cause)}`] }
            )
          )
    // Even a failed or interrupted step may have done something: its undo runs all the same.
    const takenBack = Effect.flatMap(takeBack, (report) => undone(sequence, report))
    stack.push({ sequence, savepoints, what: `step ${name}`, where: undefined, undo: takenBack })
    const answer = yield* body
    yield* Effect.mapError(journal.append({ _tag: "Done", sequence, after: {} }), noJournal)
    return answer
  })

  /**
   * What could not be undone stays on the stack, for the whole rollback to try again in the order of all. Where an undo
   * failed, what those before it in the same place find otherwise is our own, not a conflict with others.
   */
  const undoWhere = (matches: (entry: { readonly savepoints: ReadonlyArray<number> }) => boolean) =>
    Effect.gen(function* () {
      const chosen = stack.filter(matches).toReversed()
      const reports: Array<Undo.Report> = []
      const stuck: Array<string> = []
      for (const entry of chosen) {
        const { where, what } = entry
        const isStuck = where !== undefined && stuck.some((other) => overlap(where, other))
        const outcome = yield* entry.undo
        const report =
          isStuck && outcome.conflicts.length > 0
            ? {
                conflicts: [],
                remaining: [...outcome.remaining, `${what}: what could not be undone after it stands in the way`]
              }
            : outcome
        reports.push(report)
        if (Undo.isClean(report)) stack.splice(stack.indexOf(entry), 1)
        if (report.remaining.length > 0 && where !== undefined) stuck.push(where)
        yield* Effect.yieldNow
      }
      const kept = said.filter((one) => !matches(one))
      said.splice(0, said.length, ...kept)
      return Undo.join(reports)
    })

  const recorder: Recorder = {
    write: (operation, options) => turn.withPermits(1)(Effect.uninterruptible(write(operation, options))),
    step: (name, body, undo) => step(name, body, undo),
    capture: Effect.fnUntraced(function* (operation, collection, filters) {
      const positions: Array<Position> = []
      const database = "database" in operation ? operation.database : live.databaseId
      yield* Paging.forEachPageBySequence(
        live.in(database),
        collection,
        (documents) =>
          journal.append({ _tag: "Captured", collection: `${database}/${collection}`, documents }).pipe(
            Effect.map((position) => void positions.push(position)),
            Effect.mapError(toDatabasesError(operation))
          ),
        { filters: filters ?? [] }
      )
      return positions
    }),
    savepoint: Effect.fnUntraced(function* (effect) {
      const id = ++lastSavepoint
      const outer = yield* Savepoints
      return yield* Effect.onExit(Effect.provideService(effect, Savepoints, [...outer, id]), (exit) =>
        Exit.isSuccess(exit)
          ? Effect.void
          : Effect.andThen(
              turn.withPermits(1)(Effect.sync(() => endedSavepoints.add(id))),
              Effect.map(
                undoWhere(({ savepoints }) => savepoints.includes(id)),
                (report) => void failedSavepoints.push(report)
              )
            )
      )
    }),
    say: (line) =>
      Effect.map(Savepoints, (savepoints) => {
        said.push({ savepoints, line })
      }),
    leftovers: Effect.sync(() => Undo.join(failedSavepoints)),
    close: turn.withPermits(1)(Effect.sync(() => void (closed = true))),
    changes: Effect.sync(() => Report.render(said.map(({ line }) => line))),
    rollback: undoWhere(() => true)
  }
  return recorder
})
