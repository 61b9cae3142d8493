/** Paths of fields to hide, as pino takes them: `a.b`, `a["b-c"]`, `a[*].b`, `*.b`. */
import * as Result from "effect/Result"

export interface Node {
  hidden: boolean
  readonly children: Map<string, Node>
  any: Node | undefined
}

export const node = (): Node => ({ hidden: false, children: new Map(), any: undefined })

const step =
  /(?:^|\.)(?<name>[^.[\]*"'`\s]+)|(?:^|\.)\*|\[(?:\*|(?<index>\d+)|(?<quote>["'`])(?<quoted>.*?)\k<quote>)\]/y

/** Its steps, `undefined` for a wildcard; a failure tells what is wrong. */
export const parse = (path: string): Result.Result<ReadonlyArray<string | undefined>, string> => {
  const steps: Array<string | undefined> = []
  step.lastIndex = 0
  while (step.lastIndex < path.length) {
    const at = step.lastIndex
    const found = step.exec(path)
    if (found === null)
      return Result.fail(
        `it can't be read from ${JSON.stringify(path.slice(at))} on. Write it as pino does: user.password, headers["x-token"], items[*].price`
      )
    steps.push(found.groups!["name"] ?? found.groups!["index"] ?? found.groups!["quoted"])
  }
  return steps.length === 0 ? Result.fail("it is empty") : Result.succeed(steps)
}

/** Adds a path to a tree. */
export const add = (root: Node, steps: ReadonlyArray<string | undefined>): void => {
  let at = root
  for (const name of steps) {
    if (name === undefined) at = at.any ??= node()
    else {
      const next = at.children.get(name) ?? node()
      at.children.set(name, next)
      at = next
    }
  }
  at.hidden = true
}

export const none: ReadonlyArray<Node> = []

/** Where the paths go on behind a name. */
export const under = (nodes: ReadonlyArray<Node>, name: string): ReadonlyArray<Node> => {
  if (nodes.length === 0) return none
  const next: Array<Node> = []
  for (const { any, children } of nodes) {
    const own = children.get(name)
    if (own !== undefined) next.push(own)
    if (any !== undefined) next.push(any)
  }
  return next.length === 0 ? none : next
}
