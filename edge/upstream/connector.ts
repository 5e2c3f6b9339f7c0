// How connections to upstreams are made. A reset is never the end of an answer: undici takes it for one where the end
// is told by closing (a concession to macOS), and half a body would be kept as a whole one (RFC 9112 §8).
import { buildConnector } from 'undici'
import { systemCode } from '../../src/errors.ts'

/** What a connection that was reset fails with; undici gives it no meaning of its own. */
export const RESET_CODE = 'ECONNABORTED'

export function upstreamConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options)
  const servername = 'servername' in options ? options.servername : undefined
  return (target, callback) => {
    // undici would rather ask for the name of the Host field.
    connect(servername === undefined ? target : { ...target, servername }, (...made) => {
      // Heard before undici hears it.
      made[1]?.on('error', (error) => {
        if (systemCode(error) === 'ECONNRESET') Object.assign(error, { code: RESET_CODE })
      })
      callback(...made)
    })
  }
}
