import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Call } from "holdfast/layers/vendors/appwrite/emulator/Call"
import * as Params from "holdfast/layers/vendors/appwrite/emulator/Params"

const call = (
  options: { readonly body?: string; readonly search?: string; readonly path?: Record<string, string> } = {}
) =>
  new Call({
    method: options.search === undefined ? "POST" : "GET",
    headers: { "content-type": "application/json; charset=utf-8" },
    caller: { _tag: "Guest" },
    path: options.path ?? {},
    search: options.search ?? "",
    bytes: Buffer.from(options.body ?? "")
  })

const idRule =
  "Parameter must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. Can't start with a special char"
const queriesRule =
  "Value must a valid array no longer than 100 items and Value must be a valid string and at least 1 chars and no longer than 4096 chars"

describe("Params", () => {
  const refusals: ReadonlyArray<readonly [name: string, rule: Params.Rule<unknown>, value: unknown, detail: string]> = [
    ["id", Params.id, 12, idRule],
    ["id", Params.newId, "_x", idRule],
    ["id", Params.id, "unique()", idRule],
    ["name", Params.text(128), "", "Value must be a valid string and at least 1 chars and no longer than 128 chars"],
    ["name", Params.text(2), "😀😀😀", "Value must be a valid string and at least 1 chars and no longer than 2 chars"],
    ["search", Params.text(2, 0), "abc", "Value must be a valid string and no longer than 2 chars"],
    ["enabled", Params.boolean, "maybe", "Value must be a valid boolean"],
    ["required", Params.strictBoolean, "true", "Value must be a valid boolean"],
    ["ttl", Params.range(60, 3600), 0, "Value must be a valid range between 60 and 3,600"],
    ["size", Params.range(1, 1_073_741_824), 1.5, "Value must be a valid range between 1 and 1,073,741,824"],
    ["type", Params.oneOf(["key", "unique"]), "x", "Value must be one of (key, unique)"],
    ["queries", Params.queries, "x", queriesRule],
    ["queries", Params.queries, ["a", 5], queriesRule],
    ["key", Params.nullable(Params.id), "_", `${idRule} or null`],
    ["data", Params.json, "text", "Value must be a valid JSON string"]
  ]

  it.effect.each(refusals)("refuses %s by its rule", ([name, rule, value, detail]) =>
    Effect.gen(function* () {
      const body = JSON.stringify({ [name]: value })
      const failure = yield* Effect.flip(Params.read(call({ body }), { [name]: Params.required(rule) }))
      assert.deepStrictEqual(
        [failure.status, failure.type, failure.message],
        [400, "general_argument_invalid", `Invalid \`${name}\` param: ${detail}`]
      )
    })
  )

  const spec = {
    id: Params.required(Params.id),
    on: Params.optional(Params.boolean, true),
    size: Params.optional(Params.range(1, 10), null)
  }

  it.effect("reads the path first, then the body; what is left out or null has its default", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ id: "body", on: null, size: "5", unknown: 1 })
      assert.deepStrictEqual(yield* Params.read(call({ body, path: { id: "path" } }), spec), {
        id: "path",
        on: true,
        size: 5
      })
      const failure = yield* Effect.flip(Params.read(call(), spec))
      assert.strictEqual(failure.message, `Param "id" is not optional.`)
    })
  )

  it.effect("reads a GET's query; the text false is true, as in PHP", () =>
    Effect.gen(function* () {
      const read = (search: string) => Params.read(call({ search }), spec)
      assert.deepStrictEqual(yield* read("id=a&on=0"), { id: "a", on: false, size: null })
      assert.strictEqual((yield* read("id=a&on=false")).on, true)
    })
  )

  it.effect.each([
    ["", "not optional"],
    ["{", "not optional"],
    ["[1,2]", "not optional"],
    ["null", "not optional"],
    ["0", "not optional"],
    [`{"id":"\\ud83d"}`, "not optional"],
    [`"text"`, "Server Error"],
    ["5", "Server Error"]
  ] as const)("takes the body %s as PHP does", ([body, message]) =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Params.read(call({ body }), spec))
      assert.include(failure.message, message)
    })
  )
})
