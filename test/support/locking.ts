// locking.ts FILE hold|look|race: what another process does with the lock of a file.
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqliteLock from "../../src/layers/migrations/SqliteLock.ts"
import { MigrationLock } from "../../src/MigrationLock.ts"

const [filename = "", mode] = process.argv.slice(2)
const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))
/** Keeps the process, which would end when nothing is left to do. */
const forever = Effect.callback<never>(() => void setInterval(() => {}, 60_000))

const program = Effect.gen(function* () {
  const { acquire, holder } = yield* MigrationLock
  if (mode === "hold") {
    yield* say(`held ${JSON.stringify(yield* acquire)}`)
    return yield* forever
  }
  if (mode === "race") {
    const result = yield* Effect.result(acquire)
    yield* say(result._tag === "Success" ? "won" : `lost ${result.failure._tag}`)
    return yield* forever
  }
  // Looks all the time, from now on.
  for (let count = 0; ; count++) {
    yield* holder
    if (count === 10) yield* say("looking")
    yield* Effect.yieldNow
  }
})

await Effect.runPromise(
  Effect.scoped(program).pipe(Effect.provide(SqliteLock.layer(filename).pipe(Layer.provide(NodeServices.layer))))
)
