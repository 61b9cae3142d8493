#!/usr/bin/env node
/** `npx tsx src/programs/trace.ts [ID] [FILE…|-] [--html OUT] [--json]`: reads the log; see trace/main.ts. */
import "./nodeVersion.ts"

// Afterwards, so that a Node that is too old says so instead of failing at an import.
void import("./trace/main.ts")
