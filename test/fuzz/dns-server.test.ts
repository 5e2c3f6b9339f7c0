// The whole name server but its sockets under packets of any octets, most of them queries with damage, over UDP and TCP,
// of zones with everything in them, signed and not: nothing is thrown, no answer is answered, and what a client without a
// cookie gets over UDP is bounded in size and in number. A failure prints its seed.
// For more of it, set EDGEWARD_FUZZ_PACKETS and run the file with node itself.
import assert from 'node:assert/strict'
import { decode } from 'dns-packet'
import t from 'tap'
import { TRANSPORTS } from '../../scheduler/dns/metrics.ts'
import { readQuery } from '../../scheduler/dns/message/query.ts'
import { systemRandom } from '../../src/clock.ts'
import { formatIp } from '../../src/net/ip.ts'
import { optBytes, optionBytes, queryBytes } from '../kit/dns-bytes.ts'
import { DNS_EDGES } from '../kit/dns-cluster.ts'
import { OPTIONS, WHOLE_PACKETS, makePacket, picker } from '../kit/dns-packets.ts'
import { ip, makeSigner, responderRig } from '../kit/dns-responder.ts'
import type { ResponderRig } from '../kit/dns-responder.ts'

const PACKETS = Number(process.env['EDGEWARD_FUZZ_PACKETS'] ?? '120000')
const seed = Math.floor(systemRandom() * 2 ** 32)
const pick = picker(seed)

const RATE = { rate: 1, burst: 3 }
const DNS = {
  zones: ['other.example.net', 'deep.cdn.example.com'],
  schedulers: { name: 'route.cdn.example.com', addresses: ['192.0.2.1', '2001:db8::1'] },
  records: [
    { name: '@', type: 'MX', data: '10 mail.example.org' },
    { name: '@', type: 'CAA', data: '0 issue "letsencrypt.org"' },
    { name: 'ns1', type: 'A', data: '192.0.2.53' },
    { name: 'text', type: 'TXT', data: 'x'.repeat(700) },
    { name: 'more', type: 'TXT', data: 'y'.repeat(4000) },
    { name: '*.wild', type: 'A', data: '192.0.2.54' },
    { name: '*.alias', type: 'CNAME', data: 'shows.cdn.example.com' },
    { name: 'out', type: 'CNAME', data: 'www.example.org' },
    { name: 'a', type: 'CNAME', data: 'b.cdn.example.com' },
    { name: 'b', type: 'CNAME', data: 'a.cdn.example.com' },
    { name: 'cut', type: 'NS', data: 'ns.cut.cdn.example.com' },
    { name: 'cut', type: 'NS', data: 'ns.example.org' },
    { name: 'ns.cut', type: 'AAAA', data: '2001:db8::53' },
    { name: '_sip._tcp', type: 'SRV', data: '0 5 443 host.example.com' },
    { name: `${'l.'.repeat(100)}far`, type: 'A', data: '192.0.2.55' },
  ],
}
const EDGES = DNS_EDGES.map((edge) => {
  return Object.assign({}, edge, { url: `https://${String(edge['id'])}.cdn.example.com` })
})
const EDGE_IDS = EDGES.map((edge) => String(edge['id']))

const FAR = [`${'l.'.repeat(100)}far`, `${'n.'.repeat(110)}no`]
const LABELS = 'shows movies ns1 text more x.wild y.alias out a cut x.cut route gz-1 _tcp deep no shows.deep'
const NAMES = [...LABELS.split(' '), ...FAR].map((label) => `${label}.cdn.example.com`)
const TYPES = [1, 1, 28, 65, 2, 5, 6, 12, 15, 16, 33, 41, 43, 46, 47, 48, 128, 252, 255, 257, 65_280]

