// The DNS of a scheduler: a server that lasts as long as the process, and behind it what answers, made anew for each
// configuration; with what explains those answers.
import assert from 'node:assert'
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
import type { SnapshotSource } from '../snapshot.ts'
import type { Topology } from '../topology.ts'
import { parseCookieSecrets } from './cookie.ts'
import { KeyFileError, loadZoneKeys } from './dnssec/keys.ts'
import { ZoneSigner } from './dnssec/zone-signer.ts'
import { DnsServer } from './dns-server.ts'
import { createDnsMetrics } from './metrics.ts'
import type { DnsMetrics } from './metrics.ts'
import { RateLimit } from './rate-limit.ts'
import { DnsResponder } from './responder.ts'
import type { Responding } from './responder.ts'
import { SIP_KEY_OCTETS } from './siphash.ts'
import { buildZones } from './zone/build-zones.ts'
import { checkedName } from './zone/record-data.ts'
import type { ZoneNames } from './zone/zone.ts'

export interface DnsDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly promRegistry: PromRegistry
  readonly isReady: () => boolean
  readonly schedulers: () => readonly IpAddress[]
  /** What answers by now. */
  readonly running: { readonly now: { readonly dns: DnsAnswers | null } }
}

/** null: there is none. */
export function openDns(settings: DnsSettings | undefined, deps: DnsDeps): SchedulerDns | null {
  return settings === undefined ? null : new SchedulerDns(settings, deps)
}

/** What a configuration needs to be answered from; a key file may have been read for it. */
export interface PreparedZones {
  readonly settings: DnsSettings
  readonly zones: ZoneNames
}

export interface DnsAnswers {
  readonly responder: Responding
  readonly explain: (inquiry: DnsInquiry) => DnsDecision
}

export class SchedulerDns {
  readonly server: DnsServer
  readonly #deps: DnsDeps
  readonly #metrics: DnsMetrics
  /** Where the configuration names none: cookies outlast a change of it. */
  readonly #ownSecret: string = randomBytes(SIP_KEY_OCTETS).toString('hex')
  readonly #listen: DnsSettings['listen']
  #rateLimit: { readonly settings: string; readonly limit: RateLimit | null } | null = null
  #serial = 0

  /** `settings`: where to listen, for as long as the process lives. */
  constructor(
    { listen, reusePort, udpBatches }: Pick<DnsSettings, 'listen' | 'reusePort' | 'udpBatches'>,
    deps: DnsDeps,
  ) {
    this.#deps = deps
    this.#listen = listen
    this.#metrics = createDnsMetrics(deps.promRegistry)
    const responder: Responding = {
      respond: (packet, length, peer, transport, out) =>
        this.#now.responder.respond(packet, length, peer, transport, out),
    }
    const { clock, log } = deps
    this.server = new DnsServer({ responder, metrics: this.#metrics, clock, log, reusePort, udpBatches })
  }

  /** It is not taken away while the process lives. */
  get #now(): DnsAnswers {
    const { dns } = this.#deps.running.now
    assert(dns !== null, 'a configuration without DNS is run by a process without it')
    return dns
  }

  explain(inquiry: DnsInquiry): DnsDecision {
    return this.#now.explain(inquiry)
  }

  /** Rejects with one line when an address cannot be used. */
  listen(): Promise<void> {
    return this.server.listen(Array.isArray(this.#listen) ? this.#listen : [this.#listen])
  }

  /** `isHostForm`: clients are sent to `PROPERTY.EDGE`. Rejects with one line when a key file cannot be used. */
  async prepare(settings: DnsSettings, topology: Topology, isHostForm: boolean): Promise<PreparedZones> {
    const { clock, log } = this.#deps
    const signer = await loadSigner(settings, log)
    // Those that were handed out before, also within the same second, are smaller.
    this.#serial = Math.max(this.#serial + 1, Math.floor(clock.now() / 1000))
    const zones = buildZones({ settings, topology, isHostForm, signer, serial: this.#serial })
    return { settings, zones }
  }

  answersFrom(
    { settings, zones }: PreparedZones,
    { snapshots, demand }: { readonly snapshots: SnapshotSource; readonly demand: Demand },
  ): DnsAnswers {
    const { clock, isReady, schedulers } = this.#deps
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
      metrics: this.#metrics,
      rateLimit: this.#rateLimitOf(settings),
      cookieSecrets: parseCookieSecrets(settings.cookieSecrets ?? [this.#ownSecret]),
      nsid: settings.nsid === undefined ? undefined : Buffer.from(settings.nsid, 'latin1'),
    })
    return { responder, explain: dnsExplainer(answering) }
  }

  /** While it is configured as it was, nobody's bucket is filled up. */
  #rateLimitOf({ rateLimit }: DnsSettings): RateLimit | null {
    const settings = JSON.stringify(rateLimit)
    if (this.#rateLimit?.settings !== settings) this.#rateLimit = { settings, limit: limitOf(rateLimit) }
    return this.#rateLimit.limit
  }
}

function limitOf(settings: DnsSettings['rateLimit']): RateLimit | null {
  if (settings === false) return null
  return new RateLimit({ ...settings, exempt: networkSet(settings.exempt) }, randomBytes(SIP_KEY_OCTETS))
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
