import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as LogLine from "holdfast/LogLine"
import * as LogSink from "holdfast/LogSink"
import type * as Redaction from "holdfast/Redaction"
import * as RequestLogger from "holdfast/RequestLogger"

interface Settings {
  readonly limit?: LogSink.Sink["limit"]
  readonly redaction?: Redaction.Options
}

/** What one call writes. */
const linesOf = (effect: Effect.Effect<unknown>, { limit = LogSink.defaultLimit, redaction = {} }: Settings = {}) => {
  const lines: Array<string> = []
  const sink = LogSink.make({ name: "test", limit, write: (line) => void lines.push(line) })
  const layer = RequestLogger.layer({ secret: Redacted.make("a secret for tests"), redaction }).pipe(
    Layer.provide(Layer.succeed(LogSink.LogSink, sink))
  )
  return Effect.as(Effect.provide(effect, layer), lines)
}
const dataOf = (value: unknown, settings?: Settings) =>
  Effect.map(linesOf(Effect.logInfo("given", { value }), settings), ([line]) => {
    const event = JSON.parse(line!) as { readonly data: { readonly value: unknown }; readonly truncated?: boolean }
    return { line: line!, value: event.data?.value, truncated: event.truncated ?? false }
  })

const circle: Record<string, unknown> = { name: "a" }
circle["self"] = circle
circle["list"] = [circle]
let deep: unknown = "bottom"
for (let level = 0; level < 1000; level++) deep = { deep }

