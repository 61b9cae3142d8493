import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { type Content, encryptionKey } from "../../../src/IdempotencyStore.ts"
import {
  known,
  lease,
  margin,
  own,
  type Process,
  type ProcessOptions,
  type Promised,
  request,
  rowsOf,
  tagged,
  text
} from "./support.ts"

const response = (body: Content["body"]): Content => ({
  status: 200,
  headers: { "content-type": "x/y", "x-ünïcode": '"é"; a, b' },
  kind: "response",
  body
})

const kept = Effect.fnUntraced(function* ({ store }: Process) {
  return (yield* tagged(store.claim(request()), "Replay")).content
})
/** As another process gets it back. */
const returned = (processes: readonly [Process, Process], content: Content) =>
  Effect.gen(function* () {
    const [one, other] = processes
    yield* tagged(one.store.complete(yield* own(one), content), "Recorded")
    return yield* kept(other)
  })

const small: ProcessOptions = { limits: { part: 100, parts: 4 }, compressAbove: 1e9 }
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index)

export const bodies = (promise: Promised): void => {
  const cases: { readonly [name: string]: Content } = {
    "a text": response('{"a":"é😀"}'),
    "a text of all that is printable, tabs, ends of lines and a NUL": response(
      `${Array.from({ length: 0x2ff }, (_, index) => String.fromCharCode(index)).join("")}\u{10ffff}`
    ),
    "an empty body, as of 204": { status: 204, headers: {}, kind: "response", body: "" },
    "every byte": response(everyByte),
    "no bytes at all": response(new Uint8Array()),
    "bytes that are no UTF-8": response(Uint8Array.of(0xff, 0xfe, 0xc0, 0x80)),
    "a long text, which is compressed": response("lorem ipsum ".repeat(10_000)),
    "long bytes, which are compressed": response(new Uint8Array(100_000)),
    "40 kB that can't be compressed": response(new Uint8Array(randomBytes(40_000))),
    "the value of an effect": { status: null, headers: {}, kind: "success", body: "[1]" },
    "the failure of an effect": { status: null, headers: {}, kind: "failure", body: '{"_tag":"E"}' },
    "many headers": {
      ...text("x"),
      headers: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`x-${index}`, "v".repeat(index * 10)]))
    }
  }
  for (const [name, content] of Object.entries(cases))
    promise(
      `${name}: byte for byte, with status and headers`,
      Effect.fnUntraced(function* ({ process }) {
        assert.deepStrictEqual(yield* returned([yield* process(), yield* process()], content), content)
      })
    )

  promise(
    "half a surrogate pair is kept as it is sent, as U+FFFD",
    Effect.fnUntraced(function* ({ process }) {
      const content = yield* returned([yield* process(), yield* process()], response("a\ud800b"))
      assert.strictEqual(content.body, "a\ufffdb")
    })
  )

  promise(
    "what can't be written down is kept as a mark: it has happened",
    Effect.fnUntraced(function* ({ process }) {
      const content = yield* returned([yield* process(), yield* process()], response(undefined))
      assert.deepStrictEqual(content, response(undefined))
    })
  )

  promise(
    "5 MB that can't be compressed, in parts",
    Effect.fnUntraced(function* ({ process }) {
      const body = new Uint8Array(randomBytes(5_000_000))
      const processes = [yield* process(), yield* process()] as const
      const content = yield* returned(processes, response(body))
      assert.isTrue(content.body instanceof Uint8Array && Buffer.from(body).equals(content.body))
      assert.include(processes[0].faults.take(), "putParts")
      assert.include(processes[1].faults.take(), "getParts")
      assert.deepInclude(yield* known(processes[1]), { state: "done", slots: 2 })
    })
  )

  promise(
    "a text in parts, cut anywhere in a character, comes back whole",
    Effect.fnUntraced(function* ({ process }) {
      const body = `x${"😀é".repeat(30)}`
      const content = yield* returned([yield* process(small), yield* process()], response(body))
      assert.strictEqual(content.body, body)
    })
  )

  promise(
    "a part that is missing, or not what was written: the body is not kept, the status is",
    Effect.fnUntraced(function* ({ process }) {
      const body = new Uint8Array(randomBytes(250))
      const [one, other] = [yield* process(small), yield* process()]
      yield* tagged(one.store.complete(yield* own(one), response(body)), "Recorded")
      const { slots } = other
      for (const harm of [
        (parts: ReadonlyArray<string | undefined>) => [parts[0], undefined, ...parts.slice(2)],
        (parts: ReadonlyArray<string | undefined>) => [`${parts[0]}`.replace(/^./, "#"), ...parts.slice(1)],
        (parts: ReadonlyArray<string | undefined>) => parts.toReversed(),
        (parts: ReadonlyArray<string | undefined>) => parts.map(() => undefined)
      ]) {
        const harmed = yield* process({
          wrap: (whole) => ({ ...whole, getParts: (...asked) => Effect.map(slots.getParts(...asked), harm) })
        })
        assert.deepStrictEqual(yield* kept(harmed), response(undefined))
      }
      assert.deepStrictEqual(yield* kept(other), response(body))
    })
  )

  promise(
    "more than fits in four parts, and what is asked to be a marker: status and headers stay",
    Effect.fnUntraced(function* ({ process }) {
      const [one, other] = [yield* process(small), yield* process()]
      const body = new Uint8Array(randomBytes(301))
      assert.deepStrictEqual(yield* returned([one, other], response(body)), response(undefined))
      const asked = { key: "marker", overflow: "marker" } as const
      const content = response(new Uint8Array(randomBytes(100)))
      yield* tagged(one.store.complete(yield* own(one, asked), content), "Recorded")
      assert.deepStrictEqual((yield* tagged(other.store.claim(request(asked)), "Replay")).content, response(undefined))
      assert.notInclude(one.faults.take(), "putParts")
    })
  )

  promise(
    "parts that could not be written do not cost the claim: it is recorded without its body",
    Effect.fnUntraced(function* ({ process }) {
      const [one, other] = [yield* process(small), yield* process()]
      one.faults.fail("putParts", "refused", { times: 10 })
      const content = response(new Uint8Array(randomBytes(250)))
      assert.deepStrictEqual(yield* returned([one, other], content), response(undefined))
    })
  )

  promise(
    "encrypted: rows and parts do not show it, either secret reads it, and without both nobody runs again",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [old, fresh] = [encryptionKey("o".repeat(32)), encryptionKey("n".repeat(32))]
      const written: Array<string> = []
      const one = yield* process({
        ...small,
        encrypt: true,
        encryption: [old],
        wrap: (slots) => ({
          ...slots,
          create: (key, row, about, list) => {
            written.push(JSON.stringify(row))
            return slots.create(key, row, about, list)
          },
          putParts: (key, row, prefix, parts) => {
            written.push(...parts)
            return slots.putParts(key, row, prefix, parts)
          }
        })
      })
      const content = text("a secret answer ".repeat(10))
      const ownership = yield* own(one)
      yield* tagged(one.store.step(ownership, "s", text("a secret step")), "Written")
      yield* tagged(one.store.complete(ownership, content), "Recorded")
      const all = written.join("")
      assert.isAbove(all.length, 300)
      assert.notInclude(all, "secret")
      assert.notInclude(all, Buffer.from("a secret answer ").toString("base64").slice(0, 12))
      for (const encryption of [[old], [fresh, old], [old, fresh]])
        assert.deepStrictEqual(yield* kept(yield* process({ encryption })), content)
      for (const encryption of [[], [fresh]]) {
        const error = yield* Effect.flip((yield* process({ encryption })).store.claim(request()))
        assert.strictEqual(error._tag, "StoreUnavailable")
        assert.include(error.message, "HOLDFAST_SECRET_PREVIOUS")
      }
      // A step that can't be read is no reason to do it again.
      const key = "steps"
      const second = yield* own(one, { key })
      yield* tagged(one.store.step(second, "s", text("a secret step")), "Written")
      yield* advance(lease + margin + 1)
      const reader = yield* process({ encryption: [fresh] })
      const third = yield* own(reader, { key })
      assert.strictEqual((yield* Effect.flip(reader.live(third.recorded("s")!)))._tag, "StoreUnavailable")
      assert.isDefined(yield* one.store.inspect(rowsOf(key)))
    })
  )
}
