// How queries and replies travel: UDP and TCP over both families, sizes, what EDNS carries, and what is refused.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import dnsPacket from 'dns-packet'
import t from 'tap'
import { nameBytes, optBytes, optionBytes, queryBytes } from '../kit/dns-bytes.ts'
import { askOverUdp, openDnsTcp, withLength } from '../kit/dns-client.ts'
import { ZONE, dataOf, dig, kdig, startDnsCluster } from '../kit/dns-cluster.ts'

t.jobs = 2

const { port, listeners } = await startDnsCluster(t, {
  listen: ['127.0.0.1:0', '[::1]:0'],
  nsid: 'ns1 of the test',
  records: [
    { name: 'big', type: 'TXT', data: 'x'.repeat(3000) },
    { name: 'middle', type: 'TXT', data: 'x'.repeat(900) },
  ],
})
const port6 = Number(/\d+$/.exec(listeners[1] ?? '')?.[0])
const NAME = `shows.${ZONE}`

function query(id: number, name = NAME): Buffer {
  const bytes = queryBytes({ name: nameBytes(name) })
  bytes.writeUInt16BE(id)
  return bytes
}

t.test(
  'a connection ends that announces more than any query has, or brings none',
  { buffered: true, timeout: 30_000 },
  async (t) => {
    const idle = await openDnsTcp(t, port)
    const half = await openDnsTcp(t, port)
    half.send(withLength(query(1)).subarray(0, 20))
    const liar = await openDnsTcp(t, port)
    liar.send(Buffer.concat([withLength(query(9)), Buffer.of(0xff, 0xff, 1, 2, 3)]))
    t.ok(await Promise.race([liar.closed.then(() => true), idle.closed.then(() => false)]), 'at once')
    t.equal((await liar.reply())?.readUInt16BE(0), 9, 'what came before is answered')
    // After ten seconds (RFC 7766 §6.2.3).
    await Promise.all([idle.closed, half.closed])
    t.pass('one without a query, one with half of it')
  },
)

t.test('UDP and TCP, IPv4 and IPv6', { buffered: true }, async (t) => {
  for (const options of ['', '+tcp', '+noedns', '+tcp +noedns'])
    for (const [at, server] of [
      [port, '127.0.0.1'],
      [port6, '::1'],
    ] as const) {
      const where = `${server} ${options}`
      const { status, text } = await dig(at, `${NAME} A ${options}`.trim(), server)
      t.equal(status, 'NOERROR', where)
      t.match(text, options.includes('tcp') ? '(TCP)' : '(UDP)', where)
    }
})

t.test(
  'a connection is used for several queries, one after another and sent ahead',
  { buffered: true },
  async (t) => {
    const kept = await kdig(port, `+tcp +keepopen +stats ${NAME} A ${NAME} AAAA ${ZONE} SOA`)
    t.equal(kept.text.match(/status: NOERROR/g)?.length, 3)
    t.strictSame(new Set(kept.text.match(/^;; From .*@\d+\(TCP\)/gm)).size, 1)

    const client = await openDnsTcp(t, port)
    const ids = Array.from({ length: 200 }, (_, i) => i + 1)
    client.send(Buffer.concat(ids.map((id) => withLength(query(id)))))
    const answered: number[] = []
    while (answered.length < ids.length) answered.push((await client.reply())?.readUInt16BE(0) ?? -1)
    t.strictSame(answered, ids, 'each is answered, in order')
  },
)

