// What a scheduler says of its answers over DNS: `edgeward explain --dns` and its API agree with what dig gets, for every
// kind of name and client.
import t from 'tap'
import { fetch } from 'undici'
import { dnsDecisionSchema } from '../../src/wire/dns-decision.ts'
import type { DnsDecision, DnsRecordText } from '../../src/wire/dns-decision.ts'
import { DNS_EDGES, SHOWS, ZONE, dig, startDnsCluster } from '../kit/dns-cluster.ts'
import { makeDnssecKey } from '../kit/dnssec-key.ts'
import { runCommand } from '../kit/process.ts'
import { edgeEntry } from '../kit/scheduler.ts'
import { tempDirectory } from '../kit/temp.ts'

const key = await makeDnssecKey(await tempDirectory(t), ZONE)
const cluster = await startDnsCluster(
  t,
  {
    nameservers: [`ns1.${ZONE}`],
    addresses: 2,
    dnssec: { keys: [key.private] },
    schedulers: { name: `route.${ZONE}`, addresses: ['192.0.2.80'] },
    records: [
      { name: 'ns1', type: 'A', data: '192.0.2.53' },
      { name: 'ns1', type: 'AAAA', data: '2001:db8::53' },
      { name: '@', type: 'MX', data: '10 mail.example.com' },
      { name: '@', type: 'CAA', data: '0 issue "letsencrypt.org"' },
      { name: 'long', type: 'TXT', data: `say "hello" \\ ${'x'.repeat(300)}` },
      { name: '_https._tcp', type: 'SRV', data: `0 5 443 shows.${ZONE}` },
      { name: '*.any', type: 'TXT', data: 'of a wildcard' },
      { name: 'film', type: 'CNAME', data: `shows.${ZONE}` },
      { name: 'away', type: 'CNAME', data: 'player.example.net' },
      { name: 'sub', type: 'NS', data: `ns.sub.${ZONE}` },
      { name: 'ns.sub', type: 'A', data: '192.0.2.54' },
    ],
  },
  {
    properties: [SHOWS],
    edges: [
      ...DNS_EDGES.slice(0, 3),
      edgeEntry('fra-1', 'frankfurt', {
        url: 'https://fra-1.example.net:8443',
        addresses: ['192.0.2.21', '2001:db8:2::21'],
      }),
    ],
  },
)
const CLIENTS = ['203.0.113.9', '198.51.100.7', '2001:db8:c::7', '100.64.9.9']

async function explain(query: Record<string, string>, admin = cluster.scheduler.admin): Promise<DnsDecision> {
  const answer = await fetch(`${admin}/api/v1/explain?${new URLSearchParams(query).toString()}`)
  return dnsDecisionSchema.parse(await answer.json())
}

/** The answer of a type, as far as dig shows it; an answer's order changes with each reply. */
async function explained(name: string, client: string, type: string) {
  const { answers } = await explain({ dns: name, client, type })
  const [answer] = answers
  if (answer === undefined) throw new Error('no answer')
  const { rcode, scope, extendedError } = answer
  return {
    status: rcode,
    answer: linesOf(answer.answer).toSorted(),
    authority: linesOf(answer.authority),
    additional: linesOf(answer.additional),
    scope: scope?.split('/')[1] ?? '0',
    extendedError: extendedError === null ? undefined : String(extendedError.code),
  }
}

async function dug(name: string, client: string, type: string) {
  const { status, answer, authority, additional, text } = await dig(
    cluster.port,
    `${name} ${type} +subnet=${client} +nosplit`,
  )
  return {
    status,
    answer: answer.toSorted(),
    authority,
    additional,
    scope: /CLIENT-SUBNET: \S+\/\d+\/(\d+)/.exec(text)?.[1],
    extendedError: /EDE: (\d+)/.exec(text)?.[1],
  }
}

function linesOf(records: readonly DnsRecordText[]): string[] {
  return records.map(({ owner, ttlSeconds, type, data }) => `${owner} ${ttlSeconds} IN ${type} ${data}`)
}

t.test('what is explained is what dig gets, record by record', async (t) => {
  for (const client of CLIENTS) {
    for (const name of [`shows.${ZONE}`, `film.${ZONE}`]) {
      for (const type of ['A', 'AAAA', 'HTTPS', 'TXT', 'CNAME', 'ANY']) {
        t.strictSame(await explained(name, client, type), await dug(name, client, type), `${name} ${type}`)
      }
    }
  }
  const [client = ''] = CLIENTS
  for (const question of [
    `${ZONE} SOA`,
    `${ZONE} NS`,
    `${ZONE} MX`,
    `${ZONE} CAA`,
    `${ZONE} DNSKEY`,
    `long.${ZONE} TXT`,
    `_https._tcp.${ZONE} SRV`,
    `x.any.${ZONE} TXT`,
    `away.${ZONE} A`,
    `x.sub.${ZONE} A`,
    `sub.${ZONE} DS`,
    `route.${ZONE} A`,
    `route.${ZONE} AAAA`,
    `missing.${ZONE} A`,
    `${ZONE} TYPE731`,
    'example.org A',
  ]) {
    const [name = '', type = ''] = question.split(' ')
    t.strictSame(await explained(name, client, type), await dug(name, client, type), question)
  }
})

