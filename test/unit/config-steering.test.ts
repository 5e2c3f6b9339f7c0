// What is wrong with how clients are sent to edges: hosts that cannot hold a property's id, and Content Steering that
// cannot work.
import t from 'tap'
import { edgeConfigOf } from '../../src/config/edge-config.ts'
import { edgeOf, problemsOf, schedulerOf } from '../fixtures/config/load-text.ts'

const KEY_HASHES = ['0', '1', '2'].map((digit) => `sha256:${digit.repeat(64)}`)
const HOST = 'redirect: host, publicUrl: https://cdn.example/'
const TOKENS = (carry: string) => `tokens: { scheme: type-a, keys: [a-key-of-the-test], carry: ${carry} }`

interface Text {
  steering?: string
  urls?: readonly string[]
  id?: string
  property?: string
}

function textOf({ steering = '', urls = ['http://a.example'], id = 'shows', property = '' }: Text): string {
  const edges = urls.map(
    (url, i) => `  - { id: e${i}, site: north, url: "${url}", keyHash: "${KEY_HASHES[i]}" }`,
  )
  return `cluster: test
scheduler: { steering: { ${steering} } }
sites: [{ id: north }]
origins: [{ id: studio, url: http://studio.example }]
properties:
  - { id: ${id}, origins: [{ id: studio }], ${property} }
edges:
${edges.join('\n')}
`
}

t.test('hosts that a property’s id is put in front of', async (t) => {
  const problems = (text: Text) => problemsOf(schedulerOf(t, textOf(text)))
  t.same(await problems({ steering: HOST, urls: ['https://a.example:8443/'] }), [])
  const urls = ['http://192.0.2.1', 'http://[2001:db8::1]:8080', 'http://a.example/edge']
  const where = 'while scheduler.steering.redirect is `host`'
  t.same(await problems({ steering: HOST, urls, id: 'shows.de' }), [
    `6 properties[0].id: must be a DNS label, at most 63 of a-z, 0-9 and "-", ${where}`,
    `8 edges[0].url: must have a host name, not an address, ${where}`,
    `9 edges[1].url: must have a host name, not an address, ${where}`,
    `10 edges[2].url: must have no path ${where}`,
  ])
  t.same(await problems({ urls, id: 'shows.de' }), [], 'a path takes them all')
  for (const id of ['a_b', 'a'.repeat(64)]) t.equal((await problems({ steering: HOST, id })).length, 1, id)
})

t.test('Content Steering', async (t) => {
  const problems = (steering: string, property: string) =>
    problemsOf(schedulerOf(t, textOf({ steering, property })))
  t.same(await problems(HOST, 'contentSteering: {}'), [])
  for (const carry of ['rewrite', 'path', 'none'])
    t.same(await problems(HOST, `contentSteering: {}, access: { ${TOKENS(carry)} }`), [], carry)
  const access = `access: { ${TOKENS('cookie')} }, cors: { origins: ["https://a.example"] }`
  t.same(await problems('', `contentSteering: {}, ${access}`), [
    '6 properties[0].contentSteering: needs scheduler.steering.publicUrl: playlists name it to players',
    '6 properties[0].contentSteering: cannot go with `carry: cookie`: cookies do not follow a player to another host',
  ])
  t.match(await problems(HOST, 'contentSteering: { ttl: 999ms }'), [/ttl: must be at least 1s/])
  const alone =
    'id: e\norigins: [{ id: o, url: http://o.example }]\nproperties: [{ id: p, origins: [{ id: o }], contentSteering: {} }]\n'
  t.match(
    await problemsOf(edgeOf(t, alone)),
    [/contentSteering: is not a known key/],
    'alone, an edge has no list',
  )
})

t.test('a warning for each edge that no player can be moved to', async (t) => {
  const warnings = async (text: Text) =>
    (await schedulerOf(t, textOf(text))).warnings.map(({ path, line }) => `${line} ${path}`)
  const steered = { steering: HOST, property: 'contentSteering: {}' }
  const urls = ['https://a.example', 'https://b.example:443/', 'http://c.example']
  t.same(await warnings({ ...steered, urls }), ['10 edges[2].url'])
  t.same(await warnings({ ...steered, urls: urls.slice(0, 2) }), [])
  t.same(await warnings({ ...steered, urls: urls.slice(0, 1) }), [], 'where there is one, none is moved')
  t.same(await warnings({ steering: HOST, urls }), [])
})

t.test('edges are told of both', async (t) => {
  const of = async (text: Text) => edgeConfigOf((await schedulerOf(t, textOf(text))).settings)
  const plain = await of({})
  const byHost = await of({ steering: 'redirect: host' })
  const steered = await of({ steering: HOST, property: 'contentSteering: { ttl: 1m }' })
  t.match(plain, { propertyLabels: false, steeringUrl: null })
  t.match(byHost, { propertyLabels: true, steeringUrl: null })
  t.match(steered, { steeringUrl: 'https://cdn.example', properties: [{ announceSteering: true }] })
  t.equal(new Set([plain.version, byHost.version, steered.version]).size, 3)
})
