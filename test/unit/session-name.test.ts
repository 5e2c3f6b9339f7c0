// Which session a request is of, and which client: what is signed is believed, what a client writes is bound to it.
import t from 'tap'
import { clientKeyOf } from '../../edge/limits/client-key.ts'
import { ClientTable } from '../../edge/limits/client-record.ts'
import { beginsSession, sessionNameOf } from '../../edge/limits/session-name.ts'
import type { SessionGrant } from '../../edge/limits/session-name.ts'
import { CLIENTS_MAX } from '../../edge/limits.ts'
import { parseIp } from '../../src/net/ip.ts'
import { plainRequest } from '../kit/plain-request.ts'

const NONE: SessionGrant = { kind: 'none' }
const clients = new ClientTable()
const here = clients.find('all', '192.0.2.1')
const there = clients.find('all', '192.0.2.2')

function named(fields: Record<string, string>, client = here, grant = NONE, target = '/a.ts'): string {
  return sessionNameOf(grant, plainRequest({ fields, target }), client).key
}

t.test('a client: an IPv4 address, an IPv6 /64', async (t) => {
  for (const [address, key] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['::1', '::/64'],
  ] as const) {
    t.equal(clientKeyOf(parseIp(address)), key, address)
  }
  t.equal(clientKeyOf(undefined), '')
})

t.test('a grant names its session wherever it is used', async (t) => {
  const grant: SessionGrant = { kind: 'named', session: 'AbCdEfGhIjK' }
  t.equal(named({ 'cmcd-session': 'sid="x"' }, here, grant), named({}, there, grant))
})

t.test('a player’s own word is bound to its address', async (t) => {
  const sid = { 'cmcd-session': 'cid="c",sid="6e2fb550",sf=h' }
  t.equal(named(sid), named({ ...sid, 'user-agent': 'changed' }))
  t.not(named(sid), named(sid, there))
  const query = `/a.ts?x=1&CMCD=${encodeURIComponent('bl=100,sid="6e2fb550"')}`
  t.equal(named({}, here, NONE, query), named(sid), 'in the query as in the field')
  t.equal(sessionNameOf(NONE, plainRequest({ fields: sid }), here).id, '6e2fb550')
})

t.test('what is no sid is none: too long, unfit, badly escaped, somewhere else', async (t) => {
  const plain = named({ 'user-agent': 'p' })
  for (const text of [
    `sid="${'x'.repeat(65)}"`,
    'sid=""',
    'sid=abc',
    'xsid="abc"',
    'cid="a,sid=b"',
    'sid="a b"',
    `bl=1,${'x'.repeat(2100)},sid="abc"`,
  ]) {
    t.equal(named({ 'user-agent': 'p', 'cmcd-session': text }), plain, text.slice(0, 40))
  }
  t.equal(named({ 'user-agent': 'p' }, here, NONE, '/a.ts?CMCD=%zz'), plain)
})

t.test('else address and User-Agent; of no telling length', async (t) => {
  t.equal(named({ 'user-agent': 'p' }), named({ 'user-agent': 'p' }))
  t.not(named({ 'user-agent': 'p' }), named({ 'user-agent': 'q' }))
  t.not(named({ 'user-agent': 'p' }), named({ 'user-agent': 'p' }, there))
  t.not(named({}), named({ 'user-agent': 'p' }))
  t.equal(named({ 'user-agent': 'x'.repeat(9000) }).length, named({}).length)
})

function begins(path: string): SessionGrant {
  return { kind: 'begins', path }
}

t.test('a token that begins a session names it as grants do, the same at each reload', async (t) => {
  const first = sessionNameOf(begins('/a.m3u8'), plainRequest(), here)
  t.match(first.id, /^[A-Za-z0-9_-]{11}$/)
  t.strictSame(sessionNameOf(begins('/a.m3u8'), plainRequest(), here), first)
  t.strictSame(sessionNameOf({ kind: 'named', session: first.id }, plainRequest(), there), first)
  t.not(named({}, here, begins('/b.m3u8')), first.key)
  t.not(named({}, there, begins('/a.m3u8')), first.key)
  t.not(named({ 'cmcd-session': 'sid="two"' }, here, begins('/a.m3u8')), first.key)
})

t.test('what begins a session', async (t) => {
  for (const path of ['/a.m3u8', '/a.mpd', '/a.ts', '/a.m4s', '/film', '/a.mp4', '/a.js.ts'])
    t.ok(beginsSession('GET', path), path)
  for (const path of ['/poster.JPG', '/app.js', '/index.html', '/font.woff2', '/a.json'])
    t.notOk(beginsSession('GET', path), path)
  t.notOk(beginsSession('HEAD', '/a.m3u8'))
})

t.test('the table of clients is bounded: whoever was unseen for longest starts afresh', async (t) => {
  const table = new ClientTable()
  const early = table.find('all', 'early')
  const kept = table.find('all', 'kept')
  for (let i = 0; i < CLIENTS_MAX - 1; i++) {
    table.find('all', String(i))
    if (i % 1000 === 0) table.find('all', 'kept')
  }
  t.equal(table.size, CLIENTS_MAX)
  t.not(table.find('all', 'early'), early)
  t.equal(table.find('all', 'kept'), kept)
  t.not(table.find('other', 'kept'), kept, 'properties count apart')
})
