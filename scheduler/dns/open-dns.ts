// Opens the DNS server of a scheduler: its zones, keys, limits and listeners, from the configuration; and what explains
// its answers.
import { randomBytes } from 'node:crypto'
import type { Registry as PromRegistry } from 'prom-client'
import { trustedProxiesOf as networkSet } from '../../src/access/client-address.ts'
import type { Clock } from '../../src/clock.ts'
import type { DnsSettings } from '../../src/config/dns-schema.ts'
import { EdgewardError } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { DnsDecision } from '../../src/wire/dns-decision.ts'
import type { Demand } from '../choose/demand.ts'
import type { DnsInquiry } from '../explain/dns-inquiry.ts'
import { dnsExplainer } from '../explain/dns-record.ts'
import type { SnapshotHolder } from '../snapshot.ts'
import { parseCookieSecrets } from './cookie.ts'
import { KeyFileError, loadZoneKeys } from './dnssec/keys.ts'
import { ZoneSigner } from './dnssec/zone-signer.ts'
import { DnsServer } from './dns-server.ts'
import { createDnsMetrics } from './metrics.ts'
import { RateLimit } from './rate-limit.ts'
import { DnsResponder } from './responder.ts'
import { SIP_KEY_OCTETS } from './siphash.ts'
import { buildZones } from './zone/build-zones.ts'
import { checkedName } from './zone/record-data.ts'

export interface DnsDeps {
  readonly snapshots: SnapshotHolder
  readonly demand: Demand
  readonly clock: Clock
  readonly log: Logger
  readonly promRegistry: PromRegistry
  readonly isReady: () => boolean
  readonly schedulers: () => readonly IpAddress[]
  /** Clients are sent to `PROPERTY.EDGE`. */
  readonly isHostForm: boolean
}

export interface OpenDns {
  readonly server: DnsServer
  readonly explain: (inquiry: DnsInquiry) => DnsDecision
  /** Rejects with one line when an address cannot be used. */
  listen(): Promise<void>
}

/** Listens only when told. Rejects with one line when a key file cannot be used. */
export async function openDns(settings: DnsSettings, deps: DnsDeps): Promise<OpenDns> {
  const { snapshots, demand, clock, promRegistry, isReady, schedulers, isHostForm } = deps
  const { topology } = snapshots.current
  const signer = await loadSigner(settings, deps.log)
  const serial = Math.floor(clock.now() / 1000)
  const zones = buildZones({ settings, topology, isHostForm, signer, serial })
  const metrics = createDnsMetrics(promRegistry)
  const answering = {
    zones,
    snapshots,
    demand,
    clock,
    isReady,
    schedulers,
    unready: settings.unready,
    addresses: settings.addresses,
    steeredTtlSeconds: settings.ttl.steered / 1000,
    usesClientSubnet: settings.clientSubnet,
  }
  const responder = new DnsResponder({
    ...answering,
    metrics,
    rateLimit: rateLimitOf(settings),
    cookieSecrets: parseCookieSecrets(
      settings.cookieSecrets ?? [randomBytes(SIP_KEY_OCTETS).toString('hex')],
    ),
    nsid: settings.nsid === undefined ? undefined : Buffer.from(settings.nsid, 'latin1'),
  })
  const server = new DnsServer({ responder, metrics, clock, reusePort: settings.reusePort })
  return {
    server,
    explain: dnsExplainer(answering),
    listen: () => server.listen(Array.isArray(settings.listen) ? settings.listen : [settings.listen]),
  }
}

function rateLimitOf({ rateLimit }: DnsSettings): RateLimit | null {
  if (rateLimit === false) return null
  const exempt = networkSet(rateLimit.exempt)
  return new RateLimit({ ...rateLimit, exempt }, randomBytes(SIP_KEY_OCTETS))
}

/** null: nothing is signed. */
async function loadSigner({ zone, dnssec }: DnsSettings, log: Logger): Promise<ZoneSigner | null> {
  if (dnssec === undefined) return null
  try {
    const keys = await loadZoneKeys(checkedName(zone), dnssec.keys)
    for (const warning of keys.warnings) log.warn(warning)
    const signer = new ZoneSigner(keys)
    log.info({ ds: signer.ds }, 'DNS answers are signed: the parent zone must have one of these DS records')
    return signer
  } catch (cause) {
    if (!(cause instanceof KeyFileError)) throw cause
    const message = `scheduler.dns.dnssec.keys: ${cause.message}`
    throw new EdgewardError('config_invalid', 'self', message, { cause })
  }
}
