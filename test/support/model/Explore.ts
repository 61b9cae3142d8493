/** Every world that can be reached, nearest first, so that the first violation has a shortest trace. */
import { alone, endsAlone } from "./Alone.ts"
import { encoding } from "./Encoding.ts"
import { moves } from "./Moves.ts"
import { holdsInAll, mayEnd } from "./Promises.ts"
import type { Encoding } from "./Encoding.ts"
import type { Configuration, Model, Violation, World } from "./World.ts"
import { beginnings, modelOf } from "./World.ts"
import { visited } from "./Visited.ts"

export interface Limits {
  readonly states?: number
  readonly milliseconds?: number
  /** Moves from the beginning. */
  readonly depth?: number
  /** Told about every million states. */
  readonly onProgress?: (found: { readonly states: number; readonly depth: number; readonly waiting: number }) => void
}

/** A violation, and how to come to it: which move was taken in each world, from which beginning. */
export interface Found {
  readonly violation: Violation
  readonly beginning: number
  readonly choices: ReadonlyArray<number>
}

export interface Explored {
  readonly states: number
  readonly transitions: number
  /** Distinct contents of the store. */
  readonly stores: number
  readonly depth: number
  readonly exhausted: boolean
  readonly seconds: number
  /** The most that a caller alone has needed. */
  readonly answers: number
  readonly calls: number
  /** As in `Model`. */
  readonly reached: ReadonlyArray<string>
  readonly found: Found | undefined
}

/** Bytes of worlds, one behind the other, each behind its length. */
interface Queue {
  bytes: Uint8Array
  length: number
}
const push = (queue: Queue, encoded: Uint8Array, length: number): void => {
  if (queue.length + length + 2 > queue.bytes.length) {
    const larger = new Uint8Array(queue.bytes.length * 2 + 2048)
    larger.set(queue.bytes)
    queue.bytes = larger
  }
  const { bytes } = queue
  let at = queue.length
  bytes[at++] = length & 0xff
  bytes[at++] = length >> 8
  for (let index = 0; index < length; index++) bytes[at++] = encoded[index]!
  queue.length = at
}

/** How each world was reached. */
const paths = () => {
  let parents = new Uint32Array(1 << 14)
  let choices = new Uint8Array(1 << 14)
  let size = 0
  return {
    size: () => size,
    add: (parent: number, choice: number): void => {
      if (size === parents.length) {
        const more = [new Uint32Array(size * 2), new Uint8Array(size * 2)] as const
        more[0].set(parents)
        more[1].set(choices)
        parents = more[0]
        choices = more[1]
      }
      parents[size] = parent
      choices[size++] = choice
    },
    /** From the beginning, which is its own parent. */
    to: (world: number): { readonly beginning: number; readonly choices: ReadonlyArray<number> } => {
      const taken: Array<number> = []
      let at = world
      for (; parents[at] !== at; at = parents[at]!) taken.push(choices[at]!)
      return { beginning: at, choices: taken.toReversed() }
    }
  }
}

/** Runs a caller alone on every content of the store that has not been seen, and owners who end alone on it. */
const loners = (model: Model, { words, bytes, storeLength }: Encoding) => {
  const stores = visited()
  const owners = visited()
  const scratch = new Uint8Array(256)
  const scratchWords = new Uint32Array(scratch.buffer)
  const clocks = [...new Set(model.configuration.clocks.flatMap(({ processes }) => processes))]
  const most = { answers: 0, calls: 0 }
  return {
    most,
    size: stores.size,
    meet: (world: World): void => {
      const length = storeLength()
      const count = (length + 3) >> 2
      for (let index = 0; index < count; index++) scratchWords[index] = words[index]!
      for (let index = length; index < count * 4 + 4; index++) scratch[index] = 0
      for (const process of world.processes) {
        const owner = mayEnd(process, world)
        if (owner === undefined) continue
        scratch[length] = 1 + owner.row.slot + 8 * process.clock
        if (owners.add(scratchWords, length + 1)) endsAlone(model, world.rows, owner, world.now + process.clock)
        scratch[length] = 0
      }
      if (bytes[0] === 0 || !stores.add(scratchWords, length)) return
      for (const clock of clocks) {
        const { answers, calls } = alone(model, world.rows, world.now + clock)
        most.answers = Math.max(most.answers, answers)
        most.calls = Math.max(most.calls, calls)
      }
    }
  }
}

const batch = 1_000_000

export const explore = (configuration: Configuration, limits: Limits = {}): Explored => {
  const begun = performance.now()
  const model = modelOf(configuration)
  const code = encoding(configuration)
  const seen = visited()
  const path = paths()
  const lone = loners(model, code)
  const { bytes, decode, encode, words } = code
  let here: Queue = { bytes: new Uint8Array(1 << 16), length: 0 }
  let next: Queue = { bytes: new Uint8Array(1 << 16), length: 0 }
  let transitions = 0
  let depth = 0
  let at = 0
  let choice = 0
  let found: Found | undefined

  const meet = (world: World): boolean => {
    const length = encode(world)
    if (!seen.add(words, length)) return false
    push(next, bytes, length)
    holdsInAll(model, world)
    lone.meet(world)
    return true
  }
  const emit = (world: World): void => {
    if (found !== undefined) return
    transitions++
    if (model.violation === undefined && meet(world)) path.add(at, choice)
    if (model.violation !== undefined) {
      const { beginning, choices } = path.to(at)
      found = { violation: model.violation, beginning, choices: [...choices, choice] }
    }
    choice++
  }
  const report = (exhausted: boolean): Explored => ({
    states: seen.size(),
    transitions,
    stores: lone.size(),
    depth,
    exhausted,
    seconds: (performance.now() - begun) / 1000,
    ...lone.most,
    reached: [...model.reached],
    found
  })

  for (const world of beginnings(configuration)) if (meet(world)) path.add(path.size(), 0)
  let told = batch
  while (next.length > 0) {
    if (limits.depth !== undefined && depth >= limits.depth) return report(false)
    ;[here, next] = [next, here]
    next.length = 0
    depth++
    for (let offset = 0; offset < here.length;) {
      const length = here.bytes[offset]! | (here.bytes[offset + 1]! << 8)
      choice = 0
      moves(model, decode(here.bytes, offset + 2), emit)
      if (found !== undefined) return report(false)
      offset += length + 2
      at++
      if (seen.size() >= (limits.states ?? Infinity)) return report(false)
      if ((at & 1023) === 0 && performance.now() - begun > (limits.milliseconds ?? Infinity)) return report(false)
      if (seen.size() >= told) {
        limits.onProgress?.({ states: told, depth, waiting: seen.size() - at })
        told += batch
      }
    }
  }
  return report(true)
}
