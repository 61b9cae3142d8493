/**
 * What databases and collections there are: JSON records in two tables of the file, read once and again after
 * another connection has written.
 */
import { randomUUID } from "node:crypto"
import type { Collection, Database } from "../../../Collection.ts"
import type { Sqlite } from "../../vendors/Sqlite.ts"
import * as ExactJson from "../../../internal/ExactJson.ts"
import { alreadyExists, notFound, unusable } from "./Refusal.ts"

/** What is in the file: nothing yet, tables of ours, or a reason not to touch it. */
export const inspect = (sqlite: Sqlite): "empty" | "ours" => {
  const tables = sqlite.all("select name from sqlite_schema where type = 'table'").map(([name]) => name)
  if (tables.length === 0) return "empty"
  if (!tables.includes("holdfast_file")) {
    throw unusable("it is an SQLite database of something else. Choose another path")
  }
  const [found] = sqlite.first("select value from holdfast_file where name = 'layout'") ?? []
  if (found !== undefined && found !== layout) {
    throw unusable(`its layout is ${String(found)}, and this version of holdfast knows ${layout}. Use a newer one`)
  }
  return "ours"
}

/** Version of this layout of tables. */
const layout = "1"

interface Held {
  readonly record: Database
  readonly collections: Map<string, Collection>
}

export interface Catalog {
  /** Drops what is remembered when another connection has written. First thing in each transaction. */
  readonly refresh: () => void
  /** Drops what is remembered: after a transaction that was undone. */
  readonly forget: () => void
  /** For good: who this file is. */
  readonly fileId: () => string
  readonly databases: () => ReadonlyArray<Database>
  readonly database: (id: string) => Database
  readonly putDatabase: (record: Database, how: "create" | "replace") => void
  readonly removeDatabase: (id: string) => void
  readonly collections: (database: string) => ReadonlyArray<Collection>
  readonly collection: (database: string, id: string) => Collection
  readonly putCollection: (database: string, record: Collection, how: "create" | "replace") => void
  readonly removeCollection: (database: string, id: string) => void
}

const fold = (id: string) => id.toLowerCase()

/** Makes the tables where they are missing. */
export const createTables = (sqlite: Sqlite): void => {
  sqlite.transaction("write", () => {
    sqlite.run("create table if not exists holdfast_file (name text primary key, value text not null)")
    sqlite.run(
      "create table if not exists holdfast_databases (id text primary key collate nocase, position integer not null, record text not null)"
    )
    sqlite.run(
      "create table if not exists holdfast_collections (database text not null collate nocase, id text not null collate nocase, position integer not null, record text not null, primary key (database, id))"
    )
    sqlite.run("insert or ignore into holdfast_file values ('layout', ?)", layout)
    sqlite.run("insert or ignore into holdfast_file values ('id', ?)", randomUUID())
  })
}

export const make = (sqlite: Sqlite): Catalog => {
  let seen = -1
  let held: Map<string, Held> | undefined

  const load = (): Map<string, Held> => {
    if (held !== undefined) return held
    held = new Map()
    for (const [record] of sqlite.all("select record from holdfast_databases order by position")) {
      const database = ExactJson.parse(String(record)) as Database
      held.set(fold(database.$id), { record: database, collections: new Map() })
    }
    for (const [database, record] of sqlite.all(
      "select database, record from holdfast_collections order by position"
    )) {
      const collection = ExactJson.parse(String(record)) as Collection
      held.get(fold(String(database)))?.collections.set(fold(collection.$id), collection)
    }
    return held
  }
  const database = (id: string): Held => {
    const found = load().get(fold(id))
    if (found === undefined) throw notFound("database", id)
    return found
  }

  return {
    refresh: () => {
      const version = Number(sqlite.first("pragma data_version")?.[0])
      if (version !== seen) held = undefined
      seen = version
    },
    forget: () => {
      held = undefined
    },
    fileId: () => String(sqlite.first("select value from holdfast_file where name = 'id'")?.[0]),
    databases: () => [...load().values()].map(({ record }) => record),
    database: (id) => database(id).record,
    putDatabase: (record, how) => {
      const all = load()
      const known = all.get(fold(record.$id))
      if (how === "create" && known !== undefined) throw alreadyExists("database", record.$id)
      sqlite.run(
        "insert into holdfast_databases values (?, (select coalesce(max(position), 0) + 1 from holdfast_databases), ?) on conflict (id) do update set record = excluded.record",
        record.$id,
        JSON.stringify(record)
      )
      all.set(fold(record.$id), { record, collections: known?.collections ?? new Map() })
    },
    removeDatabase: (id) => {
      sqlite.run("delete from holdfast_collections where database = ?", id)
      sqlite.run("delete from holdfast_databases where id = ?", id)
      load().delete(fold(id))
    },
    collections: (id) => [...database(id).collections.values()],
    collection: (id, collection) => {
      const found = database(id).collections.get(fold(collection))
      if (found === undefined) throw notFound("collection", collection)
      return found
    },
    putCollection: (id, record, how) => {
      const { collections, record: owner } = database(id)
      if (how === "create" && collections.has(fold(record.$id))) throw alreadyExists("collection", record.$id)
      sqlite.run(
        "insert into holdfast_collections values (?, ?, (select coalesce(max(position), 0) + 1 from holdfast_collections), ?) on conflict (database, id) do update set record = excluded.record",
        owner.$id,
        record.$id,
        ExactJson.stringify(record)
      )
      collections.set(fold(record.$id), record)
    },
    removeCollection: (id, collection) => {
      sqlite.run("delete from holdfast_collections where database = ? and id = ?", id, collection)
      database(id).collections.delete(fold(collection))
    }
  }
}
