/** Keys out of headers: what the draft, clients and proxies send. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as IdempotencyClient from "../src/IdempotencyClient.ts"
import { idempotentFetch } from "../src/fetch.ts"
import * as IdempotencyKey from "../src/IdempotencyKey.ts"

const printable = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0x20, maximum: 0x7e }))).pipe(
  Arbitrary.map((code) => String.fromCharCode(code))
)
/** Quotes, backslashes, commas and semicolons more often than chance has them. */
const telling = Arbitrary.schema(Schema.Literals(['"', "\\", ",", ";", " ", "=", "a", ":", "?", "*"]))
const textOf = (one: Arbitrary.Arbitrary<string>, minLength: number, maxLength: number) =>
  Arbitrary.array(one, { minLength, maxLength }).pipe(Arbitrary.map((all) => all.join("")))
const keys = [textOf(printable, 1, 255), textOf(telling, 1, 12)] as const

/** The header that the client sends for a key; undefined where it refuses. */
const sent = (key: string, headerForm: "string" | "bare"): Effect.Effect<string | undefined> => {
  let header: string | undefined
  const client = HttpClient.make((request) => {
    header = request.headers[IdempotencyKey.header]
    return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("ok")))
  })
  return IdempotencyClient.execute(HttpClientRequest.post("http://shop.test/"), { key, headerForm }).pipe(
    Effect.provideService(HttpClient.HttpClient, client),
    Effect.ignore,
    Effect.map(() => header)
  )
}
const sentByFetch = async (key: string): Promise<string> => {
  let header = ""
  await idempotentFetch(
    "http://shop.test/",
    { method: "POST" },
    {
      key,
      fetch: async (request) => {
        header = request.headers.get(IdempotencyKey.header) ?? ""
        return new Response("ok")
      }
    }
  )
  return header
}

const parsed = (header: string, options?: IdempotencyKey.ParseOptions) => IdempotencyKey.parse(header, options)

describe("IdempotencyKey.parse", () => {
  for (const [index, key] of keys.entries()) {
    const which = index === 0 ? "any key" : "a key of quotes, backslashes and separators"

    it.effect.prop(
      `${which} comes back from the client's string form, strict or not, with parameters or not`,
      [key],
      Effect.fnUntraced(function* ([value]) {
        const header = yield* sent(value, "string")
        assert.isDefined(header)
        for (const options of [{}, { strict: true }]) {
          assert.deepStrictEqual(parsed(header, options), Result.succeed(value))
          assert.deepStrictEqual(parsed(`  ${header}; a=1;b ;c="x;y"\t`, options), Result.succeed(value))
        }
        assert.strictEqual(yield* Effect.promise(() => sentByFetch(value)), header)
      }),
      { arbitrary: { runs: 300 } }
    )

    it.effect.prop(
      `${which} comes back from the client's bare form, where the client sends one`,
      [key],
      Effect.fnUntraced(function* ([value]) {
        const header = yield* sent(value, "bare")
        if (header === undefined) return
        assert.deepStrictEqual(parsed(header), Result.succeed(value))
        assert.deepStrictEqual(parsed(`${header};a=1`), Result.succeed(value))
        assert.isTrue(Result.isFailure(parsed(header, { strict: true })))
      }),
      { arbitrary: { runs: 300 } }
    )
  }

  it.prop(
    "any printable header is a key or a refusal that says why, and a key is what check takes",
    [textOf(telling, 0, 12)],
    ([header]) => {
      const result = parsed(header)
      if (Result.isFailure(result)) {
        assert.strictEqual(result.failure._tag, "KeyInvalid")
        assert.isNotEmpty(result.failure.problem)
        assert.include(result.failure.message, result.failure.problem)
        return
      }
      assert.deepStrictEqual(IdempotencyKey.check(result.success), Result.succeed(result.success))
      // Two keys are never one: what is joined by a comma outside quotes is refused.
      if (!header.trim().startsWith('"')) assert.notInclude(result.success, ",")
    },
    { arbitrary: { runs: 2000 } }
  )

  it.prop(
    "two headers joined by a proxy are several, whatever their forms",
    [keys[0], keys[0]],
    ([first, second]) => {
      const quote = (key: string) => `"${key.replaceAll(/["\\]/g, String.raw`\$&`)}"`
      for (const joined of [`${quote(first)}, ${quote(second)}`, `${quote(first)},${second}`]) {
        const result = parsed(joined)
        assert.isTrue(Result.isFailure(result), joined)
      }
      assert.deepStrictEqual(Result.isFailure(IdempotencyKey.fromHeader([first, second], { required: true })), true)
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "what is not printable ASCII is no part of a key",
    [
      textOf(printable, 0, 20),
      Arbitrary.schema(Schema.Literals(["\u0000", "\t", "\n", "\u007f", "é", "\u00a0", "😀", "\ud800"])),
      textOf(printable, 1, 20)
    ],
    ([before, strange, behind]) => {
      const key = `x${before}${strange}${behind}`
      assert.isTrue(Result.isFailure(IdempotencyKey.check(key)))
      assert.isTrue(Result.isFailure(parsed(`"${key.replaceAll(/["\\]/g, String.raw`\$&`)}"`)))
    },
    { arbitrary: { runs: 300 } }
  )

  it("255 characters are taken, 256 and none are not; what is escaped counts as one", () => {
    for (const one of ["k", '"', "\\"]) {
      const quote = (key: string) => `"${key.replaceAll(/["\\]/g, String.raw`\$&`)}"`
      assert.deepStrictEqual(parsed(quote(one.repeat(255))), Result.succeed(one.repeat(255)))
      assert.isTrue(Result.isFailure(parsed(quote(one.repeat(256)))))
    }
    for (const empty of ["", " ", '""', '"" ; a=1', ";a=1"]) assert.isTrue(Result.isFailure(parsed(empty)), empty)
  })

  it("spaces that no header has around its value are no spaces of a key either", () => {
    for (const space of ["\u00a0", "\u3000", "\ufeff", "\n", "\v"])
      for (const header of [`${space}k`, `k${space}`, `"k"${space}`, `"k"${space};a`, `k;${space}a`])
        assert.isTrue(Result.isFailure(parsed(header)), JSON.stringify(header))
  })

  it("a user id is one of Appwrite's, and nothing else", () => {
    for (const user of ["a", "A.b_c-d", "0", "a".repeat(36)])
      assert.deepStrictEqual(IdempotencyKey.checkUser(user), Result.succeed(user))
    for (const user of ["", " a", "a ", "a\n", ".a", "_a", "-a", "a,b", "evil, real", "a".repeat(37), "é"])
      assert.isTrue(Result.isFailure(IdempotencyKey.checkUser(user)), JSON.stringify(user))
  })
})
