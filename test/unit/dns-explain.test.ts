// The page of `edgeward explain --dns`: what it says of each outcome.
import t from 'tap'
import { dnsPage } from '../../src/commands/explain/dns-page.ts'
import { SHOWS as PROPERTY } from '../kit/dns-cluster.ts'
import type { RigOptions } from '../kit/dns-responder.ts'
import { responderRig } from '../kit/dns-responder.ts'

const CLIENT = '203.0.113.9'
const SHOWS = 'shows.cdn.example.com'

/** The lines of a page without its time, which stands still. */
function pageOf(dns: string, type: string | undefined, options: RigOptions = {}, all = false): string[] {
  const decision = responderRig(options).explain({ dns, client: CLIENT, type })
  return dnsPage(decision, all, { columns: 80, colours: false }).split('\n')
}

t.test('a steered name: the page as a whole', (t) => {
  const lines = pageOf(SHOWS, 'AAAA', { dns: { addresses: 1 } })
  t.match(lines[1], /^from 203\.0\.113\.9, at \d{4}-\S+Z$/)
  t.strictSame(lines.toSpliced(1, 1), [
    'shows.cdn.example.com.',
    '',
    'zone      cdn.example.com.',
    'property  shows',
    'located   guangzhou: its network is covered (coverage network 203.0.113.0/24)',
    'scope     203.0.113.0/24: all of it is answered the same',
    '',
    'AAAA',
    '  SITE       ROLE     DISTANCE  LOAD  CONGESTION    COST',
    '✓ guangzhou  located      0 ms   0 %        0 ms    0 ms  chosen',
    '  frankfurt  other      244 ms   0 %        0 ms  244 ms  farther than the chosen one costs',
    '',
    '  EDGE  SITE       STATE  LOAD  RAMP',
    '✓ gz-1  guangzhou  up      0 %        by the hash of property and scope',
    '  gz-2  guangzhou  up      0 %        behind: the answer has its addresses',
    '  gz-3  guangzhou  up      0 %        dropped: no address of the family asked for',
    '',
    'NOERROR with gz-1 at guangzhou',
    '  shows.cdn.example.com.  20  AAAA  2001:db8:1::11  ; gz-1',
    '',
  ])
  t.end()
})

const RECORDS = [
  { name: 'away', type: 'CNAME', data: 'player.example.net' },
  { name: '*.any', type: 'TXT', data: 'hi' },
  { name: 'sub', type: 'NS', data: 'ns.sub.cdn.example.com' },
  { name: 'ns.sub', type: 'A', data: '192.0.2.54' },
]
const SCHEDULERS = { name: 'route.cdn.example.com', addresses: ['192.0.2.80'] }

t.test('every outcome has its words', (t) => {
  const all = { dns: { records: RECORDS, schedulers: SCHEDULERS }, over: { properties: [PROPERTY] } }
  for (const [dns, type, options, words] of [
    ['x.any.cdn.example.com', 'TXT', all, /^NOERROR with its static records$/],
    [
      'away.cdn.example.com',
      'A',
      all,
      /^NOERROR with an alias of player\.example\.net\., which is followed no further/,
    ],
    [
      'x.sub.cdn.example.com',
      'A',
      all,
      /^NOERROR with a referral: others answer for sub\.cdn\.example\.com\.$/,
    ],
    [SHOWS, 'TXT', all, /^NOERROR without records: the name has no TXT$/],
    [SHOWS, 'HTTPS', all, /^NOERROR without records: its edges do not all speak TLS on one port$/],
    ['route.cdn.example.com', 'A', all, /^NOERROR without records: no scheduler that lives has an address/],
    ['no.cdn.example.com', 'A', all, /^NXDOMAIN no such name in cdn\.example\.com\.$/],
    ['example.org', 'A', all, /^REFUSED a name of none of the zones here$/],
    ['cdn.example.com', 'AXFR', all, /^REFUSED no zone transfers$/],
    [SHOWS, 'A', { deps: { isReady: () => false } }, /^SERVFAIL no edge has reported yet$/],
  ] as const) {
    const lines = pageOf(dns, type, options)
    t.ok(
      lines.some((line) => words.test(line)),
      `${dns} ${type}: ${lines.join('\n')}`,
    )
  }
  t.end()
})

t.test('what holds for both families stands once', (t) => {
  const lines = pageOf(SHOWS, undefined)
  for (const fact of ['zone ', 'property ', 'located ', 'scope ']) {
    t.equal(lines.filter((line) => line.startsWith(fact)).length, 1, fact)
  }
  t.equal(lines.filter((line) => line.startsWith('NOERROR with gz-1')).length, 2)
  t.end()
})

t.test('without Client Subnet the client is a resolver, and no scope is told', (t) => {
  const lines = pageOf(SHOWS, 'A', { deps: { usesClientSubnet: false } })
  t.match(lines[1], /^from 203\.0\.113\.9, as a resolver: EDNS Client Subnet is off, at /)
  t.notOk(lines.some((line) => line.startsWith('scope')))
  t.end()
})
