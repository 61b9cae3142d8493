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

/** Where one stands on all paths at once. */
export class State {
  /** What stands here is hidden. */
  readonly hidden: boolean
  readonly #nodes: ReadonlyArray<Node>
  /** Behind the names that a path has here, once somebody went there; null before. */
  readonly #named = new Map<string, State | null>()
  /** Behind all other names. */
  readonly #other: State | undefined
  #joined: WeakMap<Node, State> | undefined

  constructor(nodes: ReadonlyArray<Node>) {
    this.#nodes = nodes
    this.hidden = nodes.some(({ hidden }) => hidden)
    for (const { children } of nodes) for (const name of children.keys()) this.#named.set(name, null)
    const any = this.#behind(undefined)
    this.#other = any.length === 0 ? undefined : new State(any)
  }

  #behind(name: string | undefined): ReadonlyArray<Node> {
    return this.#nodes.flatMap(({ any, children }) =>
      [name === undefined ? undefined : children.get(name), any].filter((one) => one !== undefined)
    )
  }

  /** Where the paths go on behind a name. */
  under(name: string): State {
    const found = this.#named.get(name)
    if (found === undefined) return this.#other ?? none
    if (found !== null) return found
    const made = new State(this.#behind(name))
    this.#named.set(name, made)
    return made
  }

  /** Where they go on in an item of a list. */
  item(index: number): State {
    return this.#named.size === 0 ? (this.#other ?? none) : this.under(String(index))
  }

  /** Both these paths and others. */
  with(other: Node | undefined): State {
    if (other === undefined) return this
    let joined = (this.#joined ??= new WeakMap()).get(other)
    if (joined === undefined) this.#joined.set(other, (joined = new State([...this.#nodes, other])))
    return joined
  }
}

export const none: State = new State([])
