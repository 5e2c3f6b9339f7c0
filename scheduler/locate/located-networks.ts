// Where the networks are whose clients asked lately: the one site that each was located for, how, and how much of the
// address that depended on. What a whole network shares is asked of the coverage and of the GeoIP files once, each of
// which waits for memory at every step; here it waits once. Holds for one configuration and one set of GeoIP files.
import assert from 'node:assert/strict'
import type { IpAddress } from '../../src/net/ip.ts'
import { LOCATED_NETWORKS } from '../limits.ts'
import type { Snapshot } from '../snapshot.ts'
import type { SiteView } from '../topology.ts'
import { LOCATION_SOURCES } from './locate.ts'
import type { ClientLocation, LocationSource } from './locate.ts'

/**
 * What networks are: no location that depends on more of an address is kept. For those of IPv4 that are smaller a table in
 * memory is no faster than what it would save.
 */
const NETWORK_BITS = { 4: 16, 6: 48 } as const
/**
 * Where it depends on no more than this, all of such a network is one, as most of what a provider has in one place is.
 * An address is in a wide one or in others, never in both.
 */
const WIDE_BITS = { 4: 16, 6: 32 } as const
/** Of either family: of IPv4 each, of IPv6 by hash. */
const WIDE_PLACES = 2 ** 16

/** Of a network, the words of the table: its bits, the site's index, and scope and source. */
const WORDS = 4
/** Networks of one hash, side by side: with the table at a line's start, one line of the processor's cache. */
const WAYS = 4
const SET_WORDS = WAYS * WORDS
const SETS = LOCATED_NETWORKS / WAYS

/** Beside bits 32 to 47 of an IPv6 address, or in their place; no network has 0, which a free place has. */
const IPV6 = 0x10000
const IPV4 = 0x20000
const WIDE = 0x40000

const SCOPE = 0xff
const SOURCE_SHIFT = 8

export const NOT_KEPT = -1

/** A network is asked for by its place, which `find` gives and the next `keep` may give to another. */
export class LocatedNetworks {
  readonly #words = new Int32Array(SETS * SET_WORDS)
  /** 1 where the network that was kept last is a wide one: addresses there are looked for as of one. */
  readonly #isWide = new Uint8Array(2 * WIDE_PLACES)
  #of: Pick<Snapshot, 'topology' | 'places'> | undefined
  /** Where in its set the next network comes, whatever is there: not the oldest, or those asked in turns would all go. */
  #next = 0

  /** The place of the client's network; NOT_KEPT. */
  find(client: IpAddress, snapshot: Snapshot): number {
    if (this.#of !== snapshot) this.#follow(snapshot)
    const words = this.#words
    const isWide = this.#isWide[widePlaceOf(client)] === 1
    if (client.family === 4 && !isWide) return NOT_KEPT
    const high = highOf(client)
    const low = lowOf(client, isWide)
    const from = setOf(high, low)
    for (let place = from; place < from + SET_WORDS; place += WORDS) {
      if (words[place] === high && words[place + 1] === low) return place
    }
    return NOT_KEPT
  }

  site(place: number, { topology }: Snapshot): SiteView {
    const site = topology.sites[this.#words[place + 2] ?? -1]
    assert(site !== undefined, 'kept of this topology')
    return site
  }

  source(place: number): LocationSource {
    const source = LOCATION_SOURCES[(this.#words[place + 3] ?? 0) >>> SOURCE_SHIFT]
    assert(source !== undefined, 'kept as one of these')
    return source
  }

  scopePrefix(place: number): number {
    return (this.#words[place + 3] ?? 0) & SCOPE
  }

  /** What was found of a client whose network `find` did not know. One that several sites share is not kept. */
  keep(client: IpAddress, { sites, source }: ClientLocation, scopePrefix: number, snapshot: Snapshot): void {
    if (this.#of !== snapshot) this.#follow(snapshot)
    const [site] = sites
    if (site === undefined || sites.length > 1 || scopePrefix > NETWORK_BITS[client.family]) return
    const words = this.#words
    const isWide = scopePrefix <= WIDE_BITS[client.family]
    this.#isWide[widePlaceOf(client)] = isWide ? 1 : 0
    const high = highOf(client)
    const low = lowOf(client, isWide)
    const place = setOf(high, low) + this.#next * WORDS
    this.#next = (this.#next + 1) % WAYS
    words[place] = high
    words[place + 1] = low
    words[place + 2] = site.index
    words[place + 3] = scopePrefix | (LOCATION_SOURCES.indexOf(source) << SOURCE_SHIFT)
  }

  #follow(snapshot: Snapshot): void {
    const { topology, places } = snapshot
    if (this.#of?.topology !== topology || this.#of.places !== places) {
      this.#words.fill(0)
      this.#isWide.fill(0)
    }
    this.#of = snapshot
  }
}

function widePlaceOf({ family, a, d }: IpAddress): number {
  return family === 4 ? d >>> 16 : WIDE_PLACES + (Math.imul(a, 0x9e3779b1) >>> 16)
}

function highOf({ family, a, d }: IpAddress): number {
  return family === 4 ? d >>> 16 : a | 0
}

function lowOf({ family, b }: IpAddress, isWide: boolean): number {
  if (family === 4) return IPV4
  return isWide ? WIDE : IPV6 | (b >>> 16)
}

/** Where the set of a network begins. */
function setOf(high: number, low: number): number {
  const mixed = Math.imul(Math.imul(high, 0x9e3779b1) ^ low, 0x85ebca6b)
  return ((mixed ^ (mixed >>> 15)) & (SETS - 1)) * SET_WORDS
}
