/** From events to trees, numbers, text and pages. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { relativeError, Sketch } from "../src/internal/traces/Sketch.ts"
import { mostGroups, pathGroup } from "../src/internal/traces/Statistics.ts"
import { fit, time, unpainted, visible, widthOf } from "../src/internal/traces/Text.ts"
import { cells } from "../src/internal/traces/Waterfall.ts"
import type { LogEvent } from "../src/LogEvent.ts"
import * as LogLine from "../src/LogLine.ts"
import * as TraceReport from "../src/TraceReport.ts"
import * as Logs from "./support/Logs.ts"

const owner: Logs.Owner = { traceId: Logs.trace(7), spanId: Logs.span(1), executionId: "e1" }

/** Each row as its depth in dots and its name. */
const drawn = (trace: TraceReport.Trace) => trace.rows.map(({ depth, name }) => `${".".repeat(depth)}${name}`)

const integer = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** Events of a few spans, with parents among them, elsewhere, in circles, or none. */
const anyEvents = Arbitrary.array(
  Arbitrary.map(
    Arbitrary.array(integer(0, 12), { minLength: 4, maxLength: 4 }),
    ([kind = 0, own = 0, parent = 0, start = 0]): LogEvent => {
      const mine: Logs.Owner = {
        traceId: Logs.trace(7),
        spanId: Logs.span(own),
        ...(parent > 9 ? {} : { parentSpanId: Logs.span(parent) }),
        ...(start % 3 === 0 ? { executionId: `e${parent % 2}` } : {})
      }
      const work = { spanId: Logs.span(own), parentSpanId: Logs.span(parent), start, duration: own }
      if (kind < 3) return Logs.incoming(mine, start)
      if (kind < 6) return Logs.complete(mine, { start, duration: own })
      if (kind < 9) return Logs.database(mine, work)
      return kind < 11 ? Logs.call(mine, work) : Logs.log(mine, start, "said")
    }
  ),
  { maxLength: 40 }
)

