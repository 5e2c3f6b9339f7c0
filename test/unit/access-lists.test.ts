// The simple lists of `access`: each reason and status, empties, mapped addresses, and the order of the lists.
import t from 'tap'
import { compileAccessRules, judgeRules } from '../../src/access/judge-rules.ts'
import type { AccessRuleSettings } from '../../src/access/rule-settings.ts'
import { accessRequest, verdictOf } from '../kit/access.ts'
import type { Asked } from '../kit/access.ts'

type Case = [asked: Asked, verdict: string]

interface Checks {
  equal(found: string, wanted: string, message: string): unknown
}

function check(t: Checks, settings: AccessRuleSettings, cases: readonly Case[]): void {
  for (const [asked, verdict] of cases) t.equal(verdictOf(settings, asked), verdict, JSON.stringify(asked))
}

const refererOf = (referer: string): Asked => ({ fields: { referer } })
const originOf = (origin: string): Asked => ({ fields: { origin } })
const agentOf = (agent: string): Asked => ({ fields: { 'user-agent': agent } })

t.test('settings that ask for nothing cost nothing', async (t) => {
  const nothing: AccessRuleSettings[] = [
    {},
    { addresses: {}, countries: {}, asns: {}, referer: {}, origin: {}, userAgents: {}, hours: {} },
    { referer: { deny: [] }, countries: { unknown: 'allow', status: 404 }, hours: { zone: 'Asia/Shanghai' } },
  ]
  for (const settings of nothing) t.equal(compileAccessRules(settings), null, JSON.stringify(settings))
})

