// Coverage in a configuration: files of networks with overlaps and typos, and AS numbers that need a database.
import { execFileSync } from 'node:child_process'
import { readFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { loadSchedulerConfig } from '../../src/config/load.ts'
import { parseNetwork } from '../../src/net/ip.ts'
import { problemsOf } from '../fixtures/config/load-text.ts'
import { runCommand } from '../kit/process.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'

const SCHEDULER = await readFile(path.join(import.meta.dirname, '../fixtures/config/scheduler.yaml'), 'utf8')
const TWO_SITES = `sites:
  - id: north
    coverage: { networks: [192.0.2.0/24], file: north.txt }
  - id: south
    coverage: { file: lists/south.txt }`

/** Of the configuration itself. */
function withoutLine(problem: string): string {
  return problem.replace(/^\d+ /, '')
}

/** The configuration in a directory with these files of networks. */
async function configOf(t: TestScope, sites: string, files: Record<string, string | Buffer>) {
  const directory = await tempDirectory(t)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true })
    await writeFile(path.join(directory, name), text)
  }
  const file = path.join(directory, 'edgeward.yaml')
  await writeFile(file, SCHEDULER.replace(/sites:[^]*?(?=\nedges:)/, sites))
  return { file, directory, load: () => loadSchedulerConfig(file, {}) }
}

t.test('networks of a file join those of the configuration', async (t) => {
  const north =
    '\uFEFF# the north\r\n198.51.100.0/24\r\n\r\n  2001:DB8:0::/48   # IPv6\n198.51.0.0/16\n203.0.113.9'
  const { load } = await configOf(t, TWO_SITES, { 'north.txt': north, 'lists/south.txt': '# nothing yet\n' })
  const { settings, warnings } = await load()
  t.strictSame(warnings, [], 'overlaps are fine')
  t.strictSame(
    settings.sites.map(({ coverage }) => coverage.networks),
    [['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/48', '198.51.0.0/16', '203.0.113.9/32'], []],
  )
})

t.test('lines that are no network are named by file and line', async (t) => {
  const { load, directory } = await configOf(t, TWO_SITES, {
    'north.txt': `192.0.2.1/24\n10.0.0.0/33\n10.0.0.0/8 # good\nguangzhou\n${'k'.repeat(64)}\n10.0.0.0/8,AS1\n`,
    'lists/south.txt': Buffer.from([0xff, 0xfe, 0x0a]),
  })
  const north = `sites[0].coverage.file: ${directory}/north.txt`
  const unknown = 'is not an IP address or network such as 192.0.2.0/24 or 2001:db8::/32'
  t.strictSame((await problemsOf(load())).map(withoutLine), [
    `${north}:1: "192.0.2.1/24" has bits set after its prefix; the network is 192.0.2.0/24`,
    `${north}:2: "10.0.0.0/33" needs a prefix length from 0 to 32 after the "/"`,
    `${north}:4: "guangzhou" ${unknown}`,
    `${north}:5: the line ${unknown}`,
    `${north}:6: "10.0.0.0/8,AS1" needs a prefix length from 0 to 32 after the "/"`,
    `sites[1].coverage.file: ${directory}/lists/south.txt:1: the line ${unknown}`,
  ])
})

t.test('whatever stands in a file, each bad line is named and no good one', async (t) => {
  const { load, directory } = await configOf(t, TWO_SITES, { 'lists/south.txt': '' })
  const north = path.join(directory, 'north.txt')
  const text = fc.string({
    unit: fc.constantFrom(...'0 1 9 a f . : / # , % \t \r \u00e4'.split(' '), ' '),
    maxLength: 12,
  })
  const good = fc.constantFrom(
    '10.0.0.0/8',
    '10.0.0.0/16 # inner',
    '  2001:db8::/32',
    '',
    '#',
    '198.51.100.7\r',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(text, good), { maxLength: 15 }), async (lines) => {
      await writeFile(north, lines.join('\n'))
      const said = await problemsOf(load())
      const bad = lines.flatMap((line, i) => {
        const stands = line.replace(/#[^]*/, '').trim()
        return stands === '' || parseNetwork(stands) !== undefined ? [] : [i + 1]
      })
      const named = said.map((one) => Number(/north\.txt:(\d+): /.exec(one)?.[1]))
      t.strictSame(named, bad, JSON.stringify(lines))
    }),
    { numRuns: 150 },
  )
})