describe("a trace", () => {
  it("is a tree over the requests that call each other, with starts before the lines were written", () => {
    const trace = TraceReport.assemble("t", Logs.twoFunctions())
    assert.deepStrictEqual(drawn(trace), [
      "create-recognition POST /recognitions",
      ".LIST users",
      ".two people are named",
      ".CREATE recognitions",
      ".functions POST /notify",
      "..notify POST /notify",
      "...mail POST /v1/send"
    ])
    assert.strictEqual(trace.startedAt, "2026-01-02T03:04:05.000Z")
    assert.deepStrictEqual(
      trace.rows.map(({ duration, status }) => [duration, status]),
      [
        [245.3, "201"],
        [18.2, "ok"],
        [null, "info"],
        [41.5, "ok"],
        [161, "500"],
        [132.4, "500"],
        [120, "error"]
      ]
    )
    // Timestamps have no fractions of a millisecond.
    for (const [index, start] of [0, 4, 24, 25, 70, 92, 100].entries())
      assert.approximately(trace.rows[index]!.start, start, 1)
    assert.deepStrictEqual(trace.counts, {
      requests: 2,
      databaseOperations: 2,
      externalCalls: 2,
      logs: 1,
      failed: 3
    })
    assert.deepStrictEqual(trace.executionIds, ["65a1b2c3d4e5f6a7b8c9", "65a1b2c3d4e5f6a7b8d0"])
  })

  it.prop(
    "is the same in whatever order its lines come, and from whatever number of files",
    [Arbitrary.array(integer(0, 1_000_000), { minLength: 9, maxLength: 9 })],
    ([keys]) => {
      const events = Logs.twoFunctions()
      const shuffled = events
        .map((event, index) => ({ event, key: keys[index]! }))
        .toSorted((left, right) => left.key - right.key)
        .map(({ event }) => event)
      assert.deepStrictEqual(TraceReport.assemble("t", shuffled).rows, TraceReport.assemble("t", events).rows)
    },
    { arbitrary: { runs: 200 } }
  )

  it("takes what was read twice once", () => {
    const events = Logs.twoFunctions().filter(({ type }) => type !== "LOG")
    assert.deepStrictEqual(
      TraceReport.assemble("t", [...events, ...events]).rows,
      TraceReport.assemble("t", events).rows
    )
  })

  it("puts work whose parent is not there below its request", () => {
    const other: Logs.Owner = { traceId: Logs.trace(7), spanId: Logs.span(2), executionId: "e2" }
    const trace = TraceReport.assemble("t", [
      Logs.complete(owner, { start: 0, duration: 100, path: "/a" }),
      Logs.complete(other, { start: 10, duration: 100, path: "/b" }),
      Logs.database(other, { spanId: Logs.span(8), parentSpanId: Logs.span(99), start: 20, duration: 1 }),
      Logs.log({ traceId: Logs.trace(7), spanId: Logs.span(77) }, 30, "of nobody")
    ])
    assert.deepStrictEqual(drawn(trace), ["POST /a", ".of nobody", "POST /b", ".CREATE recognitions"])
  })

  it("shows work without its request below one that stands for it", () => {
    const trace = TraceReport.assemble("t", [
      Logs.database(owner, { spanId: Logs.span(8), start: 20, duration: 10 }),
      Logs.call(owner, { spanId: Logs.span(9), start: 40, duration: 5 })
    ])
    assert.deepStrictEqual(
      trace.rows.map(({ depth, duration, kind }) => [depth, kind, duration]),
      [
        [0, "missing", 25],
        [1, "database", 10],
        [1, "call", 5]
      ]
    )
  })

  it("says where a request has no end", () => {
    const trace = TraceReport.assemble("t", [
      Logs.incoming(owner, 0),
      Logs.database(owner, { spanId: Logs.span(8), start: 20, duration: 10 })
    ])
    assert.strictEqual(trace.rows[0]!.status, "no end")
    assert.isNull(trace.rows[0]!.duration)
    assert.include(TraceReport.waterfall(trace, { width: 80, paint: unpainted }), "░")
  })

  it("a time that can't be read stands at the beginning", () => {
    const trace = TraceReport.assemble("t", [
      Logs.complete(owner, { start: 0, duration: 100 }),
      { ...Logs.log(owner, 0, "when?"), timestamp: "yesterday" }
    ])
    assert.strictEqual(trace.rows[1]!.start, 0)
    assert.isNull(TraceReport.assemble("t", [{ ...Logs.log(owner, 0, "when?"), timestamp: "" }]).startedAt)
  })

  it.prop(
    "shows each piece of work once, each below one that is there, even where parents go in a circle",
    [anyEvents],
    ([events]) => {
      const { rows } = TraceReport.assemble("t", events)
      const unique = new Set(
        events.flatMap((event, index) =>
          event.type === "LOG"
            ? [`log ${index}`]
            : event.type.startsWith("REQUEST")
              ? [`request ${event.spanId}`]
              : [`${event.type} ${event.spanId} ${event.timestamp}`]
        )
      )
      assert.lengthOf(
        rows.filter(({ kind }) => kind !== "missing"),
        unique.size
      )
      for (const [index, { depth, start }] of rows.entries()) {
        assert.isAtMost(depth, index === 0 ? 0 : rows[index - 1]!.depth + 1)
        assert.isAtLeast(start, 0)
      }
    },
    { arbitrary: { runs: 1000 } }
  )

  it("of 5,000 spans, each below the last, is no burden", () => {
    const events = Array.from({ length: 5000 }, (_, index) =>
      Logs.database(owner, {
        spanId: Logs.span(index + 2),
        parentSpanId: Logs.span(index + 1),
        start: index,
        duration: 6000 - index
      })
    )
    const trace = TraceReport.assemble("t", [Logs.complete(owner, { start: 0, duration: 6000 }), ...events])
    assert.strictEqual(trace.rows.at(-1)!.depth, 5000)
    const text = TraceReport.waterfall(trace, { width: 80, paint: unpainted })
    assert.isAtMost(Math.max(...text.split("\n").map(widthOf)), 80)
  })
})

const names = [
  "users",
  "中文集合名稱很長很長很長很長",
  "\u001b[31mred\u001b[0m \u202eevil\u2028line",
  "😀".repeat(30),
  "x".repeat(500)
]

