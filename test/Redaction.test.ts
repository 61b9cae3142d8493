import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Redaction from "holdfast/Redaction"
import { secretName } from "../src/internal/logging/FieldNames.ts"
import * as Texts from "../src/internal/logging/Texts.ts"

const rules: ReadonlyArray<Redaction.Rule> = Redaction.rules
const hash = (kind: string, value: string) => createHash("sha256").update(`${kind}${value}`).digest("hex").slice(0, 16)
const all = Texts.make({}, hash)
const alone = (name: string) =>
  Texts.make({ disabled: Redaction.rules.map((rule) => rule.name).filter((other) => other !== name) }, hash)

describe.each(rules.map((rule) => [rule.name, rule] as const))("the rule %s", (name, rule) => {
  it.each(rule.matches.map((text) => [text]))("finds %s", (text) => {
    const own = alone(name).redact(`see ${text} there`)
    assert.notStrictEqual(own, `see ${text} there`)
    assert.isTrue(own.startsWith("see "), own)
    // A key without its end may go on to the end of the text.
    // So does a header, to the end of its line.
    if (name !== "header" && !text.includes("KEY-----\\n")) assert.isTrue(own.endsWith(" there"), own)
    assert.isFalse(all.redact(text).includes(text))
  })
  it.each(rule.ignores.map((text) => [text]))("leaves %s", (text) => {
    assert.strictEqual(all.redact(text), text)
    assert.strictEqual(all.redact(`see ${text} there`), `see ${text} there`)
  })
})

describe("texts", () => {
  it("stay comparable where a person is hidden", () => {
    const first = all.redact("to Ada@Example.com")
    assert.match(first, /^to \[email:[0-9a-f]{16}\]$/)
    assert.strictEqual(all.redact("to ada@example.com"), first)
    assert.notStrictEqual(all.redact("to bob@example.com"), first)
  })

  it.each([
    ["/send?token=abc&x=1", "/send?token=[redacted:assignment]&x=1"],
    ["/send?refreshTokenHash=abc&x=1", "/send?refreshTokenHash=[redacted:assignment]&x=1"],
    ["/send?cardnumber=abc&x=1", "/send?cardnumber=[redacted:parameter]&x=1"],
    ["/send?sid=abc&x=1", "/send?sid=[redacted:assignment]&x=1"],
    ["/?to=ada%40example.com&x=1", `/?to=[email:${hash("email", "ada@example.com")}]&x=1`],
    ["/?next=%2Fa%3Fpassword%3Dhunter2", "/?next=/a?password=[redacted:assignment]"],
    ["/?next=%252Fa%253Fpassword%253Dhunter2", "/?next=/a?password=[redacted:assignment]"],
    ["/?q=100%25+sure", "/?q=100%25+sure"],
    ["postgres://ada:hunter2@db/app", "postgres://[redacted:url-credentials]db/app"],
    [
      "GET https://api.example/v1?api_key=abc HTTP/1.1",
      "GET https://api.example/v1?api_key=[redacted:assignment] HTTP/1.1"
    ]
  ])("%s", (text, expected) => {
    assert.strictEqual(all.redact(text), expected)
  })

  it.each([
    ["203.0.113.42", "203.0.113.0"],
    ["[2001:db8:abcd:12::1]:443", "2001:db8:abcd::"],
    ["203.0.113.42:5555", "203.0.113.0"],
    ["::ffff:203.0.113.42", "203.0.113.0"],
    ["fe80::1%eth0", "fe80:0:0::"],
    ["unknown", undefined],
    ["_hidden", undefined]
  ])("the address %s is shortened to %s", (address, expected) => {
    assert.strictEqual(Redaction.shortenAddress(address), expected)
  })

  it("are whole where addresses are wanted whole", () => {
    assert.strictEqual(Texts.make({ ip: "full" }, hash).redact("from 203.0.113.42"), "from 203.0.113.42")
    assert.strictEqual(Texts.make({ ip: "none" }, hash).redact("from 203.0.113.42"), "from [redacted:address]")
  })

  it("take rules of one's own, and leave out others", () => {
    const own = Texts.make({ rules: [{ name: "order", pattern: /ORD-\d+/g }], disabled: ["email"] }, hash)
    assert.strictEqual(own.redact("ORD-17 for ada@example.com"), "[redacted:order] for ada@example.com")
  })

  it("are not searched where patterns are off", () => {
    assert.strictEqual(Texts.make({ patterns: false }, hash).redact("password=hunter2"), "password=hunter2")
  })

  it.effect("come out in bounded time, whatever they are", () =>
    Effect.gen(function* () {
      const result = yield* Arbitrary.checkEffect(
        Arbitrary.schema(Schema.String),
        (text) => Effect.sync(() => typeof all.redact(text.repeat(50)) === "string"),
        { runs: 300 }
      )
      assert.strictEqual(result._tag, "Passed")
    })
  )

  it.each(["a", "1", "-", "@", "=", "%41", "a@", "1 ", "a.", "ey", "a:", "password", "0:", "https://", "Bearer "])(
    "of 8,192 characters of %s cost less than a quarter of a second",
    (piece) => {
      const text = piece.repeat(Math.ceil(8192 / piece.length))
      const begun = process.cpuUsage()
      all.redact(text)
      const { user } = process.cpuUsage(begun)
      assert.isBelow(user, 250_000)
    }
  )
})

describe("names of fields", () => {
  it.each([
    "password",
    "X-API-Key",
    "accessToken",
    "client_secret",
    "Authorization",
    "set-cookie",
    "dbPassword",
    "stripeSecretKey",
    "x-appwrite-key"
  ])("%s is secret", (name) => assert.isTrue(secretName(name)))
  it.each(["name", "tokenCount", "key", "author", "passenger", "secretary", "id", "cookieless"])("%s is none", (name) =>
    assert.isFalse(secretName(name))
  )
})

describe("prose", () => {
  it("is left alone: fewer than one in a thousand words of all READMEs and licences is masked", () => {
    const root = join(import.meta.dirname, "..", "node_modules")
    const files = globSync("**/{README,readme,Readme,LICENSE,LICENCE,license,License}{,.md,.txt,.markdown}", {
      cwd: root
    })
    assert.isAbove(files.length, 100)
    let words = 0
    let masked = 0
    for (const file of files) {
      let text: string
      try {
        text = readFileSync(join(root, file), "utf8")
      } catch {
        continue
      }
      words += text.split(/\s+/).length
      masked += [...all.redact(text).matchAll(/\[redacted:/g)].length
    }
    console.log(`${masked} of ${words} words of ${files.length} files are masked`)
    assert.isBelow(masked / words, 1 / 1000)
  })
})
