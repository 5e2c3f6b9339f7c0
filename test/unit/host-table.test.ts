// Properties by the bytes of a Host: what the index finds as written is found alike, and nothing else.
import fc from 'fast-check'
import t from 'tap'
import { HostTable } from '../../src/host-table.ts'
import { buildPropertyIndex } from '../../src/property-index.ts'

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.stringMatching(/^[a-c.]{1,3}$/),
  fc.constantFrom('*', '*.example.com', '[2001:db8::1]'),
)
const properties = fc.array(
  fc.record({ id: fc.stringMatching(/^[a-z]{1,4}$/), hosts: fc.array(host, { maxLength: 6 }) }),
  { maxLength: 40 },
)

function findIn<P extends { id: string; hosts: string[] }>(table: HostTable<P>, asked: string) {
  const bytes = Buffer.from(`Host: ${asked}\r\n`, 'latin1')
  return table.find(bytes, 6, bytes.length - 2)
}

t.test('every host as it is written, of two that share it the first', async (t) => {
  fc.assert(
    fc.property(properties, (all) => {
      const index = buildPropertyIndex(all)
      const table = new HostTable(all)
      return all.every(({ hosts }) => hosts.every((name) => findIn(table, name) === index.findByHost(name)))
    }),
  )
  t.pass('as the index')
})

t.test('nothing else', async (t) => {
  fc.assert(
    fc.property(properties, host, (all, asked) => {
      const isThere = all.some(({ hosts }) => hosts.includes(asked))
      return isThere || findIn(new HostTable(all), asked) === undefined
    }),
  )
  const table = new HostTable([{ id: 'shows', hosts: ['shows.example.com', '*.example.org'] }])
  for (const asked of [
    'SHOWS.example.com',
    'shows.example.com:80',
    'a.example.org',
    '',
    'shows.example.co',
  ]) {
    t.equal(findIn(table, asked), undefined, asked)
  }
})
