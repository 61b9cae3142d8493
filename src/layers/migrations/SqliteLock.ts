/**
 * `MigrationLock` for an SQLite file: an open write transaction in a small database beside it, which the kernel ends
 * when its owner dies, however it dies. A JSON file beside that says who it is.
 *
 * It holds between processes of one machine, and where the file system does POSIX locks, as SQLite itself needs.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { hostname } from "node:os"
import { Holder, LockHeld, LockUnavailable, MigrationLock } from "../../MigrationLock.ts"
import * as AtomicFile from "../vendors/AtomicFile.ts"
import * as Sqlite from "../vendors/Sqlite.ts"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Holder))

/** Rides over the moment in which somebody only looks who holds it. Milliseconds. */
const patience = 250

const isAlive = (holder: Holder): boolean => {
  if (holder.host !== hostname()) return true
  try {
    return process.kill(holder.pid, 0)
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

export const make = Effect.fnUntraced(function* (filename: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const unavailable = (error: { readonly message: string }) =>
    new LockUnavailable({ location: `${filename}-migration-lock`, detail: error.message })

  /** Beside the file itself, whatever links lead to it. */
  const locate = fs.realPath(filename).pipe(
    Effect.catch(() =>
      Effect.map(fs.realPath(path.dirname(filename)), (folder) => path.join(folder, path.basename(filename)))
    ),
    Effect.orElseSucceed(() => path.resolve(filename)),
    Effect.map((file) => `${file}-migration-lock`)
  )
  const holderFile = (location: string) => `${location}.json`

  /** The connection whose transaction is the lock; undefined where it is taken. */
  const open = (location: string) =>
    Effect.try({
      try: () => {
        const sqlite = Sqlite.open({ filename: location, busyTimeout: patience })
        try {
          sqlite.run("begin immediate")
          return sqlite
        } catch (error) {
          sqlite.close()
          throw error
        }
      },
      catch: (error) => error
    }).pipe(
      Effect.catch((error) =>
        Sqlite.isBusy(error)
          ? Effect.succeed(undefined)
          : Effect.fail(unavailable(error instanceof Error ? error : new Error(String(error))))
      )
    )

  // Between taking the lock and naming its owner lies a moment: look again, for a second at most.
  const named = (location: string) =>
    fs.readFileString(holderFile(location)).pipe(
      Effect.flatMap(decode),
      Effect.filterOrFail(isAlive, () => "stale" as const),
      Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 50 }),
      Effect.orElseSucceed(() => null)
    )

  const take = Effect.gen(function* () {
    yield* Effect.mapError(fs.makeDirectory(path.dirname(filename), { recursive: true }), unavailable)
    const location = yield* locate
    const sqlite = yield* open(location)
    if (sqlite === undefined) return yield* new LockHeld({ holder: yield* named(location) })
    const holder: Holder = {
      host: hostname(),
      pid: process.pid,
      since: new Date(yield* Clock.currentTimeMillis).toISOString()
    }
    yield* AtomicFile.write(holderFile(location), JSON.stringify(holder)).pipe(
      Effect.mapError(unavailable),
      Effect.tapError(() => Effect.sync(() => sqlite.close()))
    )
    return { location, sqlite, holder }
  }).pipe(Effect.provideService(FileSystem.FileSystem, fs), Effect.provideService(Path.Path, path))

  return MigrationLock.of({
    acquire: Effect.map(
      Effect.acquireRelease(take, ({ location, sqlite }) =>
        Effect.andThen(
          Effect.ignore(fs.remove(holderFile(location))),
          Effect.sync(() => sqlite.close())
        )
      ),
      ({ holder }) => holder
    ),
    holder: Effect.gen(function* () {
      const location = yield* locate
      if (!(yield* Effect.orElseSucceed(fs.exists(location), () => false))) return undefined
      const sqlite = yield* open(location)
      if (sqlite === undefined) return (yield* named(location)) ?? { host: "unknown", pid: 0, since: "unknown" }
      sqlite.close()
      return undefined
    })
  })
})

/** Locks the database in `filename`. */
export const layer = (filename: string): Layer.Layer<MigrationLock, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(MigrationLock, make(filename))
