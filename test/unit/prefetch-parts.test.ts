// Parts of prefetching by themselves: pace, places, the pile of work, counts, and the lines of a list.
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Pacer } from '../../edge/prefetch/jobs/pacer.ts'
import { Places } from '../../edge/prefetch/jobs/places.ts'
import { Tally } from '../../edge/prefetch/jobs/tally.ts'
import { workThrough } from '../../edge/prefetch/jobs/work-through.ts'
import { LineError, listLines } from '../../scheduler/prefetch/list-lines.ts'
import { compileHours } from '../../src/access/time-window.ts'
import { systemClock } from '../../src/clock.ts'
import { prefetchWindow, renditions, renditionsText, windowText } from '../../src/config/prefetch-values.ts'
import { PREFETCH_FAILURES_TOLD_MAX } from '../../src/wire/prefetch.ts'
import { StillClock } from '../kit/scheduler.ts'

const NEVER = new AbortController().signal

t.test('pace: each object begins when what was before it is paid for', async (t) => {
  const pacer = new Pacer({ clock: systemClock, window: null, isBusy: () => false })
  pacer.bitRate = 800_000
  const begunMs = systemClock.monotonic()
  for (let i = 0; i < 4; i++) (await pacer.turn(NEVER))(20_000)
  // Three waits of 20 kB at 100 kB a second.
  const tookMs = systemClock.monotonic() - begunMs
  t.ok(tookMs > 500, `took ${tookMs} ms`)
  const order: number[] = []
  const one = await pacer.turn(NEVER)
  const take = async () => {
    const begun = await pacer.turn(NEVER)
    order.push(2)
    begun(0)
  }
  const later = take()
  await delay(50)
  order.push(1)
  one(0)
  await later
  t.same(order, [1, 2], 'nobody begins before the head of the one before is known')
})

t.test('pace: hours and clients', async (t) => {
  // A million milliseconds are 00:16:40 UTC.
  const clock = new StillClock()
  let isBusy = false
  const window = compileHours({ daily: ['00:20-00:30'] }, 'window')
  const pacer = new Pacer({ clock, window, isBusy: () => isBusy })
  t.equal(pacer.isOpen(), false)
  let ready = false
  const take = async () => {
    const begun = await pacer.turn(NEVER)
    ready = true
    begun(0)
  }
  const turn = take()
  await delay(50)
  t.equal(ready, false)
  clock.pass(300_000)
  await turn
  isBusy = true
  let isThrough = false
  const behind = pacer.ready(NEVER).then(() => (isThrough = true))
  await delay(120)
  t.equal(isThrough, false, 'clients first')
  isBusy = false
  await behind
  clock.pass(600_000)
  t.equal(pacer.isOpen(), false, 'and over')
  const stopping = new AbortController()
  const stopped = pacer.turn(stopping.signal)
  stopping.abort()
  await t.rejects(stopped)
  const behindStopped = pacer.turn(stopping.signal)
  await t.rejects(behindStopped, 'those behind it do not wait for ever')
})

t.test('places', async (t) => {
  const places = new Places(1)
  const leave = await places.take(NEVER)
  const stopping = new AbortController()
  const stopped = places.take(stopping.signal)
  let got = false
  const take = async () => {
    const leaveToo = await places.take(NEVER)
    got = true
    leaveToo()
  }
  const next = take()
  stopping.abort()
  await delay(10)
  t.equal(got, false)
  leave()
  await t.rejects(stopped)
  await next
  t.ok(got, 'one that has gone does not keep its place')
})

t.test(
  'the pile: so many at once, each before what lies under it, and all that had begun ends',
  async (t) => {
    const seen: string[] = []
    let running = 0
    let most = 0
    await workThrough(['a', 'b', 'c'], 2, async (one, more) => {
      most = Math.max(most, ++running)
      seen.push(one)
      await delay(5)
      if (one.length === 1) more([`${one}1`, `${one}2`])
      running -= 1
    })
    t.equal(most, 2)
    t.equal(seen.length, 9)
    t.ok(seen.indexOf('a2') < seen.indexOf('c'), 'what one named comes before the next')
    await workThrough([], 2, async () => {})
    let ended = false
    const failing = workThrough(['good', 'bad', 'never'], 2, async (one) => {
      if (one === 'bad') throw new Error('bad')
      if (one === 'never') throw new Error('never')
      await delay(20)
      ended = true
    })
    await t.rejects(failing, { message: 'bad' })
    t.ok(ended)
  },
)

