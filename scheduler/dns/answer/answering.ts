// What answers are made from at a moment: the same for the server's replies and for what is explained of them.
import type { Clock } from '../../../src/clock.ts'
import type { IpAddress } from '../../../src/net/ip.ts'
import type { Demand } from '../../choose/demand.ts'
import type { Snapshot } from '../../snapshot.ts'
import type { ZoneNames } from '../zone/zone.ts'
import type { Answering } from './answer.ts'

export interface AnsweringDeps {
  readonly zones: ZoneNames
  /** Read once a query. */
  readonly snapshots: { readonly current: Snapshot }
  readonly demand: Demand
  readonly clock: Clock
  /** Reports are in. */
  readonly isReady: () => boolean
  /** Addresses of the schedulers that live. */
  readonly schedulers: () => readonly IpAddress[]
  readonly unready: 'servfail' | 'refused'
  readonly addresses: number
  readonly steeredTtlSeconds: number
}

export function answeringNow(deps: AnsweringDeps, nowMs: number): Answering {
  const { zones, snapshots, demand, clock, isReady, schedulers, unready, addresses, steeredTtlSeconds } = deps
  return {
    zones,
    snapshot: snapshots.current,
    demand,
    nowMs,
    atMs: clock.now(),
    isReady: isReady(),
    schedulers: schedulers(),
    unready,
    addresses,
    steeredTtlSeconds,
  }
}
