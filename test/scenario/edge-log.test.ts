// What a client writes into a request does not write into the log, nor into the terminal that shows it.
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const origin = await startOrigin(t, { '/a.ts': { fields: { 'cache-control': 'max-age=60' }, body: 'body' } })
const edge = await startEdge(t, { origin: origin.url })

const ATTACKS: readonly [name: string, target: string, host: string, range: string][] = [
  ['C1 controls of a terminal', '/a.ts', 'x', 'bytes=0-1\x9b31m\x9d0;owned\x9c'],
  ['a line that looks like another', '/a.ts', 'x', 'bytes=0-1","msg":"request","status":999,"x":"'],
  ['escapes in the path', '/a.ts%0a%1b%5b2J', 'x', 'bytes=0-0'],
  ['bytes above ASCII in the path', '/a.ts\x9b2J', 'x', 'bytes=0-0'],
  ['a long field', '/a.ts', 'x', `bytes=0-${'1'.repeat(9000)}`],
  ['a host', '/a.ts', 'x\x9b2J', 'bytes=0-0'],
]

const requestLines = () => edge.log().filter((line) => line.msg === 'request').length

t.test('one line a request, of printable ASCII', async (t) => {
  for (const [name, target, host, range] of ATTACKS) {
    const before = requestLines()
    const client = await openRaw(t, edge.url)
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nRange: ${range}\r\nConnection: close\r\n\r\n`)
    t.ok((await client.readAll()).length > 0, `${name}: answered`)
    // The line is written as the reply ends, and lines come in order: that of a plain request behind it is the last.
    const behind = `/behind-${before}.ts`
    await get(`${edge.url}${behind}`)
    await until('the line of the request behind it', () => edge.log().some((line) => line['path'] === behind))
    const said = edge.process.stderr()
    t.notMatch(said, /[^\x20-\x7e\n]/, name)
    t.ok(requestLines() <= before + 2, `${name}: no line of its own`)
    t.ok(
      said.split('\n').every((line) => line.length < 4096),
      `${name}: no long line`,
    )
  }
  t.notOk(edge.log().some((line) => line['status'] === 999))
})
