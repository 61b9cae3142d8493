/** Texts of a form, as tables: what the recorded server's filters take and refuse, and what must not slip through. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { isIPv4, isIPv6 } from "node:net"
import { isEmail, isIp, isUrl } from "../../src/internal/TextFormats.ts"

interface Table {
  readonly holds: (text: string) => boolean
  readonly taken: ReadonlyArray<string>
  readonly refused: ReadonlyArray<string>
}
const tables: Readonly<Record<string, Table>> = {
  "an e-mail address": {
    holds: isEmail,
    taken: [
      "a@example.com",
      "a@example.com ",
      "A.B+tag@sub.Example-1.co",
      "_@example.com",
      "o'neil@example.com",
      "1@2.com",
      `${"a".repeat(64)}@example.com`
    ],
    refused: [
      "",
      "a",
      "nomail",
      "@example.com",
      "a@",
      "a@b",
      "a@b.",
      "a@.com",
      "a@-b.com",
      "a@b-.com",
      ".a@example.com",
      "a.@example.com",
      "a..b@example.com",
      "a b@example.com",
      "a@exa mple.com",
      "a@@example.com",
      "a@b@example.com",
      "ü@example.com",
      "a@exämple.com",
      "a@example.com\nb@example.com",
      " a@example.com",
      `${"a".repeat(65)}@example.com`,
      `a@${"b".repeat(64)}.com`
    ]
  },
  "a URL": {
    holds: isUrl,
    taken: [
      "https://example.com",
      "http://localhost",
      "HTTP://EXAMPLE.COM/",
      "ftp://example.com",
      "mailto:a@example.com",
      "https://user:pass@example.com:8080/p/a?q=1&r=%20#f",
      "http://127.0.0.1",
      "http://[::1]/",
      "custom+scheme://host"
    ],
    refused: [
      "",
      "example.com",
      "//x",
      "//example.com",
      "/path",
      "not a url",
      "http://",
      "http:///x",
      "https://exa mple.com",
      " https://example.com",
      "https://example.com/a b",
      "javascript:alert(1)",
      "data:text/html,x",
      "mailto:nobody",
      "http://example.com:99999",
      "1http://example.com"
    ]
  },
  "an IP address": {
    holds: isIp,
    taken: [
      "0.0.0.0",
      "1.2.3.4",
      "255.255.255.255",
      "::",
      "::1",
      "1::",
      "fe80::1",
      "2001:db8::ff00:42:8329",
      "2001:0DB8:0000:0000:0000:FF00:0042:8329",
      "1:2:3:4:5:6:7:8",
      "::ffff:1.2.3.4",
      "64:ff9b::1.2.3.4",
      "1:2:3:4:5:6:1.2.3.4"
    ],
    refused: [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "01.2.3.4",
      "1.2.3.256",
      "1.2.3.-4",
      "1.2.3.4 ",
      " 1.2.3.4",
      "1.2.3.4/8",
      ":",
      ":::",
      "1",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      "12345::",
      "g::1",
      "::1%eth0",
      "[::1]",
      "1:2:3:4:5:6:7::8:9",
      "::1.2.3",
      "::256.1.1.1",
      "1.2.3.4::",
      "localhost"
    ]
  }
}

describe("TextFormats", () => {
  for (const [what, { holds, refused, taken }] of Object.entries(tables)) {
    for (const text of taken) it(`${JSON.stringify(text)} is ${what}`, () => assert.isTrue(holds(text)))
    for (const text of refused) it(`${JSON.stringify(text)} is not ${what}`, () => assert.isFalse(holds(text)))
  }

  const part = Arbitrary.schema(
    Schema.Literals(["0", "1", "255", "256", "ff", "FFFF", "12345", "", ":", ".", "::", "01"])
  )
  const separator = Arbitrary.schema(Schema.Literals([":", "::", ".", ""]))
  const address = Arbitrary.array(Arbitrary.all([part, separator]), { maxLength: 9 }).pipe(
    Arbitrary.map((pieces) => pieces.flat().join(""))
  )
  it.prop(
    "what looks like an address is one exactly where Node says so",
    [address],
    ([text]) => {
      assert.strictEqual(isIp(text), isIPv4(text) || isIPv6(text), text)
    },
    { arbitrary: { runs: 5000 } }
  )

  it("a long text that is nothing is refused at once", () => {
    const started = performance.now()
    for (const long of [
      "a.".repeat(50_000),
      "a@" + "b.".repeat(50_000),
      "1:".repeat(50_000),
      "http://" + " ".repeat(50_000)
    ]) {
      assert.isFalse(isEmail(long))
      assert.isFalse(isIp(long))
      assert.isFalse(isUrl(`${long} x`))
    }
    assert.isBelow(performance.now() - started, 1000)
  })
})
