// The access lists and rules in a configuration file: what a file says becomes what is judged, on an edge and over
// the wire, and what is wrong is named by its full key and line.
import t from 'tap'
import { edgeConfigOf } from '../../src/config/edge-config.ts'
import { edgeConfigSchema } from '../../src/wire/edge-config.ts'
import { edgeOf, problemsOf } from '../fixtures/config/load-text.ts'
import { verdictOf } from '../kit/access.ts'

const HEAD = `id: solo
origins: [{ id: studio, url: "http://127.0.0.1:9000" }]
properties:
  - id: all
    origins: [{ id: studio }]
`

t.test('a rule about AS numbers needs a database of them', async (t) => {
  const problems = await problemsOf(edgeOf(t, `${HEAD}    access: { asns: { deny: [64512] } }\n`))
  t.strictSame(problems, [
    '6 properties[0].access: asks for networks by number (ASN): name a database in geoip.asn',
  ])
})

t.test('a file’s rules are judged as they are written, after the wire too', async (t) => {
  const config = await edgeOf(
    t,
    `${HEAD}    access:
      addresses: { deny: [198.51.100.0/24], status: 404 }
      countries: { allow: [CN], unknown: allow }
      asns: { deny: [64512] }
      referer: { allow: ["*.example.com"], empty: allow }
      origin: { allow: ["https://tv.example.com", "null"], empty: allow }
      userAgents: { deny: ["curl/*"] }
      hours: { from: "2026-01-01T00:00:00Z", daily: ["08:00-23:00"], days: [mon, tue], zone: Asia/Shanghai }
      rules:
        - { name: office, allow: { networks: [10.0.0.0/8] } }
        - { name: uploads, deny: { methods: [POST], paths: ["/live/**"] }, status: 410 }
        - { allow: {} }
geoip: { asn: asn.mmdb }
`,
  )
  if (config.mode !== 'standalone') throw new Error('the file holds properties')
  const own = edgeConfigOf(config.settings)
  const sent = edgeConfigSchema.parse(JSON.parse(JSON.stringify(own)))
  t.strictSame(JSON.parse(JSON.stringify(sent)), JSON.parse(JSON.stringify(own)))
  for (const { properties } of [own, sent]) {
    const access = properties[0]?.access ?? {}
    // A Monday, at eight in Shanghai.
    const at = '2026-01-05T00:00:00Z'
    t.equal(verdictOf(access, { at }), 'pass')
    t.equal(verdictOf(access, { at, address: '198.51.100.1' }), 'address_denied 404 access.addresses')
    t.equal(verdictOf(access, { at, country: 'DE' }), 'country_not_allowed 403 access.countries')
    t.equal(verdictOf(access, { at, fields: { origin: 'null' } }), 'pass')
    t.equal(verdictOf(access, { at: '2026-01-07T00:00:00Z' }), 'outside_hours 403 access.hours')
    const upload = { at, method: 'POST', path: '/live/a' }
    t.equal(verdictOf(access, upload), 'rule_denied 410 access.rules[1] uploads')
    t.equal(verdictOf(access, { ...upload, address: '10.1.1.1' }), 'pass')
  }
})

t.test('a property without access settings is judged by nobody', async (t) => {
  const config = await edgeOf(t, HEAD)
  if (config.mode !== 'standalone') throw new Error('the file holds properties')
  t.equal(verdictOf(edgeConfigOf(config.settings).properties[0]?.access ?? {}, {}), 'no rules')
})

t.test('every fault is named by its key and line', async (t) => {
  const problems = await problemsOf(
    edgeOf(
      t,
      `${HEAD}    access:
      addresses: { allow: [10.0.0.1/8], unknown: allow }
      countries: { allow: [cn] }
      asns: { deny: [0] }
      referer: { allow: ["null", "a.*.com"] }
      origin: { deny: ["https://a.example.com/x*"] }
      hours: { from: tomorrow, daily: ["08:00-08:00", "25:00-26:00"], days: [monday], zone: Mars/Base }
      rules:
        - { name: both, allow: {}, deny: {} }
        - { deny: { referers: ["http://"] }, status: 200 }
`,
    ),
  )
  const access = 'properties[0].access'
  const wanted: [line: number, key: string, message: RegExp][] = [
    [7, 'addresses.allow[0]', /has bits set after its prefix/],
    [7, 'addresses.unknown', /./],
    [8, 'countries.allow[0]', /two capitals/],
    [9, 'asns.deny[0]', /./],
    [10, 'referer.allow[0]', /is a value of Origin, not of Referer/],
    [10, 'referer.allow[1]', /must name a host/],
    [11, 'origin.deny[0]', /must not have a path/],
    [12, 'hours.from', /must be a time such as/],
    [12, 'hours.daily[0]', /must not end when it begins/],
    [12, 'hours.daily[1]', /must be like 08:00-23:30/],
    [12, 'hours.days[0]', /./],
    [12, 'hours.zone', /must be a time zone/],
    [14, 'rules[0]', /must hold allow or deny/],
    [15, 'rules[1].deny.referers[0]', /must be like/],
    [15, 'rules[1].status', /./],
  ]
  for (const [line, key, message] of wanted) {
    const prefix = `${line} ${access}.${key}: `
    const found = problems.find((problem) => problem.startsWith(prefix))
    t.match(found?.slice(prefix.length), message, prefix)
  }
  t.equal(problems.length, wanted.length, problems.join('\n'))
})
