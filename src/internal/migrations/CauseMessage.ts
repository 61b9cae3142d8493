/** What people read of a failure: the messages of its errors. Never throws, whatever an author's error does when read. */
import * as Cause from "effect/Cause"

export const messageOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "interrupted"
  try {
    return Cause.prettyErrors(cause)
      .map(({ message, name }) => (message === "" ? name : message))
      .join("; ")
  } catch {
    return "an error whose message can't be read"
  }
}
