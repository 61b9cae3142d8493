/** Lines that were handed over, and are in no file once the process was killed. */
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { begin } from "./rounds.ts"
import type { Name } from "./subjects.ts"
import type { Asked } from "./worker.ts"

export type Signal = "SIGKILL" | "SIGTERM"

/** So many lines are written at least before the signal comes, and for so many milliseconds more at most. */
const least = 1500
const patience = 80

const handedOver = (counter: string): number => {
  const bytes = readFileSync(counter)
  return bytes.length < 8 ? 0 : bytes.readDoubleLE()
}

const isWhole = (line: string): boolean => {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

const killedOnce = async (name: Name, signal: Signal, folder: string, trial: number): Promise<number> => {
  const place = join(folder, `${signal}-${trial}-${name.replaceAll(/\W/g, "-")}`)
  const counter = `${place}.counter`
  writeFileSync(place, "")
  writeFileSync(counter, "")
  const child = begin(name, place)
  const exited = once(child, "exit")
  child.send({ kind: "number", counter } satisfies Asked)
  while (handedOver(counter) < least) await setTimeout(2)
  await setTimeout(Math.random() * patience)
  child.kill(signal)
  await exited
  const handed = handedOver(counter)
  const found = new Set<number>()
  for (const line of readFileSync(place, "utf8").split("\n")) {
    const number = /"line (\d+) of many"/.exec(line)?.[1]
    if (number !== undefined && isWhole(line)) found.add(Number(number))
  }
  let lost = 0
  for (let number = 1; number <= handed; number++) if (!found.has(number)) lost++
  return lost
}

/** Of each trial. */
export const lost = async (name: Name, signal: Signal, folder: string, trials: number) => {
  const counts: Array<number> = []
  for (let trial = 0; trial < trials; trial++) counts.push(await killedOnce(name, signal, folder, trial))
  return counts
}
