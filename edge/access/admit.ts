// Step: a request that may have what it asks for, on its way there.
import { isAtTop } from '../../src/access/grant.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'
import { isPlaylistName } from '../playlist/playlist-times.ts'

export function admit(exchange: Exchange): StepName {
  const { request, property, path, access } = exchange
  if (request.method !== 'GET' && request.method !== 'HEAD') return 'pass-through'
  const carriesByPath =
    property?.access.tokens?.carry === 'path' && access.admission !== null && !isAtTop(path)
  if (carriesByPath && access.admission?.grant?.by !== 'path' && isPlaylistName(path))
    return 'carry-by-redirect'
  return 'note-player'
}
