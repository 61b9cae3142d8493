/** The pages of `trace --html` in a browser that has no network. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Browser, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import type { LogEvent } from "../../src/LogEvent.ts"
import * as TraceReport from "../../src/TraceReport.ts"
import * as Chromium from "../support/Chromium.ts"
import * as Logs from "../support/Logs.ts"
import { skipped } from "../support/skipped.ts"

const root = join(import.meta.dirname, "../..")
const program = join(root, "src/programs/trace.ts")
const screenshots = join(root, ".data/screenshots")

const traceId = Logs.trace(0xabc)
const owner: Logs.Owner = { traceId, spanId: Logs.span(1), function: "import", correlationId: "order-1" }

/** A request with so many pieces of work, some inside others, one of which fails. */
const events = (count: number): ReadonlyArray<LogEvent> => [
  Logs.incoming(owner, 0),
  ...Array.from({ length: count - 2 }, (_, index): LogEvent => {
    const spanId = Logs.span(index + 2)
    const start = (index * 7919) % (count * 10)
    const error = { kind: "failure", tag: "Refused", message: "too many at once" } as const
    if (index % 10 === 9) return Logs.log(owner, start, `line ${index}`)
    const parentSpanId = index % 10 === 5 ? Logs.span(index + 1) : owner.spanId
    const work = { spanId, parentSpanId, start, duration: 5 + (index % 37), ...(index === 33 ? { error } : {}) }
    return index % 3 === 0 ? Logs.call(owner, work) : Logs.database(owner, work)
  }),
  Logs.complete(owner, { start: 0, duration: count * 10 + 50 })
]

const pages = () => {
  let folder = ""
  let browser: Browser | undefined
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-page-"))
    mkdirSync(screenshots, { recursive: true })
    browser = await Chromium.launch()
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true })
  })

  /** Made by the program. */
  const written = (name: string, log: ReadonlyArray<LogEvent>, ...words: ReadonlyArray<string>): string => {
    writeFileSync(join(folder, `${name}.log`), Logs.lines(log))
    const out = join(folder, `${name}.html`)
    const child = spawnSync(process.execPath, [program, ...words, join(folder, `${name}.log`), "--html", out], {
      encoding: "utf8"
    })
    assert.strictEqual(child.status, 0, child.stderr)
    return out
  }

  /** Opens it without a network; what it asked for, said or was refused is looked at in the end. */
  const open = async (file: string, scheme: "light" | "dark", body: (page: Page) => Promise<void>): Promise<void> => {
    const context = await browser!.newContext({ colorScheme: scheme, viewport: { width: 1200, height: 800 } })
    try {
      await context.setOffline(true)
      const page = await context.newPage()
      const asked: Array<string> = []
      const said: Array<string> = []
      page.on("request", (request) => asked.push(request.url()))
      page.on("console", (message) => said.push(message.text()))
      page.on("pageerror", (error) => said.push(String(error)))
      page.on("dialog", (dialog) => {
        said.push(dialog.message())
        void dialog.dismiss()
      })
      const url = pathToFileURL(file).href
      await page.goto(url)
      await body(page)
      assert.deepStrictEqual(asked, [url])
      assert.deepStrictEqual(said, [])
    } finally {
      await context.close()
    }
  }
  return { folder: () => folder, written, open }
}

/** Of each text and each bar: the least contrast with what is behind it. Source: WCAG 2.2, relative luminance. */
const contrasts = (page: Page): Promise<{ readonly text: number; readonly bar: number; readonly count: number }> =>
  page.evaluate(`(() => {
    const numbers = (color) => (color.match(/[0-9.]+/g) || []).map(Number)
    const luminance = (color) => {
      const [r, g, b] = numbers(color).slice(0, 3).map((value) => {
        const share = value / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const contrast = (one, other) => {
      const [dark, light] = [luminance(one), luminance(other)].sort((left, right) => left - right)
      return (light + 0.05) / (dark + 0.05)
    }
    const behind = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor
        if (numbers(color)[3] !== 0) return color
      }
      return "rgb(255, 255, 255)"
    }
    let [text, bar, count] = [Infinity, Infinity, 0]
    for (const element of document.body.querySelectorAll("*")) {
      if (element.closest("script, .unseen") !== null) continue
      const style = getComputedStyle(element)
      if (element.tagName === "rect") bar = Math.min(bar, contrast(style.fill, behind(element)))
      else if ([...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "")) {
        count++
        text = Math.min(text, contrast(element.closest("svg") === null ? style.color : style.fill, behind(element)))
      }
    }
    return { text, bar, count }
  })()`)

