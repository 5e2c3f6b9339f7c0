// The same answer as that of plain-redirect.ts, from the bytes of a head to those of its reply: no text, no transaction
// and no fields are made for it. Heads that it cannot read so are left to those who can.
import type { Clock } from '../src/clock.ts'
import { formatHttpDate } from '../src/http/date.ts'
import type { FieldBlock } from '../src/http/fields.ts'
import { NO_FIELD, nameBytes } from '../src/http1/head-bytes.ts'
import type { HeadBytes } from '../src/http1/head-bytes.ts'
import type { QuickHandler, QuickReply } from '../src/http1/quick.ts'
import { parseIp, readIp } from '../src/net/ip.ts'
import type { IpAddress } from '../src/net/ip.ts'
import { hash64OfBytes } from '../src/rendezvous.ts'
import type { SchedulerMetrics } from './admin/metrics.ts'
import type { DemandTracker } from './choose/demand.ts'
import { choosePlainly } from './plain-redirect.ts'
import type { SnapshotSource } from './snapshot.ts'
import type { EdgeView, PropertyView, Topology } from './topology.ts'

export interface QuickRedirectDeps {
  readonly snapshots: SnapshotSource
  /** Of this scheduler's own decisions. */
  readonly demand: DemandTracker
  readonly metrics: Pick<SchedulerMetrics, 'answered'>
  readonly clock: Clock
}

const FORWARDED = nameBytes('forwarded')
const X_FORWARDED_FOR = nameBytes('x-forwarded-for')
const END = Buffer.from('\r\n\r\n', 'latin1')

export function quickRedirects({ snapshots, demand, metrics, clock }: QuickRedirectDeps): QuickHandler {
  const peers = new Peers()
  const starts = new ReplyStarts(clock)
  return (head, peer, reply) => {
    const startedMs = clock.monotonic()
    const snapshot = snapshots.current
    const { topology } = snapshot
    const { bytes, hostField, targetStart } = head
    if (head.method !== 'GET') return false
    const property = topology.hostTable.find(bytes, head.valueStart(hostField), head.valueEnd(hostField))
    const fields = property?.plainFields ?? null
    if (property === undefined || fields === null) return false
    const directoryEnd = directoryEndOf(head)
    const client = directoryEnd < 0 ? undefined : clientOf(head, peer, peers, topology)
    if (client === undefined) return false
    const key = hash64OfBytes(property.idBytes, bytes, targetStart, directoryEnd)
    const chosen = choosePlainly({ property, client, key }, snapshot, demand, startedMs)
    if (chosen === undefined) return false
    const { choice, site, edge, location } = chosen
    demand.note(choice, site, edge, startedMs)
    writeRedirect(reply, starts.of(fields, startedMs), head, edge, property)
    metrics.answered('redirect', property, location.source, (clock.monotonic() - startedMs) / 1000)
    return true
  }
}

/** For how long a reply's Date may stay, in ms: it tells whole seconds. */
const DATE_KEPT_MS = 100

/** All of a reply before the target of its Location: the same for a while, of the few kinds of fields that there are. */
class ReplyStarts {
  readonly #clock: Clock
  readonly #made = new Map<FieldBlock, Uint8Array>()
  #goodUntilMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(fields: FieldBlock, nowMs: number): Uint8Array {
    if (nowMs >= this.#goodUntilMs) {
      this.#made.clear()
      this.#goodUntilMs = nowMs + DATE_KEPT_MS
    }
    const made = this.#made.get(fields)
    if (made !== undefined) return made
    const date = formatHttpDate(this.#clock.now())
    const text = `HTTP/1.1 302 Found\r\nDate: ${date}\r\nContent-Length: 0\r\n${fields.text}Location: `
    const bytes = Buffer.from(text, 'latin1')
    this.#made.set(fields, bytes)
    return bytes
  }
}

const SLASH = 47
const DOT = 46
const QUESTION = 63
const TILDE = 126

/** Behind the last slash of the path; -1 where the target is not plain (see PLAIN_TARGET). */
function directoryEndOf({ bytes, targetStart, targetEnd }: HeadBytes): number {
  if (bytes[targetStart + 1] === DOT) return -1
  let end = targetStart
  let inPath = true
  for (let at = targetStart; at < targetEnd; at++) {
    const byte = bytes[at]
    if (byte === TILDE) return -1
    if (byte === QUESTION) inPath = false
    if (byte === SLASH && inPath) end = at + 1
  }
  return end
}

/** The peer, or whom it says that it asks for where it may say so; undefined where more must be read than one address. */
function clientOf(
  head: HeadBytes,
  peerText: string,
  peers: Peers,
  topology: Topology,
): IpAddress | undefined {
  const peer = peers.find(peerText, topology)
  if (peer === undefined || !peer.isTrusted) return peer?.address
  if (head.fieldNamed(FORWARDED) !== NO_FIELD) return undefined
  const field = head.fieldNamed(X_FORWARDED_FOR)
  if (field === NO_FIELD) return peer.address
  return field < 0 ? undefined : readIp(head.bytes, head.valueStart(field), head.valueEnd(field))
}

interface Peer {
  readonly address: IpAddress
  /** As a proxy. */
  readonly isTrusted: boolean
}

/** The last one: in front of a busy scheduler stand few proxies, or one asks often. */
class Peers {
  #text = ''
  #topology: Topology | null = null
  #peer: Peer | undefined

  find(text: string, topology: Topology): Peer | undefined {
    if (text === this.#text && topology === this.#topology) return this.#peer
    const address = parseIp(text)
    this.#text = text
    this.#topology = topology
    this.#peer =
      address === undefined
        ? undefined
        : { address, isTrusted: topology.trustedProxies.find(address) !== undefined }
    return this.#peer
  }
}

function writeRedirect(
  reply: QuickReply,
  start: Uint8Array,
  { bytes, targetStart, targetEnd }: HeadBytes,
  { address: { front, back } }: EdgeView,
  { idBytes }: PropertyView,
): void {
  const location = front.length + idBytes.length + back.length + targetEnd - targetStart
  const out = reply.reserve(start.length + location + END.length)
  out.set(start)
  let at = writeText(front, out, start.length)
  at = copy(idBytes, 0, idBytes.length, out, at)
  at = writeText(back, out, at)
  at = copy(bytes, targetStart, targetEnd, out, at)
  copy(END, 0, END.length, out, at)
}

/** A loop: for so few bytes a call into the runtime takes longer. Gives the place behind them. */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  let place = at
  for (let i = start; i < end; i++) to[place++] = from[i] ?? 0
  return place
}

/** Of ASCII, as URLs are. */
function writeText(text: string, to: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) to[at + i] = text.charCodeAt(i)
  return at + text.length
}
