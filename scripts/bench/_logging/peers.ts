/** The others, as their documentation uses them. What can't be told to hide a path hides nothing. */
import { Logger } from "@aws-lambda-powertools/logger"
import { pino } from "pino"
import { context, type Line, linesOfRequest, paths } from "./lines.ts"
import type { Subject } from "./subjects.ts"

const inTurn = async (
  lines: ReadonlyArray<Line>,
  each: ((index: number) => void) | undefined,
  write: (line: Line) => void
) => {
  for (const [index, line] of lines.entries()) {
    write(line)
    each?.(index)
    if ((index + 1) % linesOfRequest === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Without its own process id and host, which no other line has. Batches are written by another thread. */
export const pinoTo = (dest: string, minLength: number) => (): Subject => {
  const destination = pino.destination(minLength === 0 ? { dest, sync: true } : { dest, minLength, sync: false })
  const logger = pino({ base: null, redact: { paths, censor: "[redacted]" } }, destination)
  const written = async () => {
    // Its flush with a callback syncs the disk, which nobody else does.
    const drained = new Promise((resolve) => destination.once("drain", resolve))
    destination.flush()
    await drained
  }
  return {
    run: async (lines, each) => {
      const child = logger.child(context())
      await inTurn(lines, each, ({ fields, message }) => child.info(fields, message))
      if (minLength > 0) await written()
    }
  }
}

/** Calls below the level. */
export const silentPino = () => (): Subject => {
  const logger = pino({ base: null, redact: { paths, censor: "[redacted]" } }, pino.destination("/dev/null"))
  return {
    run: async (lines) => {
      const child = logger.child(context())
      for (const { fields, message } of lines) child.debug(fields, message)
    }
  }
}

/** To standard output, as on Lambda. */
export const powertools = () => (): Subject => {
  const logger = new Logger({ serviceName: "create-recognition", logLevel: "INFO" })
  return {
    run: (lines, each) => {
      const child = logger.createChild({ persistentKeys: { ...context() } })
      return inTurn(lines, each, ({ fields, message }) => child.info(message, { ...fields }))
    }
  }
}

/** What one writes by hand. */
export const consoleLog = () => (): Subject => ({
  run: (lines, each) => {
    const bound = context()
    return inTurn(lines, each, ({ fields, message }) =>
      console.log(JSON.stringify({ timestamp: new Date().toISOString(), level: "info", message, ...bound, ...fields }))
    )
  }
})
