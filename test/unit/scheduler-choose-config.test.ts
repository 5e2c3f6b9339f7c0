// What a configuration says of edges and properties for the choice among them, and what is wrong with it.
import t from 'tap'
import { loadSchedulerConfig } from '../../src/config/load.ts'
import { fileOf, problemsOf } from '../fixtures/config/load-text.ts'
import type { TestScope } from '../kit/scope.ts'

const KEY_HASH = `sha256:${'0'.repeat(64)}`

async function problemsWith(t: TestScope, edge: string, property: string): Promise<string[]> {
  const text = `cluster: test
sites: [{ id: north }]
edges:
  - { id: a, site: north, url: http://a.example, keyHash: "${KEY_HASH}", capabilities: [uhd], ${edge} }
origins: [{ id: studio, url: http://studio.example }]
properties:
  - { id: shows, origins: [{ id: studio }], ${property} }
`
  return problemsOf(loadSchedulerConfig(await fileOf(t, 'edgeward.yaml', text), {}))
}

t.test('what may be said', async (t) => {
  const edge = 'weight: 0.5, addresses: [192.0.2.1, "2001:db8::1"], pinned: [192.0.2.0/24, "2001:db8::/32"]'
  t.same(await problemsWith(t, edge, 'sites: [north], capabilities: [uhd]'), [])
  const overflow = 'overflow: { above: 20Gbit, to: https://other.example.com/cdn }'
  t.same(await problemsWith(t, '', overflow), [])
})

t.test('what may not be said', async (t) => {
  t.same(await problemsWith(t, 'weight: -1', 'sites: [nroth], capabilities: [uhdd]'), [
    '4 edges[0].weight: must be at least 0',
    '7 properties[0].capabilities[0]: names no capability of this file: "uhdd"; did you mean "uhd"?',
    '7 properties[0].sites[0]: names no site of this file: "nroth"; did you mean "north"?',
  ])
  t.same(await problemsWith(t, 'addresses: [192.0.2.0/24, "fe80::1%eth0", a.example], weight: 101', ''), [
    '4 edges[0].addresses[0]: must be an IPv4 or IPv6 address',
    '4 edges[0].addresses[1]: must be an IPv4 or IPv6 address',
    '4 edges[0].addresses[2]: must be an IPv4 or IPv6 address',
    '4 edges[0].weight: must be at most 100',
  ])
  t.same(await problemsWith(t, 'pinned: [192.0.2.1/24]', ''), [
    '4 edges[0].pinned[0]: "192.0.2.1/24" has bits set after its prefix; the network is 192.0.2.0/24',
  ])
  t.same(await problemsWith(t, '', 'overflow: { to: "https://u:p@other.example.com/?x=1", below: 1 }'), [
    '7 properties[0].overflow.above: is missing',
    '7 properties[0].overflow.below: is not a known key',
    '7 properties[0].overflow.to: must be an http:// or https:// URL without query, fragment or password',
  ])
})
