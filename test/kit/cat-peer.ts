// The independent peer for Common Access Tokens: @eyevinn/cat over cose-js, mended in one place to run on this Node.
import { createRequire } from 'node:module'
import { CAT } from '@eyevinn/cat'

/** Key of the published examples (RFC 8392 appendix A.2.2, @eyevinn/cat, Akamai's CAT module). */
export const EXAMPLE_KEY = Buffer.from(
  '403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388',
  'hex',
)

interface Encoder {
  pushAny(value: unknown): boolean
  read(): Buffer | null
}

interface CborLibrary {
  Encoder: { new (): Encoder; prototype: object }
}

export interface CoseLibrary {
  sign: {
    verify(message: Buffer, verifier: { key: { x: Buffer; y: Buffer } }): Promise<Buffer>
  }
}

const fromPeer = createRequire(import.meta.resolve('@eyevinn/cat'))
// Its packages are its own: what they export is written down above.
export const cose: CoseLibrary = fromPeer('cose-js')
const cbor: CborLibrary = createRequire(fromPeer.resolve('cose-js'))('cbor')

// The encoder of cbor 8 is a stream of which it reads once; in Node 26 that is its first piece, not all of it.
Object.defineProperty(cbor.Encoder.prototype, '_encodeAll', {
  value(this: Encoder, values: readonly unknown[]): Buffer {
    for (const value of values) this.pushAny(value)
    const pieces: Buffer[] = []
    for (let piece = this.read(); piece !== null; piece = this.read()) pieces.push(piece)
    return Buffer.concat(pieces)
  },
})

export const KEY_ID = 'Symmetric256'

export function catPeer(): CAT {
  return new CAT({ keys: { [KEY_ID]: EXAMPLE_KEY }, expectCwtTag: true })
}
