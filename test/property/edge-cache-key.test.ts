// The cache key: a target and its key ask an origin for the same, once and again.
import fc from 'fast-check'
import t from 'tap'
import { keyOf } from '../../edge/property/cache-key.ts'

const segment = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    'a',
    'b.m4s',
    '%2e',
    '%2E%2e',
    '%2f',
    '%20',
    '%41',
    '%c3%a9',
    '%',
    '%zz',
    '~p',
    "a'b",
  ),
  fc.string({ maxLength: 4 }),
)
const path = fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join('/')}`)
const parameter = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'a=1',
    'a=2',
    'b=1',
    'b=%26',
    'CMCD=x',
    'utm_source=y',
    '=',
    'a=b=c',
    'a[]=1',
    '?',
  ),
  fc.string({ maxLength: 4 }).map((text) => text.replaceAll('&', '')),
)
const query = fc.array(parameter, { maxLength: 5 }).map((parameters) => parameters.join('&'))
const target = fc.tuple(path, fc.option(query)).map(([at, ask]) => (ask === null ? at : `${at}?${ask}`))

t.test('normalising twice is normalising once', async (t) => {
  fc.assert(
    fc.property(target, (text) => {
      const once = keyOf('p', text)
      if (once === null) return true
      const twice = keyOf('p', once.upstreamPath)
      return twice?.key === once.key && twice.upstreamPath === once.upstreamPath && twice.path === once.path
    }),
    { numRuns: 5000 },
  )
  t.pass('idempotent')
})

t.test('what goes upstream is a path without dot segments, white space or fragment', async (t) => {
  fc.assert(
    fc.property(target, (text) => {
      const keyed = keyOf('p', text)
      if (keyed === null) return true
      const segments = keyed.path.split('/')
      return (
        keyed.path.startsWith('/') &&
        keyed.upstreamPath.startsWith(keyed.path) &&
        !segments.includes('.') &&
        !segments.includes('..') &&
        !/[\s\0#\\]/.test(keyed.path) &&
        !keyed.upstreamPath.includes('#')
      )
    }),
    { numRuns: 5000 },
  )
  t.pass('clean')
})

t.test('the same resource by RFC 3986 has the same path, as the platform sees it', async (t) => {
  // Only what both understand: the platform decodes nothing and takes %2e for a dot.
  const plain = fc.constantFrom('a', 'b', '', '.', '..', '%2e', '.%2E', 'c%2Fd', 'x.y')
  const both = fc.array(plain, { minLength: 1, maxLength: 7 }).map((segments) => `/r/${segments.join('/')}`)
  fc.assert(
    fc.property(both, (text) => keyOf('p', text)?.path === new URL(text, 'http://x.example').pathname),
    { numRuns: 2000 },
  )
  t.pass('same')
})

const ask = (order: string[]) => keyOf('p', `/x?${order.map((name) => `${name}=1`).join('&')}`)?.key

t.test(
  'the order of differently named parameters does not matter, the order of equal ones does',
  async (t) => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 })
    fc.assert(
      fc.property(names, fc.nat(), (list, by) => {
        const rotated = [...list.slice(by % list.length), ...list.slice(0, by % list.length)]
        return ask(list) === ask(rotated)
      }),
    )
    t.not(keyOf('p', '/x?a=1&a=2')?.key, keyOf('p', '/x?a=2&a=1')?.key)
  },
)

t.test('two properties never share a key', async (t) => {
  const id = fc.stringMatching(/^[a-z0-9](?:[a-z0-9._-]{0,5}[a-z0-9])?$/)
  fc.assert(
    fc.property(id, target, id, target, (one, first, other, second) => {
      if (one === other) return true
      const [a, b] = [keyOf(one, first)?.key, keyOf(other, second)?.key]
      return a === undefined || a !== b
    }),
    { numRuns: 3000 },
  )
  t.pass('apart')
})
