// How long a playlist is fresh and how old it may be when it is served (docs/decisions/0006). A live playlist
// changes on its own clock, which it states itself: its target duration, not the origin's header, is the bound. Pure.
import type { FieldBlock } from '../../src/http/fields.ts'
import type { ParsedPlaylist } from '../../src/hls/playlist.ts'

/** Kept with an object that may be a playlist by its name or type. */
export interface PlaylistFacts {
  /** The origin, or a rule of the property, states how long it is fresh. */
  readonly stated: boolean
  /** A blocking reload (RFC 8216bis §6.2.5.2): the origin held it until it had what was asked for. */
  readonly blocking: boolean
  /** null until the body is read, and for good when that is no media playlist. */
  readonly media: MediaTimes | null
}

export interface MediaTimes {
  readonly targetMs: number
  /** Of a Low-Latency playlist. */
  readonly partTargetMs: number | null
  /** More segments may come. */
  readonly live: boolean
}

export interface Lifetimes {
  lifetimeMs: number
  staleWhileRevalidateMs: number
  staleIfErrorMs: number
}

/** Until the body says more: enough for what is asked for at the same moment. */
const PROVISIONAL_LIFETIME_MS = 500
/** A playlist that states nonsense is fetched neither a thousand times a second nor kept for days. */
const TARGET_MS_MIN = 100
const TARGET_MS_MAX = 60_000
/** Where the target duration is not known: what Apple recommends for segments. */
const USUAL_TARGET_MS = 6000
/** A live playlist is not used, nor a reload held, for longer than this many target durations. */
const TARGETS_MAX = 3

const PLAYLIST_NAME = /\.m3u8?(?:$|[?\s])/i
const BLOCKING_QUERY = /[?&]_HLS_(?:msn|part)=/

/** By its name; `key` ends in path and query. */
export function isPlaylistName(key: string): boolean {
  return PLAYLIST_NAME.test(key)
}

export function isPlaylistType(fields: FieldBlock): boolean {
  return /mpegurl/i.test(fields.get('content-type') ?? '')
}

/** A path with query that asks the origin to wait. */
export function isBlockingReload(path: string): boolean {
  return BLOCKING_QUERY.test(path)
}

/** What the head of an answer says; undefined when it is none of a playlist in plain text. */
export function playlistFactsOf(
  status: number,
  key: string,
  fields: FieldBlock,
  stated: boolean,
): PlaylistFacts | undefined {
  if (status !== 200 || !(isPlaylistName(key) || isPlaylistType(fields))) return undefined
  const coding = fields.get('content-encoding')?.toLowerCase()
  if (coding !== undefined && coding !== 'identity') return undefined
  return { stated, blocking: isBlockingReload(key), media: null }
}

export function mediaTimesOf(playlist: ParsedPlaylist): MediaTimes | null {
  if (playlist.kind !== 'media' || playlist.targetDurationMs === null) return null
  return {
    targetMs: clamp(playlist.targetDurationMs),
    partTargetMs: playlist.partTargetMs === null ? null : clamp(playlist.partTargetMs),
    live: !playlist.ended,
  }
}

/** `times`: as the response's head has them. */
export function boundLifetimes(facts: PlaylistFacts, times: Lifetimes): Lifetimes {
  const { media, stated } = facts
  if (media === null) {
    if (stated) return times
    return { ...times, lifetimeMs: Math.max(times.lifetimeMs, PROVISIONAL_LIFETIME_MS) }
  }
  if (!media.live) {
    return stated ? times : { ...times, lifetimeMs: Math.max(times.lifetimeMs, media.targetMs / 2) }
  }
  const lifetimeMs = stated ? Math.min(times.lifetimeMs, media.targetMs) : ownLifetime(facts, media)
  const staleMaxMs = TARGETS_MAX * media.targetMs - lifetimeMs
  return {
    lifetimeMs,
    staleWhileRevalidateMs: Math.min(times.staleWhileRevalidateMs, staleMaxMs),
    staleIfErrorMs: Math.min(times.staleIfErrorMs, staleMaxMs),
  }
}

/**
 * Half the time in which the next part or segment is due. A blocking reload's answer is the same for as long as it
 * is asked for (it holds what the query names), so that it may live longer: for viewers who are a little behind.
 */
function ownLifetime(facts: PlaylistFacts, media: MediaTimes): number {
  return facts.blocking ? media.targetMs : (media.partTargetMs ?? media.targetMs) / 2
}

/** How long the origin may hold a request for what is not there yet (RFC 8216bis §6.2.5.2). */
export function holdMaxOf(targetMs: number | undefined): number {
  return TARGETS_MAX * (targetMs ?? USUAL_TARGET_MS)
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, TARGET_MS_MIN), TARGET_MS_MAX)
}
