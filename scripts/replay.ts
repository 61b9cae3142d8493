/**
 * `npm run replay [-- SCENARIO…]`: plays what was recorded on a real server (test/fixtures/appwrite) against the
 * emulator, which it starts on a free port; with `--quirks` that does what the real server does wrong as well. Options
 * that replay.mjs knows go through: `--messages`, `--bytes`.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { createInterface } from "node:readline"

const fixtures = new URL("../test/fixtures/appwrite/", import.meta.url).pathname
const emulator = new URL("../src/programs/emulator.ts", import.meta.url).pathname

const given = process.argv.slice(2)
const quirks = given.includes("--quirks")
const options = given.filter((argument) => argument.startsWith("--") && argument !== "--quirks")
const names = given.filter((argument) => !argument.startsWith("--"))
const scenarios = readdirSync(fixtures).flatMap((file) =>
  file.endsWith(".jsonl") ? [file.replace(/\.jsonl$/, "")] : []
)
const unknown = names.filter((name) => !scenarios.includes(name))
if (unknown.length > 0) {
  console.error(`There is no scenario ${unknown.join(", ")}. There are: ${scenarios.join(", ")}`)
  process.exit(2)
}
const files = (names.length > 0 ? names : scenarios).map((name) => `${fixtures}${name}.jsonl`)

const server = spawn(process.execPath, [emulator, "--port", "0", "--json", ...(quirks ? ["--quirks"] : [])], {
  stdio: ["ignore", "pipe", "inherit"]
})
for await (const line of createInterface({ input: server.stdout })) {
  const { endpoint, key, project }: { endpoint: string; key: string; project: string } = JSON.parse(line)
  const target = ["--endpoint", endpoint, "--project", project, "--key", key]
  // There are no users, and keys are not made over HTTP.
  const without = ["--without", "users,keys", "--settle-ms", "0"]
  const replay = spawn(process.execPath, [`${fixtures}replay.mjs`, ...target, ...without, ...options, ...files], {
    stdio: "inherit"
  })
  const [code] = (await once(replay, "exit")) as [number | null]
  process.exitCode = code ?? 1
  break
}
server.kill("SIGTERM")
