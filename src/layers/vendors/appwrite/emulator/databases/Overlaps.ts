/**
 * What the real server does wrong beside another call in flight: a row deleted twice is answered twice as deleted, and
 * a read that was under way during a commit may show the row as it was before.
 *
 * Calls overlap when one came in before the other was done. Times in milliseconds of the monotonic clock.
 */
import type { Document } from "../../../../../Document.ts"

export interface Overlaps {
  readonly deleted: (row: string, at: number) => void
  /** Whether the row was deleted after a call came in. */
  readonly wasDeleted: (row: string, arrived: number) => boolean
  /** A row as it was before a commit; null where it was not there. */
  readonly committed: (row: string, before: Document | null, at: number) => void
  /** The row as a call that came in before the commit was done may see it; undefined where nothing is stale. */
  readonly stale: (row: string, arrived: number) => Document | null | undefined
}

/** Rows remembered; older ones are nobody's any more. */
const kept = 1000

export const rowName = (databaseId: string, tableId: string, rowId: string): string =>
  `${databaseId}/${tableId}/${rowId}`.toLowerCase()

const remember = <A>(map: Map<string, A>, key: string, value: A): void => {
  map.delete(key)
  map.set(key, value)
  if (map.size > kept) map.delete(map.keys().next().value!)
}

export const make = (): Overlaps => {
  const deletions = new Map<string, number>()
  const commits = new Map<string, { readonly before: Document | null; readonly at: number }>()
  return {
    deleted: (row, at) => remember(deletions, row, at),
    wasDeleted: (row, arrived) => (deletions.get(row) ?? -1) >= arrived,
    committed: (row, before, at) => remember(commits, row, { before, at }),
    stale: (row, arrived) => {
      const commit = commits.get(row)
      return commit !== undefined && commit.at >= arrived ? commit.before : undefined
    }
  }
}
