// The objects that the origin has and that every server must give back: `/<bytes>/<number>`, bytes that depend
// on the number, so that a mix-up shows.

const PATTERN_BYTES = 251

export function objectPath(bytes: number, number: number): string {
  return `/${bytes}/${number}`
}

export function parseObjectPath(path: string): { bytes: number; number: number } | undefined {
  const match = /^\/(\d{1,9})\/(\d{1,9})$/.exec(path)
  return match === null ? undefined : { bytes: Number(match[1]), number: Number(match[2]) }
}

export function objectBody(bytes: number, number: number): Buffer {
  const pattern = Buffer.from(Array.from({ length: PATTERN_BYTES }, (_, i) => (i * 7 + number) % 256))
  const body = Buffer.alloc(bytes, pattern)
  body.write(String(number).padStart(10, '0').slice(0, bytes), 'latin1')
  return body
}
