// What is wrong with the access settings of properties that are well formed one by one: keys that do not fit their
// scheme, expressions that mean nothing, carriers that cannot carry.
import { compileAccess, grantSecrets } from '../access/property-access.ts'
import { messageOf } from '../errors.ts'
import type { ConfigProblem } from './config-error.ts'
import { located } from './finding.ts'
import type { Finding } from './finding.ts'
import type { PropertySettings } from './property-schema.ts'
import type { ConfigDocument } from './yaml-file.ts'

export function accessProblems(
  properties: readonly PropertySettings[],
  document: ConfigDocument,
  asnFiles: unknown,
): ConfigProblem[] {
  const found = properties.flatMap((property, i) =>
    problemsOf(property, asnFiles !== undefined).map(({ at, message }) => ({
      at: ['properties', i, ...at],
      message,
    })),
  )
  return located(found, document)
}

function problemsOf(property: PropertySettings, hasAsns: boolean): Finding[] {
  const { access, cors } = property
  const found: Finding[] = []
  const { tokens } = access
  if (access.keys !== undefined && tokens === undefined) {
    found.push({ at: ['access', 'keys'], message: 'needs `tokens`: keys are for those with a token only' })
  }
  if (tokens !== undefined && tokens.carry !== 'none' && grantSecrets(tokens).length === 0) {
    found.push({
      at: ['access', 'tokens', 'grantKeys'],
      message: 'is missing: public keys cannot sign what a playlist carries on; or say `carry: none`',
    })
  }
  if (tokens?.carry === 'cookie' && cors.origins.includes('*')) {
    found.push({
      at: ['cors', 'origins'],
      message: 'must name web origins: browsers send no cookies where any page may ask',
    })
  }
  try {
    const { rules } = compileAccess(property, access)
    if (rules?.needsAsns === true && !hasAsns)
      found.push({
        at: ['access'],
        message: 'asks for networks by number (ASN): name a database in geoip.asn',
      })
  } catch (error) {
    found.push({ at: ['access'], message: messageOf(error) })
  }
  return found
}
