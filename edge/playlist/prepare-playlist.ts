// Step: of a playlist, the form that this client is sent. It needs the whole body, which is short; anything that
// turns out to be no playlist is answered as what it is.
import { isPrefixed } from '../../src/property-index.ts'
import { beginsLikePlaylist, PLAYLIST_BYTES_MAX } from '../../src/hls/lines.ts'
import { chooseCoding } from '../../src/http/accept-encoding.ts'
import { ageOf } from '../cache/freshness.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { Exchange } from '../exchange.ts'
import { fetchTargetOf } from '../fill/fetch-target.ts'
import { ObjectReader, VersionChanged } from '../fill/object-reader.ts'
import type { StepName } from '../request-flow.ts'
import { steeringLine } from './announce-steering.ts'
import { carryGrants, carryingOf, isReloadedByToken } from './carry-grants.ts'
import type { FormWanted, PlaylistForm } from './playlist-forms.ts'

/** Asked by `respond`: this object has to be prepared first. */
export function needsPreparing(exchange: Exchange, meta: ObjectMeta): boolean {
  // As it came: whoever faces the client makes it theirs.
  if (exchange.peer !== null) return false
  if (meta.playlist === undefined || exchange.form !== null || exchange.unread || exchange.passed)
    return false
  return meta.status === 200 && (meta.length === null || meta.length <= PLAYLIST_BYTES_MAX)
}

export function preparePlaylist(exchange: Exchange): StepName | Promise<StepName> {
  const { meta, edge } = exchange
  if (meta === null) throw new Error('prepare-playlist comes after look-up')
  const body =
    meta.length !== null && meta.length <= meta.sliceBytes ? edge.cache.findSlice(meta, 0) : undefined
  return body === undefined ? readThenPrepare(exchange, meta) : prepare(exchange, meta, body)
}

function prepare(exchange: Exchange, meta: ObjectMeta, body: Buffer): StepName | Promise<StepName> {
  if (!beginsLikePlaylist(body)) {
    const whole = { ...meta, length: body.length, sliceBytes: Math.max(1, body.length) }
    return take(exchange, { meta: whole, body, derived: false, template: null })
  }
  if (isReloadedByToken(exchange, body)) return 'carry-by-redirect'
  const form = exchange.edge.playlistForms.formOf(meta, body, wantedBy(exchange))
  return form instanceof Promise ? form.then((made) => take(exchange, made)) : take(exchange, form)
}

function take(exchange: Exchange, form: PlaylistForm): StepName {
  const own = form.template === null ? form : carryGrants(exchange, form, form.template)
  exchange.form = own
  exchange.meta = own.meta
  return 'respond'
}

function wantedBy(exchange: Exchange): FormWanted {
  const { path, property, request } = exchange
  if (property === null) throw new Error('prepare-playlist comes after select-property')
  const { rewriting, compresses } = property.playlists
  const rules = isPrefixed(request.target) ? rewriting.prefixed : rewriting.byHost
  return {
    rules,
    steeringLine: rules.announcement === null ? undefined : steeringLine(rules.announcement, path),
    coding: compresses ? chooseCoding(request.header('accept-encoding')) : 'identity',
    varies: compresses,
    carry: carryingOf(exchange),
  }
}

async function readThenPrepare(exchange: Exchange, meta: ObjectMeta): Promise<StepName> {
  const { edge, pull } = exchange
  exchange.pull = null
  const span = { start: 0, end: meta.length ?? Number.POSITIVE_INFINITY }
  const reader = new ObjectReader(edge.cache, edge.fills, () => fetchTargetOf(exchange), meta, span, pull)
  const pieces: Buffer[] = []
  let length = 0
  try {
    for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
      // A piece holds until the next is asked for.
      pieces.push(Buffer.copyBytesFrom(piece))
      length += piece.length
      if (length > PLAYLIST_BYTES_MAX || (length >= OPENING_BYTES && !opens(pieces)))
        return asItComes(exchange)
    }
  } catch (error) {
    if (!(error instanceof VersionChanged) || exchange.restarted) throw error
    exchange.restarted = true
    return 'look-up'
  } finally {
    reader.close()
  }
  // By now its head may say how long it lives, and its bytes lie where the next client finds them.
  const known = edge.cache.findMeta(meta.key)
  const current = known !== undefined && known.receivedMs === meta.receivedMs ? known : { ...meta, length }
  if (exchange.cache.ttl !== null) {
    exchange.cache.ttl = Math.floor((current.lifetimeMs - ageOf(current, edge.clock.now())) / 1000)
  }
  return prepare(exchange, current, edge.cache.findSlice(current, 0) ?? Buffer.concat(pieces, length))
}

/** Enough to see that it is no playlist: what has only its name may be a stream without end. */
const OPENING_BYTES = 64

function opens(pieces: readonly Buffer[]): boolean {
  const [first] = pieces
  return first === undefined || first.length < OPENING_BYTES || beginsLikePlaylist(first)
}

/** Nothing of it was sent yet: from the start again, and this time unread. */
function asItComes(exchange: Exchange): StepName {
  exchange.unread = true
  return 'look-up'
}
