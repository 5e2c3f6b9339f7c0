// The verdicts on secure links beside those of a real nginx: same key, same expression, same requests.
import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import fc from 'fast-check'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { createSecureLink, signSecureLink } from '../../src/token/secure-link.ts'
import type { TokenScheme } from '../../src/token/token.ts'
import { get } from '../kit/client.ts'
import { findNginx, startNginx } from '../kit/nginx.ts'
import { tokenVerdict } from '../kit/token.ts'

const BY_ADDRESS = '$secure_link_expires$uri$remote_addr $key'
const BY_REQUEST = '$key $uri $arg_user $host $scheme $http_user_agent $arg_expires'
const later = String(Math.floor(systemClock.now() / 1000) + 3600)

function serverOf(expression: string): string {
  return `
    secure_link $arg_md5,$arg_expires;
    secure_link_md5 "${expression.replaceAll('$key', 'secret')}";
    if ($secure_link = "") { return 403; }
    if ($secure_link = "0") { return 410; }
    return 200;`
}

function schemeOf(expression: string): TokenScheme {
  return createSecureLink({ keys: ['older', 'secret'], expression })
}

/** By hand, so that it is not this code's signer that both agree with. */
function linkOf(path: string, uri = path, expires = later, address = '127.0.0.1'): string {
  const hash = createHash('md5').update(`${expires}${uri}${address} secret`, 'latin1').digest('base64url')
  return `${path}?md5=${hash}&expires=${expires}`
}

/** What nginx says, and what the scheme says, of one request. */
async function both(port: number, scheme: TokenScheme, target: string, address = '127.0.0.1') {
  const host = address.includes(':') ? '[::1]' : '127.0.0.1'
  const headers = { 'user-agent': 'tv/1' }
  const agent = new Agent({ localAddress: address })
  const { status } = await get(`http://${host}:${port}${target}`, { agent, headers })
  const verdict = tokenVerdict(scheme, target, {
    nowMs: systemClock.now(),
    address,
    host: `${host}:${port}`,
    scheme: 'http',
    headers,
  })
  return { nginx: status, own: verdict === 'admitted' ? 200 : (scheme.statuses[verdict] ?? 403) }
}

const program = findNginx('http_secure_link_module')
const skip = program === undefined ? 'no nginx with secure_link is installed' : false

t.test('links for one address: right, expired, wrong, from elsewhere', { skip }, async (t) => {
  const [port = 0] = await startNginx(t, program ?? '', [serverOf(BY_ADDRESS)])
  const scheme = schemeOf(BY_ADDRESS)
  const good = linkOf('/s/link')
  const cases: readonly [target: string, status: number, address?: string][] = [
    [good, 200],
    [`${good}&a=1`, 200],
    [good.replace('?', '?a=1&'), 200],
    [linkOf('/s/link', '/s/link', later, '::1'), 200, '::1'],
    [linkOf('/s/link', '/s/link', '1000000000'), 410],
    [good, 403, '127.0.0.2'],
    [good, 403, '::1'],
    [good.replace('/s/link', '/s/other'), 403],
    [good.replace(later, '1000000000'), 403],
    [good.replace('md5=', 'md5=A'), 403],
    [good.replace(/&expires=.*/, ''), 403],
    [good.replace(/expires=.*/, 'expires=soon'), 403],
    [linkOf('/s/link', '/s/link', '0'), 403],
    ['/s/link', 403],
    ['/s/link?md5=&expires=', 403],
    [linkOf('/s/a%20b', '/s/a b'), 200],
    [linkOf('/s/%E7%94%B5.ts', Buffer.from('/s/电.ts').toString('latin1')), 200],
    [linkOf('/x/../s/%6Cink', '/s/link'), 200],
    [linkOf('/s/a%2Cb', '/s/a,b'), 200],
    [linkOf('/s/100%25', '/s/100%'), 200],
    [linkOf('/s/a%20b'), 403],
  ]
  for (const [target, status, address] of cases) {
    t.strictSame(await both(port, scheme, target, address), { nginx: status, own: status }, target)
  }
})

t.test('what this refuses and nginx does not: paths that are several', { skip }, async (t) => {
  const [port = 0] = await startNginx(t, program ?? '', [serverOf(BY_ADDRESS)])
  for (const path of ['//s/link', '/s//link', '/s%2Flink']) {
    t.strictSame(
      await both(port, schemeOf(BY_ADDRESS), linkOf(path, '/s/link')),
      { nginx: 200, own: 403 },
      path,
    )
  }
})

t.test('links bound to host, browser and arguments, signed here', { skip }, async (t) => {
  const [port = 0] = await startNginx(t, program ?? '', [serverOf(BY_REQUEST)])
  const scheme = schemeOf(BY_REQUEST)
  const settings = { keys: ['secret'], expression: BY_REQUEST }
  const options = { nowMs: systemClock.now(), host: '127.0.0.1', scheme: 'http', userAgent: 'tv/1' } as const
  const good = signSecureLink(settings, '/s/link?user=7', options)
  t.strictSame(await both(port, scheme, good), { nginx: 200, own: 200 })
  t.strictSame(await both(port, scheme, good.replace('user=7', 'User=7')), { nginx: 200, own: 200 })
  t.strictSame(await both(port, scheme, good.replace('user=7', 'user=8')), { nginx: 403, own: 403 })
  for (const change of [{ host: 'other' }, { userAgent: 'tv/2' }, { scheme: 'https' } as const]) {
    const other = signSecureLink(settings, '/s/link?user=7', { ...options, ...change })
    t.strictSame(await both(port, scheme, other), { nginx: 403, own: 403 }, Object.keys(change).join(''))
  }
  // Segments of what a path may hold, sampled: nginx admits what is signed here.
  const segment = fc.string({
    unit: fc.constantFrom(...'aZ9-._~!$&\'()*+,;=:@ %#?"é电'.split('')),
    minLength: 1,
    maxLength: 8,
  })
  for (const text of fc.sample(segment, { numRuns: 60, seed: 4 })) {
    const path = `/s/x${encodeURIComponent(text)}`
    const target = signSecureLink(settings, `${path}?user=${path.length}`, options)
    t.strictSame(await both(port, scheme, target), { nginx: 200, own: 200 }, target)
  }
})
