// What is wrong with a configuration file is all said at once, each by its key path and line.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { ConfigError } from '../../src/config/config-error.ts'
import { loadAnyConfig, loadEdgeConfig, loadSchedulerConfig } from '../../src/config/load.ts'
import { fileOf, problemsOf, schedulerOf } from '../fixtures/config/load-text.ts'
import { tempDirectory } from '../kit/temp.ts'

const FIXTURES = path.join(import.meta.dirname, '../fixtures/config')

t.test('one file with every problem of schema, references and environment', async (t) => {
  const found = await problemsOf(loadSchedulerConfig(path.join(FIXTURES, 'every-problem.yaml'), {}))
  t.strictSame(found, [
    '3 scheduler.stering: is not a known key; did you mean "steering"?',
    '5 scheduler.control.listen: must have a port from 0 to 65535',
    '6 scheduler.admin.listen: "0.0.0.0:8080" is also scheduler.steering.listen (line 7)',
    '6 scheduler.admin.tokens: is not a known key',
    '8 scheduler.geoip.city[1]: must be text: put it in quotes',
    '8 scheduler.geoip.country: must be a file name or a list of them',
    '9 scheduler.trustedProxies[0]: "10.0.0.1/8" has bits set after its prefix; the network is 10.0.0.0/8',
    '9 scheduler.trustedProxies[1]: "nonsense" is not an IP address or network such as 192.0.2.0/24 or 2001:db8::/32',
    '10 scheduler.drain: must be a duration such as 250ms, 30s, 5m, 1h or 7d',
    '11 defaultSite: names no site of this file: "nowhere"',
    '14 sites[0].networks: is not a known key; did you mean "coverage.networks"?',
    '15 sites[0].coverage.countries[0]: must be an ISO 3166 code of two capitals',
    '15 sites[0].coverage.networks[1]: "2001:db8::1/32" has bits set after its prefix; the network is 2001:db8::/32',
    '16 sites[1].id: "north" is also sites[0].id (line 13)',
    '19 sites[1].coverage.networks[0]: "10.0.0.0/8" is also sites[0].coverage.networks[0] (line 15)',
    '20 sites[1].coverage.networks[1]: "10.0.0.0/33" needs a prefix length from 0 to 32 after the "/"',
    '23 edges[0].site: names no site of this file: "nroth"; did you mean "north"?',
    '25 edges[0].keyHash: ${N1_KEY_HASH} is not set in the environment',
    '26 edges[1].keyHash: is missing',
    '28 edges[1].url: "http://a.example" is also edges[0].url (line 24)',
    '29 edges[1].capacity.bandwidth: must be a rate such as 500Mbit or 10Gbit (bits a second)',
    '32 origins[0].url: must be an http:// or https:// URL without query, fragment or password',
    '33 origins[1].id: "studio" is also origins[0].id (line 31)',
    '37 properties[0].hosts[1]: must be a host name in lower case without port, *.name for those below it, or * for any',
    '38 properties[0].origins[0].id: names no origin of this file: "studoi"; did you mean "studio"?',
    '39 properties[1].id: "shows" is also properties[0].id (line 36)',
    '40 properties[1].hosts[0]: "a.example" is also properties[0].hosts[0] (line 37)',
    '41 properties[1].origins: must have at least 1 entry',
    '42 properties[1].cache: is empty; give it a value or remove it',
    '43 properties[1].cors: must hold keys of its own',
    '44 properties[1].id: is given twice (first on line 39)',
    '45 properties[1].tokens: is not a known key; did you mean "access.tokens"?',
    '46 __proto__: is not a known key',
  ])
  t.equal(Reflect.get({}, 'polluted'), undefined)
})

t.test('the message of the error names file, line and key', async (t) => {
  const file = await fileOf(t, 'edgeward.yaml', 'cluster: example\n')
  await t.rejects(loadSchedulerConfig(file, {}), {
    name: 'ConfigError',
    file,
    message: ['sites', 'edges', 'origins', 'properties']
      .toSorted()
      .map((key) => `${file}:1: ${key}: is missing`)
      .join('\n'),
  })
})

t.test('YAML that cannot be read: every faulty line, and nothing that follows from it', async (t) => {
  const cases: [string, string[]][] = [
    ['cluster: "example\n', ['1 : a quote, bracket, comma, colon or space is missing']],
    ['cluster: example\n\tsites: []\n', ['2 : a tab is used for indentation; use spaces']],
    ['cluster: a: b\n', ['1 : a text with ": " in it needs quotes, or the indentation does not fit']],
    ['cluster: a\n--- \ncluster: b\n', ['2 : holds more than one YAML document; remove the "---"']],
    [
      'cluster: !secret a\n',
      ['1 : tags such as !name are not used here; a text that starts with "!" needs quotes'],
    ],
    ['', ['1 : is empty']],
    ['# only a comment\n', ['1 : is empty']],
    ['- a\n- b\n', ['1 : must hold keys of its own']],
    ['example\n', ['1 : must hold keys of its own']],
  ]
  for (const [text, expected] of cases) {
    t.strictSame(await problemsOf(schedulerOf(t, text)), expected, JSON.stringify(text))
  }
})

