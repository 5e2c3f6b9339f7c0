// Settings of tiers and origins: sites that fill each other in a circle, shields without edges, files of certificates.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { edgeConfigOf } from '../../src/config/edge-config.ts'
import { problemsOf, schedulerOf } from '../fixtures/config/load-text.ts'
import { makeCertificate } from '../kit/certificates.ts'
import { tempDirectory } from '../kit/temp.ts'

interface Text {
  sites?: string
  origin?: string
  property?: string
}

function textOf({ sites = '{ id: north }', origin = '', property = '' }: Text): string {
  return `cluster: test
sites: [${sites}]
edges: [{ id: e0, site: north, url: "http://a.example", keyHash: "sha256:${'0'.repeat(64)}" }]
origins: [{ id: studio, url: https://studio.example, ${origin} }]
properties: [{ id: shows, origins: [{ id: studio }], ${property} }]
`
}

t.test('sites that fill each other', async (t) => {
  const problems = (sites: string) => problemsOf(schedulerOf(t, textOf({ sites })))
  const line = '{ id: north, parents: [b, c] }, { id: b, parents: [c] }, { id: c }'
  t.same(await problems(line), [])
  t.same(await problems('{ id: north, parents: [north] }'), ['2 sites[0].parents[0]: is the site itself'])
  const circle = '{ id: north, parents: [b] }, { id: b, parents: [c] }, { id: c, parents: [north] }'
  t.same(await problems(circle), [
    '2 sites[0].parents[0]: is filled by it in turn: north → b → c → north',
    '2 sites[1].parents[0]: is filled by it in turn: b → c → north → b',
    '2 sites[2].parents[0]: is filled by it in turn: c → north → b → c',
  ])
  const besides = '{ id: north, parents: [b] }, { id: b, parents: [c] }, { id: c, parents: [b] }'
  t.equal(
    (await problems(besides)).length,
    2,
    'a circle that others lead to is said once for each of its sites',
  )
  t.same(await problems('{ id: north, parents: [nroth, b, b] }, { id: b }'), [
    '2 sites[0].parents[0]: names no site of this file: "nroth"; did you mean "north"?',
    '2 sites[0].parents[2]: "b" is also sites[0].parents[1] (line 2)',
  ])
})

const at = (lon: number) => `location: { lat: 0, lon: ${lon} }`

t.test('parents by distance', async (t) => {
  const problems = (sites: string) => problemsOf(schedulerOf(t, textOf({ sites })))
  const hub = `{ id: hub, ${at(1)}, fills: true }`
  t.same(await problems(`{ id: north, ${at(0)}, parents: nearest }, ${hub}`), [])
  t.same(await problems('{ id: north, parents: nearest }'), [
    '2 sites[0].parents: names nobody: no site has `fills: true`',
  ])
  t.same(await problems(`{ id: north, parents: nearest }, { id: hub, fills: true }`), [
    '2 sites[0].parents: needs `location`: who is nearest goes by it',
    '2 sites[1].fills: needs `location`: others choose it by distance',
  ])
  t.same(await problems(`{ id: north, ${at(0)}, fills: true, parents: nearest }, ${hub}`), [
    '2 sites[0].parents: is not for a site that `fills` others: they could fill it in turn; name its parents',
  ])
  const circle = `{ id: north, ${at(0)}, parents: nearest }, { id: hub, ${at(1)}, fills: true, parents: [north] }`
  t.same(await problems(circle), ['2 sites[1].parents[0]: is filled by it in turn: hub → north → hub'])
  t.match(await problems('{ id: north, parents: next }'), [/^2 sites\[0\]\.parents: must be `nearest`, or/])
})

t.test('shields', async (t) => {
  const sites = '{ id: north }, { id: empty }'
  const problems = (property: string) => problemsOf(schedulerOf(t, textOf({ sites, property })))
  t.same(await problems('shield: north'), [])
  t.same(await problems('shield: empty'), [
    '5 properties[0].shield: names a site without an edge that serves anybody',
  ])
  t.same(await problems('shield: x'), ['5 properties[0].shield: names no site of this file: "x"'])
})

t.test('certificates of origins travel to the edges as they are', async (t) => {
  const directory = await tempDirectory(t)
  const { certificate, key } = await makeCertificate(directory, 'client')
  const broken = path.join(directory, 'broken.pem')
  await writeFile(broken, '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n')
  const tls = `tls: { ca: ${certificate}, certificate: ${certificate}, key: ${key} }`
  const { settings } = await schedulerOf(t, textOf({ origin: tls }))
  const [origin] = edgeConfigOf(settings).origins
  t.equal(origin?.tls?.key, await readFile(key, 'utf8'))
  t.equal(origin?.tls?.ca, await readFile(certificate, 'utf8'))

  const problems = (origin: string) => problemsOf(schedulerOf(t, textOf({ origin })))
  t.same(await problems(`tls: { certificate: ${certificate} }`), [
    '4 origins[0].tls.certificate: needs `key`',
  ])
  t.same(await problems(`tls: { ca: ${directory} }`), [
    `4 origins[0].tls.ca: ${directory} is not a regular file`,
  ])
  t.match(await problems(`tls: { ca: nowhere.pem }`), [/^4 origins\[0\]\.tls\.ca: cannot be read: ENOENT/])
  t.match(await problems(`tls: { certificate: ${broken}, key: ${key} }`), [
    /^4 origins\[0\]\.tls: cannot be used: /,
  ])
  const plain = textOf({ origin: tls }).replace('https://studio', 'http://studio')
  t.same(await problemsOf(schedulerOf(t, plain)), ['4 origins[0].tls: is for origins whose url is https://'])
})

t.test('what an origin is sent besides', async (t) => {
  const problems = (origin: string) => problemsOf(schedulerOf(t, textOf({ origin })))
  t.same(await problems('headers: { X-Origin-Key: "a b" }, host: "studio.example:8443"'), [])
  t.match(await problems('headers: { Range: "bytes=0-" }'), [/headers.*is decided by the edge itself/])
  t.match(await problems('headers: { X-A: "one\\ntwo" }'), [/headers.*must be visible ASCII/])
  t.match(await problems('headers: { "X A": x }'), [/headers.*must be a field name/])
  t.match(await problems('host: "a/b"'), [/host: must be a host name/])
})
