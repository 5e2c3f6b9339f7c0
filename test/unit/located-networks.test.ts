// What is remembered of where networks are: by network alone, for one configuration and one set of GeoIP files, and of more
// networks than there is room for never another's.
import { decode } from 'dns-packet'
import t from 'tap'
import { TYPE } from '../../scheduler/dns/message/codes.ts'
import { locate } from '../../scheduler/locate/locate.ts'
import type { ClientLocation } from '../../scheduler/locate/locate.ts'
import { LocatedNetworks, NOT_KEPT } from '../../scheduler/locate/located-networks.ts'
import { LOCATED_NETWORKS } from '../../scheduler/limits.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import type { Snapshot } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { site } from '../kit/choosing.ts'
import { queryBytes } from '../kit/dns-bytes.ts'
import { ip, responderRig } from '../kit/dns-responder.ts'
import { uniformPlaces } from '../kit/made-places.ts'
import { edgeEntry, schedulerSettings } from '../kit/scheduler.ts'

const SITES = ['a', 'b', 'c']
const settings = schedulerSettings({
  sites: SITES.map((id) => ({ id })),
  edges: SITES.map((id) => edgeEntry(`${id}-1`, id)),
})
const places = uniformPlaces()

function newSnapshot(over: Partial<Snapshot> = {}): Snapshot {
  return { ...buildSnapshot(buildTopology(settings), places, new Map()), ...over }
}

function locationAt({ topology }: Snapshot, ...sites: number[]): ClientLocation {
  return { source: 'coverage', sites: topology.sites.filter(({ index }) => sites.includes(index)) }
}

t.test('a network of either family, whoever of it asks', async (t) => {
  const snapshot = newSnapshot()
  const networks = new LocatedNetworks()
  const told = (client: string) => {
    const place = networks.find(ip(client), snapshot)
    if (place === NOT_KEPT) return 'nothing'
    return `${networks.source(place)} ${networks.site(place, snapshot).id} /${networks.scopePrefix(place)}`
  }
  networks.keep(ip('2001:db8:1:2::3'), { ...locationAt(snapshot, 2), source: 'asn' }, 33, snapshot)
  networks.keep(ip('0.0.0.0'), locationAt(snapshot, 0), 12, snapshot)
  t.equal(told('2001:db8:1:ffff::'), 'asn c /33')
  t.equal(told('0.0.0.9'), 'coverage a /12')
  for (const other of ['2001:db8:2::3', '::', '0.1.0.0', '198.51.101.7']) {
    t.equal(told(other), 'nothing', other)
  }
  networks.keep(ip('60.1.2.3'), locationAt(snapshot, 1), 16, snapshot)
  networks.keep(ip('2400:1:2::3'), locationAt(snapshot, 2), 0, snapshot)
  networks.keep(ip('::'), locationAt(snapshot, 0), 8, snapshot)
  t.equal(told('60.1.255.0'), 'coverage b /16', 'all of a wide one')
  t.equal(told('2400:1:ffff::'), 'coverage c /0')
  t.equal(told('::1:0:0'), 'coverage a /8')
  t.equal(told('0.0.0.9'), 'coverage a /12', 'the other family has its own')
  for (const other of ['60.2.2.3', '2400:2::', '61.1.2.3', '0.1.0.0', '0:3c01::']) {
    t.equal(told(other), 'nothing', other)
  }
})

t.test('not where the network is not all of it, nor where several sites share it', async (t) => {
  const snapshot = newSnapshot()
  const networks = new LocatedNetworks()
  const keeps = (client: string, location: ClientLocation, scope: number) => {
    networks.keep(ip(client), location, scope, snapshot)
    return networks.find(ip(client), snapshot) !== NOT_KEPT
  }
  t.notOk(keeps('192.0.2.1', locationAt(snapshot, 0), 17))
  t.notOk(keeps('2001:db8::', locationAt(snapshot, 0), 49))
  t.notOk(keeps('192.0.2.1', locationAt(snapshot, 0, 1), 16))
  t.ok(keeps('192.0.2.1', locationAt(snapshot, 0), 16))
  t.ok(keeps('2001:db8::', locationAt(snapshot, 0), 48))
})

