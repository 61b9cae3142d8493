/** Lines of files, however their bytes come. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { Lines } from "../../../src/internal/traces/Lines.ts"
import type { LogEvent } from "../../../src/LogEvent.ts"
import * as LogFiles from "../../../src/layers/logging/LogFiles.ts"
import * as TraceReport from "../../../src/TraceReport.ts"
import * as Logs from "../../support/Logs.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-log-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)
/** A new file with these bytes. */
const file = (bytes: string | Buffer, name = "app.log") =>
  Effect.map(folder, (home) => {
    const path = join(home, name)
    writeFileSync(path, bytes)
    return path
  })

const lines = (chunks: ReadonlyArray<Buffer>, needles?: ReadonlyArray<string>, longest?: number) => {
  const found: Array<string> = []
  const reader = new Lines({ needles, longest, visit: (line) => found.push(line) })
  for (const chunk of chunks) reader.push(chunk)
  return { found, ...reader.end() }
}

/** Cut at these places, each a share of a thousand. */
const pieces = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const places = cuts.map((cut) => Math.floor((cut * bytes.length) / 1000)).toSorted((left, right) => left - right)
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
}

const cuts = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))), {
  maxLength: 30
})
/** Short words, so that needles and ends of lines come often, and characters of several bytes. */
const text = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.schema(Schema.Literals(["id", "i", "d", "x", "\n", "\n", "é", "😀", "needle", "nee", "dle"])),
    {
      maxLength: 60
    }
  ),
  (words) => words.join("")
)

describe("lines out of bytes", () => {
  it.prop(
    "are the same wherever the bytes are cut, all of them and those with a word",
    [text, cuts],
    ([whole, places]) => {
      const bytes = Buffer.from(whole)
      const parts = whole.split("\n")
      if (parts.at(-1) === "") parts.pop()
      for (const chunks of [pieces(bytes, places), [...bytes].map((byte) => Buffer.from([byte]))]) {
        const all = lines(chunks)
        assert.deepStrictEqual(all.found, parts)
        assert.deepInclude(all, { lines: parts.length, isExact: true, bytes: bytes.length, tooLong: 0 })
        for (const needles of [["needle"], ["id"], ["needle", "id", "é"]]) {
          const some = lines(chunks, needles)
          assert.deepStrictEqual(
            some.found,
            parts.filter((line) => needles.some((needle) => line.includes(needle)))
          )
          assert.deepInclude(some, { lines: parts.length, isExact: true })
        }
      }
    },
    { arbitrary: { runs: 1000 } }
  )

  it.prop(
    "leave out what is too long, and nothing else",
    [text, cuts],
    ([whole, places]) => {
      const parts = whole.split("\n")
      if (parts.at(-1) === "") parts.pop()
      const isShort = (line: string) => Buffer.byteLength(line) <= 8
      const { found, tooLong } = lines(pieces(Buffer.from(whole), places), undefined, 8)
      assert.deepStrictEqual(found, parts.filter(isShort))
      assert.strictEqual(tooLong, parts.length - found.length)
    },
    { arbitrary: { runs: 500 } }
  )

  it("may overwrite a chunk that was given", () => {
    const found: Array<string> = []
    const reader = new Lines({ visit: (line) => found.push(line) })
    const buffer = Buffer.from("one\ntw")
    reader.push(buffer)
    buffer.write("o\nthr")
    reader.push(buffer.subarray(0, 5))
    buffer.write("ee")
    reader.push(buffer.subarray(0, 2))
    reader.end()
    assert.deepStrictEqual(found, ["one", "two", "three"])
  })

  it("of a search are counted by their beginning", () => {
    const line = `${"x".repeat(99)}\n`
    const { isExact, lines: count } = lines(
      [Buffer.from(line.repeat(20_000)), Buffer.from(line.repeat(20_000))],
      ["id"]
    )
    assert.isFalse(isExact)
    assert.strictEqual(count, 40_000)
  })
})

const read = (path: string, needles?: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const found: Array<string> = []
    const facts = yield* LogFiles.read(path, { needles, visit: (line) => found.push(line) })
    return { found, ...facts }
  })

