import { join } from "node:path"
import { defineConfig } from "vitest/config"

const source = join(import.meta.dirname, "src")

export default defineConfig({
  // As tsconfig.json's `paths`: tests and examples import the package by its name, without a build.
  resolve: {
    alias: [
      { find: /^holdfast$/, replacement: join(source, "index.ts") },
      { find: /^holdfast\/(.+)$/, replacement: join(source, "$1.ts") }
    ]
  },
  // Nothing more: with "import" here, what CommonJS packages require would come as ES modules.
  ssr: { resolve: { conditions: ["source", "node"] } },
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./test/support/TellingReporter.ts"],
    // Processes, since tests change the working directory, kill and time; two, since that is what a CI machine has.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 30_000,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      reporter: ["text-summary", "json-summary"],
      // A failed run is when one wants to see it.
      reportOnFailure: true
    }
  }
})
