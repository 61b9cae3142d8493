/** What the epoch log is made of: rows, what is seen of them, events, commands, states. */
import type { Times } from "../../Lease.ts"

/** One slot of a key. It is written once and never changed. `C` is what steps and responses carry. */
export interface Row<C> {
  /** 0 to `lastSlot`. */
  readonly slot: number
  readonly kind: "claim" | "step" | "done" | "released"
  /** The nonce of the claim that began this life of the key. */
  readonly generation: string
  /** The nonce of its writer's claim. */
  readonly owner: string
  /** Of the request that began the generation. */
  readonly fingerprint: string
  /** Milliseconds since the epoch, as the two below. */
  readonly leaseExpiresAt: number
  readonly expiresAt: number
  /** When the clean-up may take it. */
  readonly purgeAt: number
  /** The name of a step. */
  readonly step: string | null
  readonly content: C | null
}

/**
 * What a store shows of a key: the consecutive slots of the generation of slot 0. A store that keeps the top alone
 * shows that.
 */
export interface Chain<C> {
  /** In order of slot; never empty. */
  readonly rows: ReadonlyArray<Row<C>>
  /** The steps of the generation, whoever wrote them. */
  readonly steps: ReadonlyArray<Row<C>>
  /** The row behind the chain, of another generation. */
  readonly garbage: Row<C> | undefined
}

/** Rules that can be switched off, so that a model shows what each is for. In production all are on. */
export interface Rules {
  /** A slot is written once. */
  readonly createOnce: boolean
  /** Each attempt has a nonce of its own. */
  readonly freshNonce: boolean
  /** A claim, renewal or step counts only if acknowledged within its lease. */
  readonly leaseAtAcknowledgement: boolean
  /** A lease ends with its generation at the latest. */
  readonly leaseCapped: boolean
  /** A completion acknowledged after `expiresAt` is lost. */
  readonly completionWithinExpiry: boolean
  readonly marginAtTakeover: boolean
  readonly marginAtReclaim: boolean
  /** Rows of another generation are not part of the chain. */
  readonly chainByGeneration: boolean
  /** Deletions name a generation, never an id alone. */
  readonly deleteByGeneration: boolean
  /** Rows of a dead generation that block a slot are removed. */
  readonly garbageRemoval: boolean
  readonly noReplayPastExpiry: boolean
  /** The clean-up waits until the generation is over on every clock. */
  readonly purgeAfterMargin: boolean
  /** Who lost a key sends nothing of its own. */
  readonly lostSendsNothing: boolean
  /** A conflict of a write may be one's own row: look. */
  readonly conflictIsRead: boolean
  /** A list that lacks one's own row is old: list again. */
  readonly oldListAgain: boolean
  /** An own renewal that landed late is stepped over. */
  readonly ownLateRenewal: boolean
  /** The last slot takes an end alone. */
  readonly lastSlotReserved: boolean
  /** No transaction can be committed when its generation's rows may be gone. */
  readonly transactionTtl: boolean
  /** A commit without a trace is made impossible before anybody is told that it failed. */
  readonly occupy: boolean
  /** Implied by lease and margin, a second line: an own claim counts at the top of the chain alone. */
  readonly ownRowAtTop: boolean
  /** Implied by the cap, a second line: no claim after `expiresAt`. */
  readonly noClaimPastExpiry: boolean
  /** Implied by no replay past `expiresAt`, a second line: a creation wins over what a list beside it showed. */
  readonly createBeatsList: boolean
}

export interface Parameters extends Times {
  /** From the end of a generation on every clock to its clean-up. */
  readonly purgeDelay: number
  /** Limit of one call of the store. */
  readonly storeCall: number
  /** The slot that takes an end alone. */
  readonly lastSlot: number
  /** Never a second start after a lease ran out. */
  readonly atMostOnce: boolean
  /** `atMostOnce` asks a function what became of the first attempt, instead of giving up. */
  readonly reconcile: boolean
  /** Completion commits with the handler's writes: least and most a transaction lives, and what is left behind it. */
  readonly transaction: { readonly least: number; readonly most: number; readonly reserve: number } | undefined
  readonly rules: Rules
}

/** When an event came, and chance for it. */
export interface Moment {
  /** Milliseconds since the epoch, for what others wrote. */
  readonly now: number
  /** Milliseconds of a clock that never jumps, for one's own leases. */
  readonly own: number
  /** Never used before. */
  readonly nonce: string
}

/** What became of a command that was sent to the store. */
export type Answer<C> =
  /** `chain`: what a list beside the creation, or the store by itself, showed. */
  | { readonly _tag: "Created"; readonly chain?: Chain<C> | undefined }
  /** The slot was taken. */
  | { readonly _tag: "Taken"; readonly chain: Chain<C> | undefined }
  | { readonly _tag: "Listed"; readonly chain: Chain<C> | undefined }
  | { readonly _tag: "Deleted" }
  | { readonly _tag: "Committed" }
  /** `invalid`: it would be refused again. */
  | { readonly _tag: "CommitFailed"; readonly invalid: boolean }
  /** It may have happened, may happen yet, or never. */
  | { readonly _tag: "NoAnswer" }

