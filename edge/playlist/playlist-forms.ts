// The forms of a cached playlist that clients are sent: rewritten for the way they came, compressed as they like it.
// The playlist itself is cached once; a form is made when it is first asked for, and kept while it is current.
import { promisify } from 'node:util'
import { brotliCompress, brotliCompressSync, constants, gzip, gzipSync } from 'node:zlib'
import type { BrotliOptions, ZlibOptions } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { announceSteering } from '../../src/hls/announce.ts'
import { rewritePlaylist } from '../../src/hls/rewrite.ts'
import type { RewriteRules } from '../../src/hls/rewrite.ts'
import type { ContentCoding } from '../../src/http/accept-encoding.ts'
import { parseCacheControl } from '../../src/http/cache-control.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import { carriedTemplate } from './carried-template.ts'
import type { CarriedTemplate, Carrying } from './carried-template.ts'

/** What a client's request makes of a playlist. */
export interface FormWanted {
  /** Named by `id`: rules with one id make the same bytes. */
  rules: RewriteRules & { readonly id: string }
  /** Of main playlists; the same for all requests of one playlist by rules of one id. Left out: they say nothing. */
  steeringLine?: string | undefined
  coding: ContentCoding
  /** The property compresses playlists, so that what is sent depends on Accept-Encoding. */
  varies: boolean
  /** The client's grant is to reach what the playlist names; left out: no token is asked for. */
  carry?: Carrying | undefined
}

export interface PlaylistForm {
  readonly meta: ObjectMeta
  readonly body: Buffer
  /** Other bytes than the origin's: of these the edge serves no ranges. */
  readonly derived: boolean
  /** Made for each client: `body` is not what is sent. */
  readonly template: CarriedTemplate | null
}

interface KeptForm extends PlaylistForm {
  /** Made from these bytes and this head. */
  readonly source: Buffer
  readonly of: ObjectMeta
  readonly wanted: FormWanted
  /** The one it has: short ones are left plain. */
  readonly coding: ContentCoding
}

/** Shorter than this, compression saves nothing that a packet would notice. */
const COMPRESSED_MIN_BYTES = 256
/** Longer than this, it is done in the thread pool: 16 KB take up to 0.3 ms (docs/decisions/0006). */
const COMPRESSED_HERE_MAX_BYTES = 16 * 1024
const PLAIN: ContentCoding = 'identity'
const GZIP = { level: 6 }
const ENTRY_OVERHEAD_BYTES = 1024

/** A small share of the memory tier; a few thousand playlists at most. */
export function formsBytesMax(memoryBytes: number): number {
  return Math.min(Math.max(memoryBytes / 16, 2 ** 20), 64 * 2 ** 20)
}

export class PlaylistForms {
  private readonly kept: LRUCache<string, KeptForm>
  private readonly making = new Map<string, { source: Buffer; promise: Promise<PlaylistForm> }>()

  constructor(bytesMax: number) {
    this.kept = new LRUCache({
      maxSize: bytesMax,
      maxEntrySize: Math.max(1, Math.floor(bytesMax / 4)),
      // The source counts too: it is held here even when the memory tier has let go of it.
      sizeCalculation: ({ source, body, template, meta }) =>
        source.length +
        (body === source ? 0 : body.length) +
        (template?.chars ?? 0) +
        meta.fields.text.length +
        ENTRY_OVERHEAD_BYTES,
    })
  }

  get bytes(): number {
    return this.kept.calculatedSize
  }

  /** The form of these bytes. At once when it is kept or quickly made. */
  formOf(meta: ObjectMeta, source: Buffer, wanted: FormWanted): PlaylistForm | Promise<PlaylistForm> {
    const name = `${meta.key}\n${wanted.rules.prefix}\n${wanted.coding}\n${wanted.carry?.by ?? ''}`
    const kept = this.kept.get(name)
    // By the identity of the bytes: two states of a live playlist may share a Last-Modified and a length.
    if (kept !== undefined && kept.source === source && kept.wanted.rules.id === wanted.rules.id) {
      return kept.of === meta ? kept : this.keep(name, { ...kept, of: meta })
    }
    const making = this.making.get(name)
    if (making !== undefined && making.source === source) return making.promise
    const { body: plain, template } = rewritten(source, wanted)
    const made = { source, of: meta, wanted, body: plain, coding: PLAIN, template }
    // What is made anew for each client is not compressed for each.
    const left = wanted.coding === 'identity' || plain.length < COMPRESSED_MIN_BYTES
    if (left || template?.isFilledIn === true) return this.keep(name, made)
    const { coding } = wanted
    if (plain.length <= COMPRESSED_HERE_MAX_BYTES) {
      const body = coding === 'br' ? brotliCompressSync(plain, brotliFor(plain)) : gzipSync(plain, GZIP)
      return this.keep(name, { ...made, body, coding })
    }
    const promise = (coding === 'br' ? brotliAside(plain, brotliFor(plain)) : gzipAside(plain, GZIP))
      .then((body) => this.keep(name, { ...made, body, coding }))
      .finally(() => {
        if (this.making.get(name)?.promise === promise) this.making.delete(name)
      })
    this.making.set(name, { source, promise })
    return promise
  }

