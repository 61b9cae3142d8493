/** `src/programs/trace.ts` as a child process: what it shows, says and ends with. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { widthOf } from "../../src/internal/traces/Text.ts"
import * as Logs from "../support/Logs.ts"

const root = join(import.meta.dirname, "../..")
const program = join(root, "src/programs/trace.ts")
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"

interface Options {
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
}
interface Answer {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

const run = (home: string, words: ReadonlyArray<string>, { env = {}, input = "" }: Options = {}) =>
  Effect.promise(
    () =>
      new Promise<Answer>((resolve) => {
        const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env
        const child = spawn(process.execPath, [program, ...words], { env: { ...inherited, ...env }, cwd: home })
        let [out, errors] = ["", ""]
        child.stdout.on("data", (data) => (out += data))
        child.stderr.on("data", (data) => (errors += data))
        child.on("close", (code) => resolve({ code, out, errors }))
        child.stdin.on("error", () => {}).end(input)
      })
  )

/** A folder with the log of two functions that call each other. */
const home = Effect.acquireRelease(
  Effect.sync(() => {
    const made = mkdtempSync(join(tmpdir(), "holdfast-trace-"))
    writeFileSync(join(made, "app.log"), `Listening on 3000\n${Logs.lines(Logs.twoFunctions())}`)
    return made
  }),
  (made) => Effect.sync(() => rmSync(made, { recursive: true }))
)

const escape = "\u001b"

