// What a forger can make the server send: replies over UDP are limited by network and name, what is over it is truncated
// or dropped, and real clients come through by TCP or by a cookie.
import dnsPacket from 'dns-packet'
import t from 'tap'
import { nameBytes, optBytes, optionBytes, queryBytes } from '../kit/dns-bytes.ts'
import { askOverUdp } from '../kit/dns-client.ts'
import { ZONE, dig, kdig, startDnsCluster } from '../kit/dns-cluster.ts'
import { metricOf } from '../kit/metric.ts'

const CLIENT_COOKIE = '0011223344556677'
const [OLD_SECRET, NEW_SECRET] = ['00'.repeat(16), '11'.repeat(16)]
/** So few that a test uses them up. Each name has its own, so that tests are not in each other's way. */
const LIMIT = { rate: 1, burst: 5 }
/** A second or two may pass meanwhile. */
const WHOLE_MAX = 7

const { port, listeners, scheduler } = await startDnsCluster(t, {
  listen: ['127.0.0.1:0', '[::1]:0'],
  rateLimit: { ...LIMIT, slip: 2, exempt: ['::1/128'] },
  cookieSecrets: [OLD_SECRET],
})
const changing = await startDnsCluster(t, {
  rateLimit: { ...LIMIT, slip: 1 },
  cookieSecrets: [NEW_SECRET, OLD_SECRET],
})

const queryFor = (name: string, cookie?: string) =>
  queryBytes({
    name: nameBytes(name),
    records: cookie === undefined ? [] : [optBytes({ options: [optionBytes(10, cookie)] })],
  })

/** How many of the replies over UDP were whole, how many truncated. */
async function flood(packets: readonly Buffer[], at = port, server?: string) {
  const replies = await askOverUdp(at, packets, server)
  const truncated = replies.filter((reply) => dnsPacket.decode(reply).flag_tc).length
  return { whole: replies.length - truncated, truncated }
}

const times = (count: number, packet: Buffer) => Array.from({ length: count }, () => packet)

const randomNames = (zone: string) => Array.from({ length: 20 }, (_, i) => queryFor(`r${i}.${zone}`))

const counted = (reason: string) =>
  metricOf(scheduler.admin, `edgeward_scheduler_dns_unanswered_total{reason="${reason}"}`)

function cookieIn(text: string): string {
  return /COOKIE: ([0-9a-f]{48}) \(good\)/.exec(text)?.[1] ?? 'none'
}

t.test('over the rate every second reply is truncated, the others are dropped', async (t) => {
  const { whole, truncated } = await flood(times(25, queryFor(`shows.${ZONE}`)))
  t.ok(whole >= 5 && whole <= WHOLE_MAX, `${whole} whole`)
  t.equal(truncated, Math.floor((25 - whole) / 2))
  t.strictSame(
    [await counted('limited-slip'), await counted('limited-drop')],
    [truncated, 25 - whole - truncated],
  )
  t.equal((await flood([queryFor(ZONE)])).whole, 1, 'another name has its own rate')
})

t.test('names that do not exist are limited together, refusals too', async (t) => {
  t.ok((await flood(randomNames(ZONE))).whole <= WHOLE_MAX)
  t.ok((await flood(randomNames('example.org'))).whole <= WHOLE_MAX)
  const update = queryBytes({ flags: 0x2800 })
  t.ok((await flood(times(20, update))).whole <= 2, 'what is not implemented counts with those')
})

t.test('networks that are exempt are not limited', async (t) => {
  const port6 = Number(/\d+$/.exec(listeners[1] ?? '')?.[0])
  t.equal((await flood(times(30, queryFor(`shows.${ZONE}`)), port6, '::1')).whole, 30)
})

t.test('a client with a cookie of this server is not limited', async (t) => {
  const name = `movies.${ZONE}`
  const cookie = cookieIn((await dig(port, `${name} A +cookie=${CLIENT_COOKIE}`)).text)
  t.ok(cookie.startsWith(CLIENT_COOKIE))
  t.strictSame(await flood(times(50, queryFor(name, cookie))), { whole: 50, truncated: 0 })
  const again = await kdig(port, `${name} A +cookie=${cookie}`)
  t.match(again.text, `COOKIE: ${CLIENT_COOKIE}`, 'kdig takes it')

  const forged = cookie.slice(0, -1) + (cookie.endsWith('0') ? '1' : '0')
  const unknown = [forged, CLIENT_COOKIE].flatMap((one) => times(15, queryFor(name, one)))
  t.ok((await flood(unknown)).whole <= WHOLE_MAX, 'a forged one is as none, so is one without our half')
})

t.test("servers with the same secrets take each other's cookies, also while a secret changes", async (t) => {
  const name = `movies.${ZONE}`
  const cookie = cookieIn((await dig(port, `${name} A +tcp +cookie=${CLIENT_COOKIE}`)).text)
  t.equal((await flood(times(20, queryFor(name, cookie)), changing.port)).whole, 20)
  const renewed = cookieIn((await dig(changing.port, `${name} A +tcp +cookie=${cookie}`)).text)
  t.not(renewed, cookie, 'it is given one of the new secret')
  t.ok(
    (await flood(times(20, queryFor(name, renewed)))).whole <= WHOLE_MAX,
    'which the other does not have yet',
  )
})

t.test('a real client that meets the limit comes over TCP', async (t) => {
  const name = `shows.${ZONE}`
  await flood(times(20, queryFor(name)), changing.port)
  const { status, text, answer } = await dig(changing.port, `${name} A +nocookie`)
  t.match(text, /Truncated, retrying in TCP mode/)
  t.strictSame([status, answer.length], ['NOERROR', 2])
})

t.test(
  'a query without a question brings a cookie, and tells whether one is good (RFC 7873 §5.4)',
  async (t) => {
    const first = await dig(changing.port, `+header-only +cookie=${CLIENT_COOKIE}`)
    t.equal(first.status, 'NOERROR')
    const cookie = cookieIn(first.text)
    t.equal((await dig(changing.port, `+header-only +cookie=${cookie}`)).status, 'NOERROR')
    const forged = `${cookie.slice(0, 32)}0000000000000000`
    t.equal((await dig(changing.port, `+header-only +nobadcookie +cookie=${forged}`)).status, 'BADCOOKIE')
    t.equal(
      (await dig(changing.port, '+header-only +nocookie')).status,
      'FORMERR',
      'nothing else is asked without one',
    )
  },
)
