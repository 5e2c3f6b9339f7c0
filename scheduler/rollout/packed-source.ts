// A configuration's text and its files of networks, packed to be kept: beside its version in memory, and in Redis.
// Files that are too large stay on the disk; only by their hash is known whether they are still what they were.
import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'
import type { ConfigSource } from '../../src/config/load.ts'
import { CONFIG_PACKED_BYTES_MAX, CONFIG_UNPACKED_BYTES_MAX } from '../limits.ts'

const packedSchema = z.strictObject({
  text: z.string(),
  files: z.array(
    z.strictObject({
      name: z.string(),
      sha256: z.string(),
      /** Base64; null: it was too large. */
      content: z.string().nullable(),
    }),
  ),
})

type Packed = z.infer<typeof packedSchema>

/** What a version was made from, as far as it was kept. */
export interface KeptSource {
  readonly text: string
  readonly files: ReadonlyMap<string, { readonly sha256: string; readonly content: Buffer | null }>
}

export function packSource({ text, files }: ConfigSource): Buffer {
  const pack = (keepsFiles: boolean) => {
    const entries = [...files].map(([name, bytes]) => ({
      name,
      sha256: sha256Of(bytes),
      content: keepsFiles ? bytes.toString('base64') : null,
    }))
    return gzipSync(JSON.stringify({ text, files: entries } satisfies Packed))
  }
  const packed = pack(true)
  return packed.length <= CONFIG_PACKED_BYTES_MAX ? packed : pack(false)
}

/** undefined: no scheduler of this version packed it. */
export function unpackSource(packed: Buffer): KeptSource | undefined {
  try {
    const text = gunzipSync(packed, { maxOutputLength: CONFIG_UNPACKED_BYTES_MAX }).toString('utf8')
    const { text: yaml, files } = packedSchema.parse(JSON.parse(text))
    const contents = files.map(({ name, sha256, content }) => {
      const bytes = content === null ? null : Buffer.from(content, 'base64')
      return [name, { sha256, content: bytes }] as const
    })
    return { text: yaml, files: new Map(contents) }
  } catch {
    return undefined
  }
}

/** Reads a file of networks as it was: what was kept, or what is on the disk if it is still the same. */
export function readKept(
  { files }: KeptSource,
  fromDisk: (name: string) => Promise<Buffer | string>,
): (name: string) => Promise<Buffer | string> {
  return async (name) => {
    const kept = files.get(name)
    if (kept === undefined) return 'was not kept with this version'
    if (kept.content !== null) return kept.content
    const found = await fromDisk(name)
    if (typeof found === 'string' || sha256Of(found) === kept.sha256) return found
    return 'was too large to be kept with this version, and has changed since'
  }
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