const focused = (page: Page): Promise<string> => page.evaluate("document.activeElement.id")

describe.skipIf(!Chromium.isInstalled)("the page of a trace", () => {
  const { folder, open, written } = pages()

  for (const scheme of ["light", "dark"] as const)
    it(`of 500 events is drawn in ${scheme}, with contrast, and bars begin in the order of their starts`, async () => {
      const file = written("many", events(500), traceId)
      const { rows } = TraceReport.assemble(traceId, events(500))
      await open(file, scheme, async (page) => {
        const screenshot = join(screenshots, `trace-${scheme}.png`)
        await page.locator("tbody tr").nth(1).click()
        await page.screenshot({ path: screenshot })
        console.log(`screenshot: ${screenshot}`)
        const edges: ReadonlyArray<{ readonly id: string; readonly left: number; readonly right: number }> =
          await page.evaluate(`[...document.querySelectorAll("tbody tr:not(.detail)")].map((row) => {
            const { left, right } = row.querySelector("rect").getBoundingClientRect()
            return { id: row.id, left, right }
          })`)
        assert.lengthOf(edges, rows.length)
        const byStart = edges
          .map((edge, index) => ({ ...edge, ...rows[index]! }))
          .toSorted((left, right) => left.start - right.start)
        for (const [index, { left, right }] of byStart.entries()) {
          if (index > 0) assert.isAtLeast(left, byStart[index - 1]!.left - 0.01)
          assert.isAtLeast(right, left)
        }
        // In proportion: the row that takes most is as wide as the axis.
        const axis = edges[0]!.right - edges[0]!.left
        const longest = byStart.find(({ duration, kind }) => kind === "database" && duration === 40)!
        assert.approximately(longest.right - longest.left, (axis * 40) / 5050, 2)
        const seen = await contrasts(page)
        assert.isAbove(seen.count, 1500)
        assert.isAtLeast(seen.text, 4.5)
        assert.isAtLeast(seen.bar, 3)
        const ground = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor")
        assert.strictEqual(ground, scheme === "light" ? "rgb(255, 255, 255)" : "rgb(20, 23, 26)")
      })
    })

  it("is walked through and opened by keys, and the focus is seen", async () => {
    await open(written("keys", events(60), traceId), "light", async (page) => {
      await page.keyboard.press("Tab")
      assert.strictEqual(await focused(page), "r0-0")
      const outline: string = await page.evaluate("getComputedStyle(document.activeElement).outline")
      assert.match(outline, /solid 3px|3px solid/)
      await page.keyboard.press("ArrowDown")
      await page.keyboard.press("ArrowDown")
      assert.strictEqual(await focused(page), "r0-2")
      await page.keyboard.press("ArrowUp")
      assert.strictEqual(await focused(page), "r0-1")
      await page.keyboard.press("End")
      assert.match(await focused(page), /^r0-\d\d$/)
      await page.keyboard.press("Home")
      assert.strictEqual(await focused(page), "r0-0")

      const first = page.locator("#r0-0")
      await page.keyboard.press("Enter")
      assert.strictEqual(await first.getAttribute("aria-details"), "r0-0-detail")
      const details = await page.locator("#r0-0-detail").innerText()
      for (const words of ["status", "201", "correlationId", "order-1", Logs.span(1)]) assert.include(details, words)
      assert.include(await page.locator("#said").textContent(), "order-1")
      await page.keyboard.press("Escape")
      assert.strictEqual(await page.locator(".detail").count(), 0)

      await page.keyboard.press("ArrowLeft")
      assert.strictEqual(await first.getAttribute("aria-expanded"), "false")
      assert.strictEqual(await page.locator("tbody tr:visible").count(), 1)
      await page.keyboard.press("ArrowDown")
      assert.strictEqual(await focused(page), "r0-0")
      await page.keyboard.press("ArrowRight")
      assert.strictEqual(await first.getAttribute("aria-expanded"), "true")
      await page.keyboard.press("ArrowRight")
      assert.strictEqual(await focused(page), "r0-1")
      await page.keyboard.press("ArrowLeft")
      assert.strictEqual(await focused(page), "r0-0")
      // The table is one stop of the Tab key.
      await page.keyboard.press("Shift+Tab")
      assert.strictEqual(await page.locator("tr[tabindex='0']").count(), 1)
    })
  })

  it("tells a screen reader what it shows", async () => {
    await open(written("told", events(60), traceId), "light", async (page) => {
      const grid = page.getByRole("treegrid", { name: `Trace ${traceId}` })
      assert.strictEqual(await grid.count(), 1)
      assert.deepStrictEqual(
        await grid
          .getByRole("columnheader")
          .allTextContents()
          .then((all) => all.map((one) => one.slice(0, 8))),
        ["Name", "Time0 ms", "Start", "Duration", "Status"]
      )
      assert.strictEqual(await grid.getByRole("row").count(), 60)
      assert.strictEqual(await grid.getByRole("row", { level: 1 }).count(), 1)
      assert.isAbove(await grid.getByRole("row", { level: 3 }).count(), 2)
      assert.strictEqual(await grid.getByRole("rowheader", { name: "import POST /recognitions" }).count(), 1)
      assert.strictEqual(await grid.getByRole("img", { name: "from 0 ms, 650 ms long" }).count(), 1)
      assert.strictEqual(await page.getByText("Refused: too many at once").count(), 1)
    })
  })

  it("runs nothing that a log says", async () => {
    const attack = `</script><script>alert(1)</script><img src=x onerror=alert(2)>" onfocus="alert(3)" x='\u2028`
    const bad: Logs.Owner = { ...owner, function: attack, correlationId: attack }
    const error = { kind: "failure", tag: attack, message: attack, stack: attack } as const
    const log = [
      Logs.failed(bad, { start: 0, duration: 10, path: attack }, error),
      Logs.database(bad, { spanId: Logs.span(2), start: 1, duration: 1, collection: attack }),
      { ...Logs.log(bad, 2, attack), data: { [attack]: attack } }
    ]
    await open(written("attack", log, traceId), "light", async (page) => {
      for (let row = 0; row < 3; row++) {
        await page.locator(`#r0-${row}`).focus()
        await page.keyboard.press("Enter")
      }
      assert.strictEqual(await page.locator(".detail").count(), 3)
      assert.strictEqual(await page.locator("img, script:not(#data)").count(), 1)
      assert.include(await page.locator("#r0-0-detail").innerText(), "<img src=x onerror=alert(2)>")
    })
    await open(written("attacks", log), "dark", async (page) => {
      assert.strictEqual(await page.locator("img").count(), 0)
      assert.include(await page.locator("main").innerText(), "<img src=x onerror=alert(2)>")
    })
  })

  it("refuses a script that somebody put into it", async () => {
    const file = join(folder(), "put.html")
    const page = TraceReport.waterfallPage([TraceReport.assemble(traceId, events(10))])
    writeFileSync(file, page.replace("</main>", "</main><script>document.title = 'owned'</script>"))
    const context = await Chromium.launch()
    try {
      const tab = await context.newPage()
      await tab.goto(pathToFileURL(file).href)
      assert.strictEqual(await tab.title(), `Trace ${traceId}`)
    } finally {
      await context.close()
    }
  })

  it("of 5,000 events opens, moves and folds without freezing", async () => {
    const file = written("huge", events(5000), traceId)
    await open(file, "light", async (page) => {
      const elapsed: { readonly move: number; readonly open: number; readonly fold: number } =
        await page.evaluate(`(() => {
        const press = (key) => {
          const started = performance.now()
          document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }))
          document.body.getBoundingClientRect()
          return performance.now() - started
        }
        document.querySelector("tr[tabindex='0']").focus()
        const move = Math.max(...Array.from({ length: 20 }, () => press("ArrowDown")))
        const open = press("Enter")
        press("Home")
        return { move, open, fold: press("ArrowLeft") }
      })()`)
      console.log(
        `5,000 events: a row down ${Math.round(elapsed.move)} ms, details ${Math.round(elapsed.open)} ms, folding ${Math.round(elapsed.fold)} ms`
      )
      assert.isBelow(elapsed.move, 1000)
      assert.isBelow(elapsed.open, 1000)
      assert.isBelow(elapsed.fold, 3000)
      assert.strictEqual(await page.locator("tbody tr:visible").count(), 1)
    })
  })

  it("of the overview has tables with captions and heads", async () => {
    await open(written("overview", events(200)), "dark", async (page) => {
      const screenshot = join(screenshots, "overview-dark.png")
      await page.screenshot({ path: screenshot, fullPage: true })
      console.log(`screenshot: ${screenshot}`)
      for (const name of ["Slowest requests", "Requests", "Database operations", "External calls by service"])
        assert.strictEqual(await page.getByRole("table", { name, exact: true }).count(), 1, name)
      const seen = await contrasts(page)
      assert.isAtLeast(seen.text, 4.5)
    })
  })
})

if (!Chromium.isInstalled) skipped("The pages of the log viewer in a browser", "chromium", Chromium.install)
