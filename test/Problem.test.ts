/** The problem documents: what is answered can be read again, whatever else comes is read without harm. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Problem from "../src/Problem.ts"

const kinds = Object.keys(Problem.problems) as ReadonlyArray<Problem.Kind>
const factsOf = (kind: Problem.Kind) => ({
  detail: "it happened",
  instance: "urn:uuid:6f3c",
  ...(kind === "response-not-kept" ? { originalStatus: 201 } : {})
})
const documents = kinds.map((kind) => [kind, Problem.document(kind, factsOf(kind) as never)] as const)

describe("Problem", () => {
  it("has the kinds, types and statuses that the wire contract names", () => {
    assert.deepStrictEqual(Object.fromEntries(documents.map(([kind, { status }]) => [kind, status])), {
      "key-missing": 400,
      "key-invalid": 400,
      "user-invalid": 400,
      "fingerprint-mismatch": 422,
      "in-progress": 409,
      indeterminate: 409,
      "attempts-exhausted": 409,
      "response-not-kept": 410,
      "transaction-conflict": 503,
      "transaction-invalid": 500,
      "store-unavailable": 503,
      "clock-skew": 503
    })
    for (const [kind, { type }] of documents) assert.strictEqual(type, `urn:holdfast:problem:${kind}`)
  })

  it("says the original status beside the document's own", () => {
    assert.deepStrictEqual(Problem.document("response-not-kept", { detail: "too large", originalStatus: 201 }), {
      type: "urn:holdfast:problem:response-not-kept",
      title: "The request has happened, its response was not kept",
      status: 410,
      detail: "too large",
      originalStatus: 201
    })
  })

  it.effect.each(documents)("%s is read again from its JSON, by the schema and by kind", ([kind, document]) =>
    Effect.gen(function* () {
      const json: unknown = JSON.parse(JSON.stringify(document))
      assert.strictEqual(Problem.kindOf(json), kind)
      assert.deepStrictEqual(Problem.read(json), {
        kind,
        detail: "it happened",
        originalStatus: kind === "response-not-kept" ? 201 : undefined
      })
      assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(Problem.Document)(json), document)
      assert.strictEqual(yield* Schema.decodeUnknownEffect(Problem.Kind)(kind), kind)
    })
  )

  it("its schema refuses another kind's status, and a kept response without its original status", () => {
    const [[, missing]] = documents as [(typeof documents)[number]]
    const isDocument = Schema.is(Problem.Document)
    assert.isTrue(isDocument(missing))
    assert.isFalse(isDocument({ ...missing, status: 409 }))
    assert.isFalse(isDocument({ ...missing, type: "urn:holdfast:problem:response-not-kept", status: 410 }))
  })

  it("reads a document that a later server wrote: members it doesn't know, or of another type, do no harm", () => {
    const document = { type: "urn:holdfast:problem:in-progress", title: 7, status: "409", detail: ["x"], added: true }
    assert.deepStrictEqual(Problem.read(document), {
      kind: "in-progress",
      detail: undefined,
      originalStatus: undefined
    })
  })

  it.each([
    undefined,
    null,
    "urn:holdfast:problem:in-progress",
    409,
    [],
    {},
    { type: 7 },
    { type: "about:blank", status: 409 },
    { type: "in-progress" },
    { type: "urn:holdfast:problem:" },
    { type: "urn:holdfast:problem:toString" },
    { type: "urn:holdfast:problem:In-Progress" },
    { type: "https://example.org/urn:holdfast:problem:in-progress" }
  ])("%j is no document of ours", (value) => {
    assert.isUndefined(Problem.kindOf(value))
  })
})
