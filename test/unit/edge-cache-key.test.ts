// The cache key: what is one object, and what stays apart.
import t from 'tap'
import { keyOf } from '../../edge/property/cache-key.ts'

const upstream = (target: string) => keyOf('p', target)?.upstreamPath

t.test('one object, whatever way it is written', async (t) => {
  const cases: [string, string][] = [
    ['/a/b.m4s', '/a/b.m4s'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/..', '/'],
    ['/a/.', '/a/'],
    ['/../../a', '/a'],
    ['/..', '/'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/%2e/b', '/a/b'],
    ['/.hidden', '/.hidden'],
    ['/a/...', '/a/...'],
    ['/a/..b', '/a/..b'],
    ['/%41%7e%2d', '/A~-'],
    ['/%c3%a9', '/%C3%A9'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%2f..%2fb', '/a%2F..%2Fb'],
    ['/%252e%252e/a', '/%252e%252e/a'],
    ['//a', '//a'],
    ['/a//b/', '/a//b/'],
    ['/a?', '/a'],
    ['/a?&&', '/a'],
    ['/a?b=2&a=1', '/a?a=1&b=2'],
    ['/a?x=2&x=1', '/a?x=2&x=1'],
    ['/a?b&a&b=1', '/a?a&b&b=1'],
    ['/a?v=1&CMCD=bl%3D1&utm_source=x&gclid=1', '/a?v=1'],
    ['/a?cmcd', '/a'],
    ['/a?cmcdx=1', '/a?cmcdx=1'],
    ['/a?q=/../b', '/a?q=/../b'],
    ['/a?b?c', '/a?b?c'],
  ]
  for (const [target, expected] of cases) t.equal(upstream(target), expected, target)
})

t.test('the rule sees the path that goes upstream', async (t) => {
  t.strictSame(keyOf('p', '/x/%2e%2e/a.m4s?t=1'), {
    key: 'p /a.m4s?t=1',
    path: '/a.m4s',
    upstreamPath: '/a.m4s?t=1',
  })
})

t.test('what no path is', async (t) => {
  for (const target of [
    '',
    'a',
    '*',
    '/%',
    '/%4',
    '/%zz',
    '/a b',
    '/a\\b',
    '/a\0',
    '/a\x7f',
    '/a#b',
    '/a?b#c',
    '/<a>',
  ]) {
    t.equal(keyOf('p', target), null, JSON.stringify(target))
  }
})

t.test('no path of one property has the key of another', async (t) => {
  const keys = new Set<string | undefined>()
  const ids = ['a', 'ab', 'a-b', 'a.b']
  const targets = ['/', '/b', '/%20/b', '/ab%20/b', '/?b%20/', '/%0A1', '/b/%0A1']
  for (const id of ids) for (const target of targets) keys.add(keyOf(id, target)?.key)
  t.equal(keys.size, ids.length * targets.length)
  t.notOk([...keys].some((key) => key === undefined || key.split(' ').length !== 2 || key.includes('\n')))
})