describe("the waterfall", () => {
  it.prop(
    "is never wider than the terminal, and bars begin where their work does",
    [integer(20, 200), anyEvents, integer(0, names.length - 1)],
    ([width, events, name]) => {
      const named = events.map((event) =>
        event.type === "DATABASE_OPERATION" ? { ...event, collection: names[name]! } : event
      )
      const trace = TraceReport.assemble(Logs.trace(7), [
        ...named,
        Logs.failed(owner, { start: 0, duration: 9 }, { kind: "defect", tag: "Oops", message: names[name]!.repeat(3) })
      ])
      for (const line of TraceReport.waterfall(trace, { width, paint: unpainted }).split("\n")) {
        assert.isAtMost(widthOf(line), width, line)
        assert.notMatch(line, /[\p{Cc}\u202e\u2028]/u)
      }
      const edges = trace.rows
        .map((row) => ({ start: row.start, from: cells(row, trace.duration, 40)[0] }))
        .toSorted((left, right) => left.start - right.start)
      for (const [index, { from }] of edges.entries()) if (index > 0) assert.isAtLeast(from, edges[index - 1]!.from)
    },
    { arbitrary: { runs: 300 } }
  )

  it("cuts a long list, counts the rest, and still tells of what failed in it", () => {
    const failure = { kind: "failure", tag: "Late", message: "too late" } as const
    const trace = TraceReport.assemble("t", [
      Logs.complete(owner, { start: 0, duration: 1000 }),
      ...Array.from({ length: 500 }, (_, index) =>
        Logs.database(owner, {
          spanId: Logs.span(index + 2),
          start: index,
          duration: 1,
          ...(index === 450 ? { error: failure } : {})
        })
      )
    ])
    const text = TraceReport.waterfall(trace, { width: 80, paint: unpainted })
    assert.include(text, "… and 301 more rows")
    assert.include(text, "1 of them failed:")
    assert.include(text, "✗ Late: too late")
    assert.isAtMost(text.split("\n").length, 220)
  })

  it("paints what failed red, and widths do not count colours", () => {
    const trace = TraceReport.assemble("t", Logs.twoFunctions())
    const paint = (style: string, text: string) => `\u001b[1m<${style}>\u001b[0m${text}`
    const painted = TraceReport.waterfall(trace, { width: 80, paint })
    const plain = TraceReport.waterfall(trace, { width: 80, paint: unpainted })
    const unstyled = painted
      .replaceAll("\u001b[1m", "")
      .replaceAll("\u001b[0m", "")
      .replaceAll(/<[a-z]+>/g, "")
    assert.strictEqual(unstyled, plain)
    assert.match(painted, /<red>.* {6}✗ MailUnavailable/)
    assert.match(painted, /<red>.*← caused by TimeoutError/)
  })

  it("says times in three figures", () => {
    const cases: ReadonlyArray<readonly [number, string]> = [
      [0, "0 ms"],
      [0.123, "0.12 ms"],
      [9.876, "9.88 ms"],
      [12.34, "12.3 ms"],
      [245.3, "245 ms"],
      [999.6, "1 s"],
      [1234, "1.23 s"],
      [59_999, "1 min 0 s"],
      [125_000, "2 min 5 s"],
      [7_320_000, "2 h 2 min"]
    ]
    for (const [milliseconds, text] of cases) assert.strictEqual(time(milliseconds), text)
  })

  it.prop(
    "fits any text into any width",
    [Arbitrary.schema(Schema.String), integer(0, 30)],
    ([text, width]) => {
      const shown = visible(text)
      assert.isAtMost(widthOf(fit(shown, width)), width)
      if (widthOf(shown) <= width) assert.strictEqual(fit(shown, width), shown)
    },
    { arbitrary: { runs: 1000 } }
  )
})

