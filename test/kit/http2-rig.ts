// The public server over HTTP/2 in the test's own process, with a handler that answers by the path asked for.
import { NO_FIELDS } from '../../src/http/fields.ts'
import type { Transaction } from '../../src/http/transaction.ts'
import { get, openFrames } from './http2-frames.ts'
import type { TestScope } from './scope.ts'
import { openTlsRig } from './tls-server.ts'
import type { TlsRig } from './tls-server.ts'

const OK = Buffer.from('ok')
const LARGE = Buffer.alloc(4 * 2 ** 20, 'x')

/** `/ok` is answered at once, `/large` streamed, `/held` never; `/body` when all of its body is there. */
async function answer({ request, reply }: Transaction): Promise<void> {
  if (request.target === '/held') return
  if (request.target === '/large') {
    reply.start({ status: 200, fields: NO_FIELDS, extra: [], length: LARGE.length })
    if (await reply.write(LARGE)) reply.end()
    return
  }
  if (request.target === '/body' && request.body !== null) {
    try {
      await request.body.toArray()
    } catch {
      return
    }
  }
  reply.send({ status: 200, fields: NO_FIELDS, extra: [], length: OK.length }, OK)
}

export function openHttp2Rig(t: TestScope): Promise<TlsRig> {
  return openTlsRig(t, (transaction) => void answer(transaction))
}

/** On a connection of its own. */
export async function servesOthers(t: TestScope, rig: TlsRig): Promise<boolean> {
  const client = await openFrames(t, rig.port)
  const outcome = await client.outcome(client.request(get('/ok')))
  client.socket.destroy()
  return outcome === 200
}
