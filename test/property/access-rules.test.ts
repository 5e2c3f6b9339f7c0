// Access rules against naive re-implementations: host patterns by splitting names into labels, networks by walking
// them all, globs by trying every way, and explaining against judging.
import fc from 'fast-check'
import t from 'tap'
import { compileAccessRules, explainRules, judgeRules } from '../../src/access/judge-rules.ts'
import type { AccessRuleSettings } from '../../src/access/rule-settings.ts'
import { compileGlob } from '../../src/access/user-agent.ts'
import { parseWebAddress } from '../../src/access/web-address.ts'
import { compileWebPatterns, webPatternProblem } from '../../src/access/web-pattern.ts'
import { contains, formatIp, formatNetwork, networkOf, parseNetwork } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { accessRequest, verdictOf } from '../kit/access.ts'

const RUNS = { numRuns: 500 }

// Few labels, so that names meet each other's suffixes.
const label = fc.constantFrom('a', 'b', 'ab', 'example', 'com', 'evil')
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
const scheme = fc.constantFrom('http', 'https')
const portText = fc.constantFrom('', ':80', ':443', ':8080')
const folder = fc.constantFrom('', '/', '/a/', '/a/b', '/ab')

const pattern = fc
  .tuple(
    fc.option(scheme),
    fc.constantFrom('', '*.'),
    name,
    portText,
    fc.constantFrom('', '/*', '/a*', '/a/*'),
  )
  .map(
    ([itsScheme, below, host, port, path]) =>
      `${itsScheme === null ? '' : `${itsScheme}://`}${below}${host}${port}${path}`,
  )

const page = fc
  .tuple(scheme, name, fc.constantFrom('', '.'), portText, folder)
  .map(([itsScheme, host, dot, port, path]) => ({ text: `${itsScheme}://${host}${dot}${port}${path}`, host }))

/** As the words of the documentation say it, label by label. */
function matchesNaively(text: string, itsPage: string): boolean {
  const url = new URL(itsPage)
  const [, wantedScheme, below, host = '', port, path] =
    /^(?:(https?):\/\/)?(\*\.)?([a-z.]+)(?::(\d+))?(\/.*)?$/.exec(text) ?? []
  const labels = url.hostname.replace(/\.$/, '').split('.')
  const wanted = host.split('.')
  const tail = labels.slice(-wanted.length)
  if (tail.join('.') !== wanted.join('.')) return false
  if (below === undefined ? labels.length !== wanted.length : labels.length <= wanted.length) return false
  if (wantedScheme !== undefined && url.protocol !== `${wantedScheme}:`) return false
  const actualPort = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  if (port !== undefined && port !== actualPort) return false
  // What a browser writes has a path, if only "/"; a field without one has none that begins with a slash.
  const rest = itsPage.replace(/^https?:\/\/[^/]*/, '')
  return path === undefined || rest.startsWith(path.slice(0, -1))
}

t.test('a page matches patterns as a walk over all of them says', async (t) => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 8 }), page, (patterns, { text }) => {
      for (const one of patterns) if (webPatternProblem(one, 'referer') !== undefined) return false
      const address = parseWebAddress(text)
      if (address === undefined) return false
      const found = compileWebPatterns(patterns, 'referer', 'test').find(address)
      const naive = patterns.filter((one) => matchesNaively(one, text))
      return found === undefined ? naive.length === 0 : naive.includes(found)
    }),
    RUNS,
  )
  t.pass('agrees')
})

t.test('a Referer that a list lets pass is one of a host that the browser would go to', async (t) => {
  // Whatever is written around an allowed host, the URL standard must see that host too.
  const piece = fc.constantFrom(
    'a.example.com',
    'evil.net',
    '@',
    '\\',
    '/',
    ':',
    '%2f',
    '#',
    '?',
    '//',
    '.',
    ' ',
    '\t',
    '[',
    ']',
    '。',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const referer = `https://${pieces.join('')}`
      const verdict = verdictOf({ referer: { allow: ['*.example.com'] } }, { fields: { referer } })
      if (verdict !== 'pass') return true
      return URL.canParse(referer) && new URL(referer).hostname.replace(/\.$/, '').endsWith('.example.com')
    }),
    { numRuns: 5000 },
  )
  t.pass('agrees')
})

const byte = fc.constantFrom(0, 1, 10, 127, 128, 255)
const word = fc
  .tuple(byte, byte, byte, byte)
  .map(([a, b, c, d]) => ((a << 24) | (b << 16) | (c << 8) | d) >>> 0)
const address: fc.Arbitrary<IpAddress> = fc.oneof(
  word.map((d) => ({ family: 4, a: 0, b: 0, c: 0, d }) as const),
  fc
    .tuple(fc.constantFrom(0x2001_0db8, 0xfd00_0000), word)
    .map(([a, d]) => ({ family: 6, a, b: 0, c: 0, d }) as const),
)
const network = fc
  .tuple(address, fc.nat(128))
  .map(([ip, bits]) => formatNetwork(networkOf(ip, ip.family === 4 ? bits % 33 : bits)))