/** Queries for what is in the zones and around it, of clients of each kind. */
const QUERIES = [...NAMES, 'cdn.example.com', 'shows.example.com', 'other.example.net', 'com', '.'].flatMap(
  (name) =>
    TYPES.flatMap((type) => [
      queryBytes({ name, type }),
      queryBytes({
        name: name.toUpperCase(),
        type,
        records: [optBytes({ udpBytes: 4096, flags: 0x8000, options: OPTIONS })],
      }),
    ]),
)

const CLIENTS = ['203.0.113.9', '198.51.100.7', '192.0.2.200', '10.0.0.1', '2001:db8:c::7', '2400::1'].map(ip)

/** Also in the order of time: what a network may get is counted by it. */
function attack(rig: ResponderRig, sentTo: Map<string, number>): void {
  const isOwn = pick(4) > 0
  const packet = makePacket(pick, isOwn ? QUERIES : WHOLE_PACKETS)
  if (packet.length >= 2) packet.writeUInt16BE(pick(65_536), 0)
  const client = CLIENTS[pick(CLIENTS.length)] ?? ip('192.0.2.1')
  const transport = TRANSPORTS[pick(2)] ?? 'udp'
  if (pick(2000) === 0) rig.clock.pass(pick(300))
  try {
    const reply = rig.ask(packet, client, transport)
    if (reply === undefined) return
    check(packet, reply, transport)
    const isTruncated = ((reply[2] ?? 0) & 0x02) !== 0
    if (isTruncated) assert.ok(reply.length <= 512, 'it holds no records')
    else if (transport === 'udp') sentTo.set(formatIp(client), (sentTo.get(formatIp(client)) ?? 0) + 1)
  } catch (error) {
    throw new Error(`seed ${seed}: ${transport} ${packet.toString('hex')}`, { cause: error })
  }
}

function check(packet: Buffer, reply: Buffer, transport: 'udp' | 'tcp'): void {
  assert.equal((packet[2] ?? 0xff) & 0x80, 0, 'no answer is answered')
  const asked = readQuery(packet, packet.length)
  assert.notEqual(asked.outcome, 'drop')
  const edns = asked.outcome === 'drop' ? undefined : asked.edns
  const bytesMax = transport === 'tcp' ? 65_535 : Math.min(Math.max(edns?.udpBytes ?? 512, 512), 1232)
  assert.ok(reply.length <= bytesMax, `${reply.length} octets where ${bytesMax} may be`)
  const decoded = decode(reply)
  assert.equal(decode.bytes, reply.length, 'all of it is understood')
  assert.equal(decoded.type, 'response')
  assert.deepEqual(reply.subarray(0, 2), packet.subarray(0, 2), 'its id')
  if (asked.outcome !== 'drop') {
    const { questionEnd } = asked
    assert.deepEqual(reply.subarray(12, questionEnd), packet.subarray(12, questionEnd), 'its question')
    assert.equal(decoded.questions?.length, questionEnd > 12 ? 1 : 0)
  }
  const opts = decoded.additionals?.filter(({ type }) => type === 'OPT').length ?? 0
  assert.equal(opts, edns === undefined ? 0 : 1, 'EDNS to those who speak it alone')
  assert.equal(readQuery(reply, reply.length).outcome, 'drop', 'nor is this one')
}

for (const isSigned of [false, true]) {
  t.test(`${isSigned ? '' : 'un'}signed, seed ${seed}`, { timeout: 30_000 + PACKETS }, async (t) => {
    const signer = isSigned ? await makeSigner(t) : null
    const rig = responderRig({
      dns: { ...DNS, rateLimit: RATE },
      over: { edges: EDGES },
      signer,
      deps: { schedulers: () => [ip('192.0.2.1'), ip('2001:db8::1')] },
    })
    const startMs = rig.clock.nowMs
    const sentTo = new Map<string, number>()
    for (let i = 0; i < PACKETS / 2; i += 1) {
      if (i % 5000 === 0) {
        const up = EDGE_IDS.filter(() => pick(4) > 0)
        rig.hear(Object.fromEntries(up.map((id) => [id, {}])))
      }
      attack(rig, sentTo)
    }
    t.ok(sentTo.size > 0)
    // Per network: a burst and a rate for each name and zone, and one for all failures.
    const seconds = (rig.clock.nowMs - startMs) / 1000
    const most = (NAMES.length + 20) * (RATE.burst + RATE.rate * seconds)
    for (const [client, count] of sentTo)
      t.ok(count <= most, `${client} was sent ${count} of ${most} at most`)
  })
}

