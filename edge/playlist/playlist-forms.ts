// The forms of a cached playlist that clients are sent: rewritten for the way they came, compressed as they like it.
// The playlist itself is cached once; a form is made when it is first asked for, and kept while it is current.
import { promisify } from 'node:util'
import { brotliCompress, brotliCompressSync, constants, gzip, gzipSync } from 'node:zlib'
import type { BrotliOptions, ZlibOptions } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { rewritePlaylist } from '../../src/hls/rewrite.ts'
import type { RewriteRules } from '../../src/hls/rewrite.ts'
import type { ContentCoding } from '../../src/http/accept-encoding.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'

/** What a client's request makes of a playlist. */
export interface FormWanted {
  /** Named by `id`: rules with one id make the same bytes. */
  rules: RewriteRules & { readonly id: string }
  coding: ContentCoding
  /** The property compresses playlists, so that what is sent depends on Accept-Encoding. */
  varies: boolean
}

export interface PlaylistForm {
  readonly meta: ObjectMeta
  readonly body: Buffer
  /** Other bytes than the origin's: of these the edge serves no ranges. */
  readonly derived: boolean
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
      sizeCalculation: ({ source, body, derived, meta }) =>
        source.length + (derived ? body.length : 0) + meta.fields.text.length + ENTRY_OVERHEAD_BYTES,
    })
  }

  get bytes(): number {
    return this.kept.calculatedSize
  }

  /** The form of these bytes. At once when it is kept or quickly made. */
  formOf(meta: ObjectMeta, source: Buffer, wanted: FormWanted): PlaylistForm | Promise<PlaylistForm> {
    const name = `${meta.key}\n${wanted.rules.prefix}\n${wanted.coding}`
    const kept = this.kept.get(name)
    // By the identity of the bytes: two states of a live playlist may share a Last-Modified and a length.
    if (kept !== undefined && kept.source === source && kept.wanted.rules.id === wanted.rules.id) {
      return kept.of === meta ? kept : this.keep(name, { ...kept, of: meta })
    }
    const making = this.making.get(name)
    if (making !== undefined && making.source === source) return making.promise
    const plain = rewritten(source, wanted.rules)
    const made = { source, of: meta, wanted, body: plain, coding: PLAIN }
    if (wanted.coding === 'identity' || plain.length < COMPRESSED_MIN_BYTES) return this.keep(name, made)
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
    const derived = made.body !== made.source
    const form = { ...made, derived, meta: formMeta(made, derived) }
    this.kept.set(name, form)
    return form
  }
}

/** The same buffer when nothing changes. */
function rewritten(source: Buffer, rules: RewriteRules): Buffer {
  const text = source.toString('latin1')
  const result = rewritePlaylist(text, rules)
  return result === text ? source : Buffer.from(result, 'latin1')
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

function formMeta(made: Omit<KeptForm, 'meta' | 'derived'>, derived: boolean): ObjectMeta {
  const { of, coding, wanted, body } = made
  const fields: string[] = []
  let varies = !wanted.varies
  for (let i = 0; i < of.fields.pairs.length; i += 2) {
    const name = of.fields.pairs[i] ?? ''
    const value = of.fields.pairs[i + 1] ?? ''
    const lower = name.toLowerCase()
    if (derived && OF_OTHER_BYTES.has(lower)) continue
    if (lower === 'vary' && /(?:^|[,\s])(?:accept-encoding|\*)(?:$|[,\s])/i.test(value)) varies = true
    fields.push(name, value)
  }
  if (!varies) fields.push('Vary', 'Accept-Encoding')
  const etag = derived ? formEtag(of.etag, wanted.rules.id, coding) : of.etag
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
