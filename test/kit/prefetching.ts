// Prefetching in a test: a film with renditions at an origin, the command as an operator runs it, and what the scheduler
// says of it.
import { z } from 'zod'
import { prefetchListSchema, prefetchReplySchema, prefetchStatusSchema } from '../../src/wire/prefetch.ts'
import type { PrefetchList, PrefetchReply, PrefetchStatus } from '../../src/wire/prefetch.ts'
import { bytesOf } from './bytes.ts'
import { get } from './client.ts'
import type { Cluster } from './cluster.ts'
import { runCommand } from './process.ts'
import type { CommandResult } from './process.ts'
import type { TestScope } from './scope.ts'
import type { Answer } from './scripted-origin.ts'
import { until } from './until.ts'

export const SHOWS = 'http://shows.example.com'

const FRESH = { 'Cache-Control': 'public, max-age=86400' }

export interface Film {
  /** Path of each object → what the origin answers. */
  readonly answers: Readonly<Record<string, Answer>>
  /** What a player of one rendition asks for, after the main playlist. */
  readonly of: Readonly<Record<'1080' | '720' | '360' | 'audio', readonly string[]>>
}

/** Three renditions and their sound below `/NAME/`, each of `segments` of `bytes`. */
export function filmOf(name: string, segments = 4, bytes = 20_000): Film {
  const main = [
    '#EXTM3U',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",DEFAULT=YES,URI="audio/list.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="commentary",NAME="Director",URI="commentary/list.m3u8"',
    ...[
      ['1080', 5_000_000, '1920x1080'],
      ['720', 2_500_000, '1280x720'],
      ['360', 800_000, '640x360'],
    ].flatMap(([id, bandwidth, size]) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},RESOLUTION=${size},AUDIO="sound"`,
      `${id}/list.m3u8`,
    ]),
  ].join('\n')
  const answers: Record<string, Answer> = {
    [`/${name}/main.m3u8`]: { body: main, fields: FRESH },
  }
  const rendition = (id: string, seed: number): string[] => {
    const list = [
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI="init.mp4"',
      ...Array.from({ length: segments }, (_none, i) => `#EXTINF:4,\ns${i}.m4s`),
      '#EXT-X-ENDLIST',
    ].join('\n')
    const base = `/${name}/${id}`
    answers[`${base}/list.m3u8`] = { body: list, fields: FRESH }
    answers[`${base}/init.mp4`] = { body: bytesOf(seed, 700), fields: FRESH }
    for (let i = 0; i < segments; i++) {
      answers[`${base}/s${i}.m4s`] = { body: bytesOf(seed + 1 + i, bytes), fields: FRESH }
    }
    return ['list.m3u8', 'init.mp4', ...Array.from({ length: segments }, (_none, i) => `s${i}.m4s`)].map(
      (file) => `${base}/${file}`,
    )
  }
  return {
    answers,
    of: {
      1080: rendition('1080', 1000),
      720: rendition('720', 2000),
      360: rendition('360', 3000),
      audio: rendition('audio', 4000),
    },
  }
}

/** Runs `edgeward prefetch ARGS`. */
export function prefetch(
  t: TestScope,
  cluster: Pick<Cluster, 'admin'>,
  ...args: string[]
): Promise<CommandResult> {
  return runCommand(t, ['prefetch', ...args, '--admin', cluster.admin])
}

/** Over the admin listener; gives what it said. */
export async function postList(
  admin: string,
  list: string | ReadableStream<Uint8Array>,
  query = '',
  type = 'text/plain',
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${admin}/api/v1/prefetches${query}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: list,
    ...(list instanceof ReadableStream && { duplex: 'half' }),
  })
  return { status: answer.status, text: await answer.text() }
}

/** One that is taken. */
export async function begin(admin: string, urls: readonly string[], query = ''): Promise<PrefetchReply> {
  const { status, text } = await postList(admin, urls.join('\n'), query)
  if (status !== 200) throw new Error(`${status}: ${text}`)
  return prefetchReplySchema.parse(JSON.parse(text))
}

export async function statusOf(admin: string, id: string): Promise<PrefetchStatus> {
  return prefetchStatusSchema.parse(JSON.parse((await get(`${admin}/api/v1/prefetches/${id}`)).text))
}

export async function listOf(admin: string): Promise<PrefetchList['prefetches']> {
  return prefetchListSchema.parse(JSON.parse((await get(`${admin}/api/v1/prefetches`)).text)).prefetches
}

export function untilDone(admin: string, id: string, withinMs = 20_000): Promise<PrefetchStatus> {
  return until(
    `prefetch ${id} is done`,
    async () => {
      const status = await statusOf(admin, id)
      return status.state === 'done' && status
    },
    withinMs,
  )
}

/** Of an edge's part. */
export function progressOf(status: PrefetchStatus, edge: string) {
  return status.edges.find(({ id }) => id === edge)?.progress ?? undefined
}

/** A sum over all that a metric's name and labels match. */
export async function metricOf(admin: string, name: RegExp): Promise<number> {
  const { text } = await get(`${admin}/metrics`)
  const lines = text.split('\n').filter((line) => name.test(line))
  return z
    .array(z.number())
    .parse(lines.map((line) => Number(line.split(' ').at(-1))))
    .reduce((a, b) => a + b, 0)
}
