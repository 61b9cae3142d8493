/** Explores in a thread of its own: messages bring a configuration and limits, and take away what was found. */
import { parentPort } from "node:worker_threads"
import type { Limits } from "./Explore.ts"
import { explore } from "./Explore.ts"
import type { Configuration } from "./World.ts"

parentPort?.on("message", ({ configuration, limits }: { configuration: Configuration; limits: Limits }) => {
  const onProgress: Limits["onProgress"] = (progress) => parentPort?.postMessage({ progress }, [])
  parentPort?.postMessage({ explored: explore(configuration, { ...limits, onProgress }) }, [])
})