t.test('a steered answer has its sites and edges with their reasons, each family apart', async (t) => {
  await cluster.override('gz-1', 'drain')
  await cluster.scheduler.untilState('gz-1', 'draining')
  t.teardown(() => cluster.override('gz-1', null))
  const { name, client, clientSubnet, answers } = await explain({
    dns: `Film.${ZONE.toUpperCase()}`,
    client: '203.0.113.9',
  })
  t.strictSame([name, client, clientSubnet], [`film.${ZONE}.`, '203.0.113.9', true])
  t.strictSame(
    answers.map(({ type }) => type),
    ['A', 'AAAA'],
  )
  for (const answer of answers) {
    t.match(answer, {
      outcome: 'records',
      source: 'steered',
      found: `shows.${ZONE}.`,
      zone: `${ZONE}.`,
      signed: true,
      property: 'shows',
      location: { source: 'coverage', network: '203.0.113.0/24', sites: ['guangzhou'] },
      scope: '203.0.113.0/24',
      choices: [
        {
          sites: [
            { site: 'guangzhou', role: 'located', verdict: 'chosen' },
            { site: 'frankfurt', role: 'other', verdict: 'farther' },
          ],
        },
      ],
    })
  }
  const reasons = answers.map(({ choices }) =>
    Object.fromEntries(
      choices.flatMap(({ sites }) => sites[0]?.edges ?? []).map((one) => [one.edge, one.reason]),
    ),
  )
  t.strictSame(reasons, [
    { 'gz-1': 'draining', 'gz-2': 'hash', 'gz-3': 'hash' },
    { 'gz-1': 'draining', 'gz-2': 'hash', 'gz-3': 'no-address' },
  ])
  t.strictSame(answers[1]?.choices[0]?.edges, [
    { edge: 'gz-2', site: 'guangzhou', addresses: ['2001:db8:1::12'] },
  ])
})

t.test('where no edge lives, none has reported, or Client Subnet is off, it says so', async (t) => {
  const bare = await startDnsCluster(
    t,
    { clientSubnet: false, unready: 'refused' },
    { properties: [SHOWS], reports: false },
  )
  const question = { dns: `shows.${ZONE}`, client: '203.0.113.9', type: 'A' }
  t.match(await explain(question, bare.scheduler.admin), {
    clientSubnet: false,
    answers: [{ rcode: 'REFUSED', outcome: 'not-ready', extendedError: { code: 14 }, choices: [] }],
  })
  const edges = ['gz-1', 'gz-2', 'gz-3', 'fra-1']
  for (const id of edges) {
    bare.scheduler.keepReporting(id, { uptimeMs: 1e9 })
    await bare.scheduler.untilState(id, 'up')
  }
  const steered = await explain(question, bare.scheduler.admin)
  t.match(steered.answers, [{ outcome: 'records', scope: null, location: { source: 'coverage' } }])
  for (const id of edges) {
    await bare.override(id, 'down')
    await bare.scheduler.untilState(id, 'down')
  }
  const [answer] = (await explain(question, bare.scheduler.admin)).answers
  t.match(answer, { rcode: 'SERVFAIL', outcome: 'none-lives', extendedError: { code: 22 }, answer: [] })
  const held = answer?.choices[0]?.sites.flatMap((site) => site.edges)
  t.strictSame(
    new Map(held?.map(({ edge, reason }) => [edge, reason])),
    new Map(edges.map((id) => [id, 'down'])),
  )
})

t.test(
  'the command prints it for people and for programs, and says by its exit code what came of it',
  async (t) => {
    const told = ['explain', '--admin', cluster.scheduler.admin, '--client', '203.0.113.9', '--dns']
    const page = await runCommand(t, [...told, `shows.${ZONE}`])
    t.equal(page.code, 0)
    for (const words of [
      `zone      ${ZONE}., signed`,
      'guangzhou: its network is covered (coverage network 203.0.113.0/24)',
      'scope     203.0.113.0/24',
      /✓ guangzhou +located +0 ms +0 % +0 ms +0 ms +chosen/,
      /✓ gz-\d +guangzhou +up .* by the hash of property and scope/,
      /gz-3 +guangzhou +up .* dropped: no address of the family asked for/,
      /NOERROR with gz-\d, gz-\d at guangzhou/,
      new RegExp(`shows\\.${ZONE}\\. +20 +AAAA +2001:db8:1::11 +; gz-1`),
    ]) {
      t.match(page.stdout, words)
    }
    const json = await runCommand(t, [...told, `shows.${ZONE}`, '--type', 'https', '--json'])
    t.match(dnsDecisionSchema.parse(JSON.parse(json.stdout)), {
      answers: [{ type: 'HTTPS', outcome: 'no-such-data' }],
    })
    t.equal(json.code, 1)
    const missing = await runCommand(t, [...told, `missing.${ZONE}`])
    t.match(missing, { code: 1, stdout: /NXDOMAIN no such name in cdn\.example\.com\./ })
  },
)

t.test('a question that cannot be put is refused with what is wrong', async (t) => {
  const told = ['explain', '--admin', cluster.scheduler.admin, '--client', '203.0.113.9']
  for (const [args, stderr] of [
    [[...told, '--dns', 'a..b'], /dns must be a domain name/],
    [[...told, '--type', 'A', 'http://a/'], /--type needs --dns/],
    [['explain', '--dns', ZONE], /--dns needs --client/],
  ] as const) {
    t.match(await runCommand(t, [...args]), { code: 2, stdout: '', stderr }, args.join(' '))
  }
  for (const [query, message] of [
    [{ dns: ZONE }, /client is missing/],
    [{ dns: ZONE, client: '203.0.113.9', type: 'opt' }, /type must be one that can be asked for/],
    [{ dns: ZONE, client: '203.0.113' }, /client must be an IP address/],
    [{ dns: ZONE, client: '203.0.113.9', url: 'http://a/' }, /url/],
  ] as const) {
    const url = `${cluster.scheduler.admin}/api/v1/explain?${new URLSearchParams(query).toString()}`
    const answer = await fetch(url)
    t.equal(answer.status, 400)
    t.match(await answer.json(), { error: 'explain', message })
  }
})
