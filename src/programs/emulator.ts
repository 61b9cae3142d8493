#!/usr/bin/env node
/** `npx tsx src/programs/emulator.ts [--port] [--database URL] …`: an Appwrite server for tests; see emulator/main.ts. */
import "./nodeVersion.ts"

// Afterwards, so that a Node that is too old says so instead of failing at an import.
void import("./emulator/main.ts")
