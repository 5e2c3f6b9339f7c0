// Denial of existence: which names and types an NSEC speaks of, and with which response code it comes.
import t from 'tap'
import { denialRcode, nameAfter } from '../../scheduler/dns/dnssec/denial.ts'
import { loadZoneKeys } from '../../scheduler/dns/dnssec/keys.ts'
import { ZoneSigner } from '../../scheduler/dns/dnssec/zone-signer.ts'
import { RCODE, TYPE, typeName } from '../../scheduler/dns/message/codes.ts'
import { makeDnssecKey } from '../kit/dnssec-key.ts'
import { rrsigOf, wireName } from '../kit/dnssec-verify.ts'
import { tempDirectory } from '../kit/temp.ts'

const ZONE = wireName('cdn.example')
const NOW = Date.UTC(2026, 2, 1, 10)
const csk = await makeDnssecKey(await tempDirectory(t), 'cdn.example')
const signer = new ZoneSigner(await loadZoneKeys(ZONE, [csk.private]))

t.test('what an NSEC says of a name', async (t) => {
  const cases: [string, readonly number[] | 'no-such-name', string][] = [
    ['no.cdn.example', 'no-such-name', 'RRSIG NSEC NXNAME'],
    ['vod.cdn.example', [TYPE.A, TYPE.HTTPS], 'A RRSIG NSEC HTTPS'],
    ['sites.cdn.example', [], 'RRSIG NSEC'],
    ['cdn.example', [TYPE.CAA, TYPE.SOA, TYPE.NS, TYPE.A, TYPE.A], 'A NS SOA RRSIG NSEC CAA'],
    ['owner.cdn.example', [TYPE.NS, TYPE.A], 'NS RRSIG NSEC'],
    ['safe.cdn.example', [TYPE.NS, TYPE.DS], 'NS DS RRSIG NSEC'],
  ]
  for (const [name, denied, expected] of cases) {
    const [nsec, rrsig, ...others] = signer.denial(wireName(name), denied, 60, NOW)
    if (nsec === undefined || rrsig === undefined) throw new Error('nothing')
    t.strictSame(others, [])
    t.match(nsec, { type: TYPE.NSEC, owner: wireName(name), ttlSeconds: 60 })
    const next = Buffer.from(`\x01\x00${wireName(name)}`, 'latin1')
    t.strictSame(Buffer.from(nsec.data).subarray(0, next.length), next, 'nothing but the name is spanned')
    t.equal(typesIn(nsec.data.subarray(next.length)), expected, name)
    t.match(rrsigOf(rrsig), { ttl: 60, data: { typeCovered: 'NSEC' } })
  }
})

/** RFC 4034 §4.1.2, read bit by bit. */
function typesIn(bitmap: Uint8Array): string {
  const types: string[] = []
  for (let at = 0; at < bitmap.length; at += 2 + (bitmap[at + 1] ?? 0)) {
    const [block = 0, length = 0] = bitmap.subarray(at, at + 2)
    for (let bit = 0; bit < length * 8; bit++) {
      const octet = bitmap[at + 2 + Math.floor(bit / 8)] ?? 0
      if (((octet << (bit % 8)) & 0x80) !== 0) types.push(typeName(block * 256 + bit))
    }
  }
  return types.join(' ')
}

t.test('NXDOMAIN with a proof only for those who know NXNAME (RFC 9824 §5)', async (t) => {
  const denied = 'no-such-name'
  t.equal(denialRcode(denied, { dnssecOk: true, compactOk: false }), RCODE.NOERROR)
  t.equal(denialRcode(denied, { dnssecOk: true, compactOk: true }), RCODE.NXDOMAIN)
  t.equal(denialRcode(denied, { dnssecOk: false, compactOk: false }), RCODE.NXDOMAIN)
  t.equal(denialRcode([TYPE.A], { dnssecOk: true, compactOk: true }), RCODE.NOERROR)
})

/** Labels one after another, without the root. */
function name(...labels: readonly string[]): string {
  return labels.map((label) => String.fromCharCode(label.length) + label).join('')
}

t.test('the name after a name that has no room below it (RFC 4471 §3.1.2)', async (t) => {
  const zone = wireName('x')
  const above = ['b'.repeat(63), 'c'.repeat(63), 'd'.repeat(61)]
  const below = (label: string) => name(label, ...above) + zone
  const after = (label: string) => nameAfter(below(label), zone)
  t.equal(below('a'.repeat(61)).length, 255)

  t.equal(after('a'.repeat(59)), name('\0') + below('a'.repeat(59)), '253 octets: room for \\000')
  t.equal(after('a'.repeat(60)), below(`${'a'.repeat(60)}\0`), '254 octets: one more')
  t.equal(after('a'.repeat(61)), below(`${'a'.repeat(60)}b`), '255 octets: a greater one')
  t.equal(after(`${'a'.repeat(60)}@`), below(`${'a'.repeat(60)}[`), 'capitals are no octets of their own')
  t.equal(after(`a${'\xff'.repeat(60)}`), below('b'), 'the greatest octets are left out')

  const [b = '', c = ''] = above
  const greatest = '\xff'.repeat(61)
  t.equal(
    after(greatest),
    name(`${b.slice(1)}c`, c, 'd'.repeat(61)) + zone,
    'a label that cannot grow is left out',
  )
  const long = name(...above) + zone
  t.equal(nameAfter(name(greatest) + long, long), long, 'after the last name of a zone comes its apex')
  t.equal(
    nameAfter(below('a'.repeat(61)), below('a'.repeat(61))),
    below('a'.repeat(61)),
    'which may be as long',
  )
})
