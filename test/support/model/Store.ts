/** What lands in the store, by the rules of `EpochLog`, and what is judged there: I1, I5, I8. */
import * as EpochLog from "../../../src/EpochLog.ts"
import type { Chain } from "../../../src/EpochLog.ts"
import type { Content, Flight, Ghost, Model, Slot, World } from "./World.ts"
import { nobody, violate } from "./World.ts"

/** The world after a write to the store. */
const withRows = (world: World, rows: ReadonlyArray<Slot>, ghost: Ghost): World => ({
  ...world,
  rows,
  before: world.faults.old > 0 ? world.rows : world.before,
  ghost
})

/** Takes a row away, by a deletion or the clean-up. */
export const removed = (world: World, row: Slot): World =>
  withRows(
    world,
    world.rows.filter((other) => other !== row),
    world.ghost
  )

/** Takes all rows away, where a key is one value. */
export const emptied = (world: World): World => withRows(world, [], world.ghost)

/** The moment on the clock that is furthest behind. */
export const earliest = (world: World): number => {
  let clock = Math.min(0, world.storeClock, world.cleanUpClock)
  for (const process of world.processes) clock = Math.min(clock, process.clock)
  return world.now + clock
}

const began = (model: Model, world: World, row: Slot): Ghost => {
  const { ghost } = world
  if (row.generation === ghost.newest && row.expiresAt === ghost.newestExpiresAt) return ghost
  if (ghost.newest !== nobody && ghost.newestExpiresAt >= earliest(world))
    violate(model, "I5", "a generation began while the one before was not over on every clock")
  return {
    ...ghost,
    newest: row.generation,
    newestExpiresAt: row.expiresAt,
    completed: nobody,
    started: false
  }
}

/** A completion counts while somebody could still read it: later ones are neither told nor replayed. */
const ended = (model: Model, world: World, rows: ReadonlyArray<Slot>, row: Slot): Ghost => {
  const { ghost } = world
  if (row.generation !== ghost.newest || row.expiresAt < earliest(world)) return ghost
  if (EpochLog.chainOf(model.parameters, rows)?.rows.includes(row) !== true) return ghost
  if (ghost.completed !== nobody && ghost.completed !== row.owner)
    violate(model, "I1", "a second completion was accepted in one generation")
  return { ...ghost, completed: row.owner }
}

const released = ({ ghost }: World, row: Slot): Ghost => ({
  ...ghost,
  started: ghost.started && row.generation !== ghost.newest,
  ...(ghost.guard === row.owner ? { guard: nobody, guardUntil: 0 } : {})
})

/** The rows after a creation; undefined where the store refuses it. */
export const placed = (
  { configuration, parameters }: Model,
  rows: ReadonlyArray<Slot>,
  row: Slot
): ReadonlyArray<Slot> | undefined => {
  if (configuration.topAlone && row.slot > 0) {
    const chain = EpochLog.chainOf(parameters, rows)
    const top = chain === undefined ? undefined : EpochLog.topOf(chain)
    if (top?.slot !== row.slot - 1 || top.generation !== row.generation) return undefined
  }
  return EpochLog.place(parameters, rows, row)
}

/** What the store shows of its rows. */
export const shown = ({ configuration, parameters }: Model, rows: ReadonlyArray<Slot>): Chain<Content> | undefined => {
  const chain = EpochLog.chainOf(parameters, rows)
  return chain === undefined || !configuration.topAlone ? chain : { ...chain, rows: [EpochLog.topOf(chain)] }
}

/** A creation lands: the world after it, or undefined where the slot was taken. */
export const created = (model: Model, world: World, row: Slot): World | undefined => {
  const rows = placed(model, world.rows, row)
  if (rows === undefined) return undefined
  let { ghost } = world
  if (row.slot === 0) ghost = began(model, world, row)
  if (row.kind === "done") ghost = ended(model, world, rows, row)
  if (row.kind === "released") ghost = released(world, row)
  return withRows(world, rows, ghost)
}

/** A commit lands, whole; undefined where it fails. */
export const committed = (
  model: Model,
  world: World,
  row: Slot,
  deadline: number,
  aborted: boolean
): World | undefined => {
  if (world.now + world.storeClock > deadline) return undefined
  const next = created(model, world, row)
  if (next === undefined) return undefined
  if (aborted) violate(model, "I8", "a transaction that was reported as not applied has landed")
  if (next.ghost.applied.some((pair) => pair[0] === row.generation))
    violate(model, "I8", "the writes of a generation were applied twice")
  return { ...next, ghost: { ...next.ghost, applied: [...next.ghost.applied, row.generation + row.owner] } }
}

/** The rows that a deletion takes, if it begins now. */
export const targetsOf = (model: Model, world: World, command: Flight["command"]): ReadonlyArray<Slot> =>
  command._tag === "DeleteGeneration" || command._tag === "DeleteRow"
    ? world.rows.filter((row) => EpochLog.takes(model.parameters, command, row))
    : []

/** The targets of a deletion that are still there: one by one, whoever took the others. */
export const remaining = (world: World, targets: ReadonlyArray<Slot>): ReadonlyArray<Slot> =>
  targets.filter((row) => world.rows.includes(row))
