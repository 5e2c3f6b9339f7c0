// The key that a connection came with last: whose it is need not be worked out again, unless the key or the edges' keys
// are others.
import t from 'tap'
import { ConnectionKey } from '../../scheduler/control/keys.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { hashKey } from '../../src/key.ts'
import { edgeEntry, keyOf, schedulerSettings } from '../kit/scheduler.ts'

const edgesWith = (...over: object[]) =>
  buildTopology(
    schedulerSettings({
      edges: ['gz-1', 'gz-2', 'fra-1'].map((id, i) =>
        edgeEntry(id, id === 'fra-1' ? 'frankfurt' : 'guangzhou', { ...over[i] }),
      ),
    }),
  )

const bearer = (key: string) => `Bearer ${key}`

t.test('the same answer again, and another for another key', (t) => {
  const topology = edgesWith()
  const key = new ConnectionKey()
  const holders = (authorization: string | undefined) =>
    key.findHolders(topology, authorization).map(({ id }) => id)
  const asked = [keyOf('gz-1'), keyOf('gz-1'), keyOf('gz-2'), keyOf('gz-1')].map(bearer)
  t.strictSame(asked.map(holders), [['gz-1'], ['gz-1'], ['gz-2'], ['gz-1']])
  t.strictSame(holders(bearer(`${keyOf('gz-1')}x`)), [], 'a longer one')
  t.strictSame(holders(undefined), [])
  t.strictSame(holders(undefined), [])
  t.strictSame(holders(bearer(keyOf('gz-1'))), ['gz-1'])
  t.end()
})

t.test('a key that an edge no longer has opens nothing, on a connection that it had opened too', (t) => {
  const key = new ConnectionKey()
  const authorization = bearer(keyOf('gz-1'))
  const first = edgesWith()
  t.same(key.findHolders(first, authorization), [first.edgesById.get('gz-1')])
  t.same(key.findHolders(edgesWith({ keyHash: hashKey('another') }), authorization), [])
  const back = edgesWith()
  t.equal(key.findHolders(back, authorization)[0], back.edgesById.get('gz-1'), 'of the edges of now')
  t.end()
})
