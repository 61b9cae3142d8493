/** Alone with a store that answers, on whatever rows others have left: a caller, L1 and L3; an owner, L2. */
import * as EpochLog from "../../../src/EpochLog.ts"
import type { Answer, Command } from "../../../src/EpochLog.ts"
import * as Store from "./Store.ts"
import type { Body, Content, Machine, Model, Sent, Slot } from "./World.ts"
import { afterNonce, nobody, nonces, violate } from "./World.ts"

/** The most that any caller alone has needed. */
export interface Need {
  readonly answers: number
  readonly calls: number
}

const mostCalls = 4
const idle: Machine = { _tag: "Idle" }
const failed: Answer<Content> = { _tag: "CommitFailed", invalid: false }
const request: Body = { _tag: "Request", fingerprint: "f" }

/** A machine with a store that answers, no other, and no time. */
const solo = (
  model: Model,
  given: ReadonlyArray<Slot>,
  now: number,
  firstNonce: string,
  first: Machine,
  body: Body
) => {
  const { parameters } = model
  let rows = given
  let nonce = firstNonce
  let machine = first
  const met = (event: Body): ReadonlyArray<Command<Content>> => {
    const [next, commands] = EpochLog.step<Content>(parameters, machine, { ...event, now, own: now, nonce })
    nonce = afterNonce(nonce)
    machine = next
    return commands
  }
  const answerOf = (command: Sent): Answer<Content> => {
    switch (command._tag) {
      case "Create":
      case "Commit": {
        const after = Store.placed(model, rows, command.row)
        rows = after ?? rows
        if (after === undefined) return command._tag === "Create" ? { _tag: "Taken", chain: undefined } : failed
        return command._tag === "Create" ? { _tag: "Created", chain: undefined } : { _tag: "Committed" }
      }
      case "List":
        return { _tag: "Listed", chain: Store.shown(model, rows) }
      case "DeleteGeneration":
      case "DeleteRow":
        rows = rows.filter((row) => !EpochLog.takes(parameters, command, row))
        return { _tag: "Deleted" }
    }
  }
  let commands = met(body)
  for (let answers = 0; answers <= EpochLog.passes; answers++) {
    let answer: Answer<Content> | undefined
    for (const command of commands) {
      if (command._tag === "Reply") return { rows, answers, nonce, reply: command.reply }
      if (command._tag === "RunHandler") return { rows, answers, nonce, reply: undefined }
      if (command._tag !== "Interrupt" && command._tag !== "Resume") answer = answerOf(command)
    }
    if (answer === undefined) return undefined
    commands = met({ _tag: "Answer", answer })
  }
  return undefined
}

/** L2: an owner with a live lease, alone, records its end, whatever stands behind its row. */
export const endsAlone = (model: Model, rows: ReadonlyArray<Slot>, owner: Machine, now: number): void => {
  const body: Body = { _tag: "HandlerEnded", outcome: { _tag: "Store", content: nobody } }
  const result = solo(model, rows, now, nonces[2048]!, owner, body)
  const told = result?.reply?._tag
  // In a transaction, an end may also be that it did not happen.
  if (told !== "Recorded" && !(told === "Aborted" && model.parameters.transaction !== undefined))
    violate(model, "L2", "an owner with a live lease, alone, can't record its end")
}

export const alone = (model: Model, given: ReadonlyArray<Slot>, begun: number): Need => {
  const base = given.find(({ slot }) => slot === 0)
  const latest = base === undefined ? begun : Math.max(begun, base.expiresAt + model.parameters.margin + 1)
  let rows = given
  let now = begun
  let nonce = nonces[2048]!
  let answers = 0
  for (let calls = 1; calls <= mostCalls; calls++) {
    const result = solo(model, rows, now, nonce, idle, request)
    if (result === undefined) {
      violate(model, "L1", `a caller alone has not decided after ${EpochLog.passes} answers`)
      return { answers: EpochLog.passes, calls }
    }
    answers = Math.max(answers, result.answers)
    // When to come again.
    const until = result.reply !== undefined && "until" in result.reply ? result.reply.until : undefined
    if (until === undefined) {
      if (now > latest) violate(model, "L3", "a caller alone decided only after expiresAt and margin")
      return { answers, calls }
    }
    rows = result.rows
    nonce = result.nonce
    now = Math.max(now, until) + 1
  }
  violate(model, "L3", `a caller alone has not decided after ${mostCalls} calls`)
  return { answers, calls: mostCalls }
}
