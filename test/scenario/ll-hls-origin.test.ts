// Low-Latency HLS through the edge: what the origin holds, many clients wait for as one.
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { createAgent, get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startLowLatencyOrigin } from '../kit/ll-hls-origin.ts'
import { openRaw } from '../kit/raw-client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const CLIENTS = 200

t.test('a blocking reload is one origin request, and its clients are released together', async (t) => {
  const origin = await startLowLatencyOrigin(t)
  const edge = await startEdge(t, { origin: origin.url })
  await get(`${edge.url}/live/index.m3u8`)
  const { msn, parts } = origin.position
  const target = `/live/index.m3u8?_HLS_msn=${msn}&_HLS_part=${parts}`
  const agent = createAgent(t)

  let answered = 0
  const clients = Array.from({ length: CLIENTS }, async () => {
    const reply = await get(edge.url + target, { agent })
    answered++
    return reply
  })
  await origin.holding(1)
  // Asked and answered after them on the same machine: by then they wait.
  await get(`${edge.url}/live/init.mp4`)
  t.equal(answered, 0, 'nobody is answered before there is news')
  origin.publish()
  await Promise.race(clients)
  const late = await get(edge.url + target)
  const replies = await Promise.all(clients)

  t.equal(origin.count(target), 1)
  t.ok(replies.every(({ status, text }) => status === 200 && text.includes(`part-${msn}.${parts}.m4s"`)))
  t.ok(
    replies.every(({ headers }) => headers.age === '0'),
    'the time it was held is no age',
  )
  t.ok(cacheStatusOf(late).has('hit'), 'one who is a little late has it from the cache')
  t.equal(origin.count(target), 1)
})

t.test('each part is asked for once, held and streamed', async (t) => {
  const origin = await startLowLatencyOrigin(t, { mediaCacheControl: 'max-age=60' })
  const edge = await startEdge(t, { origin: origin.url })
  const hint = /PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/
  const name = hint.exec((await get(`${edge.url}/live/index.m3u8`)).text)?.[1] ?? ''
  const { msn, parts } = origin.position
  const clients = Array.from({ length: 20 }, () => get(`${edge.url}/live/${name}`))
  await origin.holding(1)
  origin.publish()
  for (const reply of await Promise.all(clients)) t.ok(reply.body.equals(origin.part(msn, parts)))
  t.equal(origin.count(`/live/${name}`), 1)
})

t.test('a delta update is an object of its own', async (t) => {
  const origin = await startLowLatencyOrigin(t)
  const edge = await startEdge(t, { origin: origin.url })
  const { msn, parts } = origin.position
  const last = `_HLS_msn=${parts === 0 ? msn - 1 : msn}&_HLS_part=${parts === 0 ? 4 : parts - 1}`
  const delta = await get(`${edge.url}/live/index.m3u8?${last}&_HLS_skip=YES`)
  t.match(delta.text, /#EXT-X-SKIP:SKIPPED-SEGMENTS=2/)
  const full = await get(`${edge.url}/live/index.m3u8?${last}`)
  t.notMatch(full.text, /#EXT-X-SKIP/)
  t.equal((await get(`${edge.url}/live/index.m3u8?${last}&_HLS_skip=YES`)).text, delta.text)
})

t.test('what is too far ahead is the origin’s to refuse', async (t) => {
  const origin = await startLowLatencyOrigin(t)
  const edge = await startEdge(t, { origin: origin.url })
  t.equal((await get(`${edge.url}/live/index.m3u8?_HLS_msn=${origin.position.msn + 10}`)).status, 400)
})

t.test('a reload is held for three target durations, then 503', async (t) => {
  const playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n'
  const origin = await startOrigin(t, {
    '/v.m3u8': (request) => (request.target.includes('_HLS_') ? { pauseAt: 'head' } : { body: playlist }),
  })
  const edge = await startEdge(t, { origin: origin.url })
  await get(`${edge.url}/v.m3u8`)
  const reply = await get(`${edge.url}/v.m3u8?_HLS_msn=1`)
  t.equal(reply.status, 503)
  t.ok(Number(reply.headers['retry-after']) > 0)
  t.match(reply.headers['proxy-status'], /http_response_timeout/)
  t.equal(origin.count('/v.m3u8'), 2)
})

t.test('ranges of a growing segment are objects of their own', async (t) => {
  const origin = await startLowLatencyOrigin(t, { parts: 'ranges', mediaCacheControl: 'max-age=60' })
  const edge = await startEdge(t, { origin: origin.url })
  origin.publish()
  origin.publish()
  await get(`${edge.url}/live/index.m3u8`)
  const { msn } = origin.position
  const url = `${edge.url}/live/seg-${msn}.m4s`
  const [one, two] = [origin.part(msn, 0), origin.part(msn, 1)]
  const first = { headers: { Range: `bytes=0-${one.length - 1}` } }
  const second = { headers: { Range: `bytes=${one.length}-${one.length + two.length - 1}` } }

  for (const attempt of ['cold', 'cached']) {
    for (const [options, body] of [[first, one] as const, [second, two] as const]) {
      const reply = await get(url, options)
      t.equal(reply.status, 206, attempt)
      t.match(reply.headers['content-range'], /^bytes \d+-\d+\/\*$/)
      t.ok(reply.body.equals(body))
      t.equal(cacheStatusOf(reply).has('hit'), attempt === 'cached')
    }
  }

  // The next part by an open range, as the hint says: it streams while the segment grows.
  const from = one.length + two.length
  const viewers = await Promise.all([1, 2].map(() => openRaw(t, edge.url)))
  for (const viewer of viewers) {
    viewer.send(`GET /live/seg-${msn}.m4s HTTP/1.1\r\nHost: a\r\nRange: bytes=${from}-\r\n\r\n`)
  }
  await origin.holding(1)
  origin.publish()
  for (const viewer of viewers) t.equal((await viewer.readHead())?.status, 206)
  t.equal(origin.count(`/live/seg-${msn}.m4s bytes=${from}-`), 1)
  origin.publish()
  origin.publish()

  // Complete now: an object like any other.
  await get(`${edge.url}/live/index.m3u8?_HLS_msn=${msn}`)
  const whole = await get(url)
  t.ok(whole.body.equals(origin.segment(msn)), 'all of it, not what there was before')
  const middle = await get(url, second)
  t.ok(middle.body.equals(two))
  t.match(middle.headers['content-range'], new RegExp(`/${origin.segment(msn).length}$`))
})

t.test('a range of what turns out to have no length yet is passed on as it was asked', async (t) => {
  const growing = await startOrigin(t, {
    '/big.m4s': ({ headers }) => {
      const match = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
      if (match === null) return { body: 'all that there is' }
      const length = Number(match[2]) - Number(match[1]) + 1
      return {
        status: 206,
        body: Buffer.alloc(length, 'g'),
        fields: { 'Content-Range': `${match[0].replace('=', ' ')}/*` },
      }
    },
  })
  const edge = await startEdge(t, { origin: growing.url, slice: '64KiB' })
  const reply = await get(`${edge.url}/big.m4s`, { headers: { Range: 'bytes=200000-200099' } })
  t.equal(reply.status, 206)
  t.equal(reply.headers['content-range'], 'bytes 200000-200099/*')
  t.equal(reply.text, 'g'.repeat(100))
})
