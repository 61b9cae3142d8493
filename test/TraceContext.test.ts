import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TraceContext from "holdfast/TraceContext"

const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
const parent = "00f067aa0ba902b7"
const valid = `00-${trace}-${parent}-01`

/** Headers, and what is taken from them: undefined is a new trace. Sections of Trace Context Level 2. */
const parents: ReadonlyArray<readonly [title: string, header: string | undefined, traceId: string | undefined]> = [
  ["no header", undefined, undefined],
  ["an empty one", "", undefined],
  ["a valid one", valid, trace],
  ["not sampled", `00-${trace}-${parent}-00`, trace],
  ["all flags", `00-${trace}-${parent}-ff`, trace],
  ["the random flag", `00-${trace}-${parent}-02`, trace],
  ["a space in front", ` ${valid}`, trace],
  ["a tab in front", `\t${valid}`, trace],
  ["a space behind", `${valid} `, trace],
  ["both, mixed", `\t ${valid} \t`, trace],
  ["a line break behind", `${valid}\n`, undefined],
  ["a non-breaking space in front", `\u00a0${valid}`, undefined],
  ["two, as Node joins them", `${valid}, ${valid}`, undefined],
  ["upper case in the trace id", `00-${trace.toUpperCase()}-${parent}-01`, undefined],
  ["upper case in the parent id", `00-${trace}-${parent.toUpperCase()}-01`, undefined],
  ["upper case in the flags", `00-${trace}-${parent}-0A`, undefined],
  ["upper case in the version", `0A-${trace}-${parent}-01`, undefined],
  ["version ff", `ff-${trace}-${parent}-01`, undefined],
  ["version fe", `fe-${trace}-${parent}-01`, trace],
  ["version cc", `cc-${trace}-${parent}-01`, trace],
  ["version cc with more", `cc-${trace}-${parent}-01-what-the-future-will-be-like`, trace],
  ["version cc with a dash and nothing", `cc-${trace}-${parent}-01-`, trace],
  ["version cc with a dot behind", `cc-${trace}-${parent}-01.what`, undefined],
  ["version cc with a digit behind", `cc-${trace}-${parent}-011`, undefined],
  ["version 00 with more", `00-${trace}-${parent}-01-what`, undefined],
  ["version 00 with a dash behind", `00-${trace}-${parent}-01-`, undefined],
  ["version 00 with a dot behind", `00-${trace}-${parent}-01.`, undefined],
  ["version 01 with more", `01-${trace}-${parent}-01-x`, trace],
  ["a version of one digit", `0-${trace}-${parent}-01`, undefined],
  ["a version of three", `000-${trace}-${parent}-01`, undefined],
  ["a version that is no number", `.0-${trace}-${parent}-01`, undefined],
  ["no version", `${trace}-${parent}-01`, undefined],
  ["a trace id of zeros", `00-${"0".repeat(32)}-${parent}-01`, undefined],
  ["a trace id of 31", `00-${trace.slice(1)}-${parent}-01`, undefined],
  ["a trace id of 33", `00-${trace}0-${parent}-01`, undefined],
  ["a trace id with a dot", `00-.${trace.slice(1)}-${parent}-01`, undefined],
  ["a trace id with g", `00-g${trace.slice(1)}-${parent}-01`, undefined],
  ["a parent id of zeros", `00-${trace}-${"0".repeat(16)}-01`, undefined],
  ["a parent id of 15", `00-${trace}-${parent.slice(1)}-01`, undefined],
  ["a parent id of 17", `00-${trace}-${parent}0-01`, undefined],
  ["a parent id with a dot", `00-${trace}-.${parent.slice(1)}-01`, undefined],
  ["flags of one digit", `00-${trace}-${parent}-1`, undefined],
  ["flags of three", `00-${trace}-${parent}-001`, undefined],
  ["flags that are no number", `00-${trace}-${parent}-.0`, undefined],
  ["no flags", `00-${trace}-${parent}`, undefined],
  ["underscores between", `00_${trace}_${parent}_01`, undefined],
  ["two dashes between", `00--${trace}-${parent}-01`, undefined]
]

