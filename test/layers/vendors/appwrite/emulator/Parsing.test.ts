import { assert, describe, it } from "@effect/vitest"
import * as Fields from "holdfast/layers/vendors/appwrite/emulator/Fields"
import * as Multipart from "holdfast/layers/vendors/appwrite/emulator/Multipart"
import * as Routes from "holdfast/layers/vendors/appwrite/emulator/Routes"
import * as Ranges from "holdfast/layers/vendors/appwrite/emulator/storage/Ranges"
import * as Effect from "effect/Effect"
import { noContent } from "holdfast/layers/vendors/appwrite/emulator/Call"

describe("Fields", () => {
  it.each([
    ["a=1&b=x+y%20z", { a: "1", b: "x y z" }],
    ["queries[0]=a&queries[1]=b", { queries: ["a", "b"] }],
    ["queries%5B%5D=a&queries[]=b", { queries: ["a", "b"] }],
    ["queries[7]=a", { queries: ["a"] }],
    ["queries=a", { queries: "a" }],
    ["a[b][c]=1&a[b][d]=2", { a: { b: { c: "1", d: "2" } } }],
    ["__proto__[x]=1", { ["__proto__"]: { x: "1" } }],
    ["", {}]
  ])("reads %s as PHP does", (text, expected) => {
    assert.deepStrictEqual(Object.entries(Fields.fromQuery(text)), Object.entries(expected))
  })
})

describe("Multipart", () => {
  const form = (...parts: ReadonlyArray<string>) =>
    Buffer.from(`${parts.map((part) => `--b\r\n${part}\r\n`).join("")}--b--\r\n`)
  const type = "multipart/form-data; boundary=b"

  it("tells fields from files, and keeps bytes as they are", () => {
    const bytes = "\r\n--not\r\n\0\r\n"
    const { fields, files } = Multipart.parse(
      form(
        `Content-Disposition: form-data; name="fileId"\r\n\r\nf1`,
        `content-disposition: form-data; name="permissions[]"\r\n\r\nread("any")`,
        `content-disposition: form-data; name="file"; filename="ü "q" 文.bin"\r\ncontent-type: x/y\r\n\r\n${bytes}`,
        `content-disposition: form-data; name="empty"; filename=""\r\n\r\n`
      ),
      type
    )
    assert.deepStrictEqual(fields, { fileId: "f1", permissions: [`read("any")`] })
    assert.deepStrictEqual(
      files.map((file) => [file.field, file.name, file.bytes.toString()]),
      [
        ["file", `ü "q" 文.bin`, bytes],
        ["empty", "", ""]
      ]
    )
  })

  it("takes a preamble, a quoted boundary, and nothing where there is none", () => {
    const body = Buffer.concat([Buffer.from("preamble\r\n"), form(`content-disposition: form-data; name="a"\r\n\r\n1`)])
    assert.deepStrictEqual(Multipart.parse(body, `multipart/form-data; boundary="b"`).fields, { a: "1" })
    assert.deepStrictEqual(Multipart.parse(body, "multipart/form-data").fields, {})
    assert.deepStrictEqual(Multipart.parse(Buffer.from("garbage"), type), { fields: {}, files: [] })
  })
})

describe("Routes", () => {
  const route = (method: "GET" | "POST", path: string) => ({
    method,
    path,
    scope: "x",
    handler: () => Effect.succeed(noContent)
  })
  const match = Routes.compile([
    route("GET", "/a/:id"),
    route("GET", "/a/special"),
    route("POST", "/a/special/:x/done"),
    route("GET", "/a/:id/rest/:y")
  ])

  it("prefers what is spelt out, and goes back where that leads nowhere", () => {
    assert.deepStrictEqual(match("GET", "/v1/a/special")?.path, {})
    assert.deepStrictEqual(match("GET", "/v1/a/other")?.path, { id: "other" })
    assert.deepStrictEqual(match("GET", "/v1/a/special/rest/1")?.path, { id: "special", y: "1" })
    assert.deepStrictEqual(match("POST", "/v1/a/special/2/done")?.path, { x: "2" })
  })

  it("decodes parameters, answers HEAD by GET, and knows no others", () => {
    assert.deepStrictEqual(match("HEAD", "/v1/a/%C3%BC%2F")?.path, { id: "ü/" })
    assert.deepStrictEqual(match("GET", "/v1/a/%zz")?.path, { id: "%zz" })
    for (const path of ["/v1/a", "/v1/b", "/a/x", "/v1", "/v1/a/x/y"]) assert.isUndefined(match("GET", path))
    assert.isUndefined(match("PURGE", "/v1/a/x"))
  })

  it("refuses two routes for one call", () => {
    assert.throws(() => Routes.compile([route("GET", "/a/:x"), route("GET", "/a/:y")]), /two routes/)
  })
})

describe("Ranges", () => {
  it.each([
    ["bytes=0-4", { start: 0, end: 4 }],
    ["bytes=5-", { start: 5, end: 19 }],
    ["bytes=0-19", { start: 0, end: 19 }],
    ["bytes=0-20", undefined],
    ["bytes=3-3", undefined],
    ["bytes=19-", undefined],
    ["bytes=-5", undefined],
    ["bytes=0-1,3-4", undefined],
    ["items=0-4", undefined]
  ])("reads %s of 20 bytes", (header, expected) => {
    assert.deepStrictEqual(Ranges.rangeOf(header, 20), expected)
  })

  it("answers 10 MiB at most where the end is open", () => {
    assert.deepStrictEqual(Ranges.rangeOf("bytes=100-", 30_000_000), { start: 100, end: 100 + 10 * 1024 * 1024 - 1 })
  })

  it.each([
    ["bytes 0-5242879/10486994", { number: 1, total: 3, size: 10_486_994 }],
    ["bytes 10485760-10486993/10486994", { number: 3, total: 3, size: 10_486_994 }],
    ["bytes 0-999/2000", { number: 1, total: 1, size: 2000 }],
    ["bytes 20-10/30", undefined],
    ["bytes 0-40/30", undefined],
    ["garbage", undefined]
  ])("counts the chunk of %s", (header, expected) => {
    assert.deepStrictEqual(Ranges.chunkOf(header), expected)
  })
})
