// Grants: what one is for, whose keys check it, and what is no grant.
import fc from 'fast-check'
import t from 'tap'
import { GrantKeys, depthOf, directoryOf, scopeOf } from '../../src/access/grant.ts'
import { takeGrant } from '../../src/access/grant-carrier.ts'
import { CarriedGrants } from '../../src/access/carried-grants.ts'
import { eachCharacterChanged } from '../kit/token.ts'

const grant = { session: 'AbCdEfGhIj_', expiresMs: 1_800_000_000_000, bound: false }
const keys = new GrantKeys('shows', ['the first key', 'the second key'])

t.test('for a directory and all below it', async (t) => {
  const text = keys.sign(grant, { directory: '/a/b/' }, '')
  t.match(text, /^[A-Za-z0-9._-]{30,60}$/, 'stands in a path, a query and a cookie as it is')
  for (const path of ['/a/b/', '/a/b/c.ts', '/a/b/c/d/e.ts'])
    t.match(keys.open(text, path, ''), { ...grant, scope: { directory: '/a/b/' } }, path)
  for (const path of ['/a/', '/a/b', '/a/bb/c.ts', '/b/a/c.ts', '/', '/A/b/c.ts'])
    t.equal(keys.open(text, path, ''), 'token_wrong', path)
})

t.test('for one path', async (t) => {
  const text = keys.sign(grant, { exact: '/main.m3u8' }, '')
  t.match(keys.open(text, '/main.m3u8', ''), { scope: { exact: '/main.m3u8' } })
  for (const path of ['/main.m3u', '/main.m3u8/', '/x/main.m3u8', '/'])
    t.equal(keys.open(text, path, ''), 'token_wrong', path)
})

t.test('for one address', async (t) => {
  const text = keys.sign({ ...grant, bound: true }, { directory: '/a/' }, '2001:db8::7')
  t.match(keys.open(text, '/a/x', '2001:db8::7'), { bound: true })
  t.equal(keys.open(text, '/a/x', '2001:db8::8'), 'token_wrong')
  t.equal(keys.open(text.replace('.a.', '.'), '/a/x', '2001:db8::8'), 'token_wrong', 'nor without the mark')
})

t.test('whose keys check it', async (t) => {
  const text = keys.sign(grant, { directory: '/a/' }, '')
  t.match(
    new GrantKeys('shows', ['a newer key', 'the first key']).open(text, '/a/x', ''),
    grant,
    'an older key',
  )
  t.equal(
    new GrantKeys('shows', ['the second key']).open(text, '/a/x', ''),
    'token_wrong',
    'signed by the first',
  )
  t.equal(new GrantKeys('other', ['the first key']).open(text, '/a/x', ''), 'token_wrong', 'another property')
  t.equal(new GrantKeys('shows', []).open(text, '/a/x', ''), 'token_wrong', 'no key')
  t.ok(new GrantKeys('shows', []).none)
})

t.test('every character counts', async (t) => {
  const text = keys.sign(grant, { directory: '/a/' }, '')
  for (const other of eachCharacterChanged(text)) {
    // The last character of base64url holds bits that decode to nothing.
    if (other.slice(0, -1) === text.slice(0, -1)) continue
    t.type(keys.open(other, '/a/x', ''), 'string', other)
  }
})

t.test('garbage is none', async (t) => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 80 }),
      fc.webPath(),
      (text, path) => typeof keys.open(text, path, '') === 'string',
    ),
  )
  t.equal(keys.open('', '/', ''), 'token_malformed')
})

t.test('directories are counted alike both ways', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{0,3}$/), { maxLength: 6 }), (segments) => {
      const path = `/${segments.join('/')}`
      const directory = path.slice(0, path.lastIndexOf('/') + 1)
      return directoryOf(path, depthOf(directory)) === directory
    }),
  )
  t.equal(depthOf('/'), 0)
  t.equal(directoryOf('/a', 1), undefined)
  t.strictSame(scopeOf('/a/b.m3u8'), { directory: '/a/' })
  t.strictSame(scopeOf('/b.m3u8'), { exact: '/b.m3u8' }, 'the whole property is not granted')
})

function rest(target: string): (string | null)[] {
  const { text, by, target: bare } = takeGrant(target)
  return [bare, text, by]
}

t.test('taken off a target', async (t) => {
  t.strictSame(rest('/a/b.ts'), ['/a/b.ts', null, null])
  t.strictSame(rest('/a/b.ts?x=1&~g=T&y=2'), ['/a/b.ts?x=1&y=2', 'T', 'query'])
  t.strictSame(rest('/a/b.ts?~g=T'), ['/a/b.ts', 'T', 'query'])
  t.strictSame(rest('/a/b.ts?~g=T&~g=U'), ['/a/b.ts', 'T', 'query'], 'of two the first')
  t.strictSame(rest('/~~T/a/b.ts?x=1'), ['/a/b.ts?x=1', 'T', 'path'])
  t.strictSame(rest('/~~T'), ['/', 'T', 'path'])
  t.strictSame(rest('/~~T/a.ts?~g=U'), ['/a.ts', 'T', 'path'], 'neither goes on')
  t.strictSame(rest('/a.ts?q~g=T'), ['/a.ts?q~g=T', null, null], 'another name')
  t.strictSame(rest(`/a.ts?~g=${'x'.repeat(70)}`), ['/a.ts', '', 'query'], 'too long is none')
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => !/[?&]~g=/.test(takeGrant(`/p?${text}&~g=T`).target)),
  )
})

t.test('carried on', async (t) => {
  const admission = { session: null, expiresMs: 5000, bound: false, grant: null, renewable: null }
  const client = { path: '/a/b/main.m3u8', address: '', session: null }
  const began = new CarriedGrants(keys, admission, client, 1000, 60_000)
  t.equal(began.grant.expiresMs, 61_000, 'the session, as it is longer than its token')
  const below = began.textFor({ directory: '/a/b/v0/' })
  t.equal(below, began.textFor({ directory: '/a/b/' }), 'one for the playlist’s directory and all below')
  const beside = began.textFor({ directory: '/a/keys/' })
  t.match(keys.open(beside, '/a/keys/1.key', ''), { session: began.grant.session, expiresMs: 61_000 })

  const came = { text: below, by: 'query' as const, scope: { directory: '/a/b/' } }
  const going = {
    session: began.grant.session,
    expiresMs: 61_000,
    bound: false,
    grant: came,
    renewable: null,
  }
  const on = new CarriedGrants(keys, going, { ...client, path: '/a/b/v0/i.m3u8' }, 50_000, 60_000)
  t.equal(on.textFor({ directory: '/a/b/v0/' }), below, 'the same goes on')
  t.match(
    keys.open(on.textFor({ exact: '/x.ts' }), '/x.ts', ''),
    { expiresMs: 61_000 },
    'and nothing outlives it',
  )
  t.not(new CarriedGrants(keys, admission, client, 0, 1).grant.session, began.grant.session)
})
