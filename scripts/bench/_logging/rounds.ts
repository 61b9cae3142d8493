/** Processes, one for each subject, that have their turns in an order which chance mixes anew in each round. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, openSync } from "node:fs"
import { median } from "../_idempotency/rounds.ts"
import type { Name } from "./subjects.ts"
import type { Answer, Asked, Measured } from "./worker.ts"

const program = new URL("worker.ts", import.meta.url).pathname

/** Its standard output goes to the same place as its lines. */
export const begin = (name: Name, to: string): ChildProcess => {
  const output = openSync(to, "a")
  const child = spawn(process.execPath, ["--conditions=source", "--expose-gc", program, name, to], {
    stdio: ["ignore", output, "inherit", "ipc"]
  })
  closeSync(output)
  return child
}

export const ask = async <A extends Answer>(child: ChildProcess, asked: Asked): Promise<A> => {
  const ended = new AbortController()
  child.send(asked)
  const answer = await Promise.race([
    once(child, "message", { signal: ended.signal }),
    once(child, "exit", { signal: ended.signal }).then(() => {
      throw new Error(`${child.spawnargs.slice(3).join(" ")} has ended by itself`)
    })
  ])
  ended.abort()
  return (answer as [A])[0]
}

export const end = async (child: ChildProcess): Promise<void> => {
  const ended = once(child, "exit")
  child.disconnect()
  await ended
}

/** Of one subject, in microseconds a line. */
export interface Figures {
  /** The median of each round's chunks, by the clock. */
  readonly rounds: Array<number>
  /** The same, of the processor: all threads together. */
  readonly cpu: Array<number>
  /** Every chunk. */
  readonly all: Array<number>
}
export type Table = ReadonlyMap<Name, Figures>

export interface Measuring {
  readonly rounds: number
  /** How often each has its turn in a round, chunks in a turn, lines in a chunk. */
  readonly turns: number
  readonly chunks: number
  readonly lines: number
}

const shuffled = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> =>
  values
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((left, right) => left.at - right.at)
    .map(({ value }) => value)

/** Two rounds more come first, and do not count. */
export const measure = async (
  names: ReadonlyArray<Name>,
  placeOf: (name: Name) => string,
  { chunks, lines, rounds, turns }: Measuring
): Promise<Table> => {
  const children = new Map(names.map((name) => [name, begin(name, placeOf(name))]))
  const table = new Map<Name, Figures>(names.map((name) => [name, { rounds: [], cpu: [], all: [] }]))
  for (let round = -2; round < rounds; round++) {
    const found = new Map<Name, Array<Measured>>(names.map((name) => [name, []]))
    for (const name of shuffled(Array.from({ length: turns }, () => names).flat()))
      found.get(name)!.push(await ask<Measured>(children.get(name)!, { kind: "measure", chunks, lines }))
    if (round < 0) continue
    for (const [name, measured] of found) {
      const figures = table.get(name)!
      const wall = measured.flatMap((one) => one.wall)
      figures.rounds.push(median(wall))
      figures.cpu.push(median(measured.flatMap((one) => one.cpu)))
      figures.all.push(...wall)
    }
  }
  for (const child of children.values()) await end(child)
  return table
}

/** The median over the rounds of a subject's figure by another's in the same round. */
export const ratio = (table: Table, own: Name, other: Name, of: "rounds" | "cpu"): number => {
  const floor = table.get(other)![of]
  return median(table.get(own)![of].map((figure, round) => figure / floor[round]!))
}