t.test('addresses, IPv4, IPv6 and mapped', async (t) => {
  check(t, { addresses: { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.9.0.0/16'] } }, [
    [{ address: '10.1.2.3' }, 'pass'],
    [{ address: '::ffff:10.1.2.3' }, 'pass'],
    [{ address: '2001:db8::1' }, 'pass'],
    [{ address: '10.9.0.1' }, 'address_denied 403 access.addresses'],
    [{ address: '::ffff:10.9.0.1' }, 'address_denied 403 access.addresses'],
    [{ address: '11.0.0.1' }, 'address_not_allowed 403 access.addresses'],
    [{ address: '2001:db9::1' }, 'address_not_allowed 403 access.addresses'],
    [{}, 'address_not_allowed 403 access.addresses'],
  ])
  check(t, { addresses: { deny: ['192.0.2.1', '::ffff:198.51.100.0/120'], status: 404 } }, [
    [{ address: '192.0.2.1' }, 'address_denied 404 access.addresses'],
    [{ address: '198.51.100.7' }, 'address_denied 404 access.addresses'],
    [{ address: '192.0.2.2' }, 'pass'],
    [{ address: '::c000:201' }, 'pass'],
    [{}, 'pass'],
  ])
  check(t, { addresses: { allow: [] } }, [
    [{ address: '10.1.2.3' }, 'address_not_allowed 403 access.addresses'],
  ])
})

t.test('countries, and addresses without one', async (t) => {
  const list = 'access.countries'
  check(t, { countries: { allow: ['CN', 'HK'], deny: ['HK'], status: 451 } }, [
    [{ country: 'CN' }, 'pass'],
    [{ country: 'HK' }, `country_denied 451 ${list}`],
    [{ country: 'DE' }, `country_not_allowed 451 ${list}`],
    [{}, `country_unknown 451 ${list}`],
  ])
  check(t, { countries: { allow: ['CN'], unknown: 'allow' } }, [
    [{}, 'pass'],
    [{ country: 'DE' }, `country_not_allowed 403 ${list}`],
  ])
  check(t, { countries: { deny: ['DE'] } }, [
    [{}, 'pass'],
    [{ country: 'CN' }, 'pass'],
    [{ country: 'DE' }, `country_denied 403 ${list}`],
  ])
  check(t, { countries: { unknown: 'deny' } }, [
    [{}, `country_unknown 403 ${list}`],
    [{ country: 'DE' }, 'pass'],
  ])
})

t.test('AS numbers', async (t) => {
  const list = 'access.asns'
  check(t, { asns: { allow: [4134, 4837], deny: [4837] } }, [
    [{ asn: 4134 }, 'pass'],
    [{ asn: 4837 }, `asn_denied 403 ${list}`],
    [{ asn: 3320 }, `asn_not_allowed 403 ${list}`],
    [{}, `asn_unknown 403 ${list}`],
  ])
  check(t, { asns: { deny: [64512], unknown: 'deny', status: 410 } }, [
    [{ asn: 64512 }, `asn_denied 410 ${list}`],
    [{}, `asn_unknown 410 ${list}`],
    [{ asn: 1 }, 'pass'],
  ])
})

t.test('Referer: pages, empties, and what is no page', async (t) => {
  const list = 'access.referer'
  check(t, { referer: { allow: ['*.example.com', 'example.org'], deny: ['bad.example.com'] } }, [
    [refererOf('https://www.example.com/watch?v=1'), 'pass'],
    [refererOf('http://WWW.Example.COM.:8080/'), 'pass'],
    [refererOf('https://example.org'), 'pass'],
    [refererOf('https://bad.example.com/'), `referer_denied 403 ${list}`],
    [refererOf('https://example.com/'), `referer_not_allowed 403 ${list}`],
    [refererOf('https://www.example.com.evil.net/'), `referer_not_allowed 403 ${list}`],
    [refererOf('https://evilexample.com/'), `referer_not_allowed 403 ${list}`],
    [refererOf('https://evil.net/https://www.example.com/'), `referer_not_allowed 403 ${list}`],
    [{}, `referer_empty 403 ${list}`],
    [refererOf(''), `referer_empty 403 ${list}`],
    [refererOf('about:blank'), `referer_empty 403 ${list}`],
  ])
  check(t, { referer: { allow: ['*.example.com'], empty: 'allow' } }, [
    [{}, 'pass'],
    [refererOf(''), 'pass'],
    [refererOf('https://evil.net/'), `referer_not_allowed 403 ${list}`],
  ])
  check(t, { referer: { deny: ['*.evil.net'] } }, [
    [{}, 'pass'],
    [refererOf('https://a.evil.net/'), `referer_denied 403 ${list}`],
    [refererOf('https://good.net/'), 'pass'],
  ])
  check(t, { referer: { empty: 'deny', status: 404 } }, [
    [{}, `referer_empty 404 ${list}`],
    [refererOf('https://any.net/'), 'pass'],
  ])
})

t.test('a Referer that is no page’s address is never taken for an empty one', async (t) => {
  const odd = [
    ' ',
    'www.example.com',
    '//www.example.com/',
    'https:///',
    'https://',
    'https://www.example.com@evil.net/',
    'https://evil.net\\@www.example.com/',
    'https://evil.net\\.www.example.com/',
    'https://evil.net%2f.www.example.com/',
    'https://www.example.com:99999/',
    'https://www.example.com:80a/',
    'https://www.example.com/ https://evil.net/',
    'https://www.example.com/, https://www.example.com/',
    'https://[::1/',
    'https://[1.2.3.4]x/',
    'https://.',
    'javascript:alert(1)//www.example.com/',
    'null',
    `https://${'a'.repeat(300)}.example.com/`,
  ]
  const allow = { referer: { allow: ['*', '*.example.com', 'www.example.com'], empty: 'allow' } } as const
  const deny = { referer: { deny: ['evil.net'] } }
  for (const referer of odd) {
    t.equal(verdictOf(allow, { fields: { referer } }), 'referer_not_allowed 403 access.referer', referer)
    t.equal(verdictOf(deny, { fields: { referer } }), 'referer_not_allowed 403 access.referer', referer)
  }
})

t.test('Origin, with null as a value of its own', async (t) => {
  const list = 'access.origin'
  check(t, { origin: { allow: ['https://tv.example.com', '*'], deny: ['*.evil.net'] } }, [
    [originOf('https://tv.example.com'), 'pass'],
    [originOf('https://a.evil.net'), `origin_denied 403 ${list}`],
    [originOf('capacitor://localhost'), 'pass'],
    [originOf('null'), `origin_opaque 403 ${list}`],
    [originOf('NULL'), `origin_not_allowed 403 ${list}`],
    [originOf('https://tv.example.com/'), `origin_not_allowed 403 ${list}`],
    [originOf('https://a.net, https://tv.example.com'), `origin_not_allowed 403 ${list}`],
    [originOf('file://'), `origin_not_allowed 403 ${list}`],
    [{}, `origin_empty 403 ${list}`],
  ])
  check(t, { origin: { allow: ['https://tv.example.com', 'null'], empty: 'allow', status: 404 } }, [
    [originOf('null'), 'pass'],
    [{}, 'pass'],
    [originOf('https://tv.example.com:8443'), 'pass'],
    [originOf('http://tv.example.com'), `origin_not_allowed 404 ${list}`],
    [originOf('http://null'), `origin_not_allowed 404 ${list}`],
  ])
  check(t, { origin: { deny: ['null'] } }, [
    [originOf('null'), `origin_denied 403 ${list}`],
    [originOf('https://null'), 'pass'],
    [{}, 'pass'],
  ])
})

t.test('User-Agent', async (t) => {
  const list = 'access.userAgents'
  check(t, { userAgents: { allow: ['*vlc*', 'Mozilla/5.?*'], deny: ['*bot*'] } }, [
    [agentOf('VLC/3.0.20 LibVLC/3.0.20'), 'pass'],
    [agentOf('mozilla/5.0'), 'pass'],
    [agentOf('Mozilla/5.'), `user_agent_not_allowed 403 ${list}`],
    [agentOf('Mozilla/5.0 (compatible; GoogleBot/2.1)'), `user_agent_denied 403 ${list}`],
    [agentOf('curl/8.5'), `user_agent_not_allowed 403 ${list}`],
    [{}, `user_agent_empty 403 ${list}`],
    [agentOf(''), `user_agent_empty 403 ${list}`],
  ])
  check(t, { userAgents: { deny: ['curl/*'], empty: 'deny' } }, [
    [agentOf('Curl/8.5'), `user_agent_denied 403 ${list}`],
    [agentOf('libcurl/8.5'), 'pass'],
    [{}, `user_agent_empty 403 ${list}`],
  ])
})

t.test('hours, with a status', async (t) => {
  check(t, { hours: { daily: ['08:00-09:00'], status: 410 } }, [
    [{ at: '2026-01-01T08:30:00Z' }, 'pass'],
    [{ at: '2026-01-01T09:30:00Z' }, 'outside_hours 410 access.hours'],
  ])
})

t.test('the lists are judged in their order, and the first refusal stands', async (t) => {
  const all: Required<AccessRuleSettings> = {
    addresses: { deny: ['192.0.2.1'] },
    countries: { deny: ['DE'] },
    asns: { deny: [1] },
    referer: { empty: 'deny' },
    origin: { empty: 'deny' },
    userAgents: { empty: 'deny' },
    hours: { until: '2020-01-01T00:00:00Z' },
    rules: [],
  }
  const reasons: string[] = []
  const left: Record<string, unknown> = { ...all }
  for (const key of Object.keys(all)) {
    const asked = { address: '192.0.2.1', country: 'DE', asn: 1, at: '2026-01-01T00:00:00Z' }
    reasons.push(verdictOf(left, asked).split(' ', 1)[0] ?? '')
    delete left[key]
  }
  t.strictSame(reasons, [
    'address_denied',
    'country_denied',
    'asn_denied',
    'referer_empty',
    'origin_empty',
    'user_agent_empty',
    'outside_hours',
    'no_rule_matched',
  ])
})

t.test('GeoIP is asked only when a rule gets that far', async (t) => {
  const rules = compileAccessRules({ addresses: { deny: ['192.0.2.1'] }, countries: { deny: ['DE'] } })
  if (rules === null) throw new Error('there are rules')
  t.match(rules, { needsPlaces: true, needsAsns: false })
  let asked = 0
  const place = () => {
    asked += 1
    return undefined
  }
  const ask = (address: string) => judgeRules(rules, { ...accessRequest({ address }), place })?.reason
  t.equal(ask('192.0.2.1'), 'address_denied')
  t.equal(asked, 0)
  t.equal(ask('192.0.2.2'), undefined)
  t.equal(asked, 1)
})

t.test('settings that cannot be used are named by their key', async (t) => {
  const cases: [AccessRuleSettings, RegExp][] = [
    [{ addresses: { allow: ['10.0.0.0/8', '10.0.0.1/8'] } }, /^access\.addresses\.allow\[1\] has bits set/],
    [{ referer: { deny: ['http://'] } }, /^access\.referer\.deny\[0\] must be like/],
    [{ referer: { allow: ['null'] } }, /^access\.referer\.allow\[0\] is a value of Origin/],
    [{ origin: { allow: ['https://a.example/x*'] } }, /^access\.origin\.allow\[0\] must not have a path/],
    [{ hours: { daily: ['8-9'] } }, /^access\.hours\.daily\[0\] must be like/],
    [{ hours: { daily: ['00:00-24:00'], zone: 'Mars/Base' } }, /^access\.hours\.zone must be a time zone/],
    [{ hours: { from: 'yesterday' } }, /^access\.hours\.from must be a time/],
    [{ rules: [{ deny: { networks: ['x'] } }] }, /^access\.rules\[0\]\.deny\.networks\[0\] is not an IP/],
    [{ rules: [{ name: 'both', allow: {}, deny: {} }] }, /^access\.rules\[0\] must hold allow or deny/],
    [{ rules: [{}] }, /^access\.rules\[0\] must hold allow or deny/],
  ]
  for (const [settings, message] of cases) t.throws(() => compileAccessRules(settings), { message })
})
