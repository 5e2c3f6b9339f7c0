// `edgeward explain`: what it prints, its exit codes, and what it never prints. A few runs of the command as an
// operator runs it; the rest asks its parts, since a process a case would be slow.
import path from 'node:path'
import t from 'tap'
import { contentOf } from '../../src/commands/explain/content.ts'
import { readInquiry } from '../../src/inquiry.ts'
import type { InquiryOptions } from '../../src/inquiry.ts'
import { judgeInquiry } from '../../src/commands/explain/judgement.ts'
import { jsonOf, pageOf } from '../../src/commands/explain/page.ts'
import { loadAnyConfig } from '../../src/config/load.ts'
import { fileOf } from '../fixtures/config/load-text.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import { runCommand } from '../kit/process.ts'
import { tempDirectory } from '../kit/temp.ts'

const FIXTURES = path.join(import.meta.dirname, '../fixtures/config')
const EXPLAIN = path.join(FIXTURES, 'explain.yaml')
const COMMAND = ['explain', '-c', 'explain.yaml']
const NOON = '2026-01-01T12:00:00Z'

/** What the command prints without a terminal, as a page and as JSON. */
async function explained(url: string, options: Partial<InquiryOptions> = {}, file = EXPLAIN, columns = 80) {
  const content = contentOf(await loadAnyConfig(file, {}))
  if (content === null) throw new Error(`${file} has no properties`)
  const inquiry = readInquiry(url, { method: 'GET', header: [], ...options }, 0)
  const judgement = await judgeInquiry(inquiry, content)
  return {
    page: pageOf(inquiry, judgement, { columns, colours: false }),
    json: jsonOf(inquiry, judgement),
    judgement,
  }
}

t.test('a request that is allowed: every step in 80 columns, and exit code 0', async (t) => {
  const result = await runCommand(
    t,
    [
      ...COMMAND,
      'https://shows.example.com/live/a.m3u8?token=s3cret',
      '--address=46.38.225.230',
      '--referer=https://www.example.com/watch?session=s3cret',
      `--at=${NOON}`,
    ],
    { cwd: FIXTURES },
  )
  t.strictSame(result.stdout.split('\n'), [
    'GET https://shows.example.com/live/a.m3u8',
    'from 46.38.225.230, at 2026-01-01T12:00:00Z',
    '',
    '✓ allow      property         shows, by the host shows.example.com',
    '✓ allow      methods          GET is served',
    '✓ allow      addresses        46.38.225.230, not in deny',
    '✓ allow      countries        DE, in allow',
    '✓ allow      referer          https://www.example.com/watch, in allow as',
    '                              *.example.com',
    '· no match   rules[0] office  networks: 46.38.225.230, not listed',
    '· no match   rules[1] bots    userAgents: no User-Agent',
    '· no match   rules[2] night   hours: thu 20:00 in Asia/Shanghai is outside',
    '                              23:00-05:00',
    '✓ allow      rules[3] others  any request',
    '',
    'allowed',
    '',
  ])
  t.match(result, { code: 0, stderr: '' })
})

t.test('--json says the same to a program; a refusal exits with 1', async (t) => {
  const args = ['http://h/~shows/live/a?b', '--address', '202.96.128.86', '--method', 'PUT', '--json']
  const result = await runCommand(t, [...COMMAND, ...args], { cwd: FIXTURES })
  t.equal(result.code, 1)
  t.match(JSON.parse(result.stdout), {
    method: 'PUT',
    url: 'http://h/~shows/live/a',
    address: '202.96.128.86',
    property: 'shows',
    allowed: false,
    status: 405,
    reason: 'method_not_allowed',
    by: 'methods',
    rule: null,
    steps: [
      { step: 'property', verdict: 'allow' },
      { step: 'methods', verdict: 'deny' },
      { step: 'access.addresses', verdict: 'not asked' },
    ],
  })
})

