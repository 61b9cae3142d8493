/** What every layer of `BackupStorage` promises, as a function of the layer. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { BackupStorage } from "../../src/BackupStorage.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const put = (name: string, text: string) =>
  Effect.flatMap(BackupStorage, (storage) => storage.put(name, Stream.make(bytesOf(text))))
const get = (name: string, pieceSize?: number) =>
  Effect.flatMap(BackupStorage, (storage) =>
    Effect.map(Stream.runCollect(storage.get(name, pieceSize === undefined ? {} : { pieceSize })), (pieces) =>
      Buffer.concat(pieces).toString("utf8")
    )
  )
const list = (prefix = "") =>
  Effect.flatMap(BackupStorage, (storage) =>
    Effect.map(storage.list(prefix), (all) => all.map(({ bytes, name }) => `${name} ${bytes}`))
  )

/** Each test builds the layer anew: it is empty then. */
export const contract = <E>(name: string, implementation: Layer.Layer<BackupStorage, E>): void => {
  describe(`BackupStorage on ${name}`, () => {
    const promise = (title: string, body: Effect.Effect<void, unknown, BackupStorage>) =>
      it.live(title, () => Effect.provide(body, implementation))

    promise(
      "what is put is read back and listed, by prefix, sorted by name",
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* list(), [])
        yield* put("b2/c/manifest.json", "two")
        yield* put("b1/c/manifest.json", "one!")
        yield* put("b1/c/documents-000001.index", "")
        yield* put("b1/d/manifest.json", "é")
        assert.deepStrictEqual(yield* list(), [
          "b1/c/documents-000001.index 0",
          "b1/c/manifest.json 4",
          "b1/d/manifest.json 2",
          "b2/c/manifest.json 3"
        ])
        assert.deepStrictEqual(yield* list("b1/c/"), ["b1/c/documents-000001.index 0", "b1/c/manifest.json 4"])
        assert.deepStrictEqual(yield* list("b1/"), [
          "b1/c/documents-000001.index 0",
          "b1/c/manifest.json 4",
          "b1/d/manifest.json 2"
        ])
        assert.deepStrictEqual(yield* list("nothing/"), [])
        assert.strictEqual(yield* get("b1/c/manifest.json"), "one!")
        assert.strictEqual(yield* get("b1/d/manifest.json"), "é")
        assert.strictEqual(yield* get("b1/c/documents-000001.index"), "")
      })
    )

    promise(
      "any bytes, in pieces of any size",
      Effect.gen(function* () {
        const storage = yield* BackupStorage
        const result = yield* Arbitrary.checkEffect(
          Arbitrary.array(
            Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))), {
              maxLength: 50
            }),
            { maxLength: 8 }
          ),
          Effect.fnUntraced(function* (pieces) {
            const all = pieces.map((piece) => Uint8Array.from(piece))
            yield* storage.put("a/b", Stream.fromIterable(all))
            for (const pieceSize of [1, 7, 1 << 20]) {
              const read = yield* Stream.runCollect(storage.get("a/b", { pieceSize }))
              assert.isTrue(Buffer.concat(read).equals(Buffer.concat(all)))
            }
            return true
          }),
          { runs: 30 }
        )
        assert.isUndefined(Arbitrary.formatCheckFailure(result))
      })
    )

    promise(
      "S2: a put that fails leaves what stood there, and nothing new",
      Effect.gen(function* () {
        const storage = yield* BackupStorage
        yield* put("a/old", "old")
        for (const name of ["a/old", "a/new", "b/c/new"]) {
          const broken = Stream.concat(Stream.make(bytesOf("half")), Stream.fail("broken"))
          assert.strictEqual(yield* Effect.flip(storage.put(name, broken)), "broken")
        }
        assert.deepStrictEqual(yield* list(), ["a/old 3"])
        assert.strictEqual(yield* get("a/old"), "old")
      })
    )

    promise(
      "S2: a put that is interrupted is never listed, nor one that goes on",
      Effect.gen(function* () {
        const storage = yield* BackupStorage
        const [begun, never] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const slow = Stream.concat(
          Stream.make(bytesOf("half")),
          Stream.fromEffect(
            Effect.andThen(Deferred.succeed(begun, undefined), Effect.as(Deferred.await(never), bytesOf("rest")))
          )
        )
        const fiber = yield* Effect.forkChild(storage.put("a/slow", slow))
        yield* Deferred.await(begun)
        assert.deepStrictEqual(yield* list(), [])
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* list(), [])
        yield* put("a/slow", "whole")
        assert.strictEqual(yield* get("a/slow"), "whole")
      })
    )

    promise(
      "a put replaces; whoever gave the bytes may use them again",
      Effect.gen(function* () {
        const storage = yield* BackupStorage
        const bytes = bytesOf("first")
        yield* storage.put("a/b", Stream.make(bytes))
        bytes.fill(0)
        assert.strictEqual(yield* get("a/b"), "first")
        yield* put("a/b", "second, and longer")
        assert.strictEqual(yield* get("a/b"), "second, and longer")
      })
    )

    promise(
      "what is not there is a failure that says where; to remove it is none",
      Effect.gen(function* () {
        const storage = yield* BackupStorage
        const error = yield* Effect.flip(get("a/b"))
        assert.deepInclude(error, { _tag: "BackupObjectMissing", location: storage.locationOf("a/b") })
        yield* storage.remove("a/b")
        yield* put("a/b", "x")
        yield* put("a/c", "y")
        yield* storage.remove("a/b")
        assert.deepStrictEqual(yield* list(), ["a/c 1"])
        assert.strictEqual((yield* Effect.flip(get("a/b")))._tag, "BackupObjectMissing")
        yield* storage.remove("a/c")
        assert.deepStrictEqual(yield* list(), [])
      })
    )

    for (const bad of [
      "",
      "/",
      "a/",
      "/a",
      "../a",
      "a/../b",
      "a/./b",
      "a//b",
      ".a",
      "a/.b",
      "a\\b",
      "a b",
      "a/b\0",
      "é",
      "a/b/c/d/e",
      "C:"
    ]) {
      promise(
        `${JSON.stringify(bad)} is refused as a name`,
        Effect.gen(function* () {
          const storage = yield* BackupStorage
          const all = [put(bad, "x"), get(bad), storage.remove(bad)]
          for (const one of all) {
            const error = yield* Effect.flip(Effect.asVoid(one as Effect.Effect<unknown, unknown, BackupStorage>))
            assert.deepInclude(error, { _tag: "BackupNameRefused", name: bad })
          }
          assert.deepStrictEqual(yield* list(), [])
        })
      )
    }
  })
}
