// node counts.mjs FILE STATUS: the last line of a run, out of the report of vitest and the status that it ended with.
// Ends with 1 where a test failed and, under CI=true, where one was left out.
import { readFileSync } from "node:fs"

const [file, status] = process.argv.slice(2)
const report = JSON.parse(readFileSync(file, "utf8"))

const passed = report.numPassedTests
const skipped = report.numPendingTests + report.numTodoTests
// A file that can't be loaded has no tests to count, yet it failed.
const broken = report.testResults.filter(
  (result) => result.status === "failed" && !result.assertionResults.some((test) => test.status === "failed")
).length
// An error outside every test shows only in the status.
const failed = Math.max(report.numFailedTests + broken, status === "0" && report.success ? 0 : 1)

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(failed > 0 || passed === 0 || (process.env.CI === "true" && skipped > 0) ? 1 : 0)
