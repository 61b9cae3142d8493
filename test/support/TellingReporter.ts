/**
 * What a run says last: how many promises of each group were checked on each layer of `IdempotencyStore`, then what was
 * skipped, and the command that installs what is missing for it.
 */
import type { Reporter, TestModule, TestSuite } from "vitest/node"

const contract = "IdempotencyStore on "

export default class TellingReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const lines: Array<string> = []
    for (const suite of modules.flatMap((one) => [...one.children.suites()])) {
      if (!suite.name.startsWith(contract)) continue
      const groups = [...suite.children.suites()].flatMap((group) => this.#passed(group))
      if (groups.length > 0) lines.push(`${suite.name}: ${groups.join("; ")}`)
    }
    for (const test of modules.flatMap((one) => [...one.children.allTests("skipped")])) {
      const { note } = test.result() as { readonly note?: string }
      if (note?.startsWith("skipped: ") === true) lines.push(note)
    }
    if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`)
  }
  /** Its name and how many passed, and of how many where some did not; nothing where none ran. */
  #passed(group: TestSuite): ReadonlyArray<string> {
    const passed = [...group.children.allTests("passed")].length
    const failed = [...group.children.allTests("failed")].length
    if (passed + failed === 0) return []
    return [`${group.name} ${failed === 0 ? passed : `${passed} of ${passed + failed}`}`]
  }
}
