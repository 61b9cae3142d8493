#!/usr/bin/env node
/** `npx tsx src/programs/cleanup.ts [--store URL] …`: removes expired idempotency keys; see cleanup/main.ts. */
import "./nodeVersion.ts"

// Afterwards, so that a Node that is too old says so instead of failing at an import.
void import("./cleanup/main.ts")
