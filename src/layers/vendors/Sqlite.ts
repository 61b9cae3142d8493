/** SQLite through `node:sqlite`: opening, statements that are prepared once, transactions. Synchronous throughout. */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite"

export type Parameter = SQLInputValue
export type Cell = SQLOutputValue
export type Row = ReadonlyArray<Cell>

/** A connection. Its statements are kept, prepared, by their text. */
export interface Sqlite {
  /** One statement without results. Answers the number of the row inserted last. */
  readonly run: (sql: string, ...parameters: ReadonlyArray<Parameter>) => number
  /** All rows, each as the list of its cells. */
  readonly all: (sql: string, ...parameters: ReadonlyArray<Parameter>) => ReadonlyArray<Row>
  /** The first row. */
  readonly first: (sql: string, ...parameters: ReadonlyArray<Parameter>) => Row | undefined
  /** The first row, whole numbers as bigints. */
  readonly firstExact: (sql: string, ...parameters: ReadonlyArray<Parameter>) => Row | undefined
  /** The body between BEGIN and COMMIT; all of it is undone when it throws. */
  readonly transaction: <A>(mode: "read" | "write", body: () => A) => A
  /** The body inside a transaction; what it did is undone when it throws, the transaction goes on. */
  readonly savepoint: <A>(body: () => A) => A
  /** The body, and back to where it began. For a look at what would be. */
  readonly rehearsal: <A>(body: () => A) => A
  /** Writes go to a log first (WAL), so that readers and a writer do not wait for each other. Kept in the file. */
  readonly writeAhead: () => void
  /** A pure function of one text, null for null; further arguments come as they are. */
  readonly define: (name: string, body: (text: string, ...rest: ReadonlyArray<Cell>) => string | number) => void
  /** A pure function of one double; null for all else. */
  readonly defineOfNumber: (name: string, body: (value: number) => string | number) => void
  readonly close: () => void
}

/** Statements kept prepared on one connection; past that the oldest goes. */
const keptStatements = 256

export interface OpenOptions {
  /** A path, or `:memory:`. */
  readonly filename: string
  /** How long a statement waits for another process's lock, in milliseconds. Default 5000. */
  readonly busyTimeout?: number | undefined
  /** Nothing is written, and a missing file not made. Default false. */
  readonly readOnly?: boolean | undefined
}

/** Opens or creates a file (synchronous FULL), or a database in memory. Throws `SqliteError`s of Node. */
export const open = (options: OpenOptions): Sqlite => {
  const readOnly = options.readOnly ?? false
  const database = new DatabaseSync(options.filename, { timeout: options.busyTimeout ?? 5000, readOnly })
  try {
    database.exec("pragma synchronous = FULL")
  } catch (error) {
    database.close()
    throw error
  }
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const kept = statements.get(sql)
    if (kept !== undefined) return kept
    if (statements.size >= keptStatements) statements.delete(statements.keys().next().value!)
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    statements.set(sql, statement)
    return statement
  }
  // With `setReturnArrays` rows are arrays, which the types of Node do not know.
  const rows = (value: unknown) => value as ReadonlyArray<Row>
  return {
    run: (sql, ...parameters) => Number(prepared(sql).run(...parameters).lastInsertRowid),
    all: (sql, ...parameters) => rows(prepared(sql).all(...parameters)),
    first: (sql, ...parameters) => rows(prepared(sql).all(...parameters))[0],
    firstExact: (sql, ...parameters) => {
      const statement = database.prepare(sql)
      statement.setReturnArrays(true)
      statement.setReadBigInts(true)
      return rows(statement.all(...parameters))[0]
    },
    savepoint: (body) => {
      prepared("savepoint part").run()
      try {
        const answer = body()
        prepared("release part").run()
        return answer
      } catch (error) {
        prepared("rollback to part").run()
        prepared("release part").run()
        throw error
      }
    },
    rehearsal: (body) => {
      prepared("savepoint rehearsal").run()
      try {
        return body()
      } finally {
        prepared("rollback to rehearsal").run()
        prepared("release rehearsal").run()
      }
    },
    transaction: (mode, body) => {
      prepared(mode === "write" ? "begin immediate" : "begin").run()
      let answer
      try {
        answer = body()
        prepared("commit").run()
      } catch (error) {
        // A failed COMMIT may have ended the transaction already.
        if (database.isTransaction) prepared("rollback").run()
        throw error
      }
      return answer
    },
    writeAhead: () => {
      prepared("pragma journal_mode = WAL").all()
    },
    define: (name, body) =>
      database.function(name, { deterministic: true, varargs: true }, (value, ...rest) =>
        typeof value === "string" ? body(value, ...rest) : null
      ),
    defineOfNumber: (name, body) =>
      database.function(name, { deterministic: true }, (value) => (typeof value === "number" ? body(value) : null)),
    close: () => {
      statements.clear()
      database.close()
    }
  }
}

/** What SQLite says of a failure, by its extended result code; undefined where it was not SQLite's. */
export const errorOf = (error: unknown): { readonly code: number; readonly message: string } | undefined =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number"
    ? { code: error.errcode, message: error.message }
    : undefined

/** Extended result codes that mean "another row holds these values". */
export const isUniqueViolation = (error: unknown): boolean => {
  const code = errorOf(error)?.code
  return code === 2067 || code === 1555
}

/** Another connection holds the lock that was asked for. */
export const isBusy = (error: unknown): boolean => ((errorOf(error)?.code ?? 0) & 0xff) === 5

/** A name in SQL, whatever it holds. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