t.test('of very many bad lines the first are said', async (t) => {
  const { load, directory } = await configOf(t, TWO_SITES, {
    'north.txt': 'nonsense\n'.repeat(5000),
    'lists/south.txt': '',
  })
  const found = await problemsOf(load())
  t.equal(found.length, 21)
  t.ok(found.some((line) => line.includes(`${directory}/north.txt:20: "nonsense"`)))
  t.ok(found.some((line) => line.endsWith('sites[0].coverage.file: 4980 more lines are no networks')))
})

t.test('a network that is there twice is a warning, and counts once for its site', async (t) => {
  const { load, file, directory } = await configOf(t, TWO_SITES, {
    'north.txt': '192.0.2.0/24\n10.0.0.0/8\n10.0.0.0/8\n',
    'lists/south.txt': '10.0.0.0/8\n10.0.0.0/16\n',
  })
  const { settings, warnings } = await load()
  t.strictSame(
    settings.sites.map(({ coverage }) => coverage.networks),
    [
      ['192.0.2.0/24', '10.0.0.0/8'],
      ['10.0.0.0/8', '10.0.0.0/16'],
    ],
  )
  const north = `${directory}/north.txt`
  const messages = [
    `${north}:1: 192.0.2.0/24 is also sites[0].coverage.networks[0]`,
    `${north}:3: 10.0.0.0/8 is also ${north}:2`,
    `${directory}/lists/south.txt:1: 10.0.0.0/8 is also ${north}:2: its clients are spread over both sites`,
  ]
  t.strictSame(
    warnings.map(({ message }) => message),
    messages,
  )
  const checked = await runCommand(t, ['check', file])
  t.equal(checked.code, 0)
  for (const message of messages) t.match(checked.stdout, `coverage.file: ${message} (warning)\n`)
  t.match(checked.stdout, `${file}: ok (scheduler: 2 sites`)
})

t.test('files that cannot be read', async (t) => {
  const { load, directory } = await configOf(t, TWO_SITES, { 'lists/south.txt/inner': '' })
  const said = async () => (await problemsOf(load())).map((line) => line.replace(/^.*coverage\.file: /, ''))
  t.strictSame(await said(), [
    `${directory}/north.txt does not exist`,
    `${directory}/lists/south.txt is a directory, not a file`,
  ])
  execFileSync('mkfifo', [path.join(directory, 'north.txt')])
  t.match(await said(), [/north\.txt is not a regular file/, /south\.txt/], 'and nothing waits for a pipe')
})

t.test('numbers need a database of them', async (t) => {
  const sites = 'sites:\n  - { id: north }\n  - id: south\n    coverage: { asns: [4134, 4809] }'
  const { file, load } = await configOf(t, sites, {})
  t.match(await problemsOf(load()), [
    /sites\[1\]\.coverage\.asns: needs a database of networks by number: name one in scheduler\.geoip\.asn$/,
  ])
  const text = await readFile(file, 'utf8')
  await writeFile(file, `scheduler: { geoip: { asn: asn.mmdb } }\n${text}`)
  t.strictSame((await load()).settings.sites[1]?.coverage.asns, [4134, 4809])
  await writeFile(file, text.replace('[4134, 4809]', '[AS4134, 0]'))
  t.match(await problemsOf(load()), [
    /asns: needs/,
    /asns\[0\]: must be a number/,
    /asns\[1\]: must be at least 1/,
  ])
})
