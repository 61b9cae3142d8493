/** What the server refuses: status, Appwrite's own type of the error, and the message as recorded. */
import * as Schema from "effect/Schema"

export class ApiFailure extends Schema.TaggedError<ApiFailure>()("ApiFailure", {
  status: Schema.Int,
  type: Schema.String,
  message: Schema.String,
  /** Sent beside the usual ones. */
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
}) {}

/** The server that the emulator behaves like; it stands in every error body. */
export const serverVersion = "1.9.6"

/** The body of an error, as clients read it. */
export const body = (failure: ApiFailure) => ({
  message: failure.message,
  code: failure.status,
  type: failure.type,
  version: serverVersion
})

export const make = (status: number, type: string, message: string): ApiFailure =>
  new ApiFailure({ status, type, message })

/** A parameter is not what it should be. `detail`: the description of the rule. */
export const invalidParameter = (name: string, detail: string): ApiFailure =>
  make(400, "general_argument_invalid", `Invalid \`${name}\` param: ${detail}`)

export const missingParameter = (name: string): ApiFailure =>
  make(400, "general_argument_invalid", `Param "${name}" is not optional.`)

/** Without a message: the one that names nothing. */
export const unauthorized = (
  message = "The current user is not authorized to perform the requested action."
): ApiFailure => make(401, "user_unauthorized", message)

/** What production says of anything unexpected. */
export const serverError = make(500, "general_unknown", "Server Error")
