/** Errors and causes as the log tells them: what it was, and what led to it. */
import * as Cause from "effect/Cause"
import type { Failure } from "../../LogEvent.ts"

/** Most errors behind each other, or at the same time. */
const most = 10
/** Lines of a stack. */
const stackLines = 12

/** What an error says beyond its message; the serializer reads it as the error's own fields. */
export class FieldsOf {
  readonly error: object
  constructor(error: object) {
    this.error = error
  }
}

/** An error as it stands in an event before it is written. */
export interface Told extends Omit<Failure, "fields" | "others"> {
  readonly fields?: FieldsOf
  readonly others?: ReadonlyArray<Told>
}

/** What an error's record says under names of its own. */
export const shownApart: ReadonlySet<string> = new Set(["_tag", "name", "message", "stack", "cause", "errors"])

/** Getters may throw, and proxies. */
const read = (value: object, key: string): unknown => {
  try {
    return (value as Readonly<Record<string, unknown>>)[key]
  } catch {
    return undefined
  }
}

const tagOf = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return typeof error
  const tag = read(error, "_tag")
  if (typeof tag === "string") return tag
  const name = read(error, "name")
  if (typeof name === "string" && name !== "") return name
  const made = read(error, "constructor")
  return typeof made === "function" && made.name !== "" ? made.name : "object"
}

const messageOf = (error: unknown): string => {
  if (typeof error === "string") return error
  if (typeof error !== "object" || error === null) return String(error)
  const message = read(error, "message")
  return typeof message === "string" ? message : ""
}

const stackOf = (error: unknown): string | undefined => {
  if (typeof error !== "object" || error === null) return undefined
  const stack = read(error, "stack")
  if (typeof stack !== "string") return undefined
  // The first lines repeat the message.
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line))
  return frames.length === 0
    ? undefined
    : frames
        .slice(0, stackLines)
        .map((line) => line.trim())
        .join("\n")
}

const fieldsOf = (error: unknown): FieldsOf | undefined => {
  if (typeof error !== "object" || error === null) return undefined
  try {
    return Object.keys(error).some((key) => !shownApart.has(key)) ? new FieldsOf(error) : undefined
  } catch {
    return undefined
  }
}

const link = (error: unknown) => {
  const stack = stackOf(error)
  return { tag: tagOf(error), message: messageOf(error), ...(stack === undefined ? {} : { stack }) }
}

/** What led to an error, the nearest first; a circle ends where it closes. */
const chain = (error: unknown): ReadonlyArray<ReturnType<typeof link>> => {
  const seen = new Set<unknown>([error])
  const links: Array<ReturnType<typeof link>> = []
  let at: unknown = error
  while (links.length < most && typeof at === "object" && at !== null) {
    const next = read(at, "cause")
    if (next === undefined || next === null || seen.has(next)) break
    if (Cause.isCause(next)) {
      links.push(...next.reasons.slice(0, most).map((reason) => link(valueOf(reason))))
      break
    }
    seen.add(next)
    links.push(link(next))
    at = next
  }
  return links
}

const valueOf = (reason: Cause.Reason<unknown>): unknown =>
  Cause.isFailReason(reason)
    ? reason.error
    : Cause.isDieReason(reason)
      ? reason.defect
      : { _tag: "Interrupted", message: "it was interrupted" }

/** Errors within errors that are told of one; how deep they are looked for. */
const budget = { errors: 20, depth: 3 } as const

interface Spent {
  errors: number
  readonly around: ReadonlyArray<unknown>
}

/** The errors that one holds; a circle, and what is beyond the budget, is left out. */
const within = (kind: Failure["kind"], error: unknown, spent: Spent): ReadonlyArray<Told> => {
  const members = read(Object(error), "errors")
  if (!Array.isArray(members) || spent.around.length > budget.depth) return []
  const others: Array<Told> = []
  for (let index = 0; index < members.length && spent.errors < budget.errors; index++) {
    const one = read(members, String(index))
    if (spent.around.includes(one)) continue
    spent.errors++
    const inner: Spent = { errors: spent.errors, around: [...spent.around, one] }
    others.push(tell(kind, one, inner))
    spent.errors = inner.errors
  }
  return others
}

const tell = (kind: Failure["kind"], error: unknown, spent: Spent): Told => {
  const fields = kind === "interruption" ? undefined : fieldsOf(error)
  const causes = chain(error)
  const others = within(kind, error, spent)
  return {
    kind,
    ...link(error),
    ...(fields === undefined ? {} : { fields }),
    ...(causes.length === 0 ? {} : { causes }),
    ...(others.length === 0 ? {} : { others })
  }
}

/** One error. Its fields are read by the serializer, so that they are redacted on their way. */
export const describe = (kind: Failure["kind"], error: unknown): Told =>
  tell(kind, error, { errors: 0, around: [error] })

const order = ["failure", "defect", "interruption"] as const

/** All of a cause: a typed error before a bug, both before an interruption. Undefined for an empty one. */
export const ofCause = (cause: Cause.Cause<unknown>): Told | undefined => {
  const all = cause.reasons
    .slice(0, most)
    .map((reason) =>
      describe(
        Cause.isFailReason(reason) ? "failure" : Cause.isDieReason(reason) ? "defect" : "interruption",
        valueOf(reason)
      )
    )
  const [first, ...others] = order.flatMap((kind) => all.filter((failure) => failure.kind === kind))
  return first === undefined || others.length === 0
    ? first
    : Object.assign(first, { others: [...(first.others ?? []), ...others] })
}
