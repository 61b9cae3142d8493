/** A headless Chromium without a network, for pages that must not need one. Nothing here knows vitest. */
import { existsSync } from "node:fs"
import { type Browser, chromium } from "playwright-core"

const program = "/usr/bin/chromium"

/** Whether there is one on this machine. */
export const isInstalled: boolean = existsSync(program)

/** What makes it be there. */
export const install = "apt-get install -y chromium"

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: program,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync"
    ]
  })
