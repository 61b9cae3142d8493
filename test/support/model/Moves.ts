/** All that can happen next in a world. */
import * as EpochLog from "../../../src/EpochLog.ts"
import type { Answer, Command } from "../../../src/EpochLog.ts"
import * as Promises from "./Promises.ts"
import * as Store from "./Store.ts"
import type {
  Body,
  Configuration,
  Content,
  Faults,
  Flight,
  Machine,
  Model,
  Process,
  Sent,
  Slot,
  World
} from "./World.ts"
import { afterNonce, violate } from "./World.ts"

/** `process`: -1 where it is nobody's. What happens is put into words when somebody reads the trace. */
export type Emit = (world: World, process: number, what: () => string) => void

const idle: Machine = { _tag: "Idle" }
const noRows: ReadonlyArray<Slot> = []

const withProcess = (world: World, index: number, process: Process): World => ({
  ...world,
  processes: world.processes.map((other, at) => (at === index ? process : other))
})
const withFlight = (world: World, index: number, flight: Flight | undefined): World =>
  withProcess(world, index, { ...world.processes[index]!, flight })
const spend = (world: World, fault: keyof Faults): World => ({
  ...world,
  faults: { ...world.faults, [fault]: world.faults[fault] - 1 }
})

const keyOf = (command: Command<Content>): string => {
  if (command._tag === "Resume") return command.result
  if (command._tag !== "Reply") return command._tag
  return command.reply._tag === "InProgress" ? command.reply.why : command.reply._tag
}

/** A process meets an event, by the function that ships. */
const act = (model: Model, before: World, index: number, body: Body): World => {
  const process = before.processes[index]!
  const { clock, machine } = process
  const now = before.now + clock
  const moment = { now, own: now, nonce: before.fresh }
  const [next, commands] = EpochLog.step<Content>(model.parameters, machine, { ...body, ...moment })
  let flight: Flight | undefined
  let { deadline } = process
  let world: World = { ...before, fresh: afterNonce(before.fresh) }
  if (next._tag === "Owning") {
    if (machine._tag === "Acquiring") Promises.counts(model, "a claim", next, moment)
    else if (machine._tag === "Owning" && machine.handler === "running") world = Promises.leased(world, next, clock)
  }
  for (const command of commands) {
    model.reached.add(keyOf(command))
    switch (command._tag) {
      case "Reply":
        world = Promises.told(model, world, machine, command.reply, moment)
        break
      case "RunHandler":
        if (next._tag !== "Owning") break
        world = Promises.started(model, world, command, next, clock, moment)
        if (command.transaction !== undefined) deadline = world.now + world.storeClock + command.transaction
        break
      case "Resume": {
        const want = machine._tag === "Owning" ? machine.writing?.want : undefined
        const counts = want?._tag === "Step" || (want?._tag === "Renewal" && want.step)
        if (command.result === "written" && counts && next._tag === "Owning")
          Promises.counts(model, "a step", next, moment)
        break
      }
      case "Interrupt":
        break
      default:
        if (flight !== undefined) violate(model, "L1", "two commands for the store at once")
        flight = { command, landed: undefined, seen: undefined, targets: undefined }
    }
  }
  const isOver = next._tag === "Over"
  return withProcess(world, index, {
    clock,
    requests: body._tag === "Request" ? process.requests - 1 : process.requests,
    machine: isOver ? idle : next,
    flight: isOver ? undefined : flight,
    deadline
  })
}

/** The rows that a list shows, as far as they are read. */
const seenOf = (model: Model, rows: ReadonlyArray<Slot>): ReadonlyArray<Slot> => {
  const chain = EpochLog.chainOf(model.parameters, rows)
  if (chain === undefined) return noRows
  return chain.garbage === undefined ? chain.rows : [...chain.rows, chain.garbage]
}

const answerOf = (model: Model, { landed, seen }: Flight): Answer<Content> => {
  const chain = seen === undefined ? undefined : Store.shown(model, seen)
  switch (landed) {
    case "created":
      return { _tag: "Created", chain }
    case "taken":
      return { _tag: "Taken", chain }
    case "listed":
      return { _tag: "Listed", chain }
    case "committed":
      return { _tag: "Committed" }
    case "failed":
      return { _tag: "CommitFailed", invalid: false }
    case "deleted":
    case undefined:
      return { _tag: "Deleted" }
  }
}

const nameOf = (command: Sent): string => {
  switch (command._tag) {
    case "Create":
    case "Commit":
      return `${command._tag} ${command.row.kind} in slot ${command.row.slot}`
    case "DeleteRow":
      return `DeleteRow of slot ${command.slot}`
    default:
      return command._tag
  }
}

