/**
 * docs/getting-started.md, walked in an empty project from the packed package: its files are written, its commands run.
 * What is not to be packed is not, and types resolve.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, delimiter, dirname, join } from "node:path"
import { root } from "../support/Program.ts"

/** The blocks of the page, in order: files with their names, and commands. */
const blocks = [
  ...readFileSync(join(root, "docs/getting-started.md"), "utf8").matchAll(/^```(\w+)(?: (\S+))?\n([^]*?)^```$/gm)
].map(([, language, name, text]) => ({ language, name, text: text! }))

// Node by its own path first: a machine's own may be too old.
const environment = {
  ...process.env,
  PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
  NODE_OPTIONS: "",
  npm_config_fund: "false",
  npm_config_audit: "false",
  npm_config_prefer_offline: "true"
}

const run = (folder: string, command: string): string => {
  const { status, stderr, stdout } = spawnSync("sh", ["-c", command], {
    cwd: folder,
    env: environment,
    encoding: "utf8"
  })
  assert.strictEqual(status, 0, `${command}\n${stdout}\n${stderr}`)
  return stdout
}

describe("docs/getting-started.md", () => {
  it("is walked from the packed package", { timeout: 300_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-walk-"))
    try {
      const packages = join(folder, "packages")
      const project = join(folder, "shop")
      for (const home of [packages, project]) mkdirSync(home)
      run(root, "npm run build --silent")
      const [packed] = JSON.parse(run(root, `npm pack --json --silent --pack-destination ${packages}`))
      const packedFiles = packed.files.map(({ path }: { readonly path: string }) => path) as ReadonlyArray<string>
      assert.isEmpty(packedFiles.filter((path) => !/^(?:dist|src)\/|^(?:README\.md|LICENSE|package\.json)$/.test(path)))
      assert.isEmpty(packedFiles.filter((path) => /(?:^|\/)(?:test|examples|scripts)\/|\.test\./.test(path)))
      const tarball = join(packages, readdirSync(packages)[0]!)
      const { version } = JSON.parse(readFileSync(join(root, "node_modules/effect/package.json"), "utf8"))

      const outputs = new Map<string, string>()
      let backup = ""
      for (const { language, name, text } of blocks) {
        if (name !== undefined) {
          const [parent, pattern] = [join(project, dirname(name)), basename(name)]
          const found = pattern.startsWith("*")
            ? readdirSync(parent).find((file) => file.endsWith(pattern.slice(1)))!
            : pattern
          writeFileSync(join(parent, found), text)
        } else if (language === "sh") {
          for (const line of text.trimEnd().split("\n")) {
            const command = line
              .replace("npm install holdfast effect", `npm install ${tarball} effect@${version}`)
              .replace("BACKUP", backup)
            outputs.set(line, run(project, command))
            if (line === "npx holdfast backup products") {
              const { backups } = JSON.parse(run(project, "npx holdfast backups --json"))
              backup = backups.at(-1).backup
            }
          }
        }
      }
      assert.match(outputs.get("npx holdfast up")!, /verified: 3 products/)
      assert.match(outputs.get("npx holdfast up")!, /products is not there/)
      assert.match(outputs.get("npx holdfast backup products")!, /3 documents \(converged\)/)
      assert.match(
        outputs.get("npx holdfast restore BACKUP --dry-run")!,
        /would restore products: 3 changed, 1 missing, 0 extra|created attribute products\.tags/
      )
      assert.match(outputs.get("npx holdfast restore BACKUP")!, /exact hash [0-9a-f]{64}, as in the backup/)
      assert.match(outputs.get("npx holdfast backups prune --keep-last 2")!, /kept/)

      // Types, with the compiler of this project.
      writeFileSync(
        join(project, "tsconfig.json"),
        JSON.stringify({
          compilerOptions: {
            module: "nodenext",
            target: "es2024",
            strict: true,
            noEmit: true,
            types: [],
            allowImportingTsExtensions: true
          },
          include: ["migrations", "holdfast.config.ts", "break.ts"]
        })
      )
      run(project, `node ${join(root, "node_modules/typescript/bin/tsc")} -p .`)
      assert.isFalse(readdirSync(join(project, "node_modules")).includes("vitest"))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