const networks = fc.array(network, { maxLength: 10 })

const within = (list: readonly string[], ip: IpAddress) =>
  list.some((text) => {
    const parsed = parseNetwork(text)
    return parsed !== undefined && contains(parsed, ip)
  })

t.test('addresses are denied and allowed as a walk over all networks says, mapped or not', async (t) => {
  fc.assert(
    fc.property(fc.option(networks, { nil: undefined }), networks, address, (allow, deny, ip) => {
      const plain = formatIp(ip)
      const written = ip.family === 4 ? [plain, `::ffff:${plain}`] : [plain]
      let wanted = 'pass'
      if (within(deny, ip)) wanted = 'address_denied 403 access.addresses'
      else if (allow !== undefined && !within(allow, ip)) wanted = 'address_not_allowed 403 access.addresses'
      else if (allow === undefined && deny.length === 0) wanted = 'no rules'
      return written.every((text) => verdictOf({ addresses: { allow, deny } }, { address: text }) === wanted)
    }),
    RUNS,
  )
  t.pass('agrees')
})

const letters = (...from: readonly string[]) =>
  fc.array(fc.constantFrom(...from), { maxLength: 9 }).map((some) => some.join(''))

t.test('a glob matches as trying every way says', async (t) => {
  const matches = (glob: string, text: string): boolean => {
    if (glob === '') return text === ''
    if (glob.startsWith('*'))
      return matches(glob.slice(1), text) || (text !== '' && matches(glob, text.slice(1)))
    return text !== '' && (glob[0] === '?' || glob[0] === text[0]) && matches(glob.slice(1), text.slice(1))
  }
  fc.assert(
    fc.property(
      letters('ab*?'),
      letters('ab'),
      (glob, text) => compileGlob(glob)(text) === matches(glob, text),
    ),
    { numRuns: 5000 },
  )
  t.pass('agrees')
})

const sides = <T>(entry: fc.Arbitrary<T>, missing: 'unknown' | 'empty' | 'status') =>
  fc.record({
    allow: fc.option(fc.array(entry, { maxLength: 2 }), { nil: undefined }),
    deny: fc.option(fc.array(entry, { maxLength: 2 }), { nil: undefined }),
    status: fc.constantFrom(404, 410, undefined),
    [missing]: fc.constantFrom('allow', 'deny', undefined),
  })
const country = fc.constantFrom('CN', 'DE')
const agent = fc.constantFrom('a*', '*b')
const conditions = fc.record(
  {
    networks: fc.array(network, { maxLength: 2 }),
    countries: fc.array(country, { maxLength: 2 }),
    userAgents: fc.array(agent, { maxLength: 2 }),
    paths: fc.array(fc.constantFrom('/a/**', '*.ts'), { maxLength: 2 }),
  },
  { requiredKeys: [] },
)
const rule = fc.oneof(
  conditions.map((allow) => ({ allow })),
  conditions.map((deny) => ({ name: 'x', deny })),
)
const settings: fc.Arbitrary<AccessRuleSettings> = fc.record(
  {
    addresses: sides(network, 'status'),
    countries: sides(country, 'unknown'),
    userAgents: sides(agent, 'empty'),
    referer: sides(pattern, 'empty'),
    rules: fc.array(rule, { maxLength: 4 }),
  },
  { requiredKeys: [] },
)

t.test(
  'explaining comes to what judging comes to, and each step before the decision let it pass',
  async (t) => {
    fc.assert(
      fc.property(
        settings,
        address,
        fc.constantFrom('CN', 'DE', 'US', undefined),
        fc.constantFrom('ab', 'c', undefined),
        fc.option(page, { nil: undefined }),
        (some, ip, from, userAgent, referer) => {
          const rules = compileAccessRules(some)
          if (rules === null) return true
          const fields: Record<string, string> = {}
          if (userAgent !== undefined) fields['user-agent'] = userAgent
          if (referer !== undefined) fields['referer'] = referer.text
          const request = accessRequest({
            address: formatIp(ip),
            ...(from === undefined ? {} : { country: from }),
            path: '/a/1.ts',
            fields,
          })
          const denial = judgeRules(rules, request)
          const explained = explainRules(rules, request)
          if (explained.denial !== denial) return false
          const verdicts = explained.steps.map(({ verdict }) => verdict)
          const decided = verdicts.indexOf('deny')
          if (decided >= 0 !== (denial !== null)) return false
          return decided < 0 || verdicts.slice(decided + 1).every((verdict) => verdict === 'not asked')
        },
      ),
      RUNS,
    )
    t.pass('agrees')
  },
)