/** A deletion takes one of its rows, and has landed with the last. */
const deletions = (
  model: Model,
  world: World,
  { command, targets }: Flight,
  each: (world: World, targets: ReadonlyArray<Slot>, row: Slot | undefined) => void
): void => {
  const rows = targets === undefined ? Store.targetsOf(model, world, command) : Store.remaining(world, targets)
  if (rows.length === 0) each(world, rows, undefined)
  else if (model.configuration.topAlone) each(Store.emptied(world), [], undefined)
  else
    for (const row of rows)
      each(
        Store.removed(world, row),
        rows.filter((other) => other !== row),
        row
      )
}

/** What a process sent lands. */
const lands = (model: Model, world: World, index: number, flight: Flight, emit: Emit): void => {
  const { configuration } = model
  const { command } = flight
  const name = () => nameOf(command)
  const land = (after: World, landed: Flight["landed"], seen: Flight["seen"], what: () => string) =>
    emit(withFlight(after, index, { command, landed, seen, targets: undefined }), index, what)
  switch (command._tag) {
    case "Create": {
      const after = Store.created(model, world, command.row)
      const landed = after === undefined ? "taken" : "created"
      const seen = configuration.topAlone && after === undefined ? seenOf(model, world.rows) : flight.seen
      land(after ?? world, landed, seen, () => `${name()} lands: ${landed}`)
      return
    }
    case "Commit": {
      const after = Store.committed(model, world, command.row, world.processes[index]!.deadline, false)
      const landed = after === undefined ? "failed" : "committed"
      land(after ?? world, landed, undefined, () => `${name()} lands: ${landed}`)
      if (configuration.conflicts && after !== undefined)
        land(world, "failed", undefined, () => `${name()} meets a conflict: failed`)
      return
    }
    case "List":
      land(world, "listed", seenOf(model, world.rows), () => "List lands")
      if (world.faults.old > 0)
        land(spend(world, "old"), "listed", seenOf(model, world.before), () => "List lands, one write old")
      return
    case "DeleteGeneration":
    case "DeleteRow":
      deletions(model, world, flight, (after, targets, row) => {
        const isDone = targets.length === 0
        emit(
          withFlight(after, index, {
            command,
            landed: isDone ? "deleted" : undefined,
            seen: undefined,
            targets: isDone ? undefined : targets
          }),
          index,
          () => `${name()} lands${row === undefined ? "" : ` on slot ${row.slot}`}`
        )
      })
  }
}

/** A command goes on without its sender. */
const abandon = (world: World, index: number, flight: Flight): World => ({
  ...spend(world, "late"),
  abandoned: [
    ...world.abandoned,
    {
      flight: { ...flight, seen: undefined },
      deadline: world.processes[index]!.deadline,
      aborted: false
    }
  ]
})
const canBeLate = ({ configuration }: Model, world: World, { command, landed }: Flight, isOwner: boolean): boolean =>
  world.faults.late > 0 &&
  landed === undefined &&
  command._tag !== "List" &&
  (configuration.late !== "commits" || command._tag === "Commit") &&
  (configuration.late !== "owners" || isOwner)

/** No answer, a false conflict, or a failure that is none. */
const faults = (model: Model, world: World, index: number, flight: Flight, emit: Emit): void => {
  const { command, landed } = flight
  const fail = (after: World, answer: Answer<Content>, what: string) =>
    emit(
      act(model, withFlight(after, index, undefined), index, { _tag: "Answer", answer }),
      index,
      () => `${nameOf(command)} ${what}: ${answer._tag}`
    )
  const none: Answer<Content> = { _tag: "NoAnswer" }
  const failed: Answer<Content> = { _tag: "CommitFailed", invalid: false }
  // What a deletion answers is not used, so that losing it is nothing.
  const isDeletion = command._tag === "DeleteGeneration" || command._tag === "DeleteRow"
  if (world.faults.lost > 0 && !(isDeletion && landed !== undefined)) {
    const after = spend(world, "lost")
    const what = landed === undefined ? "is lost" : "has landed, its answer is lost"
    fail(after, none, what)
    if (command._tag === "Create" && landed === "created")
      fail(after, { _tag: "Taken", chain: undefined }, "is sent again by the server")
    if (command._tag === "Commit" && landed === "committed")
      fail(after, failed, "has landed, and answers that it failed")
  }
  if (canBeLate(model, world, flight, world.processes[index]!.machine._tag === "Owning")) {
    const after = abandon(world, index, flight)
    fail(after, none, "is given up, and may still land")
    if (command._tag === "Commit") fail(after, failed, "answers that it failed, and may still land")
  }
}