t.test('a query over TCP may come octet by octet', { buffered: true }, async (t) => {
  const client = await openDnsTcp(t, port)
  for (const octet of withLength(query(7))) {
    client.send(Uint8Array.of(octet))
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal((await client.reply())?.readUInt16BE(0), 7)
})

t.test('what does not fit is truncated, and comes whole over TCP', { buffered: true }, async (t) => {
  const [bare = Buffer.alloc(0)] = await askOverUdp(port, [
    queryBytes({ name: nameBytes(`middle.${ZONE}`), type: 16 }),
  ])
  const truncated = dnsPacket.decode(bare)
  t.strictSame([truncated.flag_tc, truncated.answers], [true, []], '512 octets without EDNS')
  t.notMatch((await dig(port, `middle.${ZONE} TXT +ignore +bufsize=1232`)).text, 'aa tc')
  t.match((await dig(port, `middle.${ZONE} TXT +ignore +bufsize=512`)).text, 'flags: qr aa tc')
  const wide = await dig(port, `big.${ZONE} TXT +ignore +bufsize=4096`)
  t.strictSame([wide.answer, wide.flags.includes('tc')], [[], true], 'never more than 1232')
  const again = await dig(port, `big.${ZONE} TXT +bufsize=4096`)
  t.match(again.text, /Truncated, retrying in TCP mode[^]*\(TCP\)/)
  t.equal(dataOf(again.answer, 'TXT').join('').replaceAll(/[" ]/g, '').length, 3000)
})

t.test('NSID is told to those that ask', { buffered: true }, async (t) => {
  t.match((await kdig(port, `${NAME} A +nsid`)).text, '"ns1 of the test"')
  t.match((await dig(port, `${NAME} A +nsid`)).text, '("ns1 of the test")')
  t.notMatch((await dig(port, `${NAME} A`)).text, 'NSID')
})

t.test('what this server does not do it says by the right code', { buffered: true }, async (t) => {
  const status = async (question: string) => (await dig(port, question)).status
  for (const type of ['AXFR', 'IXFR=1']) {
    await t.rejects(kdig(port, `${ZONE} ${type}`), /server replied with error 'REFUSED'/, type)
  }
  t.equal(await status('version.bind CH TXT'), 'REFUSED')
  t.equal(await status(`${NAME} HS A`), 'REFUSED')
  for (const opcode of ['NOTIFY', 'UPDATE', 'STATUS', '6']) {
    t.equal(await status(`${NAME} SOA +opcode=${opcode}`), 'NOTIMP', opcode)
  }
  const badvers = await dig(port, `${NAME} A +edns=1 +noednsneg`)
  t.strictSame([badvers.status, badvers.answer], ['BADVERS', []])
  t.match(badvers.text, 'EDNS: version: 0')
  t.equal(await status(`${NAME} A +ednsopt=65001:00ff`), 'NOERROR', 'unknown options are ignored')
  t.equal(await status(`${NAME} A +ednsflags=0x1234`), 'NOERROR', 'unknown flags too')
})

t.test('nsupdate is told that there are no updates', { buffered: true }, async (t) => {
  const asked = promisify(execFile)('nsupdate')
  asked.child.stdin?.end(
    `server 127.0.0.1 ${port}\nzone ${ZONE}\nupdate add x.${ZONE} 60 A 192.0.2.9\nsend\n`,
  )
  await t.rejects(asked, /update failed: NOTIMP/)
})

t.test('neither an answer nor half a header is answered', { buffered: true }, async (t) => {
  const answer = query(3)
  answer.writeUInt16BE(0x8000, 2)
  const [only, ...others] = await askOverUdp(port, [answer, Buffer.alloc(11), Buffer.alloc(0), query(4)])
  t.strictSame([only?.readUInt16BE(0), others], [4, []])
})

t.test('packets that are no proper query are FORMERR', { buffered: true }, async (t) => {
  const two = Buffer.concat([query(1), Buffer.of(0)])
  const cases = [
    queryBytes({ counts: [0, 0, 0, 0] }),
    queryBytes({ counts: [2, 0, 0, 0] }),
    queryBytes({ counts: [1, 1, 0, 0] }),
    queryBytes({ records: [optBytes(), optBytes()] }),
    queryBytes({ records: [optBytes({ owner: nameBytes('x') })] }),
    queryBytes({ records: [optBytes({ options: [optionBytes(10, '001122')] })] }),
    queryBytes({ type: 41 }),
    two,
  ]
  for (const [i, packet] of cases.entries()) {
    const [reply] = await askOverUdp(port, [packet])
    t.equal((reply?.readUInt8(3) ?? -1) & 0x0f, 1, `case ${i}`)
  }
})