  private keep(name: string, made: Omit<KeptForm, 'meta' | 'derived'>): PlaylistForm {
    const derived = made.body !== made.source || made.template?.isFilledIn === true
    const form = { ...made, derived, meta: formMeta(made, derived) }
    this.kept.set(name, form)
    return form
  }
}

/** The same buffer when nothing changes. */
function rewritten(
  source: Buffer,
  { rules, carry, steeringLine }: FormWanted,
): { body: Buffer; template: CarriedTemplate | null } {
  const text = source.toString('latin1')
  const template = carry === undefined ? null : carriedTemplate(text, rules, carry, steeringLine)
  if (template?.isFilledIn === true) return { body: source, template }
  const own = rewritePlaylist(text, rules)
  // Behind the rewriting: the line leads where it says.
  const result = steeringLine === undefined ? own : announceSteering(own, steeringLine)
  return { body: result === text ? source : Buffer.from(result, 'latin1'), template }
}

const brotliAside = promisify<Buffer, BrotliOptions, Buffer>(brotliCompress)
const gzipAside = promisify<Buffer, ZlibOptions, Buffer>(gzip)

function brotliFor(body: Buffer): BrotliOptions {
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 4,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      // A window for playlists: the default one clears megabytes for each.
      [constants.BROTLI_PARAM_LGWIN]: 18,
    },
  }
}

/** Digests are of the origin's bytes (RFC 9530). */
const OF_OTHER_BYTES = new Set([
  'etag',
  'content-encoding',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
])

/** One client's answer is no other's: no shared cache may keep it, and no validator vouches for it. */
const OF_SHARED_ANSWERS = new Set([
  'etag',
  'last-modified',
  'cache-control',
  'cdn-cache-control',
  'surrogate-control',
  'expires',
  'pragma',
])

/** The client itself may go by what the origin said. */
function privateCacheControl(field: string | undefined): string {
  const { maxAge, noStore, noCache } = parseCacheControl(field)
  if (noStore) return 'private, no-store'
  if (noCache) return 'private, no-cache'
  return maxAge === undefined ? 'private' : `private, max-age=${maxAge}`
}

function formMeta(made: Omit<KeptForm, 'meta' | 'derived'>, derived: boolean): ObjectMeta {
  const { of, coding, wanted, body, template } = made
  const fields: string[] = []
  let varies = !wanted.varies
  const forOne = template?.isFilledIn === true || wanted.carry?.by === 'cookie'
  for (let i = 0; i < of.fields.pairs.length; i += 2) {
    const name = of.fields.pairs[i] ?? ''
    const value = of.fields.pairs[i + 1] ?? ''
    const lower = name.toLowerCase()
    if (derived && OF_OTHER_BYTES.has(lower)) continue
    if (forOne && OF_SHARED_ANSWERS.has(lower)) continue
    if (lower === 'vary' && /(?:^|[,\s])(?:accept-encoding|\*)(?:$|[,\s])/i.test(value)) varies = true
    fields.push(name, value)
  }
  if (!varies) fields.push('Vary', 'Accept-Encoding')
  if (forOne) fields.push('Cache-Control', privateCacheControl(of.fields.list('cache-control')))
  const etag = forOne ? undefined : derived ? formEtag(of.etag, wanted.rules.id, coding) : of.etag
  if (derived && etag !== undefined) fields.push('ETag', etag)
  if (coding !== 'identity') fields.push('Content-Encoding', coding)
  return {
    ...of,
    etag,
    fields: new FieldBlock(fields),
    length: body.length,
    sliceBytes: Math.max(1, body.length),
  }
}

/**
 * Its own, and weak: another edge's compressor may make other bytes of the same playlist, and nobody needs ranges of
 * it (RFC 9110 §8.8.3.3).
 */
function formEtag(etag: string | undefined, rulesId: string, coding: ContentCoding): string | undefined {
  if (etag === undefined) return undefined
  const opaque = etag.slice(etag.indexOf('"') + 1, -1)
  return `W/"${opaque}-${rulesId}${coding === 'identity' ? '' : `-${coding}`}"`
}
