// What an origin says an object may be purged by: Surrogate-Key, words apart by spaces, and Cache-Tag, apart by commas.
import type { FieldBlock } from '../../src/http/fields.ts'
import { OBJECT_TAGS_MAX, OBJECT_TAG_CHARS_MAX } from '../limits.ts'

export const TAG_FIELDS = ['surrogate-key', 'cache-tag'] as const

/** Each once; undefined for none. What is longer than a tag may be, and what is beyond their number, is no tag. */
export function tagsOf(fields: FieldBlock): readonly string[] | undefined {
  const words = [
    ...(fields.list('surrogate-key')?.split(/[\s,]+/) ?? []),
    ...(fields.list('cache-tag')?.split(',') ?? []),
  ]
  if (words.length === 0) return undefined
  const tags = new Set(words.map((word) => word.trim()))
  const kept = [...tags].filter((tag) => tag !== '' && tag.length <= OBJECT_TAG_CHARS_MAX)
  return kept.length === 0 ? undefined : kept.slice(0, OBJECT_TAGS_MAX)
}
