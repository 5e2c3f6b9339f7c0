// The longest-prefix map against a walk over all networks, over random nested networks of both families; and the scope
// of what it finds: no address in it finds anything else, and one bit less would hold one that does.
import fc from 'fast-check'
import t from 'tap'
import { buildCidrTree } from '../../src/net/cidr-tree.ts'
import { contains, formatIp, formatNetwork, networkOf, parseIp, parseNetwork } from '../../src/net/ip.ts'
import type { IpAddress, IpNetwork } from '../../src/net/ip.ts'
import { borderAddresses } from '../kit/border-addresses.ts'

// Few bits vary, so that networks nest, touch each other and reach both ends of the address space.
const nibble = fc.constantFrom(0, 1, 7, 8, 15)
const edgeByte = fc.tuple(nibble, nibble).map(([high, low]) => high * 16 + low)
const word = fc
  .tuple(edgeByte, fc.constantFrom(0, 255), fc.constantFrom(0, 128, 255), edgeByte)
  .map(([a, b, c, d]) => ((a << 24) | (b << 16) | (c << 8) | d) >>> 0)
const outerWord = fc.constantFrom(0, 0xffff_ffff, 0x2001_0db8)

const address: fc.Arbitrary<IpAddress> = fc.oneof(
  word.map((d) => ({ family: 4, a: 0, b: 0, c: 0, d }) as const),
  fc.tuple(outerWord, word, outerWord, word).map(([a, b, c, d]) => ({ family: 6, a, b, c, d }) as const),
)

const network: fc.Arbitrary<IpNetwork> = fc
  .tuple(address, fc.nat(128))
  .map(([ip, bits]) => networkOf(ip, ip.family === 4 ? bits % 33 : bits))

interface Entry {
  network: IpNetwork
  value: number
}

function longestPrefix(
  entries: readonly Entry[],
  ip: IpAddress,
): { value: number; prefixLength: number } | undefined {
  let best: Entry | undefined
  for (const entry of entries) {
    if (!contains(entry.network, ip)) continue
    // Of equal networks the last counts.
    if (best === undefined || entry.network.prefixLength >= best.network.prefixLength) best = entry
  }
  return best && { value: best.value, prefixLength: best.network.prefixLength }
}

t.test('finds what a walk over all networks finds', async (t) => {
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 60 }),
      fc.array(address, { maxLength: 30 }),
      (networks, addresses) => {
        // Few values, so that networks that touch have one.
        const entries = networks.map((one, i) => ({ network: one, value: i % 3 }))
        const tree = buildCidrTree(entries)
        if (tree.size !== new Set(networks.map(formatNetwork)).size) return false
        const asked = [
          ...addresses,
          ...networks.flatMap(({ address: first }) => [first, next(first), previous(first)]),
        ]
        for (const ip of asked) t.strictSame(tree.find(ip), longestPrefix(entries, ip))
        return true
      },
    ),
    { numRuns: 300 },
  )
  t.pass('agrees')
})

t.test('a scope is as short as can be', async (t) => {
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 12 }),
      fc.array(address, { minLength: 1, maxLength: 6 }),
      (networks, addresses) => {
        const entries = networks.map((one, i) => ({ network: one, value: i % 3 }))
        const tree = buildCidrTree(entries)
        // Wherever another match begins, so that there is none that these do not show.
        const borders = networks.flatMap(borderAddresses)
        const foundOf = (ip: IpAddress) => JSON.stringify(longestPrefix(entries, ip))
        for (const ip of [...addresses, ...borders]) {
          const others = borders.filter(
            (other) => other.family === ip.family && foundOf(other) !== foundOf(ip),
          )
          const among = (bits: number) => others.some((other) => contains(networkOf(ip, bits), other))
          const scope = tree.scopeOf(ip)
          t.notOk(among(scope), `${formatIp(ip)} finds another in /${scope}`)
          if (scope > 0) t.ok(among(scope - 1), `${formatIp(ip)} finds no other in /${scope - 1}`)
        }
      },
    ),
    { numRuns: 300 },
  )
  t.pass('none is longer or shorter')
})

/** Of an address, where these are the networks. */
function scopes(...texts: string[]): (text: string) => number {
  const tree = buildCidrTree(texts.map((text) => ({ network: networkIn(text), value: text })))
  return (text) => tree.scopeOf(ipOf(text))
}

t.test('examples of scopes', async (t) => {
  const alone = scopes('202.96.128.0/20', '240e::/20')
  t.equal(alone('202.96.130.1'), 20)
  t.equal(alone('202.96.144.0'), 20, 'beside it')
  t.equal(alone('202.97.0.0'), 16)
  t.equal(alone('10.0.0.0'), 1, 'far from it')
  t.equal(alone('240e:fff::1'), 20)
  t.equal(alone('8000::'), 1)
  const nested = scopes('10.0.0.0/8', '10.1.0.0/16', '2001:db8::/32', '2001:db8::1/128')
  t.equal(nested('10.1.2.3'), 16)
  t.equal(nested('10.0.2.3'), 16, 'the outer network, near the inner one: more than its own length')
  t.equal(nested('10.128.2.3'), 9, 'the outer network, farther away')
  t.equal(nested('2001:db8::1'), 128)
  t.equal(nested('2001:db8::2'), 127)
  t.equal(nested('2001:db8:8000::'), 33)
  const wide = scopes('0.0.0.0/0')
  t.equal(wide('10.1.2.3'), 0, 'all are one')
  t.equal(wide('::1'), 0, 'and of the other family there is none')
  t.equal(scopes()('10.1.2.3'), 0)
  t.equal(scopes('255.255.255.255/32')('255.255.255.254'), 32)
})

t.test('the example of nested networks', async (t) => {
  const texts = [
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.0/24',
    '0.0.0.0/0',
    '255.255.255.255/32',
    '2001:db8::/32',
  ]
  const tree = buildCidrTree(texts.map((text) => ({ network: networkIn(text), value: text })))
  const found = (text: string) => tree.find(ipOf(text))
  t.strictSame(found('10.1.2.3'), { value: '10.1.2.0/24', prefixLength: 24 })
  t.strictSame(found('10.1.3.0'), { value: '10.1.0.0/16', prefixLength: 16 })
  t.strictSame(found('10.2.0.0'), { value: '10.0.0.0/8', prefixLength: 8 })
  t.strictSame(found('11.0.0.0'), { value: '0.0.0.0/0', prefixLength: 0 })
  t.strictSame(found('255.255.255.255'), { value: '255.255.255.255/32', prefixLength: 32 })
  t.strictSame(found('::ffff:10.1.2.3'), { value: '10.1.2.0/24', prefixLength: 24 })
  t.strictSame(found('2001:db8::'), { value: '2001:db8::/32', prefixLength: 32 })
  t.equal(found('2001:db9::'), undefined)
  t.equal(buildCidrTree([]).find({ family: 4, a: 0, b: 0, c: 0, d: 0 }), undefined)
})

function ipOf(text: string): IpAddress {
  const ip = parseIp(text)
  if (ip === undefined) throw new Error(text)
  return ip
}

function networkIn(text: string): IpNetwork {
  const parsed = parseNetwork(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}

function next(ip: IpAddress): IpAddress {
  return { ...ip, d: (ip.d + 1) >>> 0 }
}

function previous(ip: IpAddress): IpAddress {
  return { ...ip, d: (ip.d - 1) >>> 0 }
}
