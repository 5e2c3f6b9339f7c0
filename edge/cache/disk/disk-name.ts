// The name of a slice on disk: 96 bits of SHA-256 over key and slice number. The index keeps the bits and
// makes the file's name from them; the file holds the key itself, so a clash is a miss, not a wrong answer.
import { hash } from 'node:crypto'
import { sliceName } from '../object-meta.ts'

/** The three words of 32 bits. */
export interface SliceId {
  readonly a: number
  readonly b: number
  readonly c: number
}

const FILE_NAME = /^[0-9a-f]{24}$/

export function sliceIdOf(key: string, index: number): SliceId {
  const digest = hash('sha256', sliceName(key, index), 'buffer')
  return { a: digest.readUInt32BE(0), b: digest.readUInt32BE(4), c: digest.readUInt32BE(8) }
}

/** 24 hex digits; the folder is the first two. */
export function fileNameOf(id: SliceId): string {
  return hex(id.a) + hex(id.b) + hex(id.c)
}

/** undefined for a name that no slice has. */
export function parseFileName(name: string): SliceId | undefined {
  if (!FILE_NAME.test(name)) return undefined
  return { a: wordAt(name, 0), b: wordAt(name, 8), c: wordAt(name, 16) }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}

function wordAt(name: string, at: number): number {
  return Number.parseInt(name.slice(at, at + 8), 16)
}
