// What the playlists that came through say of other objects: how long a playlist's origin may hold a reload, which
// segments are still growing, and which segment follows which. Bounded; what it forgets costs a prefetch or an
// exact bound, never a wrong answer.
import { LRUCache } from 'lru-cache'
import type { MediaPlaylist, Segment } from '../../src/hls/playlist.ts'
import { resolveUri } from './resolve.ts'
import type { ResolveContext } from './resolve.ts'

/** Playlists remembered; the one not fetched for longest is forgotten. */
const PLAYLISTS_MAX = 5000
/** Segments remembered, of all playlists together. */
const SEGMENTS_MAX = 200_000
/** Of one playlist: the newest. */
const SEGMENTS_EACH_MAX = 20_000

interface Entry {
  readonly key: string
  targetMs: number
  /** Objects that are named by ranges and are not complete yet. */
  growing: ReadonlySet<string>
  /** Objects that will be there soon. */
  hinted: ReadonlySet<string>
  /** Sequence number → object, while it is in the playlist. */
  readonly segments: Map<number, Place>
  lastSequence: number
}

/** Where a segment stands. */
export interface Place {
  readonly key: string
  /** Origin-form. */
  readonly path: string
  readonly sequence: number
}

const NONE: ReadonlySet<string> = new Set()

export class KnownPlaylists {
  private readonly playlists: LRUCache<string, Entry>
  private readonly growing = new Map<string, Entry>()
  /** Whole objects that are announced by a hint. */
  private readonly hinted = new Map<string, Entry>()
  private readonly places = new Map<string, { entry: Entry; place: Place }>()

  constructor() {
    this.playlists = new LRUCache({ max: PLAYLISTS_MAX, dispose: (entry) => this.forget(entry) })
  }

  get segmentCount(): number {
    return this.places.size
  }

  /** `key` names the playlist's object. `withSegments`: somebody will ask what follows. */
  note(
    key: string,
    playlist: MediaPlaylist,
    targetMs: number,
    context: ResolveContext,
    withSegments: boolean,
  ): void {
    const name = withoutDirectives(key)
    let entry = this.playlists.get(name)
    if (entry === undefined) {
      entry = { key: name, targetMs, growing: NONE, hinted: NONE, segments: new Map(), lastSequence: -1 }
      this.playlists.set(name, entry)
    }
    entry.targetMs = targetMs
    this.noteGrowing(entry, playlist, context)
    if (withSegments) this.noteSegments(entry, playlist, context)
  }

  /** The target duration of a playlist, whichever of its reloads `key` names. */
  targetMsOf(key: string): number | undefined {
    return this.playlists.get(withoutDirectives(key))?.targetMs
  }

  /** A playlist names ranges of this object, and it is not complete yet. */
  isGrowing(key: string): boolean {
    return this.growing.size > 0 && this.growing.has(key)
  }

  /** The target duration of the playlist that announces this object: its origin may hold requests for it. */
  heldTargetMsOf(key: string): number | undefined {
    const space = key.indexOf(' ', key.indexOf(' ') + 1)
    const name = space < 0 ? key : key.slice(0, space)
    return (this.hinted.get(name) ?? this.growing.get(name))?.targetMs
  }

  /** The segments behind this one, nearest first. */
  following(key: string, count: number): Place[] {
    const found = this.places.get(key)
    if (found === undefined) return []
    const next: Place[] = []
    for (let i = 1; i <= count; i++) {
      const place = found.entry.segments.get(found.place.sequence + i)
      if (place === undefined) break
      if (place.key !== key) next.push(place)
    }
    return next
  }

  private noteGrowing(entry: Entry, playlist: MediaPlaylist, context: ResolveContext): void {
    const growing = new Set<string>()
    const hinted = new Set<string>()
    for (const { uri, span } of playlist.trailingParts) {
      const key = span === null ? undefined : resolveUri(uri, context)?.key
      if (key !== undefined) growing.add(key)
    }
    for (const { uri, span } of playlist.hints) {
      const key = resolveUri(uri, context)?.key
      if (key !== undefined) (span === null ? hinted : growing).add(key)
    }
    replaceNames(this.growing, entry, entry.growing, growing)
    replaceNames(this.hinted, entry, entry.hinted, hinted)
    entry.growing = growing
    entry.hinted = hinted
  }

  private noteSegments(entry: Entry, playlist: MediaPlaylist, context: ResolveContext): void {
    const { segments } = playlist
    const last = segments.at(-1)
    // Restarted with lower numbers, or so far on that nothing joins: what was known is of another run.
    if (
      last === undefined ||
      last.sequence < entry.lastSequence ||
      playlist.mediaSequence > entry.lastSequence + 1
    ) {
      this.forgetSegments(entry)
    }
    for (const sequence of entry.segments.keys()) {
      if (sequence >= playlist.mediaSequence) break
      this.drop(entry, sequence)
    }
    for (const segment of segments.slice(-SEGMENTS_EACH_MAX)) {
      if (segment.sequence > entry.lastSequence) this.add(entry, segment, context)
    }
    entry.lastSequence = last?.sequence ?? -1
  }

  private add(entry: Entry, segment: Segment, context: ResolveContext): void {
    // A range of a long file: the file's own slices are what would have to be fetched ahead.
    if (segment.span !== null || this.places.size >= SEGMENTS_MAX) return
    const resolved = resolveUri(segment.uri, context)
    if (resolved === null) return
    const place = { key: resolved.key, path: resolved.upstreamPath, sequence: segment.sequence }
    entry.segments.set(segment.sequence, place)
    this.places.set(place.key, { entry, place })
  }

  private drop(entry: Entry, sequence: number): void {
    const place = entry.segments.get(sequence)
    entry.segments.delete(sequence)
    if (place !== undefined && this.places.get(place.key)?.entry === entry) this.places.delete(place.key)
  }

  private forgetSegments(entry: Entry): void {
    for (const sequence of entry.segments.keys()) this.drop(entry, sequence)
    entry.lastSequence = -1
  }

  private forget(entry: Entry): void {
    replaceNames(this.growing, entry, entry.growing, NONE)
    replaceNames(this.hinted, entry, entry.hinted, NONE)
    this.forgetSegments(entry)
  }
}

function replaceNames(
  names: Map<string, Entry>,
  entry: Entry,
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
): void {
  for (const key of before) if (!after.has(key) && names.get(key) === entry) names.delete(key)
  for (const key of after) names.set(key, entry)
}

/** The playlist that a reload with delivery directives (RFC 8216bis §6.2.5) is a state of. */
export function withoutDirectives(key: string): string {
  if (!key.includes('_HLS_')) return key
  const question = key.indexOf('?')
  if (question < 0) return key
  const kept = key
    .slice(question + 1)
    .split('&')
    .filter((parameter) => !/^_HLS_(?:msn|part|skip|push|report)=/.test(parameter))
  return kept.length === 0 ? key.slice(0, question) : `${key.slice(0, question)}?${kept.join('&')}`
}
