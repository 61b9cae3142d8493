/** The processes of a race as its parent has them: what they print, and their stops, which it ends. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import type { Told } from "./ledger.ts"
import type { Order, Settings } from "./process.ts"

const program = new URL("process.ts", import.meta.url).pathname

export interface Processes {
  readonly order: (order: Order) => void
  /** Waits until `look` answers true, which is asked whenever something happens, for so long at most. */
  readonly until: (look: () => boolean, milliseconds: number) => Promise<void>
  /** Whether one of them is stopped. */
  readonly isStopped: () => boolean
  readonly end: () => Promise<void>
}

export const start = async (
  all: ReadonlyArray<Settings>,
  hear: (told: Told, settings: Settings) => void
): Promise<Processes> => {
  const listeners = new Set<() => void>()
  const stopped = new Set<ChildProcess>()
  const wake = () => {
    for (const listener of listeners) listener()
  }
  let ready = 0
  const until: Processes["until"] = (look, milliseconds) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        listeners.delete(listener)
        resolve()
      }
      const listener = () => {
        if (look()) done()
      }
      const timer = setTimeout(done, milliseconds)
      listeners.add(listener)
      listener()
    })
  const children = all.map((settings) => {
    const child = spawn(process.execPath, ["--conditions=source", program, JSON.stringify(settings)], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    // Killed with the script at the latest; a stopped process too.
    process.on("exit", () => child.kill("SIGKILL"))
    createInterface({ input: child.stdout }).on("line", (line) => {
      const told: Told = JSON.parse(line)
      if (told.mark === "ready") ready++
      if (told.mark === "stopping") {
        stopped.add(child)
        setTimeout(() => {
          stopped.delete(child)
          child.kill("SIGCONT")
          wake()
        }, told.milliseconds)
      }
      hear(told, settings)
      wake()
    })
    child.on("exit", wake)
    return child
  })
  await until(() => ready === all.length || children.some(({ exitCode }) => exitCode !== null), 30_000)
  return {
    order: (order) => {
      for (const child of children) child.stdin.write(`${JSON.stringify(order)}\n`)
    },
    until,
    isStopped: () => stopped.size > 0,
    end: async () => {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        const gone = once(child, "exit")
        child.kill("SIGKILL")
        await gone
      }
    }
  }
}
