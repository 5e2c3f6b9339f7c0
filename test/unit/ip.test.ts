// IP addresses and networks: the forms that are taken, those refused, and RFC 5952's text.
import t from 'tap'
import {
  contains,
  formatIp,
  formatNetwork,
  networkProblem,
  parseIp,
  parseNetwork,
  readIp,
} from '../../src/net/ip.ts'

/** The canonical text of what was parsed. */
function canonical(text: string): string | undefined {
  const address = parseIp(text)
  return address && formatIp(address)
}

t.test('every form of RFC 4291 is read, and written as RFC 5952 says', async (t) => {
  const forms: Record<string, string> = {
    '0.0.0.0': '0.0.0.0',
    '255.255.255.255': '255.255.255.255',
    '::': '::',
    '::1': '::1',
    '1::': '1::',
    '2001:DB8:0:0:8:800:200C:417A': '2001:db8::8:800:200c:417a',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
    '::2:3:4:5:6:7:8': '0:2:3:4:5:6:7:8',
    '0001:02:003:0004:5:6:7:8': '1:2:3:4:5:6:7:8',
    '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
    '1:2:3:4:5:6:192.0.2.33': '1:2:3:4:5:6:c000:221',
    '::ffff:192.0.2.33': '192.0.2.33',
    '::FFFF:c000:221': '192.0.2.33',
    '0:0:0:0:0:ffff:0:0': '0.0.0.0',
    'fe80::1%eth0': 'fe80::1',
  }
  for (const [text, expected] of Object.entries(forms)) t.equal(canonical(text), expected, text)
})

t.test('what is not an address is refused', async (t) => {
  const refused = [
    // IPv4
    '|  |1|1.2.3|1.2.3.4.5|1.2.3.256|01.2.3.4|1.2.3.04|1..3.4|1.2.3.|.1.2.3|1.2.3.4 | 1.2.3.4|0x1.2.3.4',
    '1.2.3.4:80|1.2.3.4/8|+1.2.3.4|1.2.3.1000|١.2.3.4|localhost',
    // IPv6
    ':|:::|1:|:1|1::2::3|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7:8::|::1:2:3:4:5:6:7:8|12345::|g::|[::1]',
    `::${'0'.repeat(60)}1`,
    // IPv4 inside IPv6
    '::1.2.3|::1.2.3.4.5|1.2.3.4::|::1.2.3.4:5|1:2:3:4:5:6:7:1.2.3.4|::01.2.3.4',
    // Zones
    'fe80::1%|fe80::1%a b|1.2.3.4%eth0|%eth0|::1%eth0/64',
  ].flatMap((line) => line.split('|'))
  for (const text of refused) t.equal(parseIp(text), undefined, JSON.stringify(text))
})

t.test('networks', async (t) => {
  const forms: Record<string, string> = {
    '10.0.0.0/8': '10.0.0.0/8',
    '0.0.0.0/0': '0.0.0.0/0',
    '192.0.2.1': '192.0.2.1/32',
    '::/0': '::/0',
    '2001:DB8::/32': '2001:db8::/32',
    '2001:db8::1': '2001:db8::1/128',
    '2001:db8:8000::/33': '2001:db8:8000::/33',
    '::ffff:10.0.0.0/104': '10.0.0.0/8',
    '::ffff:0:0/96': '0.0.0.0/0',
  }
  for (const [text, expected] of Object.entries(forms)) {
    const network = parseNetwork(text)
    t.equal(network && formatNetwork(network), expected, text)
    t.equal(networkProblem(text), undefined)
  }
  const refused: Record<string, RegExp> = {
    '10.0.0.1/8': /the network is 10\.0\.0\.0\/8$/,
    '255.255.255.255/0': /the network is 0\.0\.0\.0\/0$/,
    '2001:db8::1/64': /the network is 2001:db8::\/64$/,
    '10.0.0.0/33': /from 0 to 32/,
    '::/129': /from 0 to 128/,
    '::ffff:10.0.0.0/95': /from 96 to 128/,
    '10.0.0.0/': /from 0 to 32/,
    '10.0.0.0/08': /from 0 to 32/,
    '10.0.0.0/-1': /from 0 to 32/,
    '10.0.0.0/8/8': /from 0 to 32/,
    '10.0.0.0/1e1': /from 0 to 32/,
    '10/8': /is not an IP address or network/,
    'fe80::%eth0/64': /is not an IP address or network/,
  }
  for (const [text, problem] of Object.entries(refused)) {
    t.equal(parseNetwork(text), undefined, text)
    t.match(networkProblem(text), problem)
  }
})

function holds(network: string, address: string): boolean | undefined {
  const [outer, inner] = [parseNetwork(network), parseIp(address)]
  return outer && inner && contains(outer, inner)
}

t.test('a network holds its first and last address, no neighbour, no other family', async (t) => {
  t.equal(holds('203.0.113.64/26', '203.0.113.64'), true)
  t.equal(holds('203.0.113.64/26', '203.0.113.127'), true)
  t.equal(holds('203.0.113.64/26', '203.0.113.63'), false)
  t.equal(holds('203.0.113.64/26', '203.0.113.128'), false)
  t.equal(holds('0.0.0.0/0', '255.255.255.255'), true)
  t.equal(holds('0.0.0.0/0', '::1'), false)
  t.equal(holds('::/0', '10.0.0.1'), false)
  t.equal(holds('10.0.0.0/8', '::ffff:10.1.2.3'), true)
  t.equal(holds('2001:db8:0:40::/58', '2001:db8:0:7f:ffff:ffff:ffff:ffff'), true)
  t.equal(holds('2001:db8:0:40::/58', '2001:db8:0:80::'), false)
  t.equal(holds('2001:db8:0:40::/58', '2001:db8:0:3f:ffff::'), false)
})

t.test('characters that only look like bytes of an address are none', async (t) => {
  // Of each unit the last eight bits are a digit's.
  for (const text of ['1.2.3.\u0134', '\u0132001:db8::1', '::\u0131']) t.equal(parseIp(text), undefined, text)
})

t.test('an address is read from the middle of other bytes', async (t) => {
  const texts = ['192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1', 'fe80::1%eth0', '::']
  for (const text of texts) {
    const bytes = Buffer.from(`1/${text}/1.2`)
    t.same(readIp(bytes, 2, bytes.length - 4), parseIp(text), text)
    t.equal(readIp(bytes, 2, bytes.length - 3), undefined, `${text} and a slash`)
  }
})
