/** What can't run on this machine is skipped where a person sees it: TellingReporter.ts names it at the end of the run. */
import { assert, describe, it } from "vitest"

/** Says what is skipped, what is missing for it, and the command that installs that. Under CI=true that is a failure. */
export const skipped = (what: string, missing: string, install: string): void => {
  describe(what, () => {
    const words = `${missing} is not installed. Install it: ${install}`
    it("runs where its server is installed", (context) => {
      if (process.env["CI"] === "true") assert.fail(words)
      context.skip(`skipped: ${what}: ${words}`)
    })
  })
}
