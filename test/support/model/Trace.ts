/** How a violation comes about, in words: a move a line, and the store behind it. */
import { encoding } from "./Encoding.ts"
import type { Found } from "./Explore.ts"
import { moves } from "./Moves.ts"
import { holdsInAll } from "./Promises.ts"
import type { Configuration, Slot, World } from "./World.ts"
import { beginnings, modelOf } from "./World.ts"

/** A, B, C in place of processes; the same letters, small, in the order of claims for nonces. */
const letters = "ABCDEFGHIJ"
const nonce = (value: string): string => String.fromCodePoint(96 + value.codePointAt(0)!)

const slotText = ({ expiresAt, generation, kind, leaseExpiresAt, owner, slot }: Slot, now: number): string =>
  `${slot}:${kind} ${nonce(generation)}/${nonce(owner)} lease ${leaseExpiresAt - now} end ${expiresAt - now}`

const storeText = ({ now, rows }: World): string =>
  rows.length === 0
    ? "nothing"
    : rows
        .toSorted((one, other) => one.slot - other.slot)
        .map((row) => slotText(row, now))
        .join(", ")

/** Lines; nonces are renamed in every world, times are relative to now. */
export const trace = (configuration: Configuration, found: Found): ReadonlyArray<string> => {
  const model = modelOf(configuration)
  const code = encoding(configuration)
  const lines: Array<string> = []
  let world = beginnings(configuration)[found.beginning]!
  let names = world.processes.map((_, index) => letters[index]!)
  const settle = (given: World): World => {
    code.encode(given)
    const before = names
    names = [...code.order].map((from) => before[from]!)
    return code.decode(code.bytes, 0)
  }
  if (configuration.clocks.length > 1 || world.processes.some(({ clock }) => clock > 0))
    lines.push(`clocks ahead by: ${world.processes.map(({ clock }, index) => `${names[index]} ${clock}`).join(", ")}`)
  world = settle(world)
  for (const choice of found.choices) {
    let at = 0
    let next: World | undefined
    moves(model, world, (after, process, what) => {
      if (at++ !== choice) return
      next = after
      lines.push(`${process === -1 ? "-" : names[process]} ${what()}`)
    })
    if (next === undefined) return [...lines, "no such move"]
    const end = `${lines.pop()}  [${storeText(next)}]`
    lines.push(end)
    world = settle(next)
    if (model.violation === undefined) holdsInAll(model, world)
  }
  return [...lines, `${found.violation.invariant}: ${found.violation.what}`]
}