/** What a handler does: it ends, renews, or records a step. */
const handles = (model: Model, world: World, index: number, emit: Emit): void => {
  const { configuration } = model
  const { flight, machine } = world.processes[index]!
  if (machine._tag !== "Owning" || machine.handler !== "running") return
  const want = machine.writing?.want._tag
  const isFree = machine.writing === undefined
  // A renewal or step whose fate is not known gives way to the end. What is sent then is a list.
  if (!isFree && !(flight?.command._tag === "List" && (want === "Renewal" || want === "Step"))) return
  const free = withFlight(world, index, undefined)
  for (const outcome of configuration.outcomes) {
    emit(
      act(model, free, index, {
        _tag: "HandlerEnded",
        outcome: outcome === "Store" ? { _tag: outcome, content: machine.row.owner } : { _tag: outcome }
      }),
      index,
      () => `handler ends: ${outcome}`
    )
  }
  if (!isFree) return
  if (configuration.renew) emit(act(model, free, index, { _tag: "RenewalDue" }), index, () => "renewal is due")
  if (configuration.steps && machine.steps.length === 0)
    emit(
      act(model, free, index, { _tag: "StepEnded", step: "s", content: machine.row.owner }),
      index,
      () => "a step ends"
    )
}

const crashes = (model: Model, world: World, index: number, emit: Emit): void => {
  const { flight, machine } = world.processes[index]!
  if (machine._tag === "Idle" || world.faults.crashes === 0) return
  const after = spend(world, "crashes")
  const crashed: Process = { ...world.processes[index]!, machine: idle, flight: undefined }
  emit(withProcess(after, index, crashed), index, () => "crashes")
  if (flight !== undefined && canBeLate(model, world, flight, world.processes[index]!.machine._tag === "Owning"))
    emit(withProcess(abandon(after, index, flight), index, crashed), index, () => "crashes, what it sent may land")
}

const processMoves = (model: Model, world: World, index: number, emit: Emit): void => {
  const { flight, machine, requests } = world.processes[index]!
  if (machine._tag === "Idle") {
    if (requests > 0)
      emit(act(model, world, index, { _tag: "Request", fingerprint: "f" }), index, () => "gets a request")
    return
  }
  handles(model, world, index, emit)
  crashes(model, world, index, emit)
  if (flight === undefined) return
  if (flight.landed === undefined) lands(model, world, index, flight, emit)
  else {
    const answer = answerOf(model, flight)
    emit(
      act(model, withFlight(world, index, undefined), index, { _tag: "Answer", answer }),
      index,
      () => `answer of ${nameOf(flight.command)}: ${answer._tag}`
    )
  }
  faults(model, world, index, flight, emit)
  if (model.configuration.parallelList && flight.command._tag === "Create" && flight.command.list)
    if (flight.seen === undefined)
      emit(
        withFlight(world, index, { ...flight, seen: seenOf(model, world.rows) }),
        index,
        () => "the list beside it lands"
      )
}

/** Commands whose senders no longer wait. */
const lateMoves = (model: Model, world: World, emit: Emit): void => {
  for (const late of world.abandoned) {
    const { flight } = late
    const { command } = flight
    const without: World = { ...world, abandoned: world.abandoned.filter((other) => other !== late) }
    const what = () => `late ${nameOf(command)} lands`
    if (command._tag === "Create") emit(Store.created(model, without, command.row) ?? without, -1, what)
    else if (command._tag === "Commit")
      emit(Store.committed(model, without, command.row, late.deadline, late.aborted) ?? without, -1, what)
    else
      deletions(model, without, flight, (after, targets, row) => {
        const rest = targets.length === 0 ? [] : [{ ...late, flight: { ...flight, targets } }]
        emit(
          { ...after, abandoned: [...after.abandoned, ...rest] },
          -1,
          () => `${what()}${row === undefined ? "" : ` on slot ${row.slot}`}`
        )
      })
  }
}

const cleanUpMoves = ({ configuration }: { readonly configuration: Configuration }, world: World, emit: Emit): void => {
  if (!configuration.cleanUp) return
  const purged = world.rows.filter((row) => EpochLog.isPurged(row, world.now + world.cleanUpClock))
  if (configuration.topAlone) {
    if (purged.length > 0) emit(Store.emptied(world), -1, () => "clean-up takes the key")
    return
  }
  for (const row of purged) emit(Store.removed(world, row), -1, () => `clean-up takes slot ${row.slot}`)
}

export const moves = (model: Model, world: World, emit: Emit): void => {
  emit({ ...world, now: world.now + 1 }, -1, () => "a tick")
  for (let index = 0; index < world.processes.length; index++) processMoves(model, world, index, emit)
  lateMoves(model, world, emit)
  cleanUpMoves(model, world, emit)
}
