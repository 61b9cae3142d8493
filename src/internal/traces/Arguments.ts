/** Which arguments are files, and which one is the id. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parseTraceparent } from "../../TraceContext.ts"

/** Neither a file nor an id, or one id too many. */
export class ArgumentUnclear extends Schema.TaggedError<ArgumentUnclear>()("ArgumentUnclear", {
  argument: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${JSON.stringify(this.argument)} ${this.detail}`
  }
}

export interface Asked {
  /** Undefined: an overview. */
  readonly id: string | undefined
  /** `-` is standard input. */
  readonly files: ReadonlyArray<string>
}

const idForm = /^[A-Za-z0-9][A-Za-z0-9._~:@+=-]{0,127}$/
const fileForm = /\.(?:log|gz|jsonl?|ndjson|txt|zip|zst|html)$/i

/** A whole traceparent will do for its trace id. */
export const sort = (
  words: ReadonlyArray<string>,
  isFile: (word: string) => boolean
): Result.Result<Asked, ArgumentUnclear> => {
  const files: Array<string> = []
  let id: string | undefined
  for (const word of words) {
    const refuse = (detail: string) => Result.fail(new ArgumentUnclear({ argument: word, detail }))
    if (word === "-" || isFile(word)) {
      if (!files.includes(word)) files.push(word)
    } else if (!idForm.test(word) || fileForm.test(word)) {
      return refuse(
        "is no file that is there, and no id: an id is 1 to 128 letters, digits and . _ ~ : @ + = -. Check the path"
      )
    } else if (id !== undefined)
      return refuse(`is no file that is there, and ${id} is the id already: give one of them`)
    else id = parseTraceparent(word)?.traceId ?? word
  }
  return Result.succeed({ id, files })
}
