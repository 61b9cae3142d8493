/**
 * Full-text indexes on SQLite's FTS5, under the recorded server's rules (InnoDB): words of three characters on, no stop
 * words, without case and accents; a search finds words by their beginnings, or a phrase in quotes.
 *
 * The index holds words alone, not the texts; triggers keep it beside its table.
 */
import { fold } from "../../../Collation.ts"
import type { Index } from "../../../Index.ts"
import { quote, type Sqlite } from "../../vendors/Sqlite.ts"
import { indexName, tableOf } from "./Columns.ts"

/** Source: MariaDB, information_schema.INNODB_FT_DEFAULT_STOPWORD. */
const stopWords: ReadonlySet<string> = new Set(
  "A ABOUT AN ARE AS AT BE BY COM DE EN FOR FROM HOW I IN IS IT LA OF ON OR THAT THE THIS TO WAS WHAT WHEN WHERE WHO WILL WITH UND WWW".split(
    " "
  )
)
/** Shorter words are not in the index. */
const shortest = 3

const wordsOf = (text: string): ReadonlyArray<string> =>
  text
    .split(/[^\p{L}\p{N}\p{M}_]+/u)
    .filter((word) => word !== "")
    .map(fold)

/** The words of a text that the index holds. */
const indexed = (text: string): string =>
  wordsOf(text)
    .filter((word) => word.length >= shortest && !stopWords.has(word))
    .join(" ")

export const defineFunctions = (sqlite: Sqlite): void => {
  sqlite.define("fulltext_words", indexed)
}

/** A search as FTS5 writes it; undefined where it can find nothing. */
export const matchOf = (search: string): string | undefined => {
  const match = wordsMatch(search)
  // The first column is the attribute that was asked for.
  return match === undefined ? undefined : `{c0} : (${match})`
}

const wordsMatch = (search: string): string | undefined => {
  const phrase = /^\s*"([^"]*)"\s*$/.exec(search)?.[1]
  if (phrase !== undefined) {
    const words = indexed(phrase)
    return words === "" ? undefined : `"${words}"`
  }
  const words = wordsOf(search)
  return words.length === 0 ? undefined : words.map((word) => `"${word}" *`).join(" OR ")
}

const triggers = ["insert", "delete", "update"] as const
const triggerName = (database: string, collection: string, index: string, event: string): string =>
  indexName(database, collection, `${index}~${event}`)

/** Makes the index over what is there, and the triggers that keep it. */
export const create = (sqlite: Sqlite, database: string, collection: string, index: Index): void => {
  const table = tableOf(database, collection)
  const name = indexName(database, collection, index.key)
  const columns = index.attributes.map((_, position) => `c${position}`)
  sqlite.run(
    `create virtual table ${name} using fts5(${columns.join(", ")}, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 tokenchars '_'")`
  )
  const words = (row: string) => index.attributes.map((key) => `fulltext_words(${row}${quote(key)})`).join(", ")
  const into = `insert into ${name} (rowid, ${columns.join(", ")})`
  sqlite.run(`${into} select "$sequence", ${words("")} from ${table}`)
  const bodies: { readonly [E in (typeof triggers)[number]]: string } = {
    insert: `${into} values (new."$sequence", ${words("new.")});`,
    delete: `delete from ${name} where rowid = old."$sequence";`,
    update: `delete from ${name} where rowid = old."$sequence"; ${into} values (new."$sequence", ${words("new.")});`
  }
  for (const event of triggers) {
    sqlite.run(
      `create trigger ${triggerName(database, collection, index.key, event)} after ${event} on ${table} begin ${bodies[event]} end`
    )
  }
}

export const drop = (sqlite: Sqlite, database: string, collection: string, index: Index): void => {
  for (const event of triggers) sqlite.run(`drop trigger ${triggerName(database, collection, index.key, event)}`)
  sqlite.run(`drop table ${indexName(database, collection, index.key)}`)
}
