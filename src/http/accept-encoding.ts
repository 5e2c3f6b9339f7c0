// Accept-Encoding (RFC 9110 §12.5.3): which coding of a body a client is sent. Pure.

export type ContentCoding = 'br' | 'gzip' | 'identity'

/** Best first: of codings that a client likes equally, the one that comes out smallest. */
const PREFERRED: readonly ContentCoding[] = ['br', 'gzip', 'identity']
/** Longer than any client's list: what is behind it is not read. */
const MEMBERS_MAX = 32

const MEMBER = /^\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i

/**
 * The best coding that the client takes. No field means that it said nothing: it gets the plain body. A client that
 * refuses everything gets the plain body too, as the server may (§12.5.3).
 */
export function chooseCoding(field: string | undefined): ContentCoding {
  if (field === undefined || field === '') return 'identity'
  // What browsers and players send.
  if (field === 'gzip, deflate, br, zstd' || field === 'gzip, deflate, br') return 'br'
  const weights = weightsOf(field)
  let best: ContentCoding = 'identity'
  let bestWeight = 0
  for (const coding of PREFERRED) {
    const weight = weightOf(coding, weights)
    if (weight > bestWeight) {
      best = coding
      bestWeight = weight
    }
  }
  return best
}

function weightOf(coding: ContentCoding, weights: ReadonlyMap<string, number>): number {
  const named = weights.get(coding) ?? (coding === 'gzip' ? weights.get('x-gzip') : undefined)
  if (named !== undefined) return named
  // Not named, the plain body stands behind every coding that is, unless `*` rules it out.
  if (coding === 'identity') return weights.get('*') === 0 ? 0 : 0.0001
  return weights.get('*') ?? 0
}

/** Coding in lower case → weight. A member that is not well formed is passed over. */
function weightsOf(field: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const member of field.split(',', MEMBERS_MAX)) {
    const match = MEMBER.exec(member)
    if (match !== null) weights.set((match[1] ?? '').toLowerCase(), Number(match[2] ?? 1))
  }
  return weights
}
