/** The emulator as a child of a script, on a free port of the loopback; killed with the script at the latest. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"

const program = new URL("../src/programs/emulator.ts", import.meta.url).pathname

export interface Emulator {
  readonly process: ChildProcess
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  /** Answers when the process is gone. */
  readonly stop: (signal: NodeJS.Signals) => Promise<void>
}

export const start = async (flags: ReadonlyArray<string>, node: ReadonlyArray<string> = []): Promise<Emulator> => {
  const child = spawn(process.execPath, [...node, program, "--port", "0", "--json", ...flags], {
    stdio: ["ignore", "pipe", "inherit", "ipc"]
  })
  const ended = once(child, "exit")
  const kill = () => child.kill("SIGKILL")
  process.on("exit", kill)
  for await (const line of createInterface({ input: child.stdout! })) {
    const { endpoint, key, project }: { endpoint: string; key: string; project: string } = JSON.parse(line)
    return {
      process: child,
      endpoint,
      headers: { "x-appwrite-project": project, "x-appwrite-key": key },
      stop: async (signal) => {
        child.kill(signal)
        await ended
        process.off("exit", kill)
      }
    }
  }
  throw new Error("the emulator ended before it listened")
}

/** Numbers from 0 to 1, the same for the same seed. Source: Mulberry32, Tommy Ettinger. */
export const random = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}
