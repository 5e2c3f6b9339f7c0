// What is read of an HLS playlist (RFC 8216bis): its timing, its segments and parts in order, and what it refers
// to. Durations in ms. URIs as written, variables (§4.3) replaced where the playlist itself defines them.
import type { GroupMedia, Variant } from './main-entries.ts'
import type { PlaylistRefusal } from './lines.ts'

/** What a URI that is neither segment, part nor hint is for. */
export type ReferenceRole =
  | 'variant'
  | 'i-frame-variant'
  | 'rendition'
  | 'session-key'
  | 'session-data'
  | 'steering'
  | 'key'
  | 'map'
  | 'rendition-report'
  | 'asset'
  | 'asset-list'

export interface Reference {
  role: ReferenceRole
  uri: string
}

/** Half-open; `end` null: to the end of the resource. */
export interface ByteSpan {
  start: number
  end: number | null
}

export interface Part {
  uri: string
  /** null: the whole resource. */
  span: ByteSpan | null
  durationMs: number | null
  independent: boolean
}

export interface Segment {
  uri: string
  span: ByteSpan | null
  /** Media Sequence Number. */
  sequence: number
  durationMs: number | null
  /** Follows an EXT-X-DISCONTINUITY. */
  discontinuity: boolean
  parts: readonly Part[]
}

export interface PreloadHint {
  type: 'PART' | 'MAP' | null
  uri: string
  span: ByteSpan | null
}

export interface MediaPlaylist {
  kind: 'media'
  targetDurationMs: number | null
  /** PART-TARGET: set for a Low-Latency playlist. */
  partTargetMs: number | null
  /** No segment will be added (EXT-X-ENDLIST). */
  ended: boolean
  type: 'VOD' | 'EVENT' | null
  mediaSequence: number
  discontinuitySequence: number
  canBlockReload: boolean
  /** Delta updates leave out what is older; null: there are none. */
  canSkipUntilMs: number | null
  partHoldBackMs: number | null
  /** Segments that this delta update left out, at its front; 0 for a full playlist. */
  skippedSegments: number
  segments: readonly Segment[]
  /** Parts of the segment that is still growing. */
  trailingParts: readonly Part[]
  hints: readonly PreloadHint[]
  references: readonly Reference[]
}

export interface MainPlaylist {
  kind: 'main'
  references: readonly Reference[]
  variants: readonly Variant[]
  /** Of EXT-X-MEDIA, in order. */
  groupMedia: readonly GroupMedia[]
}

export type ParsedPlaylist = MediaPlaylist | MainPlaylist | { kind: 'refused'; why: PlaylistRefusal }
