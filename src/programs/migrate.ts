#!/usr/bin/env node
/** `npx tsx src/programs/migrate.ts COMMAND`, which is `holdfast COMMAND` too. The commands are listed in migrate/. */
import "./nodeVersion.ts"
import { keepHeapSmall } from "./memory.ts"

keepHeapSmall()

// Afterwards, so that a Node that is too old says so instead of failing at an import.
void import("./migrate/main.ts")
