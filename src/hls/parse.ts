// Reads an HLS playlist (RFC 8216bis) in one pass and linear time. Never throws: bytes that are no playlist are
// refused by name, a value that is not well formed counts as absent, and tags that are not here are passed over.
// Called once a fetched playlist, by edge/playlist.
import { attributesOf, eachLine, openPlaylist, tagEnd } from './lines.ts'
import { groupMediaOf, variantOf } from './main-entries.ts'
import type { GroupMedia, Variant } from './main-entries.ts'
import { MediaDraft } from './media-draft.ts'
import type { ParsedPlaylist, Reference, ReferenceRole } from './playlist.ts'
import { integerOf, millisecondsOf } from './values.ts'
import { Variables } from './variables.ts'

interface Draft {
  readonly media: MediaDraft
  readonly references: Reference[]
  readonly variables: Variables
  /** Of the variant whose URI is on the next line; null: that is none. */
  variantFollows: Attributes | null
  readonly variants: Variant[]
  readonly groupMedia: GroupMedia[]
  /** A tag was seen that only main playlists have. */
  main: boolean
}

type Attributes = ReadonlyMap<string, string>

/** `value` is what stands behind the colon. */
type TagReader = (draft: Draft, value: string, attributes: () => Attributes) => void

export function parsePlaylist(bytes: Buffer): ParsedPlaylist {
  const opened = openPlaylist(bytes)
  if ('refused' in opened) return { kind: 'refused', why: opened.refused }
  const draft: Draft = {
    media: new MediaDraft(),
    references: [],
    variables: new Variables(),
    variantFollows: null,
    variants: [],
    groupMedia: [],
    main: false,
  }
  const { text } = opened
  if (!eachLine(text, (start, end) => readLine(draft, text.slice(start, end)))) {
    return { kind: 'refused', why: 'too-many-lines' }
  }
  return draft.main || draft.media.isEmpty
    ? {
        kind: 'main',
        references: draft.references,
        variants: draft.variants,
        groupMedia: draft.groupMedia,
      }
    : draft.media.finish(draft.references)
}

function readLine(draft: Draft, line: string): void {
  if (!line.startsWith('#')) {
    const uri = draft.variables.replace(line)
    if (draft.variantFollows === null) {
      draft.media.segment(uri)
      return
    }
    draft.references.push({ role: 'variant', uri })
    draft.variants.push(variantOf(draft.variantFollows, uri))
    draft.variantFollows = null
    return
  }
  const colon = tagEnd(line)
  const read = TAGS.get(line.slice(0, colon))
  if (read === undefined) return
  read(draft, line.slice(colon + 1), () => {
    const found = attributesOf(line, colon + 1)
    if (!draft.variables.none) {
      for (const [name, value] of found) found.set(name, draft.variables.replace(value))
    }
    return found
  })
}

function refers(attribute: string, role: ReferenceRole, main: boolean): TagReader {
  return (draft, _value, attributes) => {
    if (main) draft.main = true
    const uri = attributes().get(attribute)
    if (uri !== undefined) draft.references.push({ role, uri })
  }
}

/** §4.4, by where the tag stands. EXT-X-KEY and EXT-X-MAP hold for what follows; a cache only needs the URI. */
const TAGS: ReadonlyMap<string, TagReader> = new Map<string, TagReader>([
  ['#EXT-X-DEFINE', ({ variables }, _value, attributes) => variables.define(attributes())],
  // Media playlists
  ['#EXT-X-TARGETDURATION', ({ media }, value) => void (media.targetDurationMs = millisecondsOf(value))],
  ['#EXT-X-MEDIA-SEQUENCE', ({ media }, value) => void (media.mediaSequence = integerOf(value) ?? 0)],
  ['#EXT-X-DISCONTINUITY-SEQUENCE', ({ media }, value) => media.countDiscontinuities(integerOf(value) ?? 0)],
  ['#EXT-X-ENDLIST', ({ media }) => void (media.ended = true)],
  ['#EXT-X-PLAYLIST-TYPE', ({ media }, value) => media.setType(value)],
  [
    '#EXT-X-PART-INF',
    ({ media }, _value, attributes) =>
      void (media.partTargetMs = millisecondsOf(attributes().get('PART-TARGET'))),
  ],
  ['#EXT-X-SERVER-CONTROL', ({ media }, _value, attributes) => media.control(attributes())],
  ['#EXT-X-SKIP', ({ media }, _value, attributes) => media.skip(attributes())],
  ['#EXTINF', ({ media }, value) => media.inf(value)],
  ['#EXT-X-BYTERANGE', ({ media }, value) => media.byteRange(value)],
  ['#EXT-X-DISCONTINUITY', ({ media }) => media.discontinue()],
  ['#EXT-X-PART', ({ media }, _value, attributes) => media.part(attributes())],
  ['#EXT-X-PRELOAD-HINT', ({ media }, _value, attributes) => media.hint(attributes())],
  ['#EXT-X-KEY', refers('URI', 'key', false)],
  ['#EXT-X-MAP', refers('URI', 'map', false)],
  ['#EXT-X-RENDITION-REPORT', refers('URI', 'rendition-report', false)],
  [
    '#EXT-X-DATERANGE',
    (draft, value, attributes) => {
      refers('X-ASSET-URI', 'asset', false)(draft, value, attributes)
      refers('X-ASSET-LIST', 'asset-list', false)(draft, value, attributes)
    },
  ],
  // Main playlists
  [
    '#EXT-X-STREAM-INF',
    (draft, _value, attributes) => {
      draft.main = true
      draft.variantFollows = attributes()
    },
  ],
  ['#EXT-X-I-FRAME-STREAM-INF', refers('URI', 'i-frame-variant', true)],
  [
    '#EXT-X-MEDIA',
    (draft, value, attributes) => {
      refers('URI', 'rendition', true)(draft, value, attributes)
      const media = groupMediaOf(attributes())
      if (media !== undefined) draft.groupMedia.push(media)
    },
  ],
  ['#EXT-X-SESSION-DATA', refers('URI', 'session-data', true)],
  ['#EXT-X-SESSION-KEY', refers('URI', 'session-key', true)],
  ['#EXT-X-CONTENT-STEERING', refers('SERVER-URI', 'steering', true)],
])
