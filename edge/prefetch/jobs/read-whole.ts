// The body of a playlist that is here.
import { PLAYLIST_BYTES_MAX } from '../../../src/hls/lines.ts'
import { EdgewardError } from '../../../src/errors.ts'
import type { ObjectMeta } from '../../cache/object-meta.ts'
import type { FetchTarget } from '../../fill/fetch.ts'
import { ObjectReader } from '../../fill/object-reader.ts'
import type { BringingDeps } from './bring-object.ts'

/** null: longer than one may be, or gone again. */
export async function readWhole(
  meta: ObjectMeta,
  target: FetchTarget,
  { cache, fills }: BringingDeps,
): Promise<Buffer | null> {
  const { length } = meta
  if (length === null || length > PLAYLIST_BYTES_MAX) return null
  const reader = new ObjectReader(cache, fills, () => target, meta, { start: 0, end: length }, null)
  const pieces: Buffer[] = []
  try {
    // A piece holds until the next is asked for.
    for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
      pieces.push(Buffer.copyBytesFrom(piece))
    }
    return Buffer.concat(pieces)
  } catch (error) {
    if (error instanceof EdgewardError) return null
    throw error
  } finally {
    reader.close()
  }
}
