// Which property a request asks for, by Host or by prefix.
import t from 'tap'
import { buildPropertyIndex, hostNameOf, splitPrefix } from '../../src/property-index.ts'

const index = buildPropertyIndex([
  { id: 'shows', hosts: ['shows.example.com', '*.cdn.example.com'] },
  { id: 'deep', hosts: ['*.deep.cdn.example.com', '[2001:db8::1]', '127.0.0.1'] },
  { id: 'second', hosts: ['shows.example.com'] },
])

t.test('by host: exact, then the longest suffix', async (t) => {
  const cases: [string, string | undefined][] = [
    ['shows.example.com', 'shows'],
    ['SHOWS.Example.com:8080', 'shows'],
    ['shows.example.com.', 'shows'],
    ['a.cdn.example.com', 'shows'],
    ['a.b.cdn.example.com', 'shows'],
    ['x.deep.cdn.example.com', 'deep'],
    ['cdn.example.com', undefined],
    ['example.com', undefined],
    ['127.0.0.1:8080', 'deep'],
    ['[2001:db8::1]:8080', 'deep'],
    ['[2001:DB8::1]', 'deep'],
    ['', undefined],
    ['.', undefined],
    ['*', undefined],
  ]
  for (const [host, id] of cases) t.equal(index.findByHost(host)?.id, id, JSON.stringify(host))
})

t.test('* takes every host that nothing else takes', async (t) => {
  const any = buildPropertyIndex([
    { id: 'all', hosts: ['*'] },
    { id: 'one', hosts: ['one.example.com'] },
  ])
  t.equal(any.findByHost('one.example.com')?.id, 'one')
  t.equal(any.findByHost('two.example.com')?.id, 'all')
  t.equal(any.findByHost('')?.id, 'all')
})

t.test('by the property’s id as first label, where redirects put it there', async (t) => {
  const properties = [
    { id: 'shows', hosts: ['films.example.com', '*.a.example.com'] },
    { id: 'films', hosts: [] },
    { id: 'any', hosts: ['*'] },
  ]
  const labelled = buildPropertyIndex(properties, true)
  const cases: [string, string][] = [
    ['films.a.example.com:8080', 'films'],
    ['FILMS.a.example.com.', 'films'],
    ['shows.b.example.com', 'shows'],
    ['films.example.com', 'shows'],
    ['x.a.example.com', 'shows'],
    ['x.films.example.com', 'any'],
    ['films', 'any'],
    ['films.', 'any'],
    ['.films', 'any'],
    ['constructor.example.com', 'any'],
  ]
  for (const [host, id] of cases) t.equal(labelled.findByHost(host)?.id, id, host)
  t.equal(buildPropertyIndex(properties).findByHost('films.a.example.com')?.id, 'shows', 'nowhere else')
})

t.test('the prefix of a path', async (t) => {
  t.same(splitPrefix('/~shows/a/b'), { propertyId: 'shows', path: '/a/b' })
  t.same(splitPrefix('/~shows/'), { propertyId: 'shows', path: '/' })
  t.same(splitPrefix('/~shows'), { propertyId: 'shows', path: '/' })
  t.same(splitPrefix('/~/a'), { propertyId: '', path: '/a' })
  t.same(splitPrefix('/a/~shows/b'), { propertyId: undefined, path: '/a/~shows/b' })
  t.equal(index.findById('shows')?.id, 'shows')
  t.equal(index.findById('constructor'), undefined)
})

t.test('host names', async (t) => {
  t.equal(hostNameOf('[::1]:8080'), '[::1]')
  t.equal(hostNameOf('[::1'), '[')
})
