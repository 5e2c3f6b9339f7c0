// Lifetimes of playlists from what they say themselves.
import t from 'tap'
import {
  boundLifetimes,
  holdMaxOf,
  isPlaylistName,
  playlistFactsOf,
} from '../../edge/playlist/playlist-times.ts'
import { FieldBlock } from '../../src/http/fields.ts'

const head = (lifetimeMs: number) => ({
  lifetimeMs,
  staleWhileRevalidateMs: 600_000,
  staleIfErrorMs: 86_400_000,
})
const media = { targetMs: 6000, partTargetMs: null, live: true }
const facts = { stated: true, blocking: false, media }

const fields = (...pairs: string[]) => new FieldBlock(pairs)

t.test('a live one: at most a target duration, and three of them when stale', async (t) => {
  t.strictSame(boundLifetimes(facts, head(3_600_000)), {
    lifetimeMs: 6000,
    staleWhileRevalidateMs: 12_000,
    staleIfErrorMs: 12_000,
  })
  t.strictSame(boundLifetimes(facts, { lifetimeMs: 1000, staleWhileRevalidateMs: 500, staleIfErrorMs: 0 }), {
    lifetimeMs: 1000,
    staleWhileRevalidateMs: 500,
    staleIfErrorMs: 0,
  })
  t.equal(boundLifetimes(facts, head(0)).lifetimeMs, 0, 'no-cache is obeyed')
})

t.test('nothing stated: half of what is due next', async (t) => {
  const unstated = { ...facts, stated: false }
  t.equal(boundLifetimes(unstated, head(900_000)).lifetimeMs, 3000, 'whatever heuristics say')
  const parts = { ...unstated, media: { ...media, partTargetMs: 500 } }
  t.equal(boundLifetimes(parts, head(0)).lifetimeMs, 250)
  t.equal(
    boundLifetimes({ ...parts, blocking: true }, head(0)).lifetimeMs,
    6000,
    'a reload stays what it was asked for',
  )
})

t.test('a recording lives as long as the origin says', async (t) => {
  const ended = { ...facts, media: { ...media, live: false } }
  t.strictSame(boundLifetimes(ended, head(3_600_000)), head(3_600_000))
  t.equal(boundLifetimes({ ...ended, stated: false }, head(0)).lifetimeMs, 3000)
})

t.test('before the body is read', async (t) => {
  const unread = { ...facts, media: null }
  t.strictSame(boundLifetimes(unread, head(0)), head(0))
  t.equal(boundLifetimes({ ...unread, stated: false }, head(0)).lifetimeMs, 500)
})

t.test('what may be a playlist', async (t) => {
  for (const key of ['p /a.m3u8', 'p /a.M3U', 'p /a.m3u8?x=1', 'p /a.m3u8 #0123'])
    t.ok(isPlaylistName(key), key)
  for (const key of ['p /a.m3u8x', 'p /m3u8', 'p /a.ts?b=.m3u8&c']) t.notOk(isPlaylistName(key), key)
  t.ok(
    playlistFactsOf(
      200,
      'p /a',
      fields('Content-Type', 'application/vnd.apple.mpegURL; charset=utf-8'),
      true,
    ),
  )
  t.equal(playlistFactsOf(200, 'p /a', fields('Content-Type', 'text/plain'), true), undefined)
  t.equal(playlistFactsOf(404, 'p /a.m3u8', fields(), true), undefined)
  t.equal(playlistFactsOf(200, 'p /a.m3u8', fields('Content-Encoding', 'gzip'), true), undefined)
  t.equal(playlistFactsOf(200, 'p /a.m3u8?_HLS_msn=1', fields(), true)?.blocking, true)
})

t.test('a hold', async (t) => {
  t.equal(holdMaxOf(2000), 6000)
  t.equal(holdMaxOf(undefined), 18_000)
})
