/** What stands between a target and a backup: pure rules over two sources in order of id. */

/** A document, by its id as it sorts and its exact hash. */
export interface Standing {
  readonly key: string
  readonly exact: string
}

/** Of the two that come next, what the lesser one is: `extra` is only in the target, `missing` only in the backup. */
export type Verdict = "same" | "changed" | "missing" | "extra"

/** Undefined when both are at their end. Both sources are sorted by `key`, and no key comes twice. */
export const compare = (target: Standing | undefined, backup: Standing | undefined): Verdict | undefined => {
  if (target === undefined) return backup === undefined ? undefined : "missing"
  if (backup === undefined || target.key < backup.key) return "extra"
  if (backup.key < target.key) return "missing"
  return target.exact === backup.exact ? "same" : "changed"
}

export type Counts = { readonly [V in Verdict]: number }
export const none: Counts = { same: 0, changed: 0, missing: 0, extra: 0 }

/** A set of lines in a chunk, a bit for each. */
export class Lines {
  readonly #bits: Uint8Array
  size = 0
  constructor(lines: number) {
    this.#bits = new Uint8Array(Math.ceil(lines / 8))
  }
  has(line: number): boolean {
    return (this.#bits[line >> 3]! & (1 << (line & 7))) !== 0
  }
  add(line: number): void {
    if (!this.has(line)) this.size++
    this.#bits[line >> 3]! |= 1 << (line & 7)
  }
}
