// What is read of a player's CMCD, in the query and in fields, and that nothing a player writes throws.
import t from 'tap'
import { readCmcd } from '../../edge/cmcd/read-cmcd.ts'
import type { HttpRequest } from '../../src/http/transaction.ts'

function request(target: string, fields: Readonly<Record<string, string>> = {}): HttpRequest {
  return {
    method: 'GET',
    target,
    host: 'a',
    version: '1.1',
    secure: false,
    remoteAddress: '127.0.0.1',
    header: (name) => fields[name],
    fields: () => Object.entries(fields).flat(),
    body: null,
  }
}

const query = (text: string) => readCmcd(request(`/s.m4s?a=b&CMCD=${encodeURIComponent(text)}&c=d`))

t.test('in the query', async (t) => {
  t.strictSame(
    query('bl=21300,br=3200,bs,d=4004,mtp=48100,nor="..%2F300k%2Fs.m4v",nrr="0-99",ot=v,sf=h,sid="x",v=1'),
    {
      objectType: 'v',
      format: 'h',
      encodedBitrate: 3_200_000,
      throughput: 48_100_000,
      bufferSeconds: 21.3,
      starved: true,
      next: '../300k/s.m4v',
      nextRange: '0-99',
    },
  )
})

t.test('in fields', async (t) => {
  const note = readCmcd(
    request('/s.m4s', {
      'cmcd-object': 'br=800,ot=a',
      'cmcd-request': 'bl=1000,nor="n.m4s"',
      'cmcd-session': 'sf=h',
      'cmcd-status': 'bs',
    }),
  )
  t.match(note, { objectType: 'a', format: 'h', encodedBitrate: 800_000, next: 'n.m4s', starved: true })
})

t.test('of version 2, the first of a list and the value without parameters', async (t) => {
  t.match(query('br=(3000;v 200;a),nor=("a.m4s";r="0-9" "b.m4s"),ot=v;x,v=2'), {
    encodedBitrate: 3_000_000,
    next: 'a.m4s',
    objectType: 'v',
  })
})

t.test('nothing said', async (t) => {
  t.equal(readCmcd(request('/s.m4s')), undefined)
  t.equal(readCmcd(request('/s.m4s?cmcd=x&XCMCD=bs')), undefined)
})

t.test('words that the specification does not have become no label', async (t) => {
  t.match(query('ot=zz,sf=q,br=-5,bl="x",nrr="a-b"'), {
    objectType: undefined,
    format: undefined,
    encodedBitrate: undefined,
    bufferSeconds: undefined,
    nextRange: undefined,
  })
})

t.test('what cannot be read is malformed, and throws nothing', async (t) => {
  for (const text of ['br=', '=,=', 'nor="', '__proto__=1', '\0', 'br=1,,', 'a'.repeat(3000)]) {
    t.equal(query(text), 'malformed', text.slice(0, 20))
  }
  t.equal(readCmcd(request('/s.m4s?CMCD=%FF')), 'malformed')
})