t.test('not for clients who have edges of their own', async (t) => {
  const sites = [site('wide', 0, 0, { networks: ['198.51.0.0/16'] }), site('deep', 0, 90)]
  const edges = [
    edgeEntry('wide-1', 'wide', { addresses: ['100.64.0.1', '2001:db8::1'] }),
    edgeEntry('deep-1', 'deep', { addresses: ['100.64.0.2', '2001:db8::2'], pinned: ['198.51.8.0/22'] }),
  ]
  const { ask } = responderRig({ over: { sites, edges } })
  const asked = (type: number, client: string) =>
    (
      decode(ask(queryBytes({ name: 'shows.cdn.example.com', type }), client) ?? Buffer.alloc(0)).answers ??
      []
    ).map((record) => (record.type === 'A' || record.type === 'AAAA') && record.data)
  // Of one network in turns, so that whatever is remembered of it is.
  t.strictSame(asked(TYPE.A, '198.51.9.9'), ['100.64.0.2'])
  t.strictSame(asked(TYPE.AAAA, '198.51.9.9'), ['2001:db8::2'])
  t.strictSame(asked(TYPE.A, '198.51.12.9'), ['100.64.0.1'])
  t.strictSame(asked(TYPE.AAAA, '198.51.12.9'), ['2001:db8::1'])
})

t.test('through reports, and no other change', async (t) => {
  const client = ip('192.0.2.1')
  let snapshot = newSnapshot()
  const networks = new LocatedNetworks()
  const isKeptIn = (next: Snapshot) => {
    const location = locate(client, snapshot)
    if (networks.find(client, snapshot) === NOT_KEPT) networks.keep(client, location, 0, snapshot)
    snapshot = next
    return networks.find(client, next) !== NOT_KEPT
  }
  t.ok(isKeptIn({ ...snapshot, siteSerials: snapshot.siteSerials.map((serial) => serial + 1) }))
  t.notOk(isKeptIn({ ...snapshot, places: uniformPlaces() }), 'other GeoIP files')
  t.notOk(isKeptIn({ ...snapshot, topology: buildTopology(settings) }), 'another configuration')
})

t.test('of more networks than there is room for some are forgotten, and none is mistaken', async (t) => {
  const snapshot = newSnapshot()
  const { sites } = snapshot.topology
  const networks = new LocatedNetworks()
  const all = Array.from({ length: 2 * LOCATED_NETWORKS }, (_, i) => {
    const word = Math.imul(i, 0x9e3779b1) >>> 0
    return i % 2 === 0
      ? ip(`${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.0`)
      : { family: 6 as const, a: 0x2400_0000 + (word >>> 20), b: word, c: 0, d: 0 }
  })
  for (const client of all) {
    const scope = (client.family === 4 ? 24 : 48) - (isWide(client) ? 16 : 0)
    networks.keep(client, locationAt(snapshot, siteFor(client)), scope, snapshot)
  }
  let [kept, wrong] = [0, 0]
  for (const client of all) {
    const place = networks.find(client, snapshot)
    if (place === NOT_KEPT) continue
    kept += 1
    if (networks.site(place, snapshot) !== sites[siteFor(client)]) wrong += 1
  }
  t.equal(wrong, 0)
  t.ok(kept > LOCATED_NETWORKS / 2 && kept < all.length, `${kept} of ${all.length}`)
})

/** One in five of both families, all of each with one site. */
function isWide(client: IpAddress): boolean {
  return wideOf(client) % 5 === 0
}

function wideOf({ family, a, d }: IpAddress): number {
  return family === 4 ? d >>> 16 : a
}

function siteFor(client: IpAddress): number {
  const { a, b, d } = client
  const number = isWide(client) ? wideOf(client) : (a ^ (b >>> 16) ^ (d >>> 8)) >>> 0
  return number % SITES.length
}