t.test('a reference without quotes inside brackets says what to do', async (t) => {
  const found = await problemsOf(schedulerOf(t, 'cluster: a\nsites: [${SITE}]\n', { SITE: 'x' }))
  t.equal(found.length, 1)
  t.match(found[0], /^2 : .*put "\$\{NAME\}" in quotes/)
})

t.test('files that cannot be read', async (t) => {
  const directory = await tempDirectory(t)
  await mkdir(path.join(directory, 'inner'))
  const missing = path.join(directory, 'none.yaml')
  t.strictSame(await problemsOf(loadSchedulerConfig(missing, {})), ['null : does not exist'])
  const inner = path.join(directory, 'inner')
  t.strictSame(await problemsOf(loadEdgeConfig(inner, {})), ['null : is a directory, not a file'])
  const large = await fileOf(t, 'large.yaml', `# ${'x'.repeat(8 * 2 ** 20)}\n`)
  t.strictSame(await problemsOf(loadEdgeConfig(large, {})), ['null : is larger than 8 MiB'])
  await t.rejects(loadSchedulerConfig(missing, {}), { message: `${missing}: does not exist` })
})

t.test('aliases are followed, but not without end', async (t) => {
  const followed = await problemsOf(schedulerOf(t, 'cluster: &name example\ndefaultSite: *name\nsites: []\n'))
  t.ok(followed.includes('2 defaultSite: names no site of this file: "example"'))
  const doubling = ['x0: &x0 [a, a, a, a, a, a, a, a]']
  for (let i = 1; i < 12; i += 1)
    doubling.push(
      `x${i}: &x${i} [${Array(8)
        .fill(`*x${i - 1}`)
        .join(', ')}]`,
    )
  const bomb = await problemsOf(schedulerOf(t, `cluster: example\n${doubling.join('\n')}\n`))
  t.equal(bomb.filter((line) => line.endsWith('repeats too much by aliases')).length, 1)
  const circle = await problemsOf(schedulerOf(t, 'cluster: example\nsites: &a [*a]\n'))
  t.ok(circle.some((line) => line.endsWith('is nested too deeply')))
  const deep = await problemsOf(schedulerOf(t, `cluster: ${'['.repeat(200_000)}\n`))
  t.not(deep.length, 0)
  const unknown = await problemsOf(schedulerOf(t, 'cluster: *name\n'))
  t.ok(unknown.includes('1 cluster: is an alias of no anchor before it'))
})

t.test('the other kind of file is named, not picked apart', async (t) => {
  const edge = await fileOf(t, 'edge.yaml', 'id: a\nscheduler: [http://s:8081]\nkey: 0123456789abcdef0\n')
  t.strictSame(await problemsOf(loadSchedulerConfig(edge, {})), [
    '1 : this file is for an edge (edge.yaml); a scheduler (edgeward.yaml) was expected',
  ])
  t.strictSame(await problemsOf(loadEdgeConfig(path.join(FIXTURES, 'scheduler.yaml'), {})), [
    '1 : this file is for a scheduler (edgeward.yaml); an edge (edge.yaml) was expected',
  ])
})

t.test('a damaged file loads or is refused with lines of its own, never anything else', async (t) => {
  const texts = await Promise.all(
    ['scheduler.yaml', 'every-problem.yaml'].map((name) => readFile(path.join(FIXTURES, name), 'utf8')),
  )
  const file = await fileOf(t, 'edgeward.yaml', '')
  const piece = fc.constantFrom(
    '',
    '\n',
    '  ',
    '- ',
    ': ',
    '{',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '!x ',
    '|',
    '#',
    '${N}',
    '${',
    '~',
    '0',
    '\t',
    '---\n',
    '? ',
    '<<',
  )
  const damaged = fc
    .tuple(fc.constantFrom(...texts), fc.array(fc.tuple(fc.nat(), piece, fc.nat(6)), { maxLength: 4 }))
    .map(([text, edits]) =>
      edits.reduce((now, [at, put, cut]) => {
        const index = at % (now.length + 1)
        return now.slice(0, index) + put + now.slice(index + cut)
      }, text),
    )
  await fc.assert(
    fc.asyncProperty(damaged, async (text) => {
      await writeFile(file, text)
      const lines = text.split('\n').length
      try {
        await loadAnyConfig(file, { N: '1' })
        return true
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        return error.problems.every(({ line }) => line !== null && line >= 1 && line <= lines)
      }
    }),
    { numRuns: 300 },
  )
  t.pass('every text')
})
