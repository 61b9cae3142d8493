import { assert, describe, it } from "@effect/vitest"
import * as Json from "holdfast/layers/vendors/appwrite/emulator/Json"

describe("Json", () => {
  it("keeps integers of any length, both ways", () => {
    const text = `{"a":9223372036854775807,"b":[-9007199254740993],"c":9007199254740991}`
    assert.deepStrictEqual(Json.parse(text), { a: 9223372036854775807n, b: [-9007199254740993n], c: 9007199254740991 })
    assert.strictEqual(Json.stringify(Json.parse(text)), text)
    assert.strictEqual(Json.parse("12345678901234567890"), 12345678901234567890n)
  })

  it("tells 2.0 and 2e3 from 2, and makes numbers of them again", () => {
    const value = Json.parse(`{"a":2.0,"b":[2e3],"c":2,"d":0.5,"e":-0.0}`)
    assert.deepStrictEqual(value, {
      a: new Json.Decimal(2),
      b: [new Json.Decimal(2000)],
      c: 2,
      d: 0.5,
      e: new Json.Decimal(-0)
    })
    assert.deepStrictEqual(Json.plain(value), { a: 2, b: [2000], c: 2, d: 0.5, e: -0 })
    assert.strictEqual(Json.stringify(value), `{"a":2,"b":[2000],"c":2,"d":0.5,"e":0}`)
  })

  it("leaves texts that look like numbers alone", () => {
    for (const text of [`{"a":"9223372036854775807"}`, `{"a":", 1e5"}`, `["2024-01-01T00:00:00.000+00:00", "2.0,"]`]) {
      assert.deepStrictEqual(Json.parse(text), JSON.parse(text))
    }
  })

  it("refuses half a surrogate pair, in members' names too, and takes whole ones", () => {
    assert.throws(() => Json.parse(String.raw`{"a":"\ud83d"}`), SyntaxError)
    assert.throws(() => Json.parse("{"), SyntaxError)
    assert.deepStrictEqual(Json.parse(String.raw`"\ud83d\ude00"`), "😀")
  })
})
