// What is no purge is refused in words, by the command line or by the scheduler, and purges nothing.
import t from 'tap'
import { runCommand } from '../kit/process.ts'
import { fill, seen, startPair } from '../kit/purged-pair.ts'
import { post, purge } from '../kit/purging.ts'

const HOST = 'http://shows.example.com'

/** Of the command line: usage is 2, what the scheduler refuses 1. */
const COMMANDS: readonly [name: string, args: readonly string[], code: number, stderr: RegExp][] = [
  ['no way', [], 2, /needs one of: URLs, --property, --all/],
  ['two ways', [`${HOST}/x`, '--all'], 2, /needs one of: URLs, --property, --all/],
  ['two ways of a property', ['--property', 'shows', '--tag', 'a', '--wildcard', 'b'], 2, /not both/],
  ['a tag of no property', ['--all', '--tag', 'a'], 2, /--wildcard and --tag need --property/],
  ['a prefix of everything', ['--all', '--prefix'], 2, /--prefix needs URLs/],
  ['a property that is none', ['--property', 'news'], 1, /no property of this cluster has the id "news"/],
  ['a path', ['/ep1/a.ts'], 1, /url: must be a whole URL such as https:/],
]

const BODIES: readonly [body: unknown, message: RegExp][] = [
  [{ url: 'http://elsewhere.example/x' }, /no property of this cluster has the host \\"elsewhere.example/],
  [{ prefix: `${HOST}/~news/x` }, /no property of this cluster has the id \\"news/],
  [{ property: 'news', tag: 'a' }, /no property of this cluster has the id \\"news/],
  [{ url: 'ftp://shows.example.com/x' }, /url: must be a whole URL/],
  [{ url: `${HOST}/%zz` }, /its path is not well formed/],
  [{ prefix: `${HOST}/a?b` }, /prefix: must be without a query/],
  [{ property: 'shows', tag: '' }, /needs one of url, prefix/],
  [{ property: 'shows', tag: 'a', wildcard: 'b' }, /needs one of url, prefix/],
  [{ url: `${HOST}/x`, all: true }, /needs one of url, prefix/],
  [{ url: 1 }, /needs one of/],
  [{ all: false }, /needs one of/],
  [{}, /needs one of/],
  [[], /needs one of/],
  [null, /needs one of/],
]

t.test('what is no purge is refused, in words, and purges nothing', async (t) => {
  const [cluster, edge] = await startPair(t)
  await fill(edge)
  for (const [name, args, code, stderr] of COMMANDS) {
    t.match(await purge(t, cluster, ...args), { code, stderr, stdout: '' }, name)
  }
  for (const [body, text] of BODIES) {
    t.match(await post(cluster.admin, body), { status: 400, text }, JSON.stringify(body))
  }
  t.same(await seen(edge), ['hit: /a 1', 'hit: /b 1'])
  const page = await fetch(`${cluster.admin}/api/v1/purges`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'https://elsewhere.example' },
    body: '{"all":true}',
  })
  t.equal(page.status, 403, 'a page in a browser')
  const nobody = await runCommand(t, ['purge', '--all', '--admin', 'http://127.0.0.1:9'])
  t.match(nobody, { code: 1, stderr: /does not answer/ })
})
