// Targets, cookies and tokens from anyone, for every scheme with shared keys: nothing throws, nothing is admitted, and
// what is no token stays in the target. Short here; EDGEWARD_FUZZ_SECONDS=600 for long.
import fc from 'fast-check'
import t from 'tap'
import { SHARED_KEY_SCHEMES } from '../kit/token-schemes.ts'
import { tokenQuery, tokenVerdict } from '../kit/token.ts'

const seconds = Number(process.env['EDGEWARD_FUZZ_SECONDS'] ?? '0.5')
const budget = { interruptAfterTimeLimit: seconds * 1000, numRuns: 1_000_000, markInterruptAsFailure: false }

const nowMs = Date.UTC(2026, 0, 1)
const HASH = '9044548ef1527deadafa49a890a377f0'
const WORDS = [
  '/ ? & = - ~ ! * % # ; . , : $ " \\ .. // %2F %2e %00 %zz %E7%94 \0 ÿ 电 \ud800'.split(' '),
  'auth_key sign t KEY1 KEY2 md5 expires hdnts hdnea hmac auth%5Fkey'.split(' '),
  'exp= st= acl= ip= id= data= url= salt= ~hmac= ~acl=/* acl=/*!/a'.split(' '),
  '1767225600 1767229200 69559b80 0x69559b80 202601010800 99999999999999999999 -1 1e9'.split(' '),
  '_e4Nc3iduzkWRm01TBBNYw 192.0.2.1 ::ffff:192.0.2.1 10.0.0.0/8'.split(' '),
  [' ', HASH, HASH + HASH, HASH.toUpperCase()],
].flat()
const garbage = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 24 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 80 }),
)
/** Near enough to each form that its later checks are reached. */
const near = fc.oneof(
  garbage.map((text) => `/a?auth_key=1767225600-0-0-${text}`),
  garbage.map((text) => `/202601010800/${HASH}${text}`),
  garbage.map((text) => `/${HASH}/69559b80${text}`),
  garbage.map((text) => `/a?KEY1=${HASH}&KEY2=69559b80${text}`),
  garbage.map((text) => `/a?sign=${HASH}&t=1767225600${text}`),
  garbage.map((text) => `${text}?md5=_e4Nc3iduzkWRm01TBBNYw&expires=1767229200`),
  garbage.map((text) => `${text}?hdnts=exp=1767229200~${text}~hmac=${HASH}${HASH}`),
  garbage.map(
    (text) => `/a?hdnts=${encodeURIComponent(`exp=1767229200~acl=${text.toWellFormed()}~hmac=${HASH}`)}`,
  ),
)

for (const scheme of SHARED_KEY_SCHEMES) {
  const verifier = scheme.create(['first key', 'second key'])
  t.test(scheme.name, async (t) => {
    fc.assert(
      fc.property(fc.oneof(garbage, near), garbage, garbage, (target, cookie, address) => {
        const request = { nowMs, address, headers: { cookie: `hdnts=${cookie}; ${cookie}` } }
        const verdict = tokenVerdict(verifier, target, request)
        const query = tokenQuery(target, request)
        const taken = verifier.take(query)
        if (taken.token !== null) verifier.nameOf(taken.token, taken, query)
        // In the query, nothing of a token is left behind.
        const left = verifier.take(tokenQuery(taken.target, { nowMs }))
        return verdict.startsWith('token_') && (scheme.inPath || left.token === null)
      }),
      budget,
    )
    t.pass('refused')
  })
}
