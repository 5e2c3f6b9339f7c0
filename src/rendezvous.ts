// Weighted rendezvous hashing: which of several nodes holds a key. Every scheduler that knows the same
// nodes gives the same answer; a node that comes or goes moves only the keys it wins or held.
// Score: -weight / ln(u), u uniform in (0, 1) (Schindelhauer and Schomaker, "Weighted distributed hash
// tables", 2005): a node wins a share of the keys equal to its share of the weight.

/** 64 bits as two 32-bit integers. */
export interface Hash64 {
  readonly hi: number
  readonly lo: number
}

export interface RendezvousNode {
  readonly id: string
  /** hash64(id), computed once. */
  readonly hash: Hash64
}

/** 32-bit finaliser of MurmurHash3: every input bit reaches every output bit. */
function mix32(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}

/** Hashes a text to 64 bits: two 32-bit lanes over its UTF-16 units, mixed into each other at the end. */
export function hash64(text: string): Hash64 {
  return hash64OfJoined('', text, text.length)
}

/** Of `front` and the first `backLength` units of `back` as one text, without making it. */
export function hash64OfJoined(front: string, back: string, backLength: number): Hash64 {
  const length = front.length + backLength
  let a = SEED_A ^ length
  let b = SEED_B ^ length
  for (let i = 0; i < length; i++) {
    const unit = i < front.length ? front.charCodeAt(i) : back.charCodeAt(i - front.length)
    a = turnA(a, unit)
    b = turnB(b, unit)
  }
  return endOf(a, b)
}

/** The same of texts that are Latin-1 bytes, as in a request's head. */
export function hash64OfBytes(front: Uint8Array, bytes: Uint8Array, start: number, end: number): Hash64 {
  const length = front.length + end - start
  let a = SEED_A ^ length
  let b = SEED_B ^ length
  for (let i = 0; i < front.length; i++) {
    const byte = front[i] ?? 0
    a = turnA(a, byte)
    b = turnB(b, byte)
  }
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    a = turnA(a, byte)
    b = turnB(b, byte)
  }
  return endOf(a, b)
}

const SEED_A = 0xdeadbeef
const SEED_B = 0x41c6ce57

function turnA(a: number, unit: number): number {
  const turned = Math.imul(a ^ unit, 0x9e3779b1)
  return (turned << 13) | (turned >>> 19)
}

function turnB(b: number, unit: number): number {
  const turned = Math.imul(b ^ unit, 0x5f356495)
  return (turned << 17) | (turned >>> 15)
}

function endOf(a: number, b: number): Hash64 {
  const hi = mix32(a ^ Math.imul(b, 0x27d4eb2f))
  return { hi, lo: mix32(b ^ Math.imul(hi, 0x165667b1)) }
}

/** Hashes four 32-bit words to 64 bits: for keys that are numbers already, such as networks. */
export function hash64OfWords(a: number, b: number, c: number, d: number): Hash64 {
  const ab = mix32(Math.imul(a ^ 0x9e3779b1, 0x85ebca6b) ^ mix32(b ^ 0x5f356495))
  const cd = mix32(Math.imul(c ^ 0x27d4eb2f, 0xc2b2ae35) ^ mix32(d ^ 0x165667b1))
  const hi = mix32(ab ^ Math.imul(cd, 0x27d4eb2f))
  return { hi, lo: mix32(cd ^ Math.imul(hi, 0x165667b1)) }
}

/** A number in (0, 1), never 0 or 1, with 52 bits of the mix of a key and a node. */
export function unitOf(key: Hash64, node: Hash64): number {
  return unitOfWords(key.hi, key.lo, node.hi, node.lo)
}

/** The same of the words of both. */
export function unitOfWords(keyHi: number, keyLo: number, nodeHi: number, nodeLo: number): number {
  const a = mix32(keyHi ^ nodeLo)
  const b = mix32(keyLo ^ nodeHi ^ Math.imul(a, 0x9e3779b1))
  const c = mix32(a ^ Math.imul(b, 0x85ebca6b) ^ nodeHi)
  return ((b >>> 6) * 2 ** 26 + (c >>> 6) + 0.5) / 2 ** 52
}

/** The node's claim on the key; the highest of all nodes wins. A weight of 0 never wins over a positive one. */
export function scoreOf(key: Hash64, node: Hash64, weight: number): number {
  return scoreOfUnit(unitOf(key, node), weight)
}

/** Grows with `unit`: nodes of one weight are in the order of their units. */
export function scoreOfUnit(unit: number, weight: number): number {
  return -weight / Math.log(unit)
}

/** A scored node; ids break ties, so that the order of the input never matters. */
export interface Claim {
  readonly id: string
  readonly score: number
}

/** Negative when `x` is the better claim. */
export function compareClaims(x: Claim, y: Claim): number {
  if (x.score !== y.score) return y.score - x.score
  if (x.id === y.id) return 0
  return x.id < y.id ? -1 : 1
}

/** All nodes, best claim first. */
export function rankByRendezvous<N extends RendezvousNode>(
  key: Hash64,
  nodes: readonly N[],
  weightOf: (node: N) => number,
): N[] {
  return nodes
    .map((node) => ({ node, id: node.id, score: scoreOf(key, node.hash, weightOf(node)) }))
    .toSorted(compareClaims)
    .map((claim) => claim.node)
}
