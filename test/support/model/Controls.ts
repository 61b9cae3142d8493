/** Each rule switched off, where it is missed: a check that finds nothing then would find nothing ever. */
import type { Rules } from "../../../src/EpochLog.ts"
import { named } from "./Configurations.ts"
import type { Configuration, Invariant } from "./World.ts"

export interface Control {
  readonly rule: keyof Rules
  readonly configuration: Configuration
  readonly invariant: Invariant
}

const without = (rule: keyof Rules, name: string, only?: Invariant): Configuration => {
  const { parameters, ...rest } = named(name)
  return {
    ...rest,
    name: `without ${rule}`,
    only,
    parameters: { ...parameters, rules: { ...parameters.rules, [rule]: false } }
  }
}
const control = (rule: keyof Rules, invariant: Invariant, name: string): Control => ({
  rule,
  invariant,
  configuration: without(rule, name, invariant)
})

/** Rules that are missed, each by the invariant that it is there for; and every invariant missing one. */
export const controls: ReadonlyArray<Control> = [
  control("createOnce", "I1", "crashes, two requests each"),
  control("createOnce", "I3", "crashes, two requests each"),
  control("freshNonce", "I7", "clean-up, lost answer"),
  control("leaseAtAcknowledgement", "I6", "crashes, two requests each"),
  control("leaseCapped", "L3", "crashes, two requests each"),
  control("completionWithinExpiry", "I6", "clean-up, two requests of one"),
  control("marginAtTakeover", "I2", "clocks apart, lost answer"),
  control("marginAtReclaim", "I5", "clocks apart, lost answer"),
  control("chainByGeneration", "I4", "clean-up, two requests of one"),
  control("deleteByGeneration", "I7", "clean-up, two requests of one"),
  control("garbageRemoval", "L1", "clean-up, two requests of one"),
  control("noReplayPastExpiry", "I4", "clocks apart, lost answer"),
  control("purgeAfterMargin", "I5", "clocks apart, clean-up"),
  control("lostSendsNothing", "I4", "clean-up, two requests of one"),
  control("conflictIsRead", "L2", "clean-up, lost answer"),
  control("oldListAgain", "L2", "old lists, release, lost answer"),
  control("ownLateRenewal", "L2", "late landings, renewals"),
  control("lastSlotReserved", "L2", "late landings, renewals"),
  control("transactionTtl", "I8", "transactional, late commits"),
  control("occupy", "I8", "transactional, late commits")
]

/** Rules that the others imply: a second line. */
export const implied: ReadonlyArray<Configuration> = [
  without("ownRowAtTop", "late landings, renewals"),
  without("noClaimPastExpiry", "clean-up, two requests of one"),
  without("createBeatsList", "parallel list")
]