describe("statistics", () => {
  it.prop(
    "a percentile is within 1 % of the value at its rank",
    [
      Arbitrary.array(
        Arbitrary.map(
          Arbitrary.array(integer(0, 999_999), { minLength: 2, maxLength: 2 }),
          ([digits = 0, power = 0]) =>
            // Thousandths of a millisecond, from none to hours.
            Math.round(digits * 10 ** ((power % 9) - 6) * 1000) / 1000
        ),
        { minLength: 1, maxLength: 300 }
      )
    ],
    ([values]) => {
      const sketch = new Sketch()
      for (const value of values) sketch.add(value)
      const sorted = values.toSorted((left, right) => left - right)
      for (const fraction of [0, 0.01, 0.5, 0.9, 0.99, 1]) {
        const exact = sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1]!
        assert.isAtMost(Math.abs(sketch.quantile(fraction) - exact), exact * relativeError * 1.000001)
      }
      assert.deepInclude(sketch.summary, { count: values.length, max: sorted.at(-1)! })
    },
    { arbitrary: { runs: 500 } }
  )

  it("numbers that are no durations are left out", () => {
    const sketch = new Sketch()
    for (const value of [Number.NaN, -1, Infinity]) sketch.add(value)
    assert.deepStrictEqual(sketch.summary, { count: 0, p50: 0, p90: 0, p99: 0, max: 0, sum: 0 })
  })

  it("ranks the slowest, tells of the latest failures, counts cold starts and replays", () => {
    const statistics = new TraceReport.Statistics()
    for (let index = 0; index < 100; index++) {
      const one: Logs.Owner = { traceId: Logs.trace(index), spanId: Logs.span(index), function: "f" }
      statistics.add(Logs.incoming(one, index))
      statistics.add(
        index % 5 === 0
          ? Logs.failed(one, { start: index, duration: 1 }, { kind: "failure", tag: "Late", message: `no ${index}` })
          : Logs.complete(one, { start: index, duration: index, coldStart: index < 3, replayed: index > 95 })
      )
      statistics.add(Logs.database(one, { spanId: Logs.span(1000 + index), start: index, duration: index / 2 }))
      statistics.add(Logs.call(one, { spanId: Logs.span(2000 + index), start: 0, duration: 1, statusCode: 503 }))
    }
    statistics.add(Logs.incoming(owner, 1))
    const { overview } = statistics
    assert.deepStrictEqual(
      overview.slowestRequests.map(({ duration }) => duration),
      [99, 98, 97, 96, 94, 93, 92, 91, 89, 88]
    )
    assert.strictEqual(overview.slowestRequests[0]!.traceId, Logs.trace(99))
    assert.deepStrictEqual(
      overview.latestFailures.map(({ error }) => error),
      [95, 90, 85, 80, 75, 70, 65, 60, 55, 50].map((index) => `Late: no ${index}`)
    )
    assert.deepInclude(overview, { failedRequests: 20, unfinished: 1, coldStarts: 2, replays: 4, lostLines: 0 })
    assert.strictEqual(overview.slowestWork[0]!.duration, 49.5)
    assert.deepInclude(overview.byRequest.groups[0], { name: "f POST /recognitions", count: 100, failed: 20 })
    assert.deepInclude(overview.byOperation.groups[0], { name: "CREATE recognitions", count: 100, failed: 0 })
    assert.deepInclude(overview.byService.groups[0], { name: "mail", count: 100, failed: 100, max: 1 })
    const text = TraceReport.overviewText(overview, { width: 100, paint: unpainted })
    for (const words of [Logs.trace(99), "Late: no 95", "2 cold starts", "4 replays", "1 without an end"])
      assert.include(text, words)
    for (const width of [40, 60, 80, 120])
      for (const line of TraceReport.overviewText(overview, { width, paint: unpainted }).split("\n"))
        assert.isAtMost(widthOf(line), width)
  })

  it("bounds its groups: the rest is under other, and counted", () => {
    const statistics = new TraceReport.Statistics()
    for (let index = 0; index < mostGroups + 100; index++)
      statistics.add(Logs.database(owner, { spanId: Logs.span(1), start: 0, duration: 1, collection: `c${index}` }))
    const { groups, other } = statistics.overview.byOperation
    assert.lengthOf(groups, mostGroups)
    assert.strictEqual(other?.count, 100)
  })

  it("requests for one kind of thing are one group", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["/users/42?expand=all#top", "/users/:id"],
      ["/users/65a1b2c3d4e5f6a7b8c9/mails", "/users/:id/mails"],
      ["/x/0b0ee8ef-2f0f-4a0e-9d5a-1f1d2c3b4a5e", "/x/:id"],
      ["/v1/facade", "/v1/facade"],
      ["/", "/"]
    ]
    for (const [path, group] of cases) assert.strictEqual(pathGroup(path), group)
  })
})