describe("src/programs/trace.ts", () => {
  it.live("shows the waterfall that docs/trace.md shows, in 80 columns and without colours when piped", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const page = readFileSync(join(root, "docs/trace.md"), "utf8")
      const waterfall = yield* run(folder, [traceId, "app.log"])
      assert.strictEqual(waterfall.code, 0, waterfall.errors)
      assert.strictEqual(waterfall.errors, "")
      const overview = yield* run(folder, ["app.log"])
      assert.strictEqual(overview.code, 0)
      assert.strictEqual(overview.errors, "skipped 1 line that is no line of holdfast's log\n")
      for (const { out } of [waterfall, overview]) {
        assert.include(page, out.trimEnd())
        assert.notInclude(out, escape)
        for (const line of out.split("\n")) assert.isAtMost(widthOf(line), 80)
      }
    })
  )

  it.live("does not write a page over a log that it reads", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const log = readFileSync(join(folder, "app.log"), "utf8")
      symlinkSync("app.log", join(folder, "other.log"))
      for (const out of ["app.log", "./app.log", "other.log"]) {
        const refused = yield* run(folder, ["app.log", "--html", out])
        assert.strictEqual(refused.code, 2)
        assert.include(refused.errors, "one of the logs that are read")
      }
      assert.strictEqual(readFileSync(join(folder, "app.log"), "utf8"), log)
    })
  )

  it.live("leaves with a reader that has enough", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const shell = `"$0" "$1" app.log --json | head -c 10; exit "\${PIPESTATUS[0]}"`
      const ended = yield* Effect.promise(
        () =>
          new Promise<Answer>((resolve) => {
            const child = spawn("bash", ["-c", shell, process.execPath, program], { cwd: folder })
            let [out, errors] = ["", ""]
            child.stdout.on("data", (data) => (out += data))
            child.stderr.on("data", (data) => (errors += data))
            child.on("close", (code) => resolve({ code, out, errors }))
          })
      )
      assert.strictEqual(ended.code, 0, ended.errors)
      assert.notInclude(ended.errors, "EPIPE")
    })
  )

  it.live("reads standard input, plain and gzip, and several files in any order of words", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const log = readFileSync(join(folder, "app.log"))
      const shown = (yield* run(folder, [traceId, "app.log"])).out
      writeFileSync(join(folder, "early"), gzipSync(Logs.lines(Logs.twoFunctions().slice(0, 4))))
      writeFileSync(join(folder, "late"), Logs.lines(Logs.twoFunctions().slice(4)))
      const runs: ReadonlyArray<readonly [ReadonlyArray<string>, Options]> = [
        [[traceId], { input: log }],
        [[traceId, "-"], { input: gzipSync(log) }],
        [["late", traceId, "early"], {}],
        [["order-4711", "app.log"], {}],
        [["65a1b2c3d4e5f6a7b8d0", "app.log"], {}]
      ]
      for (const [words, options] of runs) {
        const answer = yield* run(folder, words, options)
        assert.strictEqual(answer.code, 0, answer.errors)
        assert.strictEqual(answer.out, shown, words.join(" "))
      }
      const piped = yield* run(folder, ["order-4711"], { input: log })
      assert.include(piped.errors, "read once")
    })
  )

  it.live("colours where it is told to, and never under NO_COLOR", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const coloured = yield* run(folder, [traceId, "app.log"], { env: { FORCE_COLOR: "1" } })
      assert.include(coloured.out, `${escape}[31m`)
      const plain = yield* run(folder, [traceId, "app.log"], { env: { NO_COLOR: "1" } })
      assert.notInclude(plain.out, escape)
    })
  )

  it.live("--json is one document, of a trace and of the overview", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const one = yield* run(folder, [traceId, "app.log", "--json"])
      const document = JSON.parse(one.out)
      assert.deepInclude(document, { version: 1, command: "trace", success: true, id: traceId, html: null })
      assert.lengthOf(document.traces, 1)
      assert.lengthOf(document.traces[0].rows, 7)
      assert.strictEqual(document.traces[0].rows[5].error.tag, "MailUnavailable")
      assert.deepInclude(document.searched, { files: ["app.log"], lines: 10, linesAreExact: true, skipped: 0 })
      const all = yield* run(folder, ["--json", "app.log"])
      const { overview, searched } = JSON.parse(all.out)
      assert.strictEqual(overview.slowestRequests[0].traceId, traceId)
      assert.strictEqual(searched.skipped, 1)
    })
  )

  it.live("--html replaces the page as a whole, and leaves nothing beside it", () =>
    Effect.gen(function* () {
      const folder = yield* home
      writeFileSync(join(folder, "out.html"), "old")
      const written = yield* run(folder, [traceId, "app.log", "--html", "out.html"])
      assert.strictEqual(written.code, 0, written.errors)
      assert.strictEqual(written.out, "wrote out.html\n")
      const page = readFileSync(join(folder, "out.html"), "utf8")
      assert.match(page, /^<!doctype html>[\s\S]*MailUnavailable[\s\S]*<\/html>\n$/)
      const overview = yield* run(folder, ["app.log", "--html", "out.html", "--json"])
      assert.strictEqual(JSON.parse(overview.out).html, "out.html")
      assert.include(readFileSync(join(folder, "out.html"), "utf8"), "Slowest requests")
      assert.deepStrictEqual(readdirSync(folder).toSorted(), ["app.log", "out.html"])
    })
  )

  it.live("says what is wrong, and ends with its code", () =>
    Effect.gen(function* () {
      const folder = yield* home
      mkdirSync(join(folder, "logs"))
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, number, string, string]> = [
        [["nobody", "app.log"], 1, "TraceNotFound", "Searched: app.log: 10 lines"],
        [["nobody"], 1, "TraceNotFound", "standard input: 0 lines"],
        [["missing.log"], 2, "ArgumentUnclear", "no file that is there"],
        [["a", "b", "app.log"], 2, "ArgumentUnclear", "a is the id already"],
        [["a", "logs"], 2, "LogUnreadable", "it is a folder"],
        [[traceId, "app.log", "--html", "none/out.html"], 2, "PageNotWritten", "none/out.html"],
        [[traceId, "app.log", "--html", "logs"], 2, "PageNotWritten", "logs"]
      ]
      for (const [words, code, tag, says] of cases) {
        const plain = yield* run(folder, words)
        assert.strictEqual(plain.code, code, words.join(" "))
        assert.include(plain.errors, says)
        assert.strictEqual(plain.out, "")
        const { error, success } = JSON.parse((yield* run(folder, [...words, "--json"])).out)
        assert.isFalse(success)
        assert.strictEqual(error._tag, tag)
      }
      const unknown = yield* run(folder, ["--waterfall"])
      assert.strictEqual(unknown.code, 2)
      assert.include(unknown.errors, "--waterfall")
    })
  )

  it.live("a log can't move the terminal's cursor", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const evil = `${escape}[2J${escape}]0;owned\u0007`
      const owner: Logs.Owner = { traceId: Logs.trace(1), spanId: Logs.span(1), function: evil, correlationId: evil }
      const lines = [Logs.complete(owner, { start: 0, duration: 1, path: evil }), Logs.log(owner, 0, evil)]
      const input = Logs.lines(lines)
      for (const words of [[Logs.trace(1)], []]) {
        const { code, out } = yield* run(folder, words, { input })
        assert.strictEqual(code, 0)
        assert.notMatch(out.replaceAll("\n", ""), /\p{Cc}/u)
      }
    })
  )
})