t.test('what cannot be judged exits with 2 and one line', async (t) => {
  const joined = await fileOf(t, 'edge.yaml', 'id: a\nkey: 0123456789abcdef0\nscheduler: [http://s]\n')
  const url = 'http://shows.example.com/'
  const cases: [args: string[], stderr: RegExp][] = [
    [[url, '-c', joined], /joined to a cluster; its properties are in the scheduler's edgeward\.yaml\n$/],
    [['/live/s3cret', '-c', EXPLAIN], /^error: the URL must be like [^\n]*\n$/],
  ]
  const results = await Promise.all(
    cases.map(([args]) => runCommand(t, ['explain', ...args], { cwd: FIXTURES })),
  )
  for (const [i, [args, stderr]] of cases.entries()) {
    t.match(results[i], { code: 2, stdout: '', stderr }, args.join(' '))
    t.notMatch(results[i]?.stderr, /s3cret/, args.join(' '))
  }
})

t.test('what is wrong with the request that is described', async (t) => {
  const url = 'http://shows.example.com/'
  const cases: [url: string, options: Partial<InquiryOptions>, message: RegExp][] = [
    ['ftp://shows.example.com/s3cret', {}, /^the URL must be like [^\n]*$/],
    ['http://', {}, /the URL must be like/],
    ['http://user:s3cret@shows.example.com/', {}, /the URL must be like/],
    [url, { address: 'here' }, /address must be an IP address/],
    [url, { at: 'noon' }, /at must be a time such as/],
    [url, { method: 'G E T' }, /method must be a method/],
    [url, { header: ['s3cret'] }, /header must be like/],
    [url, { header: ['A: x\r\nB: s3cret'] }, /header must be like/],
    [url, { referer: 's3cret\n' }, /referer holds control characters/],
  ]
  for (const [asked, options, message] of cases) {
    t.throws(
      () => readInquiry(asked, { method: 'GET', header: [], ...options }, 0),
      { message },
      String(message),
    )
    const error = await explained(asked, options).catch((failed: unknown) => failed)
    t.notMatch(String(error), /s3cret/)
  }
})

t.test('a refusal names its rule and status, and what comes after is not asked', async (t) => {
  const bot = { userAgent: 'aBot/1' }
  const url = 'http://shows.example.com/a'
  const office = await explained(url, { ...bot, address: '10.0.0.1' })
  t.match(office.page, /allow +rules\[0\] office .*\n {2}not asked +rules\[1\] bots\n[\s\S]*\nallowed\n$/)
  const { page } = await explained(url, { ...bot, address: '46.38.225.230' })
  t.match(
    page,
    /deny +rules\[1\] bots .*“aBot\/1”, listed as \*bot\*[\s\S]*\n {2}not asked +rules\[2\] night\n/,
  )
  t.match(page, /\ndenied, 404 rule_denied: decided by access\.rules\[1\] “bots”\n$/)
  const abroad = await explained(url, { address: '8.8.8.8' })
  t.match(abroad.page, /denied, 451 country_not_allowed: decided by access\.countries\n$/)
})

t.test('behind a trusted proxy the forwarded address is judged', async (t) => {
  const header = ['X-Forwarded-For: 198.51.100.9', 'x-forwarded-for: 127.0.0.2']
  const { page } = await explained('http://shows.example.com/a', { address: '127.0.0.1', header })
  t.match(page, /^from 198\.51\.100\.9,/m)
  t.match(page, /deny +addresses +198\.51\.100\.9, in deny as 198\.51\.100\.0\/24\n/)
  const direct = await explained('http://shows.example.com/a', { address: '46.38.225.230', header })
  t.match(direct.page, /^from 46\.38\.225\.230,/m)
})

t.test('other refusals before any rule', async (t) => {
  const cases: [url: string, conclusion: RegExp][] = [
    ['http://nobody.example.com/s3cret', /denied, 404 unknown_host: decided by property/],
    ['http://shows.example.com/~nobody/s3cret', /denied, 404 unknown_property: decided by property/],
    ['http://shows.example.com/s3cret%zz', /denied, 400 bad_request: decided by path/],
  ]
  for (const [url, conclusion] of cases) {
    const { page, json } = await explained(url)
    t.match(page, conclusion, url)
    t.notMatch(page + json, /s3cret/, url)
  }
})

t.test('another spelling of a path meets the same rule', async (t) => {
  for (const spelling of ['/live/a', '/l%69ve/a', '/x/../live/a', '/%2e/live/./a']) {
    const { page } = await explained(`http://shows.example.com${spelling}`, { at: '2026-01-01T16:00:00Z' })
    t.match(page, /decided by access\.rules\[2\] “night”/, spelling)
  }
})

t.test('a token is judged after the rules, and never printed', async (t) => {
  const url = 'https://signed.example.com/202601012000/0123456789abcdef0123456789abcdef/live/a.m3u8'
  const { page, json } = await explained(url, { at: NOON, header: ['Cookie: edgeward-signed=s3cret'] })
  t.match(page, /deny +tokens +type-b: token_wrong/)
  t.match(page, /denied, 403 token_wrong: decided by access\.tokens/)
  t.notMatch(page + json, /0123456789|a-secret|s3cret/)
  t.equal(JSON.parse(json).url, 'https://signed.example.com/live/a.m3u8')
})

t.test('what a client wrote cannot move the cursor of a terminal', async (t) => {
  const { page } = await explained('http://shows.example.com/a', {
    userAgent: 'x\u009b2J',
    address: '1.1.1.1',
  })
  t.notMatch(page, /[\x80-\x9f]/)
})

async function widestLine(columns: number): Promise<number> {
  const referer = `https://www.example.com/${'x/'.repeat(8)}`
  const { page } = await explained('http://shows.example.com/live/a', { referer }, EXPLAIN, columns)
  return Math.max(...page.split('\n').map((line) => line.length))
}

t.test('lines are broken for the terminal', async (t) => {
  t.ok((await widestLine(80)) <= 80)
  t.ok((await widestLine(60)) <= 80, 'a long word may stand out')
  t.ok((await widestLine(400)) <= 100)
})

t.test('the scheduler’s file serves as well, with its own GeoIP files', async (t) => {
  const asn = path.join(await tempDirectory(t), 'asn.mmdb')
  await writeMmdb(asn, { '202.96.0.0/12': { autonomous_system_number: 4134 } })
  const file = await fileOf(
    t,
    'edgeward.yaml',
    `cluster: example
scheduler: { geoip: { asn: ${JSON.stringify(asn)} } }
sites: [{ id: north }]
edges: [{ id: n-1, site: north, url: "http://127.0.0.1:8090", keyHash: "sha256:${'0'.repeat(64)}" }]
origins: [{ id: studio, url: "http://127.0.0.1:9000" }]
properties:
  - { id: all, hosts: ["*"], origins: [{ id: studio }], access: { asns: { allow: [4134] } } }
`,
  )
  const inside = await explained('http://x/a', { address: '202.96.128.86' }, file)
  t.match(inside.page, /allow +asns +AS4134, in allow\n/)
  const outside = await explained('http://x/a', { address: '46.38.225.230' }, file)
  t.match(outside.page, /denied, 403 asn_unknown: decided by access\.asns/)
})
