// An answer with one range of an object that is still growing: kept as it is, under the key of that range. Pure.
import { cacheControlOf } from '../../src/http/cache-control.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { parseContentRange } from '../../src/http/range.ts'
import type { ByteSpan } from '../../src/hls/playlist.ts'
import { explicitLifetimeOf } from '../cache/freshness.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import { storableVerdict } from '../cache/storable.ts'
import { STORED_HEAD_BYTES_MAX } from '../limits.ts'
import type { UpstreamHead } from '../upstream/upstream.ts'
import { tagsOf } from '../purge/object-tags.ts'
import { readPassed } from './response-meta.ts'
import type { HeadContext, ReadHead } from './response-meta.ts'

/** The bytes of a range do not change any more; they are asked for while the segment grows, and a little after. */
const PART_LIFETIME_MS = 6000
/** To be joined while it arrives, and by nobody after: the next who asks for all the rest wants more. */
const OPEN_LIFETIME_MS = 1

export function readPart(head: UpstreamHead, context: HeadContext, part: ByteSpan): ReadHead {
  const received = new FieldBlock(head.fields)
  const range = head.status === 206 ? parseContentRange(received.get('content-range')) : undefined
  const control = cacheControlOf(received)
  const stated = explicitLifetimeOf(received, control, context.responseMs)
  const isAsked = range !== undefined && range.start === part.start && (part.end ?? range.end) === range.end
  const lifetimeMs = control.noCache ? 0 : part.end === null ? OPEN_LIFETIME_MS : (stated ?? PART_LIFETIME_MS)
  const verdict = storableVerdict({
    status: head.status,
    fields: received,
    control,
    lifetimeMs,
    explicit: stated !== undefined,
    selecting: [],
    authorised: context.authorised,
    setCookie: context.rule.setCookie,
    headBytesMax: STORED_HEAD_BYTES_MAX / 2,
  })
  const storable = isAsked && verdict === 'storable'
  const passed = readPassed(head, context)
  const meta: ObjectMeta = {
    ...passed,
    key: context.key,
    sliceBytes: storable ? context.sliceBytes : passed.sliceBytes,
    lifetimeMs: storable ? lifetimeMs : 0,
    tags: tagsOf(received),
  }
  return { meta, verdict: isAsked ? verdict : 'status', contentRange: null, selecting: [] }
}
