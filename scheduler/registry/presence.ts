// Where schedulers are reached: what each says of itself, and the addresses that the schedulers' name is answered with.
import { z } from 'zod'
import { ipAddress } from '../../src/config/values.ts'
import { compareIp, parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { SCHEDULER_ADDRESSES_MAX } from '../limits.ts'

export interface OwnPresence {
  /** Empty: this scheduler is none of the name's. */
  readonly addresses: readonly IpAddress[]
  /** It drains, and takes no new clients. */
  readonly isLeaving: boolean
}

/** Before it is announced. */
export const UNNAMED: OwnPresence = { addresses: [], isLeaving: false }

const storedPresenceSchema = z.object({
  /** Empty: not to be named, or no longer. */
  addresses: z.array(ipAddress).max(SCHEDULER_ADDRESSES_MAX),
})

export type StoredPresence = z.infer<typeof storedPresenceSchema>

/** Undefined when no scheduler wrote that. */
export function parsePresence(text: string): readonly IpAddress[] | undefined {
  try {
    const stored = storedPresenceSchema.safeParse(JSON.parse(text)).data
    return stored === undefined ? undefined : addressesOf(stored.addresses)
  } catch {
    return undefined
  }
}

/** Of texts that were checked. */
export function addressesOf(texts: readonly string[]): IpAddress[] {
  return texts.flatMap((text) => parseIp(text) ?? [])
}

/** Each address once, whoever has it, in one order for all schedulers. */
export function namedAddresses(
  { addresses, isLeaving }: OwnPresence,
  others: readonly IpAddress[],
): readonly IpAddress[] {
  // The last one goes on to be named: that there is no address would be kept longer than a restart takes.
  const isNamed = !isLeaving || others.length === 0
  const sorted = [...others, ...(isNamed ? addresses : [])].toSorted(compareIp)
  return sorted.filter((address, i) => {
    const before = sorted[i - 1]
    return before === undefined || compareIp(before, address) !== 0
  })
}