t.test('counts, and where a restart goes on', async (t) => {
  const clock = new StillClock()
  const tally = new Tally(clock, 10, null)
  tally.work(true)
  const failure = { kind: 'failed', reason: 'missing', detail: 'status 404', retry: false } as const
  tally.failed({ property: 'shows', path: '/a' }, failure)
  tally.urlDone()
  clock.pass(1000)
  tally.bytes(1_000_000)
  tally.settled('fetched')
  tally.reached(3)
  tally.failed({ property: 'shows', path: '/b' }, failure)
  tally.work(false)
  clock.pass(60_000)
  const said = tally.progress()
  t.match(said.counts, { urls: 1, known: 10, fetched: 1, failed: 2, bytes: 1_000_000, workedMs: 1000 })
  t.match(said.checkpoint, { from: 3, counts: { failed: 1 }, failures: 1 })
  t.equal(said.failures.length, 2)

  const next = new Tally(clock, 10, said)
  t.equal(next.from, 3)
  t.match(next.progress(), { counts: { failed: 1, fetched: 1 }, failures: [{ path: '/a' }] })
  for (let i = 0; i < 200; i++) next.failed({ property: 'shows', path: '/x'.repeat(1000) }, failure)
  next.done()
  const last = next.progress()
  t.equal(last.failures.length, PREFETCH_FAILURES_TOLD_MAX)
  t.match(last, { state: 'done', counts: { failed: 201, known: 202 }, bitRate: 0 })
})

async function linesOf(...chunks: string[]): Promise<string[]> {
  const lines: string[] = []
  const bytes = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  for await (const { number, text } of listLines(bytes)) lines.push(`${number} ${text}`)
  return lines
}

t.test('lines, however they are cut', async (t) => {
  t.same(await linesOf('a\nb\r\n\n#c\n d '), ['1 a', '2 b', '5 d'])
  t.same(await linesOf('ab', 'c\nd', '\n', 'é'), ['1 abc', '2 d', '3 é'])
  t.same(await linesOf(), [])
  await t.rejects(linesOf('ok\n', 'x'.repeat(17_000)), new LineError(2, 'is longer than 16384 bytes'))
  const half = Readable.from([Buffer.from('é').subarray(0, 1)])
  await t.rejects(listLines(half).next(), new LineError(1, 'is no text in UTF-8'))
  await t.rejects(linesOf(`${'x'.repeat(17_000)}\n`), LineError)
})

t.test('words for renditions and hours', async (t) => {
  for (const text of ['all', 'highest', 'lowest', '720p', '3Mbit', '0.5Mbit']) {
    t.equal(renditionsText(renditions.parse(text)), text)
  }
  for (const text of ['', 'best', '1p', '720', '0Mbit', '3Gbit', '-1p', '720P']) {
    t.notOk(renditions.safeParse(text).success, text)
  }
  for (const [text, zone] of [
    ['01:00-05:00', 'UTC'],
    ['22:30-24:00 Asia/Shanghai', 'Asia/Shanghai'],
    ['23:00-01:00+08:00', '+08:00'],
  ] as const) {
    const read = prefetchWindow.parse(text)
    t.equal(read.zone, zone, text)
    t.same(prefetchWindow.parse(windowText(read)), read, 'as it is shown it is taken')
  }
  for (const text of [
    '',
    '1-5',
    '01:00',
    '01:00-01:00',
    '01:00-25:00',
    '01:00-05:00 Nowhere/Else',
    '01:00-05:00 a b',
  ]) {
    t.notOk(prefetchWindow.safeParse(text).success, text)
  }
})
