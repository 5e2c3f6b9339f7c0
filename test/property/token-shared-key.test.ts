// For every scheme with shared keys: what is signed is admitted, until its end and for its client, and nothing that
// differs from it by a character is.
import fc from 'fast-check'
import t from 'tap'
import { SHARED_KEY_SCHEMES } from '../kit/token-schemes.ts'
import { tokenQuery, tokenVerdict } from '../kit/token.ts'

const CHARACTERS = "abcdefXYZ0123456789-._~$'(),;=:@".split('')
/** What an acl takes for a pattern, or a query for its end. */
const SPECIAL = '!*&+'.split('')
const ESCAPES = ['%20', '%E7%94%B5', '%ff', '%25', '%3F', '%2b', '%41']

function pathOf(characters: readonly string[]): fc.Arbitrary<string> {
  const segment = fc
    .array(fc.constantFrom(...characters), { minLength: 1, maxLength: 12 })
    .map((parts) => parts.join(''))
    // Dot segments mean another path than they say; they have tests of their own.
    .filter((text) => !/^\.+(?:;|$)/.test(text))
  return fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
}

const query = fc
  .array(fc.constantFrom('a=1', 'b', '', 'c=%20', 'x=/y?z', 'time=3', 'tt=0'), { maxLength: 4 })
  .map((parts) => (parts.length === 0 ? '' : `?${parts.join('&')}`))
const target = fc.tuple(pathOf([...CHARACTERS, ...SPECIAL, ...ESCAPES]), query).map((parts) => parts.join(''))
const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const addresses = ['192.0.2.1', '198.51.100.77', '2001:db8::1', '::1'] as const
const address = fc.constantFrom(...addresses)
const nowMs = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2100, 0, 1) })
const runs = { numRuns: 150 }

for (const scheme of SHARED_KEY_SCHEMES) {
  const boundTo = (address: string) => (scheme.bound ? { address } : {})
  t.test(scheme.name, async (t) => {
    await t.test('what is signed is admitted until its end; without the token it is as it was', async (t) => {
      fc.assert(
        fc.property(target, key, address, nowMs, fc.nat(86_400_000), (bare, key, address, nowMs, forMs) => {
          const expiresMs = nowMs + forMs
          const signed = scheme.sign([key], bare, { nowMs, expiresMs, ...boundTo(address) })
          const endMs = Math.floor(expiresMs / scheme.stepMs) * scheme.stepMs + scheme.graceMs
          const verifier = scheme.create([key])
          t.equal(tokenVerdict(verifier, signed, { nowMs: endMs - 1, address }), 'admitted', signed)
          t.equal(tokenVerdict(verifier, signed, { nowMs: endMs, address }), 'token_expired', signed)
          t.equal(verifier.take(tokenQuery(signed, { nowMs })).target, bare)
        }),
        runs,
      )
    })

    await t.test('one character changed, and it is refused', async (t) => {
      const replacement = fc.constantFrom(...CHARACTERS, ...SPECIAL, '/', '?', '%', '[', '|')
      // No letters in the escapes: in another case they would spell the same path.
      const plain = pathOf([...CHARACTERS, '%20', '%25', '%41'])
      fc.assert(
        fc.property(plain, key, nowMs, fc.nat(), replacement, (bare, key, nowMs, at, character) => {
          const [address] = addresses
          const signed = scheme.sign([key], bare, { nowMs, ...boundTo(address) })
          const i = at % signed.length
          fc.pre(signed[i] !== character)
          const changed = signed.slice(0, i) + character + signed.slice(i + 1)
          t.not(
            tokenVerdict(scheme.create([key]), changed, { nowMs, address }),
            'admitted',
            `${signed} ${changed}`,
          )
        }),
        { numRuns: 600 },
      )
    })

    await t.test('each live key verifies what it signed, no other does', async (t) => {
      const keys = fc.uniqueArray(key, { minLength: 2, maxLength: 5 })
      fc.assert(
        fc.property(target, keys, nowMs, (bare, keys, nowMs) => {
          const [address] = addresses
          const request = { nowMs, address }
          for (const [i, signer] of keys.entries()) {
            const signed = scheme.sign([signer], bare, { nowMs, ...boundTo(address) })
            t.equal(tokenVerdict(scheme.create(keys), signed, request), 'admitted')
            t.equal(tokenVerdict(scheme.create(keys.toSpliced(i, 1)), signed, request), 'token_wrong')
          }
        }),
        { numRuns: 40 },
      )
    })

    if (!scheme.bound) return
    await t.test('a bound token is for its client', async (t) => {
      fc.assert(
        fc.property(target, address, address, nowMs, (bare, address, other, nowMs) => {
          const signed = scheme.sign(['k'], bare, { nowMs, address })
          const admitted =
            tokenVerdict(scheme.create(['k']), signed, { nowMs, address: other }) === 'admitted'
          t.equal(admitted, address === other, `${address} ${other}`)
        }),
        runs,
      )
    })
  })
}
