/** Which backups of a collection are kept: a pure rule, with its reasons. */

/** A backup, by its id (which sorts by time) and its UTC day. */
export interface Candidate {
  /** What is kept or removed. */
  readonly name: string
  /** The backup's id: later ones sort later. */
  readonly backup: string
  readonly collection: string
  /** Those of one kind can stand in for one another. Default: those of one collection. */
  readonly kind?: string | undefined
}

export interface Rule {
  /** So many of the newest, of each kind. Default 0. */
  readonly keepLast?: number | undefined
  /** The newest of each of so many days (UTC) that have one, of each collection. Default 0. */
  readonly keepDaily?: number | undefined
}

export interface Decision<A extends Candidate = Candidate> {
  readonly backup: A
  /** Why it is kept; undefined: it is removed. */
  readonly keep: string | undefined
}

const dayOf = ({ backup }: Candidate): string => `${backup.slice(0, 4)}-${backup.slice(4, 6)}-${backup.slice(6, 8)}`

/**
 * For each backup, newest first, whether it is kept and why. `needed`: why somebody still needs one, by its name; such
 * a one is always kept. The newest of a collection is kept whatever the rule says.
 */
export const decide = <A extends Candidate>(
  backups: ReadonlyArray<A>,
  rule: Rule,
  needed: ReadonlyMap<string, string> = new Map()
): ReadonlyArray<Decision<A>> => {
  const ranks = new Map<string, number>()
  const days = new Map<string, Set<string>>()
  return backups
    .toSorted((left, right) => (left.backup < right.backup ? 1 : left.backup > right.backup ? -1 : 0))
    .map((backup) => {
      const kind = backup.kind ?? backup.collection
      const rank = (ranks.get(kind) ?? 0) + 1
      ranks.set(kind, rank)
      const seen = days.get(kind) ?? new Set()
      days.set(kind, seen)
      const day = dayOf(backup)
      const isFirstOfDay = !seen.has(day) && seen.size < (rule.keepDaily ?? 0)
      if (isFirstOfDay) seen.add(day)
      const need = needed.get(backup.name)
      if (need !== undefined) return { backup, keep: need }
      const reasons = [
        rank === 1 ? "the newest" : undefined,
        rank <= (rule.keepLast ?? 0) ? `one of the last ${rule.keepLast}` : undefined,
        isFirstOfDay ? `the last of ${day}` : undefined
      ].filter((reason) => reason !== undefined)
      return { backup, keep: reasons.length === 0 ? undefined : reasons.join(", ") }
    })
}
