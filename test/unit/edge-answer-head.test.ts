// What is refused in the head of an origin's answer, and what of an interim one reaches a client.
import t from 'tap'
import { faultOfHead, interimFields } from '../../edge/upstream/answer-head.ts'

t.test('a status that is none, and a coding that nobody asked for', async (t) => {
  for (const status of [100, 103, 199, 200, 206, 304, 599])
    t.equal(faultOfHead(status, []), null, `${status}`)
  for (const status of [0, 1, 99, 600, 999]) t.equal(faultOfHead(status, []), `status ${status}`)
  for (const coding of ['chunked', 'Chunked ', 'CHUNKED', 'identity', 'no-such-coding'])
    t.equal(faultOfHead(200, ['Transfer-encoding', coding]), null, coding)
  for (const coding of ['gzip', 'gzip, chunked', 'x-gzip', 'chunked,deflate', 'compress'])
    t.equal(faultOfHead(200, ['X', 'y', 'TRANSFER-ENCODING', coding]), `Transfer-Encoding: ${coding}`)
  t.ok(faultOfHead(200, ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'gzip']), 'in any line')
})

t.test('of an interim answer its links, and nothing that says how to read on', async (t) => {
  const links = ['link', '</a>; rel=preload', 'Link', '</b>; rel=preload']
  const others = [
    'Connection',
    'close',
    'Content-Length',
    '9',
    'Set-Cookie',
    'a=b',
    'Transfer-Encoding',
    'chunked',
  ]
  t.same(interimFields([...others, ...links, ...others]), links)
})
