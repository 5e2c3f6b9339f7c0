// The parser against node:net over random and damaged texts, and round trips of addresses and networks.
import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { contains, formatIp, formatNetwork, networkOf, parseIp, parseNetwork } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'

const byte = fc.integer({ min: 0, max: 255 })
const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
const word = fc.tuple(group, group).map(([high, low]) => high * 0x1_0000 + low)

const address: fc.Arbitrary<IpAddress> = fc.oneof(
  word.map((d) => ({ family: 4, a: 0, b: 0, c: 0, d }) as const),
  fc
    .tuple(word, word, word, word)
    .filter(([a, b, c]) => a !== 0 || b !== 0 || c !== 0xffff)
    .map(([a, b, c, d]) => ({ family: 6, a, b, c, d }) as const),
)

/** Pieces of addresses in any order: mostly wrong, often nearly right. */
const nearText = fc
  .array(
    fc.oneof(
      fc.constantFrom(':', '::', '.', '%', '0', '00', 'ffff', '::ffff:', '%e', '/', ' ', 'g'),
      byte.map(String),
      group.map((value) => value.toString(16)),
      fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.')),
    ),
    { maxLength: 18 },
  )
  .map((pieces) => pieces.join(''))

/** A right address with one character replaced, put in or taken out. */
const damagedText = fc
  .tuple(
    address.map(formatIp),
    fc.nat(),
    fc.constantFrom('', ':', '.', '0', 'f', '9', '%', 'x'),
    fc.boolean(),
  )
  .map(([text, at, put, keep]) => {
    const index = at % (text.length + 1)
    return text.slice(0, index) + put + text.slice(keep ? index : index + 1)
  })

function agrees(text: string): boolean {
  const family = isIP(text)
  const parsed = parseIp(text)
  if (family === 0) return parsed === undefined
  // An IPv4-mapped address is IPv4 here.
  return parsed !== undefined && (parsed.family === family || text.includes(':'))
}

t.test('the same texts are addresses as for node:net', async (t) => {
  fc.assert(fc.property(fc.oneof(nearText, damagedText, fc.ipV4(), fc.ipV6()), agrees), { numRuns: 5000 })
  t.pass('agrees')
})

t.test('an address survives its text, which node:net and URL agree with', async (t) => {
  fc.assert(
    fc.property(address, (ip) => {
      const text = formatIp(ip)
      t.strictSame(parseIp(text), ip)
      if (isIP(text) !== ip.family) return false
      return ip.family === 4 || new URL(`http://[${text}]/`).hostname === `[${text}]`
    }),
  )
  t.pass('round trip')
})

t.test('a network survives its text and holds what node:net’s BlockList says', async (t) => {
  const near = fc.tuple(address, fc.nat(128), address, fc.nat(127))
  fc.assert(
    fc.property(near, ([ip, bits, other, flipped]) => {
      const max = ip.family === 4 ? 32 : 128
      const network = networkOf(ip, bits % (max + 1))
      const text = formatNetwork(network)
      t.strictSame(parseNetwork(text), network)
      const list = new BlockList()
      const family = ip.family === 4 ? 'ipv4' : 'ipv6'
      list.addSubnet(formatIp(network.address), network.prefixLength, family)
      return [ip, flipBit(ip, flipped % max), other]
        .filter((candidate) => candidate.family === ip.family)
        .every((candidate) => contains(network, candidate) === list.check(formatIp(candidate), family))
    }),
    { numRuns: 1000 },
  )
  t.pass('round trip')
})

function flipBit(ip: IpAddress, bit: number): IpAddress {
  const words = [ip.a, ip.b, ip.c, ip.d]
  const index = ip.family === 4 ? 3 : Math.floor(bit / 32)
  words[index] = ((words[index] ?? 0) ^ (1 << (31 - (bit % 32)))) >>> 0
  const [a = 0, b = 0, c = 0, d = 0] = words
  return { family: ip.family, a, b, c, d }
}
