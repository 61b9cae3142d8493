/**
 * Buckets and files in SQLite: their descriptions as JSON, the chunks of a file as blobs, read one at a time.
 *
 * Ids compare without case. What is written is whole or not at all, and there after a restart.
 */
import { createHash } from "node:crypto"
import * as Sqlite from "../../../Sqlite.ts"
import * as MimeType from "./MimeType.ts"

export interface Bucket {
  readonly $id: string
  readonly $createdAt: string
  readonly $updatedAt: string
  readonly $permissions: ReadonlyArray<string>
  readonly fileSecurity: boolean
  readonly name: string
  readonly enabled: boolean
  readonly maximumFileSize: number
  readonly allowedFileExtensions: ReadonlyArray<string>
  readonly compression: string
  readonly encryption: boolean
  readonly antivirus: boolean
  readonly transformations: boolean
  readonly totalSize: number
}

export interface File {
  readonly $id: string
  readonly bucketId: string
  readonly $createdAt: string
  readonly $updatedAt: string
  readonly $permissions: ReadonlyArray<string>
  readonly name: string
  readonly signature: string
  readonly mimeType: string
  readonly sizeOriginal: number
  readonly sizeActual: number
  readonly chunksTotal: number
  readonly chunksUploaded: number
  readonly encryption: boolean
  readonly compression: string
}

/** Where a thing lies: its number, which is its `$sequence` too. */
export interface Stored<A> {
  readonly sequence: number
  readonly value: A
}

const schema = [
  `create table if not exists buckets (
    sequence integer primary key autoincrement, id text not null unique collate nocase, value text not null)`,
  `create table if not exists files (
    sequence integer primary key autoincrement, bucket integer not null, id text not null collate nocase,
    value text not null, unique (bucket, id))`,
  `create table if not exists chunks (
    file integer not null, number integer not null, bytes blob not null, unique (file, number))`
]

const stored = <A>(row: Sqlite.Row): Stored<A> => ({
  sequence: Number(row[0]),
  value: JSON.parse(String(row[1])) as A
})

const buckets = (sqlite: Sqlite.Sqlite) => ({
  get: (id: string): Stored<Bucket> | undefined => {
    const row = sqlite.first("select sequence, value from buckets where id = ?", id)
    return row === undefined ? undefined : stored(row)
  },
  /** In the order of creation. */
  list: (): ReadonlyArray<Bucket> =>
    sqlite.all("select sequence, value from buckets order by sequence").map((row) => stored<Bucket>(row).value),
  insert: (bucket: Bucket): void => {
    sqlite.run("insert into buckets (id, value) values (?, ?)", bucket.$id, JSON.stringify(bucket))
  },
  update: (sequence: number, bucket: Bucket): void => {
    sqlite.run("update buckets set value = ? where sequence = ?", JSON.stringify(bucket), sequence)
  },
  /** With its files. */
  remove: (sequence: number): void => {
    sqlite.transaction("write", () => {
      sqlite.run("delete from chunks where file in (select sequence from files where bucket = ?)", sequence)
      sqlite.run("delete from files where bucket = ?", sequence)
      sqlite.run("delete from buckets where sequence = ?", sequence)
    })
  }
})

const files = (sqlite: Sqlite.Sqlite) => ({
  get: (bucket: number, id: string): Stored<File> | undefined => {
    const row = sqlite.first("select sequence, value from files where bucket = ? and id = ?", bucket, id)
    return row === undefined ? undefined : stored(row)
  },
  /** In the order of creation. */
  list: (bucket: number): ReadonlyArray<File> =>
    sqlite
      .all("select sequence, value from files where bucket = ? order by sequence", bucket)
      .map((row) => stored<File>(row).value),
  insert: (bucket: number, file: File): number =>
    sqlite.run("insert into files (bucket, id, value) values (?, ?, ?)", bucket, file.$id, JSON.stringify(file)),
  update: (sequence: number, file: File): void => {
    sqlite.run("update files set value = ? where sequence = ?", JSON.stringify(file), sequence)
  },
  remove: (sequence: number): void => {
    sqlite.transaction("write", () => {
      sqlite.run("delete from chunks where file = ?", sequence)
      sqlite.run("delete from files where sequence = ?", sequence)
    })
  }
})

/** A piece of a chunk: where in the file it lies is left to its neighbours. */
interface Piece {
  readonly number: number
  readonly from: number
  readonly length: number
}

/** What a whole file is, found by reading it once. */
export interface Summary {
  readonly size: number
  /** MD5, as the server signs. */
  readonly signature: string
  readonly mimeType: string
}

const chunks = (sqlite: Sqlite.Sqlite) => {
  const piece = (file: number, { from, length, number }: Piece): Uint8Array => {
    const row = sqlite.first(
      "select substr(bytes, ?, ?) from chunks where file = ? and number = ?",
      from + 1,
      length,
      file,
      number
    )
    return row?.[0] instanceof Uint8Array ? row[0] : new Uint8Array()
  }
  const sizes = (file: number) =>
    sqlite
      .all("select number, length(bytes) from chunks where file = ? order by number", file)
      .map(([number, length]) => ({ number: Number(number), length: Number(length) }))
  /** What of each chunk lies between two bytes of the file. */
  const pieces = (file: number, start: number, end: number): ReadonlyArray<Piece> => {
    let at = 0
    return sizes(file).flatMap(({ length, number }) => {
      const from = Math.max(0, start - at)
      const to = Math.min(length, end + 1 - at)
      at += length
      return from < to ? [{ number, from, length: to - from }] : []
    })
  }
  return {
    /** The same chunk again takes the place of the first. */
    put: (file: number, number: number, bytes: Uint8Array): void => {
      sqlite.run("insert or replace into chunks (file, number, bytes) values (?, ?, ?)", file, number, bytes)
    },
    count: (file: number): number => Number(sqlite.first("select count(*) from chunks where file = ?", file)?.[0] ?? 0),
    summary: (file: number): Summary => {
      const hash = createHash("md5")
      let [size, mimeType] = [0, MimeType.detect(new Uint8Array())]
      for (const { length, number } of sizes(file)) {
        const bytes = piece(file, { number, from: 0, length })
        if (size === 0) mimeType = MimeType.detect(bytes)
        hash.update(bytes)
        size += length
      }
      return { size, signature: hash.digest("hex"), mimeType }
    },
    /** From one byte to another: how many there are, and the bytes, a chunk at a time, read as they are asked for. */
    read: (file: number, start: number, end: number) => {
      const found = pieces(file, start, end)
      return {
        length: found.reduce((total, { length }) => total + length, 0),
        chunks: Iterator.from(found).map((one) => piece(file, one))
      }
    }
  }
}

/** Opens or creates the file; `:memory:` keeps everything here. */
export const open = (filename: string) => {
  const sqlite = Sqlite.open({ filename })
  sqlite.writeAhead()
  for (const statement of schema) sqlite.run(statement)
  return {
    buckets: buckets(sqlite),
    files: files(sqlite),
    chunks: chunks(sqlite),
    /** All of the body, or nothing. */
    write: <A>(body: () => A): A => sqlite.transaction("write", body),
    close: sqlite.close
  }
}
export type Store = ReturnType<typeof open>
