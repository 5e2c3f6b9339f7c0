// Columns of numbers, a row a slot. They grow in place: the address range for the most rows is reserved at
// once, memory comes with the rows, and nothing is ever copied.

export const NO_SLOT = 0xffff_ffff

export type Words = Uint32Array<ArrayBuffer>
export type Bytes = Uint8Array<ArrayBuffer>

export function wordColumn(slotsMax: number): Words {
  return new Uint32Array(new ArrayBuffer(0, { maxByteLength: slotsMax * Uint32Array.BYTES_PER_ELEMENT }))
}

export function byteColumn(slotsMax: number): Bytes {
  return new Uint8Array(new ArrayBuffer(0, { maxByteLength: slotsMax }))
}

export function growColumn(column: Words | Bytes, slots: number): void {
  column.buffer.resize(slots * column.BYTES_PER_ELEMENT)
}
