/** Responses as rows and parts hold them, and back. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import * as Content from "../../../src/internal/idempotency/Content.ts"
import { anyString } from "../../support/Strings.ts"

const byte = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))
/** Of few values, so that some are worth compressing; repeated, so that some need parts. */
const bytes = Arbitrary.all([
  Arbitrary.array(byte, { maxLength: 60 }),
  Arbitrary.schema(Schema.Literals([0, 1, 1, 1, 5, 40]))
]).pipe(Arbitrary.map(([some, times]) => Uint8Array.from(Array.from({ length: times }, () => some).flat())))
const texts = Arbitrary.all([anyString, Arbitrary.schema(Schema.Literals([0, 1, 1, 1, 30]))]).pipe(
  Arbitrary.map(([some, times]) => some.repeat(times))
)

const secrets = [Content.encryptionKey("a".repeat(32)), Content.encryptionKey("b".repeat(32))] as const

/** Small limits, so that a short body meets each of them. */
const encoding = Arbitrary.all([
  Arbitrary.schema(Schema.Literals([1, 7, 64, 10_000])),
  Arbitrary.schema(Schema.Literals([0, 1, 4, 1000])),
  Arbitrary.schema(Schema.Literals([0, 30, 300, 100_000])),
  Arbitrary.schema(Schema.Boolean)
]).pipe(
  Arbitrary.map(([part, parts, compressAbove, isEncrypted]): Content.Encoding => ({
    limits: { part, parts },
    compressAbove,
    encryption: isEncrypted ? secrets[0] : undefined
  }))
)
const rest = Arbitrary.all([
  Arbitrary.schema(Schema.NullOr(Schema.Literals([200, 204, 599]))),
  Arbitrary.schema(Schema.Literals(["success", "failure", "response"])),
  anyString
]).pipe(Arbitrary.map(([status, kind, value]) => ({ status, kind, headers: { "x-a": value } })))

const nonce = () => randomBytes(16).toString("hex")
const row = "k".repeat(31)

/** As a store keeps it: everything is text in UTF-8. */
const throughText = (text: string): string => Buffer.from(text, "utf8").toString("utf8")

/** Written and read, with what is promised of how it is kept. */
const roundTrip = (how: Content.Encoding, content: Content.Content) => {
  const { parts, stored } = Content.encode(how, content, row, nonce)
  assert.isAtMost(stored.data.length, how.limits.part)
  assert.isAtMost(parts.length, how.limits.parts)
  for (const part of parts) assert.isAtMost(part.length, how.limits.part)
  assert.strictEqual(stored.parts, parts.length)
  const kept = { ...stored, data: throughText(stored.data) }
  return { stored, parts, back: Content.decode(kept, parts.map(throughText), row, secrets) }
}

/** What comes back: all of it, or everything but a body that was too long. */
const check = (how: Content.Encoding, content: Content.Content, expected: Content.Content["body"]) => {
  const { back, parts, stored } = roundTrip(how, content)
  if (stored.encoding === "none") {
    assert.deepStrictEqual(back, { ...content, body: undefined })
    const length = typeof expected === "string" ? Buffer.byteLength(expected) : (expected?.length ?? 0)
    // Base64 of what may be encrypted and packed: a body that would fit is never left out.
    assert.isAbove(Math.ceil(((length + 64) * 4) / 3) + 4, how.limits.part * Math.max(1, how.limits.parts))
    return
  }
  assert.deepStrictEqual(back, { ...content, body: expected })
  if (how.encryption === undefined) return
  // Neither without its key, nor for another row, nor changed.
  const whole = parts.map((part): string | undefined => part)
  assert.strictEqual(Content.decode(stored, whole, row, [secrets[1]]), secrets[0].id)
  assert.strictEqual(Content.decode(stored, whole, `${row.slice(1)}x`, secrets), secrets[0].id)
}

describe("Content", () => {
  it.prop(
    "any bytes come back, whatever the limits, compressed or not, encrypted or not",
    [encoding, rest, bytes],
    ([how, about, body]) => check(how, { ...about, body }, body),
    { arbitrary: { runs: 1000 } }
  )

  it.prop(
    "any text comes back, as text",
    [encoding, rest, texts],
    ([how, about, body]) => check(how, { ...about, body }, body),
    { arbitrary: { runs: 1000 } }
  )

  it.prop(
    "a text with halves of surrogate pairs comes back as it is sent",
    [encoding, rest, Arbitrary.array(Arbitrary.schema(Schema.Literals(["\ud83d", "\ude00", "a", "é"])))],
    ([how, about, pieces]) => {
      const body = pieces.join("")
      check(how, { ...about, body }, body.toWellFormed())
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "parts that are missing, changed or in another order are no body",
    [rest, Arbitrary.array(byte, { minLength: 30, maxLength: 60 })],
    ([about, body]) => {
      const how: Content.Encoding = { limits: { part: 30, parts: 4 }, compressAbove: 1e6, encryption: undefined }
      const { parts, stored } = Content.encode(how, { ...about, body: Uint8Array.from(body) }, row, nonce)
      assert.isAtLeast(parts.length, 2)
      const none = { ...about, body: undefined }
      for (let index = 0; index < parts.length; index++) {
        assert.deepStrictEqual(Content.decode(stored, parts.with(index, `#${parts[index]!.slice(1)}`), row, []), none)
        const fewer = parts.map((part, at) => (at === index ? undefined : part))
        assert.deepStrictEqual(Content.decode(stored, fewer, row, []), none)
      }
      if (new Set(parts).size > 1 && parts.toReversed().join("") !== parts.join(""))
        assert.deepStrictEqual(Content.decode(stored, parts.toReversed(), row, []), none)
    },
    { arbitrary: { runs: 200 } }
  )

  it("what was not kept is told as such, with status and headers", () => {
    const content: Content.Content = { status: 201, headers: { a: "b" }, kind: "response", body: undefined }
    const how: Content.Encoding = { limits: { part: 30, parts: 4 }, compressAbove: 10, encryption: secrets[0] }
    assert.deepStrictEqual(roundTrip(how, content).back, content)
  })

  it("headers are encrypted with the body, and headers that no row takes are not kept", () => {
    const how: Content.Encoding = { limits: { part: 1000, parts: 1 }, compressAbove: 10, encryption: secrets[0] }
    const content: Content.Content = { status: 201, kind: "response", headers: { location: "/secret" }, body: "a\nb" }
    const { stored } = Content.encode(how, content, "k", () => "0".repeat(32))
    assert.notInclude(JSON.stringify(stored), "secret")
    assert.deepStrictEqual(Content.decode(stored, [], "k", secrets), content)
    const long = { ...content, headers: { "x-long": "x".repeat(40_000) } }
    const { stored: marker } = Content.encode(how, long, "k", () => "0".repeat(32))
    assert.deepInclude(marker, { encoding: "none", status: 201, headers: {} })
  })

  it("the same secret is the same key under the same name, another one neither", () => {
    const [a, b] = secrets
    assert.deepStrictEqual(Content.encryptionKey("a".repeat(32)), a)
    assert.notStrictEqual(a.id, b.id)
    assert.notDeepEqual(a.bytes, b.bytes)
    assert.notInclude(Buffer.from(a.bytes).toString("hex"), a.id)
  })
})