describe("a value in a line", () => {
  const values: ReadonlyArray<readonly [title: string, value: unknown, written: unknown]> = [
    ["a circle", circle, { name: "a", self: "[circular]", list: ["[circular]"] }],
    ["a big integer", 2n ** 70n, "1180591620717411303424"],
    [
      "a getter that throws",
      Object.defineProperty({ a: 1 }, "b", {
        enumerable: true,
        get: () => {
          throw new Error("no")
        }
      }),
      { a: 1, b: "[unreadable]" }
    ],
    [
      "a toJSON that throws",
      {
        toJSON: () => {
          throw new Error("no")
        }
      },
      "[unreadable]"
    ],
    [
      "a toJSON that answers itself",
      {
        a: 1,
        toJSON() {
          return this
        }
      },
      { a: 1, toJSON: "[function toJSON]" }
    ],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["no date", new Date(Number.NaN), "[invalid date]"],
    ["bytes", new Uint8Array(3), "[Uint8Array of 3 bytes]"],
    [
      "a Map",
      new Map<unknown, unknown>([
        ["a", 1],
        [{ b: 1 }, 2]
      ]),
      { a: 1, '{"b":1}': 2 }
    ],
    ["a Set", new Set([1, "a"]), [1, "a"]],
    ["numbers that JSON has no word for", [Number.NaN, Infinity], ["NaN", "Infinity"]],
    ["undefined", { a: undefined, b: [undefined] }, { b: [null] }],
    ["a symbol and a function", [Symbol("s"), function named() {}], ["Symbol(s)", "[function named]"]],
    [
      "a proxy that refuses",
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no")
          }
        }
      ),
      "[unreadable]"
    ],
    [
      "a revoked proxy",
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      })(),
      "[unreadable]"
    ],
    ["headers", new Headers([["a", "1"]]), { a: "1" }],
    ["search parameters", new URLSearchParams("a=1&b=2"), { a: "1", b: "2" }],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
    ["what Effect keeps redacted", Redacted.make("x"), "<redacted>"],
    ["a sparse list", Object.assign([], { 2: "c" }), [null, null, "c"]],
    ["a name of the prototype", JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
    [
      "an error",
      Object.assign(new TypeError("no"), { code: "E", stack: undefined }),
      { tag: "TypeError", message: "no", code: "E" }
    ]
  ]
  it.effect.each(values)("%s", ([, value, written]) =>
    Effect.gen(function* () {
      const own = yield* dataOf(value)
      assert.deepStrictEqual(own.value, written)
      assert.isFalse(own.truncated)
    })
  )

  it.effect("is a line of its own, whatever it holds", () =>
    Effect.gen(function* () {
      const text = "a\r\nb\u001b[31mred\u2028\u2029\u0085\u009b31m\u202eevil\ufeff\ud800x\u0000\u007f"
      const { line, value } = yield* dataOf(text)
      assert.match(line, /^[\u0020-\u007e]*$/)
      assert.strictEqual((value as string).replace("\ud800", ""), text.replace("\ud800", ""))
    })
  )

  const limits: ReadonlyArray<LogSink.Sink["limit"]> = [
    { size: 16_384, unit: "bytes" },
    { size: 7900, unit: "characters" },
    { size: 512, unit: "bytes" }
  ]
  const heavy: Readonly<Record<string, unknown>> = {
    "a text of 10 MB": "x".repeat(10_000_000),
    "a text of 10 MB beyond ASCII": "é€😀".repeat(2_500_000),
    "a thousand levels": deep,
    "a list of a million": Array.from({ length: 1_000_000 }, (_, index) => index),
    "a wide object": Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key ${index}`, "value"])),
    "a tree": JSON.parse(`${'{"a":[1,2,3],"b":'.repeat(200)}1${"}".repeat(200)}`),
    "names of 1 MB": { ["n".repeat(1_000_000)]: 1, ["m".repeat(1_000_000)]: 2 },
    "an error with a message of 10 MB": new Error("m".repeat(10_000_000))
  }
  for (const limit of limits)
    it.live.each(Object.entries(heavy))(
      `%s stays within ${limit.size} ${limit.unit}, and is said to be cut`,
      ([, value]) =>
        Effect.gen(function* () {
          const begun = process.cpuUsage()
          const { line, truncated } = yield* dataOf(value, { limit })
          const { user } = process.cpuUsage(begun)
          assert.isAtMost(limit.unit === "bytes" ? Buffer.byteLength(line) : line.length, limit.size)
          assert.isTrue(truncated || line.includes("…"))
          assert.isTrue(Result.isSuccess(LogLine.parse(line)), line)
          assert.isBelow(user, 500_000)
        })
    )

  it.effect("is not changed, nor what it is part of", () =>
    Effect.gen(function* () {
      const given = { password: "hunter2", list: [{ token: "abc" }], mail: "ada@example.com", error: new Error("x") }
      const before = structuredClone(given)
      Object.freeze(given.list[0])
      Object.freeze(given)
      yield* linesOf(Effect.annotateLogs(Effect.logInfo("given", given, { more: 1 }), given))
      assert.deepStrictEqual(given, before)
    })
  )

  it.effect("cut in the middle shows no piece of a secret", () =>
    Effect.gen(function* () {
      for (let shift = 0; shift < 80; shift += 3) {
        const text = `${"word ".repeat(1638)}${"y".repeat(shift)} ada.lovelace@example.com and on it goes ${"x".repeat(2000)}`
        const { line } = yield* dataOf(text)
        assert.notInclude(line, "lovelace")
      }
    })
  )

  it.effect("any at all is one line of JSON within the limit", () =>
    Effect.gen(function* () {
      const result = yield* Arbitrary.checkEffect(
        Arbitrary.schema(Schema.Json),
        (value) =>
          Effect.map(dataOf(value, { limit: { size: 600, unit: "bytes" } }), ({ line }) => {
            JSON.parse(line)
            return Buffer.byteLength(line) <= 600 && !/[\n\r]/.test(line)
          }),
        { runs: 300 }
      )
      assert.strictEqual(result._tag, "Passed")
    })
  )
})

describe("fields that are hidden", () => {
  const hidden = (redaction: Redaction.Options, value: Record<string, unknown>) =>
    Effect.map(linesOf(Effect.logInfo("given", value), { redaction }), ([line]) => JSON.parse(line!).data as unknown)

  it.effect("by a path, as pino takes it", () =>
    Effect.gen(function* () {
      const paths = ["a.b", 'c["d-e"]', "f[*].g", "*.h", "i[1]", "data.j", "k.*.l", "m[*]"]
      const value = {
        a: { b: 1, c: 2 },
        c: { "d-e": 1, f: 2 },
        f: [{ g: 1, h: 2 }, { g: 3 }],
        x: { h: 1 },
        i: [1, 2],
        j: 1,
        k: { a: { l: 1 }, b: { l: 2, m: 3 } },
        m: { n: 1 }
      }
      const mark = "[redacted:path]"
      assert.deepStrictEqual(yield* hidden({ paths }, value), {
        a: { b: mark, c: 2 },
        c: { "d-e": mark, f: 2 },
        f: [{ g: mark, h: 2 }, { g: mark }],
        x: { h: mark },
        i: [1, mark],
        j: mark,
        k: { a: { l: mark }, b: { l: mark, m: 3 } },
        m: { n: mark }
      })
    })
  )

  it.effect("also of a line for which nothing is short enough", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 300 }, (_, index) => [`${"n".repeat(200)}${index}`, "value"])
      const handler = RequestLogger.withRequest({ name: "n".repeat(1000) })(() =>
        Effect.succeed({ status: 200, headers: {}, body: "" })
      )
      const lines: Array<string> = []
      const sink = LogSink.make({
        name: "test",
        limit: { size: 512, unit: "bytes" },
        write: (line) => void lines.push(line)
      })
      const redaction = { paths: ["path"], headers: names.map(([name]) => name!) }
      const layer = RequestLogger.layer({ redaction }).pipe(Layer.provide(Layer.succeed(LogSink.LogSink, sink)))
      const headers = Object.fromEntries(names) as Record<string, string>
      yield* Effect.provide(handler({ method: "GET", path: "/HIDDENPLACE", headers, body: "" }), layer)
      const incoming = lines.filter((line) => line.includes("REQUEST_INCOMING"))
      assert.strictEqual(incoming.length, 1)
      assert.notInclude(lines.join(), "HIDDENPLACE")
      for (const line of incoming) assert.isTrue(Result.isSuccess(LogLine.parse(line)), line)
    })
  )

  it.effect("by a name, at any depth", () =>
    Effect.gen(function* () {
      const own = yield* hidden({ names: ["shoeSize"] }, { a: [{ shoeSize: 42, password: "x", Authorization: ["a"] }] })
      const mark = "[redacted:name]"
      assert.deepStrictEqual(own, { a: [{ shoeSize: mark, password: mark, Authorization: mark }] })
    })
  )

  it.effect("who somebody is, and where from", () =>
    Effect.gen(function* () {
      const own = (yield* hidden(
        {},
        { userId: "u1", email: "a@b.cd", clientIp: "203.0.113.42, 10.0.0.1", userId2: "u1" }
      )) as Record<string, string>
      assert.match(own["userId"]!, /^\[user:[0-9a-f]{16}\]$/)
      assert.match(own["email"]!, /^\[email:[0-9a-f]{16}\]$/)
      assert.strictEqual(own["clientIp"], "203.0.113.0, 10.0.0.0")
    })
  )

  const Address = Schema.Struct({ city: Schema.String, street: Schema.String.annotate({ sensitive: true }) })
  class Person extends Schema.Class<Person>("Person")({
    name: Schema.String.pipe(Schema.annotate({ sensitive: true })),
    age: Schema.Int,
    home: Address,
    others: Schema.Array(Address)
  }) {}
  class Refused extends Schema.TaggedError<Refused>()("Refused", {
    account: Schema.String.annotate({ sensitive: true }),
    limit: Schema.Int
  }) {
    override get message() {
      return "refused"
    }
  }
  const home = { city: "Bern", street: "Kramgasse 49" }

  it.effect("by a schema, in the values of its class", () =>
    Effect.gen(function* () {
      const person = new Person({ name: "Ada", age: 36, home, others: [home] })
      const mark = "[redacted:path]"
      const place = { city: "Bern", street: mark }
      assert.deepStrictEqual(yield* hidden({}, { person }), {
        person: { name: mark, age: 36, home: place, others: [place] }
      })
      const [line] = yield* linesOf(Effect.logError("x", new Refused({ account: "CH1", limit: 3 })))
      assert.deepStrictEqual(JSON.parse(line!).error.fields, { account: mark, limit: 3 })
    })
  )

  it.effect("by a schema, wherever a field has its name", () =>
    Effect.gen(function* () {
      const own = yield* hidden({ schemas: [Address] }, { a: { street: "x", city: "y" } })
      assert.deepStrictEqual(own, { a: { street: "[redacted:name]", city: "y" } })
    })
  )

  it.effect("by a path that can't be read refuse to build", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.provide(
          Effect.void,
          RequestLogger.layer({ redaction: { paths: ["a..b"] } }).pipe(
            Layer.provide(Layer.succeed(LogSink.LogSink, LogSink.make({ name: "test", write: () => {} })))
          )
        )
      )
      assert.strictEqual(error._tag, "LogOptionsInvalid")
      assert.include(error.message, "a..b")
    })
  )
})