describe("a file", () => {
  it.live(
    "larger than a chunk gives its lines, plain and packed, with lines over borders and longer than a chunk",
    () =>
      Effect.gen(function* () {
        const all = [
          ...Array.from({ length: 40_000 }, (_, index) => `line ${index} ${"é".repeat(index % 70)}`),
          `long ${"y".repeat(3_000_000)} needle`,
          ...Array.from({ length: 1000 }, (_, index) => `after ${index}`),
          "the last one has no end"
        ]
        const bytes = all.join("\n")
        for (const path of [yield* file(bytes), yield* file(gzipSync(bytes), "app.gz")]) {
          const everything = yield* read(path)
          assert.deepStrictEqual(everything.found, all)
          assert.deepInclude(everything, { bytes: Buffer.byteLength(bytes), lines: all.length, isExact: true })
          assert.deepStrictEqual((yield* read(path, ["needle"])).found, [all[40_000]])
          assert.deepStrictEqual((yield* read(path, ["after 999", "line 39999 "])).found, [all[39_999], "after 999"])
        }
      })
  )

  it.live("of gzip may have several members, cut in the middle of a line", () =>
    Effect.gen(function* () {
      const members = ["one\ntw", "", "o\nthree\n", "four"].map((part) => gzipSync(part))
      const { found } = yield* read(yield* file(Buffer.concat(members), "rotated"))
      assert.deepStrictEqual(found, ["one", "two", "three", "four"])
      const many = Array.from({ length: 3000 }, (_, index) => gzipSync(`line ${index} ${index * 7919}\n`))
      const path = yield* file(Buffer.concat(many), "many")
      assert.lengthOf((yield* read(path)).found, 3000)
    })
  )

  it.live("of gzip that is cut short is read as far as it goes, and that is said", () =>
    Effect.gen(function* () {
      const whole = gzipSync(Array.from({ length: 20_000 }, (_, index) => `line ${index * 7919}\n`).join(""))
      const path = yield* file(whole.subarray(0, whole.length / 2))
      const { found, isCutShort } = yield* read(path)
      assert.isTrue(isCutShort)
      assert.isAbove(found.length, 5000)
      const { searched } = yield* LogFiles.survey([path])
      assert.include(searched.notes.join(), "no proper end")
    })
  )

  it.live("that can't be read says why", () =>
    Effect.gen(function* () {
      const damaged = gzipSync("x".repeat(100_000))
      damaged.fill(0xff, 12, 40)
      const cases: ReadonlyArray<readonly [string, string]> = [
        [yield* folder, "it is a folder"],
        [join(yield* folder, "none"), "there is no such file"],
        [yield* file(damaged), "damaged"]
      ]
      for (const [path, words] of cases) {
        const error = yield* Effect.flip(read(path))
        assert.strictEqual(error._tag, "LogUnreadable")
        assert.include(error.message, path)
        assert.include(error.message, words)
      }
    })
  )

  it.live("may be empty, or a single byte", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* read(yield* file("")), { found: [], bytes: 0, lines: 0 })
      assert.deepInclude(yield* read(yield* file("x")), { found: ["x"], bytes: 1, lines: 1 })
      assert.deepInclude(yield* read(yield* file("\u001f")), { found: ["\u001f"] })
    })
  )
})

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const stranger: Logs.Owner = { traceId: Logs.trace(9), spanId: Logs.span(90), correlationId: "order-1" }
const others: ReadonlyArray<LogEvent> = [
  Logs.complete(stranger, { start: 0, duration: 1 }),
  // It speaks of the id, and does not carry it.
  Logs.log(stranger, 1, traceId)
]

describe("a search", () => {
  it.live("finds a trace in several files, of lines in any order, and no other", () =>
    Effect.gen(function* () {
      const events = Logs.twoFunctions().toReversed()
      const one = yield* file(Logs.lines([...events.slice(0, 4), ...others]))
      const two = yield* file(gzipSync(Logs.lines(events.slice(4))), "app.log.1.gz")
      const found = yield* LogFiles.find(traceId, [one, two])
      assert.deepStrictEqual(found.events, events)
      assert.deepInclude(found, { left: 0, moreTraces: 0 })
      assert.deepInclude(found.searched, { files: [one, two], lines: 11, linesAreExact: true, skipped: 0, notes: [] })
    })
  )

  it.live("by an execution finds the whole trace, also the requests that do not carry it", () =>
    Effect.gen(function* () {
      const events = Logs.twoFunctions()
      const path = yield* file(Logs.lines([...events, ...others]))
      for (const id of ["order-4711", "r-1", "65a1b2c3d4e5f6a7b8c9", "65a1b2c3d4e5f6a7b8d0"])
        assert.deepStrictEqual((yield* LogFiles.find(id, [path])).events, events, id)
    })
  )

  it.live("by a correlation finds all of its traces, and counts those that are too many", () =>
    Effect.gen(function* () {
      const events = Array.from({ length: 25 }, (_, index) =>
        Logs.complete(
          { traceId: Logs.trace(index + 1), spanId: Logs.span(index + 1), correlationId: "c" },
          { start: index, duration: 1 }
        )
      )
      const found = yield* LogFiles.find("c", [yield* file(Logs.lines(events))])
      assert.lengthOf(TraceReport.assembleAll(found.events), 20)
      assert.strictEqual(found.moreTraces, 5)
    })
  )

  it.live("keeps so many events at most, and counts the others", () =>
    Effect.gen(function* () {
      const path = yield* file(Logs.lines(Logs.twoFunctions()))
      for (const id of [traceId, "order-4711"]) {
        const found = yield* LogFiles.find(id, [path], 5)
        assert.lengthOf(found.events, 5)
        assert.strictEqual(found.left, 4)
      }
    })
  )

  it.live("of nothing says what was searched; lines that speak of an id do not carry it", () =>
    Effect.gen(function* () {
      const path = yield* file(Logs.lines(others))
      const error = yield* Effect.flip(LogFiles.find(traceId, [path]))
      assert.strictEqual(error._tag, "TraceNotFound")
      for (const words of [traceId, path, "2 lines"]) assert.include(error.message, words)
      const loud = yield* Effect.flip(LogFiles.find(traceId.toUpperCase(), [path]))
      assert.include(loud.message, "lower case")
    })
  )
})

describe("a survey", () => {
  it.live("counts the lines that are none of ours, and not the empty ones", () =>
    Effect.gen(function* () {
      const odd = `Listening on 3000\n\n  \n{"type":"OTHER"}\n[1,2]\nnull\n{"type":"LOG"`
      const path = yield* file(`${odd}\n${Logs.lines(Logs.twoFunctions())}`)
      const { overview, searched } = yield* LogFiles.survey([path])
      assert.strictEqual(searched.skipped, 5)
      assert.strictEqual(searched.lines, 16)
      assert.deepInclude(overview.events, { REQUEST_INCOMING: 2, REQUEST_COMPLETE: 1, REQUEST_ERROR: 1, LOG: 1 })
    })
  )
})
