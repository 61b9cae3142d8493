/** The 3,201 records of vega-datasets' movies, as messy as they come, and what the app makes of one. */
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"

/** A record as the file has it. */
export type Movie = Readonly<Record<string, string | number | null>>

const file = new URL("../data/movies.json", import.meta.resolve("vega-datasets"))

export const movies: Effect.Effect<ReadonlyArray<Movie>, Error> = Effect.tryPromise({
  try: async () => JSON.parse(await readFile(file, "utf8")) as ReadonlyArray<Movie>,
  catch: (error) => new Error(`the records can't be read: ${String(error)}`)
})

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** `Jun 12 1998` → `1998-06-12`. */
const date = (text: string | number | null | undefined): string | null => {
  const [, name, day, year] = /^(\w{3}) (\d{1,2}) (\d{4})$/.exec(String(text)) ?? []
  const month = months.indexOf(name ?? "") + 1
  if (month === 0 || day === undefined || year === undefined) return null
  return `${year}-${String(month).padStart(2, "0")}-${day.padStart(2, "0")}`
}

const text = (value: string | number | null | undefined): string | null =>
  value === null || value === undefined ? null : String(value)
const number = (value: string | number | null | undefined): number | null => (typeof value === "number" ? value : null)

/** Own ids, the same in each run, so that two databases can be compared. */
export const idOf = (position: number): string => `movie-${String(position + 1).padStart(4, "0")}`

/** The documents of one record; or why there are none. */
export const convert = (movie: Movie, position: number) => {
  const title = text(movie["Title"])
  if (title === null) return { reason: "it has no title" }
  const releasedAt = date(movie["Release Date"])
  if (releasedAt === null) return { reason: `its release date ${JSON.stringify(movie["Release Date"])} is none` }
  const id = idOf(position)
  const tomatoes = number(movie["Rotten Tomatoes Rating"])
  const imdb = number(movie["IMDB Rating"])
  return {
    recognition: {
      $id: id,
      title,
      director: text(movie["Director"]),
      distributor: text(movie["Distributor"]),
      genre: text(movie["Major Genre"]),
      certificate: text(movie["MPAA Rating"]),
      releasedAt,
      budget: number(movie["Production Budget"]),
      worldwideGross: number(movie["Worldwide Gross"]),
      minutes: number(movie["Running Time min"]),
      tomatoes
    },
    evidence: [
      ...(imdb === null
        ? []
        : [{ $id: `${id}-imdb`, recognitionId: id, source: "imdb", score: imdb, votes: number(movie["IMDB Votes"]) }]),
      ...(tomatoes === null
        ? []
        : [{ $id: `${id}-tomatoes`, recognitionId: id, source: "rotten-tomatoes", score: tomatoes / 10 }])
    ]
  }
}
