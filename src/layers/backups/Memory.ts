/** `BackupStorage` in this process: for tests, and gone with the layer. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { BackupNameRefused, BackupObjectMissing, BackupStorage, whyRefused } from "../../BackupStorage.ts"

const checked = (name: string): Effect.Effect<string, BackupNameRefused> => {
  const detail = whyRefused(name)
  return detail === undefined ? Effect.succeed(name) : Effect.fail(new BackupNameRefused({ name, detail }))
}
const location = "memory:"

export const make = (): BackupStorage["Service"] => {
  const objects = new Map<string, Uint8Array>()
  return BackupStorage.of({
    location,
    locationOf: (name) => `${location}${name}`,
    put: Effect.fnUntraced(function* (name, bytes) {
      yield* checked(name)
      const chunks = yield* Stream.runCollect(bytes)
      // Copied: whoever gave them may write into them again.
      objects.set(name, Buffer.concat(chunks))
    }),
    get: (name, options) =>
      Stream.unwrap(
        Effect.map(checked(name), () => {
          const found = objects.get(name)
          if (found === undefined) return Stream.fail(new BackupObjectMissing({ location: `${location}${name}` }))
          const size = Math.max(1, options?.pieceSize ?? found.length)
          const pieces = Array.from({ length: Math.ceil(found.length / size) }, (_, index) =>
            found.slice(index * size, (index + 1) * size)
          )
          return Stream.fromIterable(pieces)
        })
      ),
    list: (prefix) =>
      Effect.map(prefix === "" ? Effect.void : checked(prefix.slice(0, -1)), () =>
        [...objects]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, { length }]) => ({ name, bytes: length }))
          .toSorted((left, right) => (left.name < right.name ? -1 : 1))
      ),
    remove: (name) => Effect.map(checked(name), () => void objects.delete(name))
  })
}

export const layer: Layer.Layer<BackupStorage> = Layer.sync(BackupStorage, make)