/** How a handler ended, by the table of outcomes. */
export type Outcome<C> =
  | { readonly _tag: "Store"; readonly content: C }
  | { readonly _tag: "Release" }
  /** The effect may have happened: the claim stays until its lease ends. */
  | { readonly _tag: "Keep" }

export type Event<C> = Moment &
  (
    | { readonly _tag: "Request"; readonly fingerprint: string }
    | { readonly _tag: "Answer"; readonly answer: Answer<C> }
    | { readonly _tag: "HandlerEnded"; readonly outcome: Outcome<C> }
    | { readonly _tag: "StepEnded"; readonly step: string; readonly content: C }
    | { readonly _tag: "RenewalDue" }
  )

/** What a caller is told. `until`: milliseconds since the epoch. */
export type Reply<C> =
  | { readonly _tag: "Recorded" }
  | { readonly _tag: "Replay"; readonly row: Row<C> }
  | { readonly _tag: "Released" }
  | { readonly _tag: "Kept" }
  /** The own result may go out; whether it was recorded is not known. */
  | { readonly _tag: "Unrecorded" }
  | { readonly _tag: "Mismatch" }
  | { readonly _tag: "InProgress"; readonly until: number; readonly why: "running" | "expiring" | "lost" }
  | { readonly _tag: "Indeterminate" }
  | { readonly _tag: "Exhausted"; readonly until: number }
  /** Nothing of the transaction was applied, and nothing will be. */
  | { readonly _tag: "Aborted"; readonly invalid: boolean }
  | { readonly _tag: "Unavailable" }

export type Command<C> =
  /** `list`: with a list beside it, whose result comes with a conflict. */
  | { readonly _tag: "Create"; readonly row: Row<C>; readonly list: boolean }
  | { readonly _tag: "List" }
  | { readonly _tag: "DeleteGeneration"; readonly generation: string }
  | { readonly _tag: "DeleteRow"; readonly slot: number; readonly generation: string }
  /** The staged writes, and this row last. */
  | { readonly _tag: "Commit"; readonly row: Row<C> }
  | {
      readonly _tag: "RunHandler"
      readonly generation: string
      readonly steps: ReadonlyArray<Row<C>>
      /** Ask first what became of the attempt before. */
      readonly reconcile: boolean
      /** How long the handler's transaction may live, in milliseconds. */
      readonly transaction: number | undefined
    }
  | { readonly _tag: "Interrupt" }
  /** A renewal or a step is through; the handler goes on. */
  | { readonly _tag: "Resume"; readonly result: "written" | "full" | "unneeded" | "undecided" }
  | { readonly _tag: "Reply"; readonly reply: Reply<C> }

/** Before the key is one's own. */
export interface Acquiring<C> {
  readonly _tag: "Acquiring"
  readonly fingerprint: string
  /** What the answer to come is of. */
  readonly sent: "create" | "list" | "reclaim" | "clear"
  /** The claim that was sent last. */
  readonly claim: Row<C>
  /** Its end by the own clock. */
  readonly lease: number
  /** It is of slot 0, and what became of it is not known. */
  readonly unanswered: boolean
  /** What the claim continues. */
  readonly before: Chain<C> | undefined
}

/** What an owner is writing. */
export type Want<C> =
  /** `step`: a step that was recorded too late to count by itself waits for it. */
  | { readonly _tag: "Renewal"; readonly step: boolean }
  | { readonly _tag: "Step"; readonly step: string; readonly content: C }
  | { readonly _tag: "Done"; readonly content: C }
  | { readonly _tag: "Released" }
  | { readonly _tag: "Commit"; readonly content: C }

export interface Writing<C> {
  readonly want: Want<C>
  readonly row: Row<C>
  /** The end of the row's lease by the own clock. */
  readonly lease: number
  readonly sent: "create" | "list" | "clear" | "commit" | "occupy"
  /** A commit that would be refused again. */
  readonly invalid: boolean
}

/** The key is one's own, as far as is known. */
export interface Owning<C> {
  readonly _tag: "Owning"
  /** The own row that counts last. */
  readonly row: Row<C>
  /** Its end by the own clock. */
  readonly lease: number
  readonly handler: "waiting" | "running" | "ended"
  readonly steps: ReadonlyArray<Row<C>>
  readonly reconcile: boolean
  readonly writing: Writing<C> | undefined
}

export type State<C> = { readonly _tag: "Idle" } | Acquiring<C> | Owning<C> | { readonly _tag: "Over" }

export type Next<C> = readonly [State<C>, ReadonlyArray<Command<C>>]
