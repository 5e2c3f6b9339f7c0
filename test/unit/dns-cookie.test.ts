// Server cookies against the examples of RFC 9018, their verdicts at each bound, and SipHash against its reference.
import t from 'tap'
import { COOKIE_OCTETS, cookieVerdict, parseCookieSecrets, writeCookie } from '../../scheduler/dns/cookie.ts'
import type { CookieVerdict } from '../../scheduler/dns/cookie.ts'
import { sipHash24, sipKeyOf } from '../../scheduler/dns/siphash.ts'
import type { SipKey } from '../../scheduler/dns/siphash.ts'
import { parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'

/** RFC 9018 appendix A: the secret of A.1 to A.3, and of A.4 the old one and the new one. */
const SECRET = sipKeyOf(octets('e5e973e5a6b2a43f48e7dc849e37bfcf'))
const OLD = sipKeyOf(octets('dd3bdf9344b678b185a6f5cb60fca715'))
const NEW = sipKeyOf(octets('445536bcd2513298075a5d379663c962'))
const CLIENT = ip('198.51.100.100')
const CLIENT_COOKIE = octets('2464c4abcf10c957')
/** When the server cookie of A.1 was made. */
const MADE_S = 1559731985
const COOKIE = octets('2464c4abcf10c957010000005cf79f111f8130c3eee29480')

/** Of key 00 01 … 0f and the data 00 01 … of 0 to 63 octets; from `vectors.h` of the authors. */
const SIPHASH_REFERENCE = `
  726fdb47dd0e0e31 74f839c593dc67fd 0d6c8009d9a94f5a 85676696d7fb7e2d cf2794e0277187b7 18765564cd99a68d
  cbc9466e58fee3ce ab0200f58b01d137 93f5f5799a932462 9e0082df0ba9e4b0 7a5dbbc594ddb9f3 f4b32f46226bada7
  751e8fbc860ee5fb 14ea5627c0843d90 f723ca908e7af2ee a129ca6149be45e5 3f2acc7f57c29bdb 699ae9f52cbe4794
  4bc1b3f0968dd39c bb6dc91da77961bd bed65cf21aa2ee98 d0f2cbb02e3b67c7 93536795e3a33e88 a80c038ccd5ccec8
  b8ad50c6f649af94 bce192de8a85b8ea 17d835b85bbb15f3 2f2e6163076bcfad de4daaaca71dc9a5 a6a2506687956571
  ad87a3535c49ef28 32d892fad841c342 7127512f72f27cce a7f32346f95978e3 12e0b01abb051238 15e034d40fa197ae
  314dffbe0815a3b4 027990f029623981 cadcd4e59ef40c4d 9abfd8766a33735c 0e3ea96b5304a7d0 ad0c42d6fc585992
  187306c89bc215a9 d4a60abcf3792b95 f935451de4f21df2 a9538f0419755787 db9acddff56ca510 d06c98cd5c0975eb
  e612a3cb9ecba951 c766e62cfcadaf96 ee64435a9752fe72 a192d576b245165a 0a8787bf8ecb74b2 81b3e73d20b49b6f
  7fa8220ba3b2ecea 245731c13ca42499 b78dbfaf3a8d83bd ea1ad565322a1a0b 60e61c23a3795013 6606d7e446282b93
  6ca4ecb15c5f91e1 9f626da15c9625f3 e51b38608ef25f57 958a324ceb064572
`

t.test('SipHash-2-4 gives the 64 results of its reference', async (t) => {
  const key = sipKeyOf(Uint8Array.from({ length: 16 }, (_, i) => i))
  const data = Uint8Array.from({ length: 64 }, (_, i) => i)
  const into = new Uint8Array(10)
  const results = Array.from({ length: 64 }, (_, length) => {
    sipHash24(key, data, length, into, 1)
    return Buffer.from(into.subarray(1, 9)).readBigUInt64LE().toString(16).padStart(16, '0')
  })
  t.strictSame(results, SIPHASH_REFERENCE.trim().split(/\s+/))
  t.strictSame([into[0], into[9]], [0, 0], 'nothing is written beside the result')
})

t.test('cookies are made as in RFC 9018 appendix A', async (t) => {
  t.equal(made(COOKIE.subarray(0, 8), CLIENT, SECRET, MADE_S), hex(COOKIE), 'A.1: a first one')
  t.equal(
    made(COOKIE, CLIENT, SECRET, 1559734385),
    '2464c4abcf10c957010000005cf7a871d4a564a1442aca77',
    'A.2: a new one, 40 minutes later',
  )
  t.equal(
    made(octets('fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5'), ip('203.0.113.203'), SECRET, 1559734700),
    'fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e',
    'A.3: the reserved octets become zeros',
  )
  t.equal(
    made(octets('22681ab97d52c298'), ip('2001:db8:220:1:59de:d0f4:8769:82b8'), NEW, 1559741961),
    '22681ab97d52c298010000005cf7c609a6bb79d16625507a',
    'A.4: IPv6',
  )
})

t.test('cookies of RFC 9018 appendix A are good', async (t) => {
  t.equal(verdict(COOKIE, MADE_S), 'good', 'A.1')
  t.equal(verdict(COOKIE, 1559734385), 'renew', 'A.2')
  const reserved = octets('fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5')
  const other = ip('203.0.113.203')
  t.equal(verdictFor(reserved, other, [SECRET], 1559727985_000), 'good', 'A.3: reserved octets count as sent')
  reserved[9] = 0
  t.equal(verdictFor(reserved, other, [SECRET], 1559727985_000), 'bad', 'A.3: with one of them changed')
})

t.test('after a change of secret both verify, and the old one is renewed', async (t) => {
  const client = ip('2001:db8:220:1:59de:d0f4:8769:82b8')
  const old = octets('22681ab97d52c298010000005cf7c57926556bd0934c72f8')
  const nowMs = 1559741961_000
  t.equal(verdictFor(old, client, [OLD], nowMs), 'good', 'before')
  t.equal(verdictFor(old, client, [OLD, NEW], nowMs), 'good', 'when the new one is known and not yet used')
  t.equal(verdictFor(old, client, [NEW, OLD], nowMs), 'renew', 'when the new one is used')
  t.equal(verdictFor(old, client, [NEW], nowMs), 'bad', 'when the old one has gone')
  const renewed = octets(made(old, client, NEW, 1559741961))
  t.equal(verdictFor(renewed, client, [NEW, OLD], nowMs), 'good')
})

t.test('a cookie is good for an hour, renewed after half of it', async (t) => {
  t.equal(verdict(COOKIE, MADE_S + 1800), 'good')
  t.equal(verdict(COOKIE, MADE_S + 1801), 'renew')
  t.equal(verdict(COOKIE, MADE_S + 3600), 'renew')
  t.equal(verdict(COOKIE, MADE_S + 3601), 'bad')
  t.equal(verdict(COOKIE, MADE_S - 300), 'good')
  t.equal(verdict(COOKIE, MADE_S - 301), 'bad')
  t.equal(verdict(COOKIE, MADE_S + 2 ** 31), 'bad')
})

t.test('seconds start again at 0 in 2106, and cookies stay good across it', async (t) => {
  const before = octets(made(CLIENT_COOKIE, CLIENT, SECRET, 2 ** 32 - 100))
  t.equal(hex(before).slice(24, 32), 'ffffff9c')
  t.equal(verdict(before, 2 ** 32 + 100), 'good')
  t.equal(verdict(before, 2 ** 32 + 1701), 'renew')
  t.equal(verdict(before, 2 ** 32 + 3501), 'bad')
  const after = octets(made(CLIENT_COOKIE, CLIENT, SECRET, 2 ** 32 + 100))
  t.equal(hex(after).slice(24, 32), '00000064')
  t.equal(verdict(after, 2 ** 32 - 200), 'good')
  t.equal(verdict(after, 2 ** 32 - 201), 'bad')
})

t.test('any other octet, address or length makes a cookie bad', async (t) => {
  for (let i = 0; i < COOKIE_OCTETS; i++) {
    for (const bit of [1, 0x80]) {
      const damaged = Uint8Array.from(COOKIE)
      damaged[i] = (damaged[i] ?? 0) ^ bit
      t.equal(verdict(damaged, MADE_S), 'bad', `octet ${i}`)
    }
  }
  for (const other of ['198.51.100.101', '::198.51.100.100', '2001:db8::1']) {
    t.equal(verdictFor(COOKIE, ip(other), [SECRET], MADE_S * 1000), 'bad', other)
  }
  for (const length of [16, 23, 25, 40]) {
    const bytes = new Uint8Array(length)
    bytes.set(COOKIE.subarray(0, length))
    t.equal(verdict(bytes, MADE_S), 'bad', `${length} octets`)
  }
})

t.test('a cookie of another version is bad, whatever its hash', async (t) => {
  const cookie = Uint8Array.from(COOKIE)
  for (const [version, expected] of [
    [1, 'good'],
    [2, 'bad'],
  ] as const) {
    cookie[8] = version
    const covered = Uint8Array.of(...cookie.subarray(0, 16), 198, 51, 100, 100)
    sipHash24(SECRET, covered, covered.length, cookie, 16)
    t.equal(verdict(cookie, MADE_S), expected)
  }
})

t.test('every octet of an IPv6 address counts', async (t) => {
  const client = ip('2001:db8:1:2:3:4:5:6')
  const cookie = octets(made(CLIENT_COOKIE, client, SECRET, MADE_S))
  t.equal(verdictFor(cookie, client, [SECRET], MADE_S * 1000), 'good')
  for (const word of ['a', 'b', 'c', 'd'] as const) {
    const other = { ...client, [word]: client[word] + 1 }
    t.equal(verdictFor(cookie, other, [SECRET], MADE_S * 1000), 'bad', word)
  }
})

t.test('a query without a cookie, and one with a client cookie alone', async (t) => {
  t.equal(verdictFor(undefined, CLIENT, [SECRET], MADE_S * 1000), 'none')
  t.equal(verdict(CLIENT_COOKIE, MADE_S), 'client-only')
})

t.test('secrets are 32 hexadecimal digits; a wrong one is named by its place', async (t) => {
  const right = 'E5E973E5A6B2A43F48E7DC849E37BFCF'
  t.strictSame(parseCookieSecrets([` ${right}\n`]), [SECRET])
  for (const wrong of ['', right.slice(1), `${right}0`, `0x${right.slice(2)}`, `${right.slice(1)}g`]) {
    t.throws(() => parseCookieSecrets([right, wrong]), {
      code: 'config_invalid',
      message: 'cookie secret 2 of 2 is not 32 hexadecimal digits',
    })
  }
  t.throws(() => parseCookieSecrets([]), { message: 'cookies need 1 to 4 secrets, and there are 0' })
  t.throws(() => parseCookieSecrets(Array(5).fill(right)), { message: /there are 5/ })
})

function verdict(cookie: Uint8Array, nowS: number): CookieVerdict {
  return verdictFor(cookie, CLIENT, [SECRET], nowS * 1000)
}

/** The cookie stands in the middle of a packet, as in a query. */
function verdictFor(
  cookie: Uint8Array | undefined,
  client: IpAddress,
  secrets: readonly SipKey[],
  nowMs: number,
): CookieVerdict {
  if (cookie === undefined) return cookieVerdict(new Uint8Array(60), undefined, client, secrets, nowMs)
  return cookieVerdict(inPacket(cookie), { at: 30, bytes: cookie.length }, client, secrets, nowMs)
}

function made(cookie: Uint8Array, client: IpAddress, secret: SipKey, nowS: number): string {
  const into = new Uint8Array(COOKIE_OCTETS).fill(0xee)
  const place = { at: 30, bytes: cookie.length }
  writeCookie(into, inPacket(cookie), place, client, [secret, OLD], nowS * 1000 + 999)
  return hex(into)
}

function inPacket(cookie: Uint8Array): Uint8Array {
  const packet = new Uint8Array(30 + cookie.length + 11).fill(0xee)
  packet.set(cookie, 30)
  return packet
}

function ip(text: string): IpAddress {
  const address = parseIp(text)
  if (address === undefined) throw new Error(text)
  return address
}

function octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
