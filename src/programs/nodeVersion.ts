/**
 * Says in one sentence that Node is too old, where its loader or a missing module would say it with a stack.
 *
 * A program imports this file first and the rest afterwards with `import()`, for imports are linked before any of them
 * runs. Plain old syntax and no imports here, so that an old Node reads as far as the sentence.
 */

/** The same as `engines` in package.json: what type stripping without a flag and `@effect/platform-node` need. */
const needed = "22.19.0"

const numbers = (version: string) => version.split(".").map((part) => parseInt(part, 10))

const isOlder = (version: string, floor: string) => {
  const [major = 0, minor = 0, patch = 0] = numbers(version)
  const [floorMajor = 0, floorMinor = 0, floorPatch = 0] = numbers(floor)
  if (major !== floorMajor) return major < floorMajor
  if (minor !== floorMinor) return minor < floorMinor
  return patch < floorPatch
}

if (isOlder(process.versions.node, needed)) {
  process.stderr.write(
    "holdfast needs Node " +
      needed +
      " or newer and this is Node " +
      process.versions.node +
      ": start it by npx or npm run, which use the Node that the project installed " +
      "(npx tsx src/programs/migrate.ts), or install Node 24.\n"
  )
  process.exit(2)
}
