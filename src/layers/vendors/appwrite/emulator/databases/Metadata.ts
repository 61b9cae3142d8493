/**
 * What the server knows of databases, columns and indexes beside the data model: dates, states that settle, indexes
 * that it only believes in. Kept in the emulator's own tables, so that a restart forgets nothing.
 */
import type { Sqlite } from "../../../Sqlite.ts"
import * as Json from "../Json.ts"

/** A column or an index. Times in milliseconds since the epoch. */
export interface Entry {
  readonly createdAt: number
  readonly updatedAt: number
  /** From then on it is what it will be; before, `processing` or `deleting`. */
  readonly settlesAt: number
  readonly until?: "deleting" | undefined
  /** It was deleted before it had settled. */
  readonly wasProcessing?: boolean | undefined
  /** Made with its table: bounds that nobody gave are shown as null. */
  readonly inline?: true | undefined
  /** Orders as they were typed. */
  readonly orders?: ReadonlyArray<string> | undefined
  /** An attribute or an index that the store gets when it settles. */
  readonly pending?: unknown
  /** Why it could not be made. */
  readonly failure?: string | undefined
  /** The worker gave up. */
  readonly status?: "stuck" | undefined
  /** A default as it was typed, or as the server pretends. */
  readonly default?: unknown
  /** An index that the server lists and does not enforce. */
  readonly phantom?: unknown
  readonly lengths?: ReadonlyArray<number> | undefined
}

export interface Metadata {
  readonly get: (...path: ReadonlyArray<string>) => Entry | undefined
  readonly put: (entry: Entry, ...path: ReadonlyArray<string>) => void
  /** With all below it. */
  readonly remove: (...path: ReadonlyArray<string>) => void
  readonly list: (...path: ReadonlyArray<string>) => ReadonlyArray<readonly [name: string, entry: Entry]>
  /** A fact of a database or a table. */
  readonly fact: (name: string, ...path: ReadonlyArray<string>) => string | undefined
  readonly setFact: (value: string, name: string, ...path: ReadonlyArray<string>) => void
}

const join = (path: ReadonlyArray<string>) => path.map((part) => part.toLowerCase()).join("/")

export const make = (sqlite: Sqlite): Metadata => {
  sqlite.run("create table if not exists emulator_metadata (path text primary key, entry text not null)")
  const entries = new Map<string, unknown>(
    sqlite
      .all("select path, entry from emulator_metadata order by rowid")
      .map(([path, entry]) => [String(path), Json.parse(String(entry))])
  )
  const put = (path: string, entry: unknown) => {
    entries.set(path, entry)
    sqlite.run(
      "insert into emulator_metadata values (?, ?) on conflict (path) do update set entry = excluded.entry",
      path,
      Json.stringify(entry)
    )
  }
  return {
    get: (...path) => entries.get(join(path)) as Entry | undefined,
    put: (entry, ...path) => put(join(path), entry),
    remove: (...path) => {
      const root = join(path)
      for (const key of entries.keys()) {
        if (key !== root && !key.startsWith(`${root}/`) && !key.startsWith(`${root}#`)) continue
        entries.delete(key)
        sqlite.run("delete from emulator_metadata where path = ?", key)
      }
    },
    list: (...path) => {
      const root = `${join(path)}/`
      return [...entries]
        .filter(([key]) => key.startsWith(root) && !key.slice(root.length).includes("/"))
        .map(([key, entry]) => [key.slice(root.length), entry as Entry])
    },
    fact: (name, ...path) => entries.get(`${join(path)}#${name}`) as string | undefined,
    setFact: (value, name, ...path) => put(`${join(path)}#${name}`, value)
  }
}
