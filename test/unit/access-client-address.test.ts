// Whose request it is, behind proxies that are trusted and proxies that are not.
import t from 'tap'
import { clientAddressOf, parseForwarded, trustedProxiesOf } from '../../src/access/client-address.ts'
import { formatIp } from '../../src/net/ip.ts'

const trusted = trustedProxiesOf(['10.0.0.0/8', 'fd00::/8'])

function client(peer: string, fields: { forwarded?: string; xForwardedFor?: string }): string | undefined {
  const sent = new Map(
    Object.entries({ forwarded: fields.forwarded, 'x-forwarded-for': fields.xForwardedFor }),
  )
  const address = clientAddressOf(peer, { header: (name) => sent.get(name) }, trusted)
  return address && formatIp(address)
}

t.test('an untrusted peer is the client, whatever it says', async (t) => {
  t.equal(client('192.0.2.1', {}), '192.0.2.1')
  t.equal(client('192.0.2.1', { xForwardedFor: '203.0.113.9' }), '192.0.2.1')
  t.equal(client('192.0.2.1', { forwarded: 'for=203.0.113.9' }), '192.0.2.1')
  t.equal(client('::ffff:192.0.2.1', {}), '192.0.2.1')
  t.equal(client('2001:db8::1', { xForwardedFor: '203.0.113.9' }), '2001:db8::1')
  t.equal(client('', { xForwardedFor: '203.0.113.9' }), undefined)
})

t.test('X-Forwarded-For from a trusted peer, from the right', async (t) => {
  const cases: [string, string][] = [
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, 10.2.2.2', '203.0.113.9'],
    ['198.51.100.1, 203.0.113.9, 10.2.2.2', '203.0.113.9'],
    ['10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::9]:443', '2001:db8::9'],
    ['2001:db8::9', '2001:db8::9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    // Trust ends before what cannot be read.
    ['203.0.113.9, unknown', '10.1.1.1'],
    ['203.0.113.9, nonsense, 10.2.2.2', '10.2.2.2'],
    ['203.0.113.9,', '10.1.1.1'],
    ['', '10.1.1.1'],
    ['010.0.0.1', '10.1.1.1'],
    ['203.0.113.999', '10.1.1.1'],
    ['[2001:db8::9', '10.1.1.1'],
  ]
  for (const [xForwardedFor, expected] of cases) {
    t.equal(client('10.1.1.1', { xForwardedFor }), expected, JSON.stringify(xForwardedFor))
  }
  t.equal(client('fd00::1', { xForwardedFor: '203.0.113.9' }), '203.0.113.9')
})

t.test('Forwarded goes before X-Forwarded-For', async (t) => {
  const cases: [string, string][] = [
    ['for=203.0.113.9', '203.0.113.9'],
    ['For="203.0.113.9:80";proto=https;by=10.1.1.1', '203.0.113.9'],
    ['for="[2001:db8::9]:4711"', '2001:db8::9'],
    ['for=198.51.100.1, for=203.0.113.9 , for=10.2.2.2', '203.0.113.9'],
    ['host="a, b; c";for=203.0.113.9', '203.0.113.9'],
    ['for=unknown', '10.1.1.1'],
    ['for=_hidden, for=10.2.2.2', '10.2.2.2'],
    ['for="203.0.113.9', '10.1.1.1'],
    ['proto=https', '10.1.1.1'],
    ['for=203.0.113.9, proto=https', '10.1.1.1'],
    ['for==203.0.113.9', '10.1.1.1'],
    ['', '10.1.1.1'],
  ]
  for (const [forwarded, expected] of cases) {
    t.equal(client('10.1.1.1', { forwarded, xForwardedFor: '198.51.100.77' }), expected, forwarded)
  }
})

t.test('only so many hops are walked', async (t) => {
  const many = Array.from({ length: 40 }, () => '10.9.9.9').join(', ')
  t.equal(client('10.1.1.1', { xForwardedFor: `203.0.113.9, ${many}` }), '10.9.9.9')
})

t.test('quoted strings in Forwarded are unescaped', async (t) => {
  t.same(parseForwarded(String.raw`for="a\"b,c";x=1, for=d`), ['a"b,c', 'd'])
  t.same(parseForwarded('for=a,,for=b'), ['a', '', 'b'])
  t.equal(parseForwarded('for=a b'), undefined)
})

t.test('a long hostile field is read in no time', async (t) => {
  t.equal(parseForwarded(`for="${'\\"'.repeat(8000)}`), undefined)
  t.equal(parseForwarded(';'.repeat(16_000))?.length, 1)
})