const one = () => '192.0.2.9'
const none = () => '11'.repeat(8)

interface Flood {
  readonly client: (i: number) => string
  /** Data of its COOKIE option in hex, by the last reply. */
  readonly cookie: (reply: Buffer | undefined) => string
}

t.test('what a flood gets: without a good cookie a burst and a rate, whoever it says it is', async (t) => {
  const signer = await makeSigner(t)
  const repliesTo = ({ client, cookie }: Flood) => {
    const rig = responderRig({ dns: { ...DNS, rateLimit: { rate: 10, burst: 10, slip: 0 } }, signer })
    let last: Buffer | undefined
    let replies = 0
    for (let i = 0; i < 2000; i += 1) {
      rig.clock.pass(1)
      const records = [optBytes({ udpBytes: 4096, flags: 0x8000, options: [optionBytes(10, cookie(last))] })]
      const reply = rig.ask(queryBytes({ name: `n${i}.cdn.example.com`, records }), client(i))
      if (reply === undefined) continue
      last = reply
      replies += 1
      assert.ok(reply.length <= 1232)
    }
    return replies
  }
  // The last token comes when the last query has been.
  const limited = 10 + 10 * 2 - 1
  t.equal(repliesTo({ client: one, cookie: none }), limited, 'names that are not there count as one')
  t.equal(repliesTo({ client: (i) => `192.0.2.${i % 256}`, cookie: none }), limited, 'so does a network')
  t.equal(repliesTo({ client: (i) => `192.0.${i % 10}.1`, cookie: none }), 10 * limited, 'each its own')
  t.equal(repliesTo({ client: one, cookie: cookieIn }), 2000, 'a client that shows its cookie')
  const stolen = cookieIn(askedBy('192.0.2.77'))
  t.equal(repliesTo({ client: one, cookie: () => stolen }), limited, 'the cookie of another address')
  const forged = (i: number) => `${stolen.slice(0, 32)}${i.toString(16).padStart(16, '0')}`
  let tries = 0
  t.equal(repliesTo({ client: one, cookie: () => forged((tries += 1)) }), limited, 'made up ones')
})

t.test('a truncated reply over the rate is no longer than its query', async (t) => {
  const rateLimit = { rate: 1, burst: 1, slip: 1 }
  const rig = responderRig({ dns: { ...DNS, rateLimit }, signer: await makeSigner(t) })
  for (const name of NAMES) {
    for (const records of [[], [optBytes({ udpBytes: 4096, flags: 0x8000, options: OPTIONS })]]) {
      const query = queryBytes({ name, records })
      const lengths = Array.from({ length: 4 }, () => rig.ask(query, '192.0.2.9')?.length ?? 0)
      t.ok((lengths.at(-1) ?? Infinity) <= query.length, name)
    }
  }
})

function askedBy(client: string): Buffer | undefined {
  const records = [optBytes({ options: [optionBytes(10, '11'.repeat(8))] })]
  return responderRig({ dns: DNS }).ask(queryBytes({ name: 'cdn.example.com', records }), client)
}

/** Of a reply: what its client shows from then on. */
function cookieIn(reply: Buffer | undefined): string {
  const at = reply?.indexOf(Buffer.from('000a0018', 'hex')) ?? -1
  return reply === undefined || at < 0 ? '11'.repeat(8) : reply.toString('hex', at + 4, at + 28)
}