const long = (length: number, character = "z") => character.repeat(length)
const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=${index}`)

/** Headers, and the members that are passed on. */
const states: ReadonlyArray<readonly [title: string, header: string | undefined, members: ReadonlyArray<string>]> = [
  ["no header", undefined, []],
  ["an empty one", "", []],
  ["one member", "foo=1", ["foo=1"]],
  ["members in order", "foo=1,bar=2", ["foo=1", "bar=2"]],
  ["as Node joins two headers", "foo=1,bar=2, baz=3", ["foo=1", "bar=2", "baz=3"]],
  ["empty members", "foo=1,, ,bar=2,", ["foo=1", "bar=2"]],
  ["spaces and tabs between", "foo=1 \t , \t bar=2", ["foo=1", "bar=2"]],
  ["spaces in front of a value are its own", "foo= 1", ["foo= 1"]],
  ["a space behind a key", "foo =1", []],
  ["an upper case key", "FOO=1", []],
  ["a dot in a key", "foo.bar=1", []],
  ["a key that begins with a digit", "1foo=1", ["1foo=1"]],
  ["a key that begins with @", "@foo=1,bar=2", []],
  ["a key that ends with @", "foo@=1,bar=2", ["foo@=1", "bar=2"]],
  ["a key with several @", "foo@bar@baz=1", ["foo@bar@baz=1"]],
  ["a key that begins with a dash", "-foo=1", []],
  ["a key with all that it may have", "a0_-*/@=1", ["a0_-*/@=1"]],
  ["a key of 256", `${long(256)}=1`, [`${long(256)}=1`]],
  ["a key of 257", `foo=1,${long(257)}=1`, []],
  ["a value of 256", `foo=${long(256)}`, [`foo=${long(256)}`]],
  ["a value of 257", `foo=${long(257)}`, []],
  ["no value", "foo=,bar=3", []],
  ["no equals sign", "foo", []],
  ["two equals signs", "foo=bar=baz", []],
  ["a value beyond ASCII", "foo=é", []],
  ["a key twice: the first was written last", "foo=1,foo=2", ["foo=1"]],
  ["32 members", members(32).join(","), members(32)],
  ["33 members", members(33).join(","), []]
]

describe("traceparent", () => {
  it.each(parents)("%s", (_title, header, traceId) => {
    assert.strictEqual(TraceContext.parseTraceparent(header)?.traceId, traceId)
  })

  it("tells the flags", () => {
    const flags = (text: string) => {
      const { random, sampled } = TraceContext.parseTraceparent(`00-${trace}-${parent}-${text}`)!
      return { sampled, random }
    }
    assert.deepStrictEqual(flags("00"), { sampled: false, random: false })
    assert.deepStrictEqual(flags("01"), { sampled: true, random: false })
    assert.deepStrictEqual(flags("02"), { sampled: false, random: true })
    assert.deepStrictEqual(flags("fd"), { sampled: true, random: false })
  })

  it("is written in version 00, with the flags that are known", () => {
    const { traceparent } = TraceContext.toHeaders(
      TraceContext.fromHeaders({ traceparent: `cc-${trace}-${parent}-ff-more` })!
    )
    assert.strictEqual(traceparent, `00-${trace}-${parent}-03`)
  })
})

describe("tracestate", () => {
  it.each(states)("%s", (_title, header, expected) => {
    assert.deepStrictEqual(TraceContext.parseTracestate(header), expected)
  })

  it("goes with a traceparent that is none", () => {
    assert.isUndefined(TraceContext.fromHeaders({ tracestate: "foo=1" }))
    assert.isUndefined(TraceContext.fromHeaders({ traceparent: `${valid}, ${valid}`, tracestate: "foo=1" }))
  })

  it("that is malformed leaves the traceparent", () => {
    const context = TraceContext.fromHeaders({ traceparent: valid, tracestate: "FOO=1" })
    assert.strictEqual(context?.traceId, trace)
    assert.strictEqual(context?.tracestate, "")
    assert.notProperty(TraceContext.toHeaders(context!), "tracestate")
  })

  it("beyond 512 characters loses its long members first, then its last", () => {
    const wide = `wide=${long(200)}`
    const narrow = Array.from({ length: 20 }, (_, index) => `k${index}=${long(20)}`)
    const kept = TraceContext.formatTracestate(["first=1", wide, ...narrow])
    assert.isAtMost(kept.length, 512)
    assert.isTrue(kept.startsWith("first=1,k0="))
    assert.isFalse(kept.includes("wide="))
    assert.strictEqual(TraceContext.formatTracestate([wide, "b=1"]), `${wide},b=1`)
  })

  const Member = Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9_*/@-]{0,20}=[!-+\--<>-~]{1,40}$/))
  it.effect.prop(
    "is the same after it was written and read",
    { all: Schema.Array(Member).check(Schema.isMaxLength(20)) },
    ({ all }) =>
      Effect.sync(() => {
        const once = TraceContext.parseTracestate(all.join(","))
        assert.deepStrictEqual(TraceContext.parseTracestate(once.join(",")), once)
        assert.isAtMost(TraceContext.formatTracestate(once).length, 512)
      }),
    { arbitrary: { runs: 200 } }
  )
})

describe("any header at all", () => {
  it.effect("is taken or left, and what is sent on is valid", () =>
    Effect.gen(function* () {
      const result = yield* Arbitrary.checkEffect(
        Arbitrary.schema(Schema.Struct({ traceparent: Schema.String, tracestate: Schema.String })),
        (given) =>
          Effect.sync(() => {
            const context = TraceContext.fromHeaders(given)
            if (context === undefined) return true
            return TraceContext.parseTraceparent(TraceContext.toHeaders(context)["traceparent"]) !== undefined
          }),
        { runs: 500 }
      )
      assert.strictEqual(result._tag, "Passed")
    })
  )
})

describe("baggage", () => {
  it.each([
    ["as it came", "a=1,b=2;p=1", "a=1,b=2;p=1"],
    ["without what is malformed", "a=1, b c=2,d=3", "a=1,d=3"],
    ["without a value that has spaces", "a=b c", ""],
    ["spaces around the sign are allowed", "a = 1", "a = 1"],
    ["none", "", ""]
  ])("%s", (_title, header, expected) => {
    assert.strictEqual(TraceContext.parseBaggage(header), expected)
  })

  it("of 64 members at most, and 8192 bytes", () => {
    const many = TraceContext.parseBaggage(members(100).join(","))
    assert.strictEqual(many.split(",").length, 64)
    const big = TraceContext.parseBaggage(
      members(60)
        .map((one) => `${one}${long(300)}`)
        .join(",")
    )
    assert.isAtMost(big.length, 8192)
  })
})
