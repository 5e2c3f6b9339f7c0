// `access.rules`: the first that matches decides, conditions all hold or the rule is passed over, none matching
// refuses; and what explaining says of each.
import t from 'tap'
import { compileAccessRules, explainRules } from '../../src/access/judge-rules.ts'
import type { ConditionSettings, OrderedRuleSettings } from '../../src/access/rule-settings.ts'
import { accessRequest, verdictOf } from '../kit/access.ts'
import type { Asked } from '../kit/access.ts'

const OFFICE: OrderedRuleSettings = { name: 'office', allow: { networks: ['10.0.0.0/8'] } }
const BOTS: OrderedRuleSettings = { name: 'bots', deny: { userAgents: ['*bot*'] }, status: 404 }
const OTHERS: OrderedRuleSettings = { name: 'others', allow: {} }

const botAt = (address: string): Asked => ({ address, fields: { 'user-agent': 'aBot/1' } })

t.test('the first rule that matches decides', async (t) => {
  const rules = [OFFICE, BOTS, OTHERS]
  t.equal(verdictOf({ rules }, botAt('10.1.2.3')), 'pass')
  t.equal(verdictOf({ rules }, botAt('192.0.2.1')), 'rule_denied 404 access.rules[1] bots')
  t.equal(verdictOf({ rules }, { address: '192.0.2.1' }), 'pass')
  const turned = [BOTS, OFFICE, OTHERS]
  t.equal(verdictOf({ rules: turned }, botAt('10.1.2.3')), 'rule_denied 404 access.rules[0] bots')
})

t.test('a request that no rule matches is refused', async (t) => {
  t.equal(verdictOf({ rules: [OFFICE, BOTS] }, { address: '192.0.2.1' }), 'no_rule_matched 403 access.rules')
  t.equal(verdictOf({ rules: [BOTS] }, {}), 'no_rule_matched 403 access.rules', 'also of denying rules alone')
  t.equal(verdictOf({ rules: [] }, {}), 'no_rule_matched 403 access.rules')
})

t.test('a rule without name or status', async (t) => {
  t.equal(verdictOf({ rules: [{ deny: {} }] }, {}), 'rule_denied 403 access.rules[0]')
})

t.test('the simple lists go before the rules', async (t) => {
  const settings = { rules: [OTHERS], referer: { empty: 'deny' } } as const
  t.equal(verdictOf(settings, {}), 'referer_empty 403 access.referer')
})

t.test('each condition, and what does not meet it', async (t) => {
  const cases: [ConditionSettings, meets: Asked, not: Asked[]][] = [
    [
      { networks: ['2001:db8::/32', '192.0.2.0/24'] },
      { address: '192.0.2.9' },
      [{ address: '192.0.3.9' }, {}],
    ],
    [{ countries: ['CN', 'HK'] }, { country: 'HK' }, [{ country: 'DE' }, {}]],
    [{ asns: [4134] }, { asn: 4134 }, [{ asn: 4135 }, {}]],
    [
      { referers: ['https://tv.example.com/app/*'] },
      { fields: { referer: 'https://tv.example.com/app/x' } },
      [{ fields: { referer: 'https://tv.example.com/ap' } }, { fields: { referer: 'tv.example.com' } }, {}],
    ],
    [
      { origins: ['*.example.com', 'null'] },
      { fields: { origin: 'null' } },
      [{ fields: { origin: 'https://example.com' } }, { fields: { origin: 'https://a.example.com/' } }, {}],
    ],
    [
      { userAgents: ['*VLC*'] },
      { fields: { 'user-agent': 'vlc' } },
      [{ fields: { 'user-agent': 'VL C' } }, {}],
    ],
    [{ methods: ['POST', 'PUT'] }, { method: 'PUT' }, [{ method: 'GET' }, { method: 'put' }]],
    [{ paths: ['/live/**', '*.mp4'] }, { path: '/live/a/b' }, [{ path: '/Live/a' }, { path: '/a/live/x' }]],
    [{ hours: { days: ['sat', 'sun'] } }, { at: '2026-01-03T12:00:00Z' }, [{ at: '2026-01-05T12:00:00Z' }]],
  ]
  for (const [conditions, meets, not] of cases) {
    const name = JSON.stringify(conditions)
    const denying = { rules: [{ deny: conditions }, OTHERS] }
    t.equal(verdictOf(denying, meets), 'rule_denied 403 access.rules[0]', name)
    for (const asked of not) t.equal(verdictOf(denying, asked), 'pass', `${name} ${JSON.stringify(asked)}`)
  }
})

t.test('all conditions of a rule must hold', async (t) => {
  const rules = [{ deny: { paths: ['/live/**'], countries: ['DE'] } }, OTHERS]
  t.equal(verdictOf({ rules }, { path: '/live/a', country: 'DE' }), 'rule_denied 403 access.rules[0]')
  t.equal(verdictOf({ rules }, { path: '/live/a', country: 'CN' }), 'pass')
  t.equal(verdictOf({ rules }, { path: '/vod/a', country: 'DE' }), 'pass')
})

t.test('explaining tells every step, what it compared, and what was not asked', async (t) => {
  const rules = compileAccessRules({
    addresses: { deny: ['198.51.100.0/24', '2001:db8::/32'] },
    countries: { allow: ['CN'], unknown: 'allow' },
    referer: { allow: ['*.example.com'] },
    rules: [
      OFFICE,
      BOTS,
      { name: 'night', deny: { hours: { daily: ['23:00-05:00'] }, methods: ['GET'] } },
      OTHERS,
    ],
  })
  if (rules === null) throw new Error('there are rules')
  const tell = (asked: Asked) =>
    explainRules(rules, accessRequest(asked)).steps.map(({ list, rule, verdict, compared }) =>
      [list, rule, verdict, compared].join(' | '),
    )
  const fields = { referer: 'https://www.example.com/watch?token=secret', 'user-agent': 'VLC' }
  t.strictSame(tell({ address: '192.0.2.1', at: '2026-01-01T23:30:00Z', fields }), [
    'access.addresses |  | allow | 192.0.2.1, not in deny',
    'access.countries |  | allow | no country is known for the address',
    'access.referer |  | allow | https://www.example.com/watch, in allow as *.example.com',
    'access.rules[0] | office | no match | networks: 192.0.2.1, not listed',
    'access.rules[1] | bots | no match | userAgents: “VLC”, not listed',
    'access.rules[2] | night | deny | methods: GET, listed; hours: thu 23:30 in UTC is within 23:00-05:00',
    'access.rules[3] | others | not asked | ',
  ])
  t.strictSame(tell({ address: '2001:db8::7' }), [
    'access.addresses |  | deny | 2001:db8::7, in deny as 2001:db8::/32',
    'access.countries |  | not asked | ',
    'access.referer |  | not asked | ',
    'access.rules[0] | office | not asked | ',
    'access.rules[1] | bots | not asked | ',
    'access.rules[2] | night | not asked | ',
    'access.rules[3] | others | not asked | ',
  ])
})

t.test('explaining a list of rules that none of matches says so at its end', async (t) => {
  const rules = compileAccessRules({ rules: [OFFICE] })
  if (rules === null) throw new Error('there are rules')
  const { steps, denial } = explainRules(rules, accessRequest({ address: '192.0.2.1' }))
  t.match(steps, [
    { verdict: 'no match' },
    { list: 'access.rules', verdict: 'deny', compared: 'no rule matches' },
  ])
  t.equal(denial?.reason, 'no_rule_matched')
})
