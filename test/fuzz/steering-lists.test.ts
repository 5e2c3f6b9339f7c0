// Whatever is asked of the scheduler's own routes: an answer with a word for it, in JSON, whose URLs lead to configured
// edges and whose fields hold no bytes of the client's making.
import fc from 'fast-check'
import t from 'tap'
import { choosing, site } from '../kit/choosing.ts'
import { edgeEntry } from '../kit/scheduler.ts'

const PIECES = [
  'https://shows.example.com/a /~shows/a https://evil.example/ //evil.example/ /.edgeward/route javascript:alert(1)',
  'url= asset= from=a _HLS_pathway= count= ? & = % %2 %0d%0aSet-Cookie:x %00 %22 " @ \\ # .. %2e%2e/ 9 \xff',
  'constructor __proto__ ~not=a /~~g/',
].flatMap((line) => line.split(' '))
const piece = fc.constantFrom(...PIECES, ' ')
const search = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((pieces) => `?${pieces.join('')}`),
  fc.array(piece, { maxLength: 4 }).map((pieces) => `?url=/a${pieces.join('')}`),
  fc.array(piece, { maxLength: 4 }).map((pieces) => `?asset=/a${pieces.join('')}&from=a`),
)
const path = fc.constantFrom(
  '/.edgeward/route',
  '/.edgeward/steering/shows',
  '/.edgeward/steering/',
  '/.edgeward/steering/__proto__',
  '/.edgeward/steering/shows/x',
)
const HOSTS = new Set(['a.edges.example.com', 'b.edges.example.com'])

const { decide } = choosing({
  sites: [site('here')],
  edges: [edgeEntry('a', 'here'), edgeEntry('b', 'here')],
  property: { contentSteering: {} },
})

t.test('own routes', async () => {
  const seen = new Set<number>()
  fc.assert(
    fc.property(path, search, (asked, text) => {
      const { answer } = decide({ path: asked, search: text })
      seen.add(answer.status)
      const isClean = answer.extra.every((field) => /^[\x20-\x7e]*$/.test(field))
      // Of routes that are none the text is plain, as for any other path.
      if (!answer.extra.some((field) => field.includes('json') || field.includes('steering-list')))
        return isClean && answer.status >= 400
      const body = JSON.parse(answer.body)
      const urls: string[] = (body.routes ?? []).map(({ url }: { url: string }) => url)
      const hosts: string[] = (body['PATHWAY-CLONES'] ?? []).map(
        (clone: { 'URI-REPLACEMENT': { HOST: string } }) => clone['URI-REPLACEMENT'].HOST,
      )
      return (
        isClean &&
        urls.every(
          (url) => HOSTS.has(new URL(url).host) && /^http:\/\/[ab]\.edges\.example\.com\/~shows\//.test(url),
        ) &&
        hosts.every((host) => HOSTS.has(host)) &&
        /^shows\?asset=\/[\x21-\x7e]*$/.test(body['RELOAD-URI'] ?? 'shows?asset=/') &&
        (answer.status < 400 || typeof body.error === 'string')
      )
    }),
    { numRuns: 5000 },
  )
  for (const status of [200, 400, 404]) t.ok(seen.has(status), `some ${status}`)
})
