// The public server over HTTP/2 under frames of every kind in any order, some with bytes damaged: whatever comes, each
// connection ends, each request that was begun is over, and others are served. A failure prints its seed.
// A few seconds of it in each test run; for more, set EDGEWARD_FUZZ_SECONDS and run the file with node itself.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock, systemRandom } from '../../src/clock.ts'
import { FLAG, PREFACE, TYPE, fieldBlock, frame, get, openFrames, uint32 } from '../kit/http2-frames.ts'
import { openHttp2Rig, servesOthers } from '../kit/http2-rig.ts'
import { until } from '../kit/until.ts'

const SECONDS = Number(process.env['EDGEWARD_FUZZ_SECONDS'] ?? '3')
const AT_ONCE = 8
const ENDS_WITHIN_MS = 3000
/** More than any deadline of the server. */
const ALL_DEADLINES_MS = 600_000

type Random = (below: number) => number

/** A generator of its own, so that a failure can be had again from the seed it prints. */
function randomOf(seed: number): Random {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const TARGETS = ['/ok', '/large', '/body', '/held', '*', 'x', '/a b']

function pick<T>(random: Random, of: readonly T[], otherwise: T): T {
  return of[random(of.length)] ?? otherwise
}

function makeHead(random: Random): Buffer {
  const method = pick(random, ['GET', 'HEAD', 'POST', 'OPTIONS', 'CONNECT'], 'GET')
  const fields: [string, string][] = []
  for (let count = random(4); count > 0; count--) {
    const field: [string, string] = [
      pick(random, ['x-a', 'content-length', 'cookie', 'host', 'te', 'expect', ':path', 'X-B'], 'x-a'),
      pick(random, ['b', '5', 'a=b', 'trailers', '100-continue', 'a\0b', 'z'.repeat(3000)], 'b'),
    ]
    fields.push(field)
  }
  return fieldBlock(get(pick(random, TARGETS, '/ok'), fields, { ':method': method }))
}

/** Some frame for a stream around those that are open. */
function makeFrame(random: Random, newest: number): Buffer {
  const stream = random(8) === 0 ? 0 : 1 + random(newest + 4)
  switch (random(10)) {
    case 0:
      return frame(TYPE.data, random(2), stream, Buffer.alloc(random(3) * 1000, 'd'))
    case 1:
      return frame(TYPE.rstStream, 0, stream, uint32(random(14)))
    case 2:
      return frame(TYPE.settings, 0, 0, Buffer.concat([Buffer.of(0, 1 + random(9)), uint32(random(100_000))]))
    case 3:
      return frame(TYPE.ping, random(2), 0, Buffer.alloc(8, 'p'))
    case 4:
      return frame(TYPE.goaway, 0, 0, uint32(random(9), random(14)))
    case 5:
      return frame(TYPE.windowUpdate, 0, stream, uint32(1 + random(2 ** 20)))
    case 6:
      return frame(TYPE.priority, 0, stream, Buffer.concat([uint32(random(9)), Buffer.of(random(256))]))
    case 7:
      return frame(TYPE.continuation, random(8), stream, makeHead(random))
    case 8:
      return frame(random(256), random(256), stream, Buffer.alloc(random(40), random(256)))
    default:
      return frame(TYPE.headers, FLAG.endHeaders | random(2), newest, makeHead(random))
  }
}

function makeBytes(random: Random): Buffer {
  const pieces: Buffer[] = random(20) === 0 ? [] : [PREFACE, frame(TYPE.settings, 0, 0)]
  let newest = 1
  for (let count = 1 + random(12); count > 0; count--) {
    if (random(2) === 0) {
      pieces.push(frame(TYPE.headers, FLAG.endHeaders | random(2), newest, makeHead(random)))
      newest += 2
    } else pieces.push(makeFrame(random, newest))
  }
  const bytes = Buffer.concat(pieces)
  for (let changes = random(3) === 0 ? random(4) : 0; changes > 0; changes--) {
    bytes[random(bytes.length)] = random(256)
  }
  return bytes
}

t.setTimeout((SECONDS + 60) * 1000)

t.test(`frames of every kind, for ${SECONDS} s`, async (t) => {
  const rig = await openHttp2Rig(t)
  const first = Math.floor(systemRandom() * 2 ** 31)
  const stopMs = systemClock.monotonic() + SECONDS * 1000
  let run = 0
  let late = 0
  const worker = async () => {
    while (systemClock.monotonic() < stopMs) {
      const seed = first + ++run * 7919
      const random = randomOf(seed)
      const client = await openFrames(t, rig.port, null)
      const bytes = makeBytes(random)
      const cut = random(2) === 0 ? random(bytes.length) : bytes.length
      client.send(bytes.subarray(0, cut))
      if (cut < bytes.length) {
        await new Promise(setImmediate)
        client.send(bytes.subarray(cut))
      }
      // Some wait for what comes back, some leave at once, in an orderly way or not.
      if (random(2) === 0) await Promise.race([client.closed, delay(random(30), undefined, { ref: false })])
      if (random(4) === 0) client.socket.destroy()
      else client.socket.end()
      const ended = client.closed.then(() => true)
      const endsSoon = () => Promise.race([ended, delay(ENDS_WITHIN_MS, false, { ref: false })])
      if (await endsSoon()) continue
      // A client that says goodbye and then breaks the protocol is not seen to leave: its time runs out, first for the
      // body that it owes, where it owes one, then for the reset that it does not take.
      late++
      rig.pass(ALL_DEADLINES_MS)
      if (await endsSoon()) continue
      rig.pass(ALL_DEADLINES_MS)
      if (await endsSoon()) continue
      t.fail(`the connection does not end: seed ${seed}: ${bytes.toString('base64')}`)
      return
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  t.ok(run > 50, `${run} connections, ${late} ended by time, ${rig.seen.length} requests seen`)
  t.ok(late < run / 50)
  // So it is with one whose client destroyed its socket: nobody above waited for the server to see that.
  rig.pass(ALL_DEADLINES_MS)
  await until('all are gone', () => rig.server.connectionCount === 0)
  t.ok(rig.seen.every(({ reply }) => reply.closed))
  t.ok(await servesOthers(t, rig))
})
