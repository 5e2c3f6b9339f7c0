// The DNS server without its sockets: zones of a small cluster and whatever they were configured with, a clock that
// stands still, and edges whose reports a test gives.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Registry } from 'prom-client'
import { NO_DEMAND } from '../../scheduler/choose/demand.ts'
import { parseCookieSecrets } from '../../scheduler/dns/cookie.ts'
import { loadZoneKeys } from '../../scheduler/dns/dnssec/keys.ts'
import { ZoneSigner } from '../../scheduler/dns/dnssec/zone-signer.ts'
import { MESSAGE_BYTES_MAX } from '../../scheduler/dns/limits.ts'
import { createDnsMetrics } from '../../scheduler/dns/metrics.ts'
import type { Transport } from '../../scheduler/dns/metrics.ts'
import { RateLimit } from '../../scheduler/dns/rate-limit.ts'
import { DnsResponder } from '../../scheduler/dns/responder.ts'
import type { ResponderDeps } from '../../scheduler/dns/responder.ts'
import { buildZones } from '../../scheduler/dns/zone/build-zones.ts'
import { readDnsInquiry } from '../../scheduler/explain/dns-inquiry.ts'
import type { DnsWords } from '../../scheduler/explain/dns-inquiry.ts'
import { dnsExplainer } from '../../scheduler/explain/dns-record.ts'
import type { SeenReport } from '../../scheduler/registry/registry.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import type { Snapshot } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { Topology } from '../../scheduler/topology.ts'
import { trustedProxiesOf as networkSet } from '../../src/access/client-address.ts'
import { dnsSchema } from '../../src/config/dns-schema.ts'
import type { Places } from '../../src/geo/places.ts'
import { parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { DnsDecision } from '../../src/wire/dns-decision.ts'
import type { Said } from './choosing.ts'
import { DNS_EDGES, ZONE } from './dns-cluster.ts'
import { wire } from './dns-bytes.ts'
import { makeDnssecKey } from './dnssec-key.ts'
import { StillClock, reportOf, schedulerSettings } from './scheduler.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'
import { uniformPlaces } from './made-places.ts'

const DNS = { zone: ZONE, nameservers: [`ns1.${ZONE}`], rateLimit: false }
const COOKIE_SECRET = '00112233445566778899aabbccddeeff'

export interface ResponderRig {
  readonly clock: StillClock
  readonly topology: Topology
  /** What edges said last, and how long ago; the others never did. */
  readonly hear: (reports: Readonly<Record<string, Said>>) => void
  readonly snapshot: () => Snapshot
  /** The reply to a packet; undefined for none. */
  readonly ask: (packet: Uint8Array, peer: string | IpAddress, transport?: Transport) => Buffer | undefined
  /** What is explained of it. */
  readonly explain: (words: DnsWords) => DnsDecision
  /** That of a server to which nothing was prepared, as it would have been at a time. */
  readonly askAnew: (packet: Uint8Array, peer: string | IpAddress, at: Moment) => Buffer | undefined
}

export interface Moment {
  readonly snapshot: Snapshot
  readonly nowMs: number
}

export interface RigOptions {
  /** Keys of `scheduler.dns`. */
  readonly dns?: Record<string, unknown>
  /** Top-level keys of the settings. */
  readonly over?: Record<string, unknown>
  readonly signer?: ZoneSigner | null
  readonly places?: Places
  readonly deps?: Partial<ResponderDeps>
}

/** All edges are up at first. */
export function responderRig({
  dns = {},
  over = {},
  signer = null,
  places = uniformPlaces(),
  deps = {},
}: RigOptions = {}): ResponderRig {
  const settings = schedulerSettings({ edges: DNS_EDGES, ...over })
  const dnsSettings = dnsSchema.parse({ ...DNS, ...dns })
  const { rateLimit, addresses, ttl, unready } = dnsSettings
  const topology = buildTopology(settings)
  const clock = new StillClock()
  const snapshots = { current: buildSnapshot(topology, places, new Map()) }
  const all: ResponderDeps = {
    zones: buildZones({ settings: dnsSettings, topology, isHostForm: false, signer, serial: 1 }),
    snapshots,
    demand: NO_DEMAND,
    clock,
    metrics: createDnsMetrics(new Registry()),
    isReady: () => true,
    schedulers: () => [],
    rateLimit:
      rateLimit === false
        ? null
        : new RateLimit({ ...rateLimit, exempt: networkSet(rateLimit.exempt) }, randomBytes(16)),
    cookieSecrets: parseCookieSecrets([COOKIE_SECRET]),
    nsid: Buffer.from('a'.repeat(64)),
    usesClientSubnet: true,
    unready,
    addresses,
    steeredTtlSeconds: ttl.steered / 1000,
    ...deps,
  }
  const responder = new DnsResponder(all)
  const rig: ResponderRig = {
    clock,
    topology,
    hear(reports) {
      const seen = new Map<string, SeenReport>()
      for (const [id, { ageMs = 0, ...said }] of Object.entries(reports)) {
        const report = reportOf(id, { uptimeMs: 1e9, ...said })
        seen.set(id, { report, receivedAtMs: clock.nowMs - ageMs, heldAtMs: null })
      }
      snapshots.current = buildSnapshot(topology, places, seen, snapshots.current)
    },
    snapshot: () => snapshots.current,
    ask: (packet, peer, transport = 'udp') => asked(responder, packet, peer, transport),
    explain: (words) => dnsExplainer(all)(readDnsInquiry(words)),
    askAnew(packet, peer, { snapshot, nowMs }) {
      const then = { now: () => nowMs, monotonic: () => nowMs }
      const other = new DnsResponder({ ...all, clock: then, snapshots: { current: snapshot } })
      return asked(other, packet, peer, 'udp')
    },
  }
  rig.hear(Object.fromEntries(topology.edges.map(({ id }) => [id, {}])))
  return rig
}

const out = Buffer.alloc(MESSAGE_BYTES_MAX)

function asked(
  responder: DnsResponder,
  packet: Uint8Array,
  peer: string | IpAddress,
  transport: Transport,
): Buffer | undefined {
  const address = typeof peer === 'string' ? ip(peer) : peer
  const length = responder.respond(packet, packet.length, address, transport, out)
  return length === 0 ? undefined : Buffer.from(out.subarray(0, length))
}

/** Of a text that is one. */
export function ip(text: string): IpAddress {
  const address = parseIp(text)
  assert(address !== undefined, `${text} is no address`)
  return address
}

/** Keys of its own for the zone. */
export async function makeSigner(t: TestScope, zone: string = ZONE): Promise<ZoneSigner> {
  const files = await makeDnssecKey(await tempDirectory(t), zone)
  return new ZoneSigner(await loadZoneKeys(wire(zone), [files.private]))
}
