/**
 * `BackupStorage` in a folder: an object is a file (0600) in folders of its own (0700), written beside its place under
 * a name that begins with a full stop, synchronised, then renamed. Symbolic links are not followed.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import {
  BackupNameRefused,
  BackupObjectMissing,
  BackupStorage,
  BackupStorageUnavailable,
  type Listed,
  whyRefused
} from "../../BackupStorage.ts"
import * as AtomicFile from "../vendors/AtomicFile.ts"

const pieceSize = 256 * 1024

const remedies: { readonly [code: string]: string } = {
  ENOSPC: ". Free some space, or keep backups elsewhere",
  EACCES: ". Check the permissions of the folder",
  EPERM: ". Check the permissions of the folder",
  EROFS: ". It can only be read: keep backups elsewhere"
}

export const make = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const provide = Effect.provide(
    Layer.mergeAll(Layer.succeed(FileSystem.FileSystem, fs), Layer.succeed(Path.Path, path))
  )
  const locationOf = (name: string) => path.join(folder, ...name.split("/"))
  const unavailable = (location: string) => (error: PlatformError) => {
    const { cause } = error.reason
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
    const why = cause instanceof Error ? ` (${cause.message})${remedies[code] ?? ""}` : ""
    return new BackupStorageUnavailable({ location, detail: `${error.message}${why}` })
  }
  const isNotFound = (error: PlatformError) => error.reason._tag === "NotFound"

  /** The kind of what is there itself, not of what a link leads to. */
  const kindOf = (location: string) =>
    fs.lstat(location).pipe(
      Effect.map(({ type }) => Option.some(type)),
      Effect.catchIf(isNotFound, () => Effect.succeedNone),
      Effect.mapError(unavailable(location))
    )

  /** Where an object is, with no link on the way: one could lead out of the folder. */
  const resolve = Effect.fnUntraced(function* (name: string) {
    const detail = whyRefused(name)
    if (detail !== undefined) return yield* new BackupNameRefused({ name, detail })
    const parts = name.split("/")
    for (let length = 1; length <= parts.length; length++) {
      const place = locationOf(parts.slice(0, length).join("/"))
      const kind = yield* kindOf(place)
      if (Option.isNone(kind)) break
      if (kind.value === "SymbolicLink") {
        return yield* new BackupNameRefused({ name, detail: `${place} is a symbolic link. Put the file itself there` })
      }
      if (kind.value !== (length === parts.length ? "File" : "Directory") && length < parts.length) {
        return yield* new BackupNameRefused({ name, detail: `${place} is no folder` })
      }
    }
    return locationOf(name)
  })

  const put = Effect.fnUntraced(function* <E, R>(name: string, bytes: Stream.Stream<Uint8Array, E, R>) {
    const location = yield* resolve(name)
    const home = path.dirname(location)
    const failed = unavailable(location)
    const isNew = Option.isNone(yield* kindOf(home))
    if (isNew) yield* Effect.mapError(fs.makeDirectory(home, { recursive: true, mode: 0o700 }), failed)
    yield* AtomicFile.replace(location, failed, (handle) =>
      Stream.runForEach(bytes, (chunk) => Effect.mapError(handle.writeAll(chunk), failed))
    )
    if (!isNew) return
    // The names on the way down are new too.
    for (let at = path.dirname(home); at.length >= folder.length; at = path.dirname(at)) {
      yield* Effect.mapError(AtomicFile.syncFolder(at), failed)
      if (at === path.dirname(at)) break
    }
  })

  const get = (name: string, options?: { readonly pieceSize?: number }) =>
    Stream.unwrap(
      Effect.map(resolve(name), (location) =>
        Stream.mapError(fs.stream(location, { chunkSize: options?.pieceSize ?? pieceSize }), (error) =>
          isNotFound(error) ? new BackupObjectMissing({ location }) : unavailable(location)(error)
        )
      )
    )

  /** Files below a folder, those that are being written and links left out. */
  const walk = (prefix: string): Effect.Effect<ReadonlyArray<Listed>, BackupStorageUnavailable> => {
    const home = prefix === "" ? folder : locationOf(prefix.slice(0, -1))
    return fs.readDirectoryEntries(home).pipe(
      Effect.catchIf(isNotFound, () => Effect.succeed([])),
      Effect.mapError(unavailable(home)),
      Effect.flatMap((entries) =>
        Effect.forEach(entries, ({ name, type }): Effect.Effect<ReadonlyArray<Listed>, BackupStorageUnavailable> => {
          const whole = `${prefix}${name}`
          if (whyRefused(whole) !== undefined) return Effect.succeed([])
          if (type === "Directory") return walk(`${whole}/`)
          if (type !== "File") return Effect.succeed([])
          const location = locationOf(whole)
          return fs.stat(location).pipe(
            Effect.map(({ size }) => [{ name: whole, bytes: Number(size) }]),
            // Removed meanwhile.
            Effect.catchIf(isNotFound, () => Effect.succeed([])),
            Effect.mapError(unavailable(location))
          )
        })
      ),
      Effect.map((all) => all.flat())
    )
  }

  const remove = Effect.fnUntraced(function* (name: string) {
    const location = yield* resolve(name)
    yield* fs.remove(location).pipe(
      Effect.catchIf(isNotFound, () => Effect.void),
      Effect.mapError(unavailable(location))
    )
    // A folder that holds nothing any more goes with its last file.
    const parts = name.split("/").slice(0, -1)
    for (let length = parts.length; length > 0; length--) {
      const home = locationOf(parts.slice(0, length).join("/"))
      const rest = yield* Effect.orElseSucceed(fs.readDirectory(home), () => ["unknown"])
      if (rest.some((one) => !one.startsWith("."))) break
      yield* Effect.ignore(fs.remove(home, { recursive: true }))
    }
  })

  return BackupStorage.of({
    location: folder,
    locationOf,
    put: (name, bytes) => put(name, bytes).pipe(provide),
    get,
    list: (prefix) =>
      Effect.gen(function* () {
        if (prefix !== "") yield* resolve(prefix.slice(0, -1))
        const found = yield* walk(prefix)
        return found.toSorted((left, right) => (left.name < right.name ? -1 : 1))
      }),
    remove
  })
})

/** In `folder`, which is made with the first object. */
export const layer = (folder: string): Layer.Layer<BackupStorage, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(BackupStorage, make(folder))
