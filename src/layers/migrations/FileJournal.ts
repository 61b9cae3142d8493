/**
 * `MigrationJournal` in files: `runs/RUN/journal.ndjson`, an entry a line, each synchronised before it counts. Beside
 * the run's folder stands `RUN.open` until it has ended, so that a start need not read the runs of years.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as ExactJson from "../../internal/ExactJson.ts"
import {
  type Begin,
  Entry,
  follow,
  JournalUnavailable,
  MigrationJournal,
  type OpenRun,
  type RunJournal
} from "../../MigrationJournal.ts"
import * as AtomicFile from "../vendors/AtomicFile.ts"

const decodeEntry = Schema.decodeUnknownEffect(Entry)
const decode = (line: string) =>
  Effect.flatMap(
    Effect.try({
      try: () => ExactJson.parse(line),
      catch: (error) => new Error(`a line is no JSON: ${String(error)}`)
    }),
    decodeEntry
  )
const marker = ".open"

interface Followed {
  readonly run: OpenRun | undefined
  /** Of a line that has not ended yet. */
  readonly rest: string
}

export const make = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const runs = path.join(folder, "runs")
  const unavailable = (location: string) => (error: { readonly message: string }) =>
    new JournalUnavailable({ location, detail: error.message })
  const provide = Effect.provide(
    Layer.mergeAll(Layer.succeed(FileSystem.FileSystem, fs), Layer.succeed(Path.Path, path))
  )

  const begin = Effect.fnUntraced(function* (entry: Begin) {
    const home = path.join(runs, entry.run)
    const location = path.join(home, "journal.ndjson")
    const failed = unavailable(location)
    const handle = yield* Effect.gen(function* () {
      yield* fs.makeDirectory(home, { recursive: true, mode: 0o700 })
      const opened = yield* fs.open(location, { flag: "ax", mode: 0o600 })
      yield* AtomicFile.syncFolder(home)
      yield* AtomicFile.write(path.join(runs, `${entry.run}${marker}`), "")
      return opened
    }).pipe(Effect.mapError(failed), provide)
    let end = 0
    const turn = yield* Semaphore.make(1)
    const write = Effect.fnUntraced(function* (next: Entry) {
      const bytes = new TextEncoder().encode(`${ExactJson.stringify(next)}\n`)
      // A line that is cut short (the disk is full) goes again: the next one must begin where this one did.
      yield* Effect.tapError(Effect.andThen(handle.writeAll(bytes), handle.sync), () =>
        Effect.ignore(fs.truncate(location, end))
      )
      const position = { offset: end, length: bytes.length }
      end += bytes.length
      if (next._tag === "End") yield* Effect.ignore(fs.remove(path.join(runs, `${entry.run}${marker}`)))
      return position
    }, Effect.mapError(failed))
    // One after another: an entry's place is where the one before it ends.
    const append = (next: Entry) => turn.withPermits(1)(write(next))
    const journal: RunJournal = {
      location,
      append,
      read: ({ length, offset }) =>
        Effect.scoped(
          Effect.gen(function* () {
            const reader = yield* fs.open(location, { flag: "r" })
            yield* reader.seek(BigInt(offset), "start")
            const bytes = Option.getOrElse(yield* reader.readAlloc(length), () => new Uint8Array())
            return yield* decode(new TextDecoder().decode(bytes))
          })
        ).pipe(Effect.mapError(failed))
    }
    yield* append(entry)
    return journal
  })

  // A line at a time: a journal holds the documents of its run.
  const summary = (location: string) =>
    fs.stream(location).pipe(
      Stream.decodeText(),
      Stream.runFoldEffect(
        (): Followed => ({ run: undefined, rest: "" }),
        Effect.fnUntraced(function* ({ rest, run }: Followed, text: string) {
          const lines = (rest + text).split("\n")
          // A crash may cut the last line short: what it would have said never counted.
          const last = lines.pop() ?? ""
          let known = run
          for (const line of lines) known = follow(known, yield* decode(line), location)
          return { run: known, rest: last }
        })
      ),
      Effect.map(({ run }) => run)
    )
  const damaged = (location: string, mark: string) => (error: { readonly message: string }) =>
    new JournalUnavailable({
      location,
      detail: `${error.message}. It may tell how to undo a run that was cut short: bring it back, or, once the database is as it should be, remove ${mark}`
    })

  const open = Effect.gen(function* () {
    const names = yield* fs
      .readDirectory(runs)
      .pipe(Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed<Array<string>>([])))
    const found = yield* Effect.forEach(
      names.filter((name) => name.endsWith(marker)).toSorted(),
      Effect.fnUntraced(function* (name) {
        const location = path.join(runs, name.slice(0, -marker.length), "journal.ndjson")
        return yield* Effect.mapError(summary(location), damaged(location, path.join(runs, name)))
      })
    )
    return found.filter((run) => run !== undefined)
  }).pipe(Effect.catchTag("PlatformError", (error: PlatformError) => Effect.fail(unavailable(runs)(error))))

  const supersede = Effect.fnUntraced(function* ({ begin: { run }, location }: OpenRun, at: string) {
    // The mark first: without it the run is over, and the line is for people.
    yield* fs.remove(path.join(runs, `${run}${marker}`))
    yield* AtomicFile.syncFolder(runs)
    const entry: Entry = { _tag: "End", outcome: "superseded", at }
    yield* Effect.scoped(
      Effect.gen(function* () {
        const handle = yield* fs.open(location, { flag: "a" })
        yield* handle.writeAll(new TextEncoder().encode(`${ExactJson.stringify(entry)}\n`))
        yield* handle.sync
      })
    )
  }, provide)

  return MigrationJournal.of({
    begin,
    open,
    supersede: (run, at) => Effect.mapError(supersede(run, at), unavailable(run.location))
  })
})

/** Under `folder`, which is made when a run begins. */
export const layer = (folder: string): Layer.Layer<MigrationJournal, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(MigrationJournal, make(folder))
