// The demo's live playlist at chosen times: window, numbers, wraps, dates, and which segments are served.
import t from 'tap'
import {
  KEPT,
  SEGMENT_MS,
  WINDOW,
  findLiveSegment,
  livePlaylist,
  newestSequence,
} from '../../src/commands/demo/live.ts'
import { loadMedia } from '../../src/commands/demo/media.ts'

interface Parsed {
  mediaSequence: number
  discontinuitySequence: number
  segments: { uri: string; seconds: number; discontinuity: boolean; date: string | null }[]
}

function parse(playlist: string): Parsed {
  const tag = (name: string) => Number(new RegExp(`^#${name}:(\\d+)$`, 'm').exec(playlist)?.[1])
  const segments: Parsed['segments'] = []
  let discontinuity = false
  let date: string | null = null
  let seconds = 0
  for (const line of playlist.trim().split('\n')) {
    if (line === '#EXT-X-DISCONTINUITY') discontinuity = true
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) date = line.slice(line.indexOf(':') + 1)
    else if (line.startsWith('#EXTINF:')) seconds = Number.parseFloat(line.slice('#EXTINF:'.length))
    else if (!line.startsWith('#')) {
      segments.push({ uri: line, seconds, discontinuity, date })
      discontinuity = false
      date = null
    }
  }
  const mediaSequence = tag('EXT-X-MEDIA-SEQUENCE')
  return { mediaSequence, discontinuitySequence: tag('EXT-X-DISCONTINUITY-SEQUENCE'), segments }
}

const media = await loadMedia()
const LOOP = 30
// A wrap: the segment of this number is the first of the recording again.
const WRAP = 30_000_000
const completeMs = (sequence: number) => (sequence + 1) * SEGMENT_MS

function trackOf(id: string) {
  const track = media.tracks.get(id)
  if (track === undefined) throw new Error(`no track ${id}`)
  return track
}

t.test('every track loops over thirty segments', async (t) => {
  t.strictSame([...media.tracks.keys()].toSorted(), [
    'fmp4/a0',
    'fmp4/v0',
    'fmp4/v1',
    'fmp4/v2',
    'ts/v0',
    'ts/v1',
    'ts/v2',
  ])
  for (const track of media.tracks.values()) {
    t.equal(track.segments.length, LOOP, track.id)
    const seconds = track.segments.reduce((sum, segment) => sum + segment.seconds, 0)
    t.ok(Math.abs(seconds - 60) < 0.05, `${track.id} lasts ${seconds} s`)
  }
})

t.test('the window slides by one segment each two seconds, and by none in between', async (t) => {
  const track = trackOf('fmp4/v0')
  const at = completeMs(WRAP + 12)
  const before = parse(livePlaylist(track, at - 1))
  const now = parse(livePlaylist(track, at))
  const justBeforeNext = parse(livePlaylist(track, at + SEGMENT_MS - 1))
  t.equal(before.mediaSequence, WRAP + 11 - WINDOW + 1)
  t.equal(now.mediaSequence, before.mediaSequence + 1)
  t.strictSame(justBeforeNext, now)
  t.equal(now.segments.length, WINDOW)
  t.equal(now.segments.at(-1)?.uri, `seg-${WRAP + 12}.m4s`)
  t.strictSame(
    now.segments.slice(0, -1).map((segment) => segment.uri),
    before.segments.slice(1).map((segment) => segment.uri),
  )
})

t.test('a segment keeps its discontinuity number for as long as it is listed', async (t) => {
  const numbers = new Map<string, number>()
  let wrapsSeen = 0
  for (let newest = WRAP - 10; newest < WRAP + LOOP + 10; newest++) {
    const playlist = parse(livePlaylist(trackOf('ts/v1'), completeMs(newest)))
    let number = playlist.discontinuitySequence
    for (const [i, segment] of playlist.segments.entries()) {
      const sequence = playlist.mediaSequence + i
      t.equal(segment.discontinuity, sequence % LOOP === 0, `${segment.uri} starts a loop, or not`)
      if (segment.discontinuity) {
        number += 1
        wrapsSeen += 1
      }
      // RFC 8216 §4.3.3.3: the header's number plus the tags before the segment.
      t.equal(numbers.get(segment.uri) ?? number, number, segment.uri)
      numbers.set(segment.uri, number)
    }
  }
  t.equal(wrapsSeen, 2 * WINDOW)
  t.equal(numbers.get(`seg-${WRAP}.mpegts`), (numbers.get(`seg-${WRAP - 1}.mpegts`) ?? 0) + 1)
})

t.test('renditions and sound agree on dates and numbers', async (t) => {
  const at = completeMs(WRAP + 2)
  const video = parse(livePlaylist(trackOf('fmp4/v0'), at))
  const audio = parse(livePlaylist(trackOf('fmp4/a0'), at))
  t.equal(audio.mediaSequence, video.mediaSequence)
  t.equal(audio.discontinuitySequence, video.discontinuitySequence)
  t.equal(video.segments[0]?.date, new Date((WRAP - 3) * SEGMENT_MS).toISOString())
  const wrapDate = new Date(WRAP * SEGMENT_MS).toISOString()
  t.equal(video.segments[3]?.date, wrapDate)
  t.equal(audio.segments[3]?.date, wrapDate)
  const apart = Date.parse(audio.segments[0]?.date ?? '') - Date.parse(video.segments[0]?.date ?? '')
  t.ok(Math.abs(apart) < 50, `sound starts ${apart} ms from the picture`)
})

t.test('no segment is longer than the target duration, rounded', async (t) => {
  for (const track of media.tracks.values()) {
    for (const { seconds } of parse(livePlaylist(track, completeMs(WRAP))).segments) {
      t.ok(Math.round(seconds) <= SEGMENT_MS / 1000, `${track.id}: ${seconds} s`)
    }
  }
})

t.test('segments of the future and of long ago are not there', async (t) => {
  const track = trackOf('fmp4/v2')
  const nowMs = completeMs(WRAP + 7)
  const newest = newestSequence(nowMs)
  t.equal(newest, WRAP + 7)
  t.equal(findLiveSegment(track, newest, nowMs), track.segments[7])
  t.equal(findLiveSegment(track, newest + 1, nowMs), null)
  // 59 back from 7, in loops of 30.
  t.equal(findLiveSegment(track, newest - KEPT + 1, nowMs), track.segments[8])
  t.equal(findLiveSegment(track, newest - KEPT, nowMs), null)
})
