// What one query must not do to the next, and what a flood must not gain: each was once otherwise.
import { decode } from 'dns-packet'
import t from 'tap'
import { TYPE } from '../../scheduler/dns/message/codes.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { optBytes, queryBytes } from '../kit/dns-bytes.ts'
import { ip, makeSigner, responderRig } from '../kit/dns-responder.ts'

const CLIENT = '203.0.113.9'
const STEERED = 'shows.cdn.example.com'

function answersIn(reply: Buffer | undefined): string[] {
  return (reply === undefined ? [] : (decode(reply).answers ?? [])).map(({ name, type }) => `${name} ${type}`)
}

t.test('a type that is not kept was answered with the addresses that were', async (t) => {
  const { ask } = responderRig()
  t.match(answersIn(ask(queryBytes({ name: STEERED, type: TYPE.A }), CLIENT)), [`${STEERED} A`])
  t.strictSame(answersIn(ask(queryBytes({ name: STEERED, type: TYPE.SRV }), CLIENT)), [])
  t.strictSame(answersIn(ask(queryBytes({ name: STEERED, type: TYPE.ANY }), CLIENT)), [`${STEERED} HINFO`])
})

t.test('that no scheduler lives was kept for an hour', async (t) => {
  const schedulers: IpAddress[] = []
  const dns = { schedulers: { name: 'route.cdn.example.com', addresses: ['192.0.2.1'] } }
  const { ask, clock } = responderRig({ dns, deps: { schedulers: () => schedulers } })
  const query = queryBytes({ name: dns.schedulers.name })
  t.strictSame(answersIn(ask(query, CLIENT)), [])
  schedulers.push(ip('192.0.2.1'))
  clock.pass(1000)
  t.strictSame(answersIn(ask(query, CLIENT)), ['route.cdn.example.com A'])
})

t.test('random names of a wildcard that leads out of the zone had each a rate of their own', async (t) => {
  const records = [{ name: '*.old', type: 'CNAME', data: 'www.example.org' }]
  const { ask } = responderRig({ dns: { records, rateLimit: { rate: 1, burst: 5, slip: 0 } } })
  const replies = Array.from({ length: 100 }, (_, i) =>
    ask(queryBytes({ name: `x${i}.old.cdn.example.com` }), CLIENT),
  )
  t.equal(replies.filter((reply) => reply !== undefined).length, 5)
})

t.test('a circle of CNAMEs is shown once, not to the last hop', async (t) => {
  const records = [
    { name: 'a', type: 'CNAME', data: 'b.cdn.example.com' },
    { name: 'b', type: 'CNAME', data: 'a.cdn.example.com' },
    { name: '*.c', type: 'CNAME', data: 'd.c.cdn.example.com' },
  ]
  const { ask } = responderRig({ dns: { records } })
  const asked = (name: string) => answersIn(ask(queryBytes({ name: `${name}.cdn.example.com` }), CLIENT))
  t.strictSame(asked('a'), ['a.cdn.example.com CNAME', 'b.cdn.example.com CNAME'])
  t.strictSame(asked('e.c'), ['e.c.cdn.example.com CNAME', 'd.c.cdn.example.com CNAME'])
})

t.test('random names of a wildcard cost a signature each, over the rate or not', async (t) => {
  const signer = await makeSigner(t)
  const records = [{ name: '*.w', type: 'A', data: '192.0.2.7' }]
  const { ask } = responderRig({ dns: { records, rateLimit: { rate: 1, burst: 5 } }, signer })
  const secure = [optBytes({ flags: 0x8000 })]
  for (let i = 0; i < 100; i += 1)
    ask(queryBytes({ name: `x${i}.w.cdn.example.com`, records: secure }), CLIENT)
  t.equal(signer.signaturesMade, 5)
})

t.test('a set of a thousand records was kept in a thousand orders', async (t) => {
  const records = Array.from({ length: 1000 }, (_, i) => {
    return { name: 'many', type: 'A', data: `10.0.${i >> 8}.${i & 0xff}` }
  })
  const { ask } = responderRig({ dns: { records } })
  const query = queryBytes({ name: 'many.cdn.example.com' })
  const firsts = Array.from({ length: 100 }, () => ask(query, CLIENT, 'tcp')?.toString('hex', 0, 70))
  t.equal(new Set(firsts).size, 16)
})

t.test('an answer was kept for a network that came back when it held no more', async (t) => {
  let made = 0
  // Whoever makes an answer asks.
  const isReady = () => {
    made += 1
    return true
  }
  const { ask, clock } = responderRig({ deps: { isReady } })
  const madeAfter = (passMs: number) => {
    clock.pass(passMs)
    ask(queryBytes({ name: STEERED }), CLIENT)
    return made
  }
  t.strictSame([0, 600, 100, 100].map(madeAfter), [1, 2, 4, 4], 'the third is made once more, to be kept')
})
