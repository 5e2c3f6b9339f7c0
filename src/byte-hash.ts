// A 32-bit hash of bytes for tables of this process, where it does no harm that some meet: whoever chooses the bytes can
// make them.

export function byteHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x9e3779b1)
  return hash ^ (hash >>> 15)
}