describe("arguments", () => {
  const sort = (...words: ReadonlyArray<string>) =>
    Result.match(
      TraceReport.sortArguments(words, (word) => word === "app.log" || word === "deadbeef"),
      { onSuccess: ({ files, id }) => [id, ...files], onFailure: ({ message }) => message }
    )

  it("what is a file is one, and the other is the id, in any order", () => {
    assert.deepStrictEqual(sort(), [undefined])
    assert.deepStrictEqual(sort("app.log"), [undefined, "app.log"])
    assert.deepStrictEqual(sort("app.log", "-", "abc", "app.log"), ["abc", "app.log", "-"])
    assert.deepStrictEqual(sort("deadbeef"), [undefined, "deadbeef"])
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert.deepStrictEqual(sort(`00-${traceId}-00f067aa0ba902b7-01`), [traceId])
  })

  it("says what is neither", () => {
    for (const word of ["logs/app.log", "missing.log", "old.log.gz", "", "two words", "x".repeat(129), '"quoted"'])
      assert.include(sort(word), `${JSON.stringify(word)} is no file that is there`)
    assert.include(sort("abc", "def"), "abc is the id already")
  })
})

const attacks = [
  `</script><script>alert(1)</script>`,
  `</style><img src=x onerror=alert(1)>`,
  `" onfocus="alert(1)" x="`,
  `' onfocus='alert(1)`,
  "<!--<script>",
  "]]>",
  "&lt;b&gt;",
  "line\u2028separator\u2029paragraph",
  "\u202eright to left",
  "nul\u0000byte"
]

describe("the page", () => {
  for (const attack of attacks)
    it(`lets ${JSON.stringify(attack)} be nothing but text, wherever it stands`, () => {
      const bad: Logs.Owner = {
        traceId: Logs.trace(7),
        spanId: attack,
        function: attack,
        correlationId: attack,
        requestId: attack,
        executionId: attack
      }
      const error = {
        kind: "failure",
        tag: attack,
        message: attack,
        stack: attack,
        fields: { [attack]: attack },
        causes: [{ tag: attack, message: attack }]
      } as const
      const events = [
        Logs.incoming(bad, 0, attack, attack),
        Logs.database(bad, { spanId: attack, start: 1, duration: 1, operation: attack, collection: attack, error }),
        Logs.call(bad, { spanId: Logs.span(3), start: 2, duration: 1, service: attack, path: attack }),
        { ...Logs.log(bad, 3, attack), data: { [attack]: attack } },
        Logs.failed(bad, { start: 0, duration: 9, method: attack, path: attack }, error)
      ]
      // What is attacked is what comes back from a line.
      const read = events.map((event) => Result.getOrThrow(LogLine.parse(LogLine.format(event))))
      const statistics = new TraceReport.Statistics()
      for (const event of read) statistics.add(event)
      for (const page of [
        TraceReport.waterfallPage([TraceReport.assemble(attack, read)]),
        TraceReport.waterfallPage([TraceReport.assemble(attack, read), TraceReport.assemble(attack, read)]),
        TraceReport.overviewPage(statistics.overview)
      ]) {
        assert.lengthOf(page.match(/<script/gi) ?? [], 2)
        assert.lengthOf(page.match(/<\/script/gi) ?? [], 2)
        assert.lengthOf(page.match(/<\/style/gi) ?? [], 1)
        assert.notMatch(page.replaceAll("\n", ""), /[\p{Cc}\u2028\u2029\u202e]/u)
        const [, data = ""] = /<script type="application\/json" id="data">([^<]*)<\/script>/.exec(page) ?? []
        assert.doesNotThrow(() => JSON.parse(data) as unknown)
        assert.notMatch(page.replace(data, ""), /<img|<!--|\son\w+=["']/i)
      }
    })

  it("allows its own script and style by their hashes, and nothing else", () => {
    const page = TraceReport.waterfallPage([TraceReport.assemble("t", Logs.twoFunctions())])
    const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []
    const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`
    const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    const [, script = ""] = /<script>([\s\S]*?)<\/script>/.exec(page) ?? []
    assert.strictEqual(
      policy,
      `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`
    )
    assert.notMatch(page, /https?:|url\(|@import|\bsrc=|\bstyle=|<link/)
  })
})
