/** What programs print: for people on both channels, or one JSON document on standard output. */
import * as Cause from "effect/Cause"
import * as CliOutput from "effect/cli/CliOutput"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { styleText } from "node:util"
import { exitCodes } from "./exitCodes.ts"

/** Of the JSON documents: it grows when a member goes or changes its meaning. */
export const jsonVersion = 1

/** Ends the program with this code; everything is said by then. */
export class ExitWith extends Schema.TaggedError<ExitWith>()("ExitWith", { code: Schema.Int }) {}

/** What a command has to say. */
export interface Answer {
  readonly text: string
  /** Members of the JSON document. */
  readonly json: { readonly [key: string]: unknown }
  readonly code: number
}

type Style = Parameters<typeof styleText>[0]

/** Styled where the terminal shows styles and NO_COLOR is not set. */
export const styled = (style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText(style, text, { stream })

/** Rows in columns as wide as their widest cell. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const plain = (cell: string) => cell.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g"), "")
  const width = (cell: string) => CliOutput.displayWidth(plain(cell))
  const widths = head.map((title, column) => Math.max(width(title), ...rows.map((row) => width(row[column] ?? ""))))
  const line = (row: ReadonlyArray<string>) =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
      .join("  ")
      .trimEnd()
  return [line(head.map((title) => styled("dim", title))), ...rows.map(line)].join("\n")
}

/** `1 migration`, `2 migrations`. */
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`

/** Milliseconds as people say them. */
export const duration = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`

/** An error as it stands in a JSON document. */
export const errorJson = (error: { readonly _tag: string; readonly message: string }) => {
  const { cause: _cause, ...fields } = error as typeof error & { readonly cause?: unknown }
  return { ...fields, _tag: error._tag, message: error.message }
}

const document = (command: string, members: { readonly [key: string]: unknown }): string =>
  JSON.stringify({ version: jsonVersion, command, ...members }, undefined, 2)

/** Not through `Console`: what migrations print must not come between. */
export const printDocument = (text: string): Effect.Effect<void> =>
  Effect.sync(() => void process.stdout.write(`${text}\n`))

const codeOf = (tag: string): number => (tag in exitCodes ? exitCodes[tag as keyof typeof exitCodes] : 1)

/**
 * Runs a command to its end: prints its answer or its failure, and ends with the code. Only what the command itself
 * lets be interrupted is.
 */
export const run = <E extends { readonly _tag: string; readonly message: string }, R>(
  command: string,
  json: boolean,
  body: Effect.Effect<Answer, E, R>
): Effect.Effect<void, ExitWith, R> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const answer = yield* body.pipe(
        Effect.catch((error) => {
          const text = `${styled("red", "error", process.stderr)}: ${error.message}`
          return Effect.as(json ? Console.error(error.message) : Console.error(text), {
            text: "",
            json: { success: false, error: errorJson(error) },
            code: codeOf(error._tag)
          })
        }),
        Effect.tapCause((cause) => {
          const interrupted = Cause.hasInterruptsOnly(cause)
          const error = interrupted
            ? { _tag: "Interrupted", message: "interrupted; what was begun is undone" }
            : { _tag: "Defect", message: String(Cause.squash(cause)) }
          return Effect.andThen(
            interrupted ? Console.error("Interrupted. What was begun is undone.") : Effect.void,
            json ? printDocument(document(command, { success: false, error })) : Effect.void
          )
        })
      )
      if (json) yield* printDocument(document(command, answer.json))
      else if (answer.text !== "") yield* Console.log(answer.text)
      if (answer.code !== 0) return yield* new ExitWith({ code: answer.code })
    })
  )
