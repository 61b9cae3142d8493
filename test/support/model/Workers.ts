/**
 * Explorations on both cores, and by Node itself: what vitest makes of a module is slower by a third where each call
 * counts.
 */
import { Worker } from "node:worker_threads"
import type { Explored, Limits } from "./Explore.ts"
import type { Configuration } from "./World.ts"

type Progress = Parameters<NonNullable<Limits["onProgress"]>>[0]
type Message = { readonly progress: Progress } | { readonly explored: Explored }

interface Job {
  readonly configuration: Configuration
  readonly limits: Limits
  readonly resolve: (explored: Explored) => void
  readonly reject: (cause: unknown) => void
}

export interface Workers {
  /** In the order of the calls, as threads are free. */
  readonly explore: (configuration: Configuration, limits?: Limits) => Promise<Explored>
  readonly close: () => Promise<void>
}

export const workers = (count: number): Workers => {
  const waiting: Array<Job> = []
  const all = new Set<Worker>()

  const explored = (worker: Worker, { configuration, limits: { onProgress, ...limits } }: Job) =>
    new Promise<Explored>((resolve, reject) => {
      const met = (message: Message): void => {
        if ("progress" in message) return onProgress?.(message.progress)
        worker.off("message", met)
        worker.off("error", reject)
        resolve(message.explored)
      }
      worker.on("message", met)
      worker.once("error", reject)
      worker.postMessage({ configuration, limits }, [])
    })
  const serve = async (): Promise<void> => {
    // A thread for as long as there is work: its memory goes with it.
    const worker = new Worker(new URL("Worker.ts", import.meta.url), { execArgv: ["--conditions=source"] })
    all.add(worker)
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift())
      await explored(worker, job).then(job.resolve, job.reject)
    all.delete(worker)
    await worker.terminate()
  }

  return {
    explore: (configuration, limits = {}) =>
      new Promise((resolve, reject) => {
        waiting.push({ configuration, limits, resolve, reject })
        if (all.size < count) void serve()
      }),
    close: async () => {
      waiting.length = 0
      await Promise.all([...all].map((worker) => worker.terminate()))
    }
  }
}
