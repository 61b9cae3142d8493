/** What is judged where a process acts, and in each world: I2, I3, I4, I6, I7, I8, L2. */
import type { Moment, Reply, Row } from "../../../src/EpochLog.ts"
import type { Command } from "../../../src/EpochLog.ts"
import type { Content, Ghost, Machine, Model, Process, World } from "./World.ts"
import { nobody, violate } from "./World.ts"

type Owning = Extract<Machine, { readonly _tag: "Owning" }>
type RunHandler = Extract<Command<Content>, { readonly _tag: "RunHandler" }>

const hasApplied = (ghost: Ghost, generation: string): boolean => ghost.applied.some((pair) => pair[0] === generation)

/** A recorded answer goes out, new or again. All that do are the accepted completion: so they are identical. */
const answer = (model: Model, ghost: Ghost, generation: string, content: Content): void => {
  if (generation !== ghost.newest) violate(model, "I4", "an answer was given while a newer generation stood")
  else if (ghost.completed !== content) violate(model, "I4", "an answer is not the accepted completion")
  if (model.parameters.transaction !== undefined && !hasApplied(ghost, generation))
    violate(model, "I8", "a success was told, and nothing was applied")
}

const losesResult = (reply: Reply<Content>, { handler, writing }: Owning): boolean => {
  if (writing?.want._tag === "Released") return false
  switch (reply._tag) {
    case "InProgress":
      return reply.why === "lost"
    case "Replay":
    case "Exhausted":
    case "Mismatch":
    case "Indeterminate":
      return true
    case "Unavailable":
      return handler === "ended"
    default:
      return false
  }
}

/** A caller is told something. `before`: the state that the event met. */
export const told = (model: Model, world: World, before: Machine, reply: Reply<Content>, moment: Moment): World => {
  const { ghost } = world
  if (before._tag === "Owning" && moment.own <= before.lease && losesResult(reply, before))
    violate(model, "L2", `an owner with a live lease was told ${reply._tag}`)
  if (reply._tag === "Replay") answer(model, ghost, reply.row.generation, reply.row.content ?? nobody)
  if (before._tag !== "Owning") return world
  const { expiresAt, generation, owner } = before.row
  if (reply._tag === "Recorded") {
    if (moment.now > expiresAt) violate(model, "I6", "a completion counted after expiresAt")
    answer(model, ghost, generation, owner)
  }
  if (reply._tag === "Aborted") {
    if (ghost.applied.includes(generation + owner))
      violate(model, "I8", "a transaction that was applied was reported as not applied")
    return {
      ...world,
      abandoned: world.abandoned.map((late) =>
        late.flight.command._tag === "Commit" && late.flight.command.row.owner === owner
          ? { ...late, aborted: true }
          : late
      )
    }
  }
  return world
}

/** A handler starts. */
export const started = (
  model: Model,
  world: World,
  { generation, reconcile }: RunHandler,
  { lease, row }: Owning,
  clock: number,
  moment: Moment
): World => {
  const { ghost, now } = world
  if (moment.own > lease || moment.now > row.expiresAt) violate(model, "I6", "a handler started after its lease")
  if (generation !== ghost.newest) violate(model, "I5", "a handler started for a generation that is not the newest")
  else if (ghost.completed !== nobody) violate(model, "I3", "a handler started after the completion")
  if (ghost.guard !== nobody && now <= ghost.guardUntil)
    violate(model, "I3", "a handler started while another's lease ran, and was not released")
  if (model.parameters.atMostOnce && ghost.started && !reconcile)
    violate(model, "I3", "a handler started a second time, at most once")
  return { ...world, ghost: { ...ghost, started: true, guard: row.owner, guardUntil: lease - clock } }
}

/** A running handler's lease was acknowledged anew, by a renewal or a step. */
export const leased = (world: World, { handler, lease, row }: Owning, clock: number): World => {
  const { ghost, now } = world
  const until = lease - clock
  return handler === "running" && until >= now && (ghost.guard !== row.owner || ghost.guardUntil !== until)
    ? { ...world, ghost: { ...ghost, guard: row.owner, guardUntil: until } }
    : world
}

/** An attempt has become an owner, or a step counts. */
export const counts = (model: Model, what: string, { lease }: Owning, { own }: Moment): void => {
  if (own > lease) violate(model, "I6", `${what} counted after its lease`)
}

const holds = (rows: ReadonlyArray<Row<Content>>, { row }: Owning): boolean =>
  rows.some(({ generation, owner, slot }) => slot === row.slot && owner === row.owner && generation === row.generation)

/** Who wrote that it gave the key up, and waits for the answer, owns nothing. */
const hasReleased = (rows: ReadonlyArray<Row<Content>>, { row }: Owning): boolean =>
  rows.some(({ kind, owner }) => kind === "released" && owner === row.owner)

/** The state of a process whose lease is live. */
const liveOwner = ({ clock, machine }: Process, { now, rows }: World): Owning | undefined =>
  machine._tag === "Owning" && now + clock <= machine.lease && !hasReleased(rows, machine) ? machine : undefined

/** An owner with a live lease whose handler could end now. */
export const mayEnd = (process: Process, world: World): Owning | undefined => {
  const owner = liveOwner(process, world)
  return owner?.handler === "running" && owner.writing === undefined ? owner : undefined
}

/** What holds in every world. */
export const holdsInAll = (model: Model, world: World): void => {
  let owners = 0
  for (const process of world.processes) {
    const machine = liveOwner(process, world)
    if (machine === undefined) continue
    owners++
    if (!holds(world.rows, machine)) violate(model, "I7", "an owner with a live lease has no row in the store")
    if (machine.row.slot >= model.parameters.lastSlot)
      violate(model, "L2", "an owner with a live lease has no slot for its end")
  }
  if (owners > 1) violate(model, "I2", "two owners with a live lease")
}
