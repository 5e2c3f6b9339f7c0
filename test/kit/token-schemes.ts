// The schemes with shared keys behind one face, for what must hold for all of them.
import { createHdnts, signHdnts } from '../../src/token/hdnts.ts'
import { createSecureLink, signSecureLink } from '../../src/token/secure-link.ts'
import { createTypeA, signTypeA } from '../../src/token/type-a.ts'
import { createTypeB, signTypeB } from '../../src/token/type-b.ts'
import { createTypeC, signTypeC } from '../../src/token/type-c.ts'
import { createTypeD, signTypeD } from '../../src/token/type-d.ts'
import type { SignOptions } from '../../src/token/signing.ts'
import type { TokenScheme } from '../../src/token/token.ts'

export interface SharedKeyScheme {
  readonly name: string
  /** Ends are written in steps of this. */
  readonly stepMs: number
  /** After the end that is written, it still holds so long. */
  readonly graceMs: number
  /** The token is for one client address. */
  readonly bound: boolean
  /** The token stands before the path. */
  readonly inPath: boolean
  create(keys: readonly string[]): TokenScheme
  /** `options.address` only where it is bound. */
  sign(keys: readonly string[], target: string, options: SignOptions): string
}

const SECOND = { stepMs: 1000, graceMs: 0, bound: false, inPath: false }
const BOUND_LINK = '$secure_link_expires$uri$remote_addr $key'

/** Any text is a key; Akamai's are hex. */
function hexed(keys: readonly string[]): string[] {
  return keys.map((key) => Buffer.from(key).toString('hex'))
}

export const SHARED_KEY_SCHEMES: readonly SharedKeyScheme[] = [
  {
    name: 'type-a',
    ...SECOND,
    create: (keys) => createTypeA({ keys }),
    sign: (keys, target, options) => signTypeA({ keys }, target, { ...options, random: 'r4nd', uid: '7' }),
  },
  {
    name: 'type-a sha256',
    ...SECOND,
    create: (keys) => createTypeA({ keys, hash: 'sha256', parameter: 'sign' }),
    sign: (keys, target, options) => signTypeA({ keys, hash: 'sha256', parameter: 'sign' }, target, options),
  },
  {
    name: 'type-b',
    ...SECOND,
    stepMs: 60_000,
    inPath: true,
    create: (keys) => createTypeB({ keys }),
    sign: (keys, target, options) => signTypeB({ keys }, target, options),
  },
  {
    name: 'type-c path',
    ...SECOND,
    inPath: true,
    create: (keys) => createTypeC({ keys }),
    sign: (keys, target, options) => signTypeC({ keys }, target, options),
  },
  {
    name: 'type-c query',
    ...SECOND,
    create: (keys) => createTypeC({ keys, place: 'query' }),
    sign: (keys, target, options) => signTypeC({ keys, place: 'query' }, target, options),
  },
  {
    name: 'type-d',
    ...SECOND,
    create: (keys) => createTypeD({ keys }),
    sign: (keys, target, options) => signTypeD({ keys }, target, options),
  },
  {
    name: 'secure-link',
    ...SECOND,
    graceMs: 1000,
    bound: true,
    create: (keys) => createSecureLink({ keys, expression: BOUND_LINK }),
    sign: (keys, target, options) => signSecureLink({ keys, expression: BOUND_LINK }, target, options),
  },
  {
    name: 'hdnts url',
    ...SECOND,
    bound: true,
    create: (keys) => createHdnts({ keys: hexed(keys) }),
    sign: (keys, target, options) => signHdnts({ keys: hexed(keys) }, target, options),
  },
  {
    name: 'hdnts acl',
    ...SECOND,
    bound: true,
    create: (keys) => createHdnts({ keys: hexed(keys) }),
    sign(keys, target, options) {
      const acl = target.split('?', 1)[0]?.replaceAll(/[!?*]/g, '?') ?? ''
      return signHdnts({ keys: hexed(keys) }, target, { ...options, acl })
    },
  },
]
