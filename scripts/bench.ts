/** `npm run bench -- SUITE`: a suite is a file in bench/. Prints ratios against a floor measured in the same run. */
import { readdirSync } from "node:fs"

const folder = new URL("bench/", import.meta.url)
const suites = readdirSync(folder).flatMap((file) => (file.startsWith("_") ? [] : [file.replace(/\.ts$/, "")]))
const [suite = ""] = process.argv.slice(2)

if (suites.includes(suite)) {
  await import(new URL(`${suite}.ts`, folder).href)
} else {
  console.error(`There is no suite ${JSON.stringify(suite)}. There are: ${suites.join(", ")}`)
  process.exit(2)
}
