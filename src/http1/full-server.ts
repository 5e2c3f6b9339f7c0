// The node:http server that takes over a connection which the bodiless server does not read on: HTTP/1.0, requests
// with bodies, other methods, odd heads. It never listens; it is given sockets. One request at a time is handled
// on each connection, and none behind a reply that closes it (RFC 9112 §9.6).
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { NO_FIELDS } from '../http/fields.ts'
import type { ConnectionHost } from './connection.ts'
import { HEAD_BYTES_MAX, HEAD_FIELDS_MAX, HEAD_TIMEOUT_MS, IDLE_TIMEOUT_MS, PIPELINED_MAX } from './limits.ts'
import { NodeTransaction } from './node-transaction.ts'
import type { RequestFault } from './node-transaction.ts'

export function createFullServer(host: ConnectionHost): Server {
  const server = createServer({
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: HEAD_TIMEOUT_MS * 3,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: 1000,
    insecureHTTPParser: false,
    requireHostHeader: true,
    // As the other server reads them; node:http alone would keep the first of some fields.
    joinDuplicateHeaders: true,
  })
  server.maxHeadersCount = HEAD_FIELDS_MAX
  const onRequest = inTurn((message, response) => {
    const transaction = new NodeTransaction(message, response, host)
    if (transaction.fault === null) host.handler(transaction)
    else refuse(transaction, transaction.fault)
  })
  server.on('request', onRequest)
  // A client that waits for 100 gets its final answer instead; nobody here reads a body.
  server.on('checkContinue', onRequest)
  // It never listens itself, and only this event starts node:http's watch over its head and request timeouts.
  server.emit('listening')
  return server
}

type RequestListener = (message: IncomingMessage, response: ServerResponse) => void

/** node:http hands out pipelined requests as it reads them; here each waits for the end of the one before it. */
function inTurn(listener: RequestListener): RequestListener {
  const waiting = new WeakMap<object, (() => void)[]>()
  return function onRequest(message, response): void {
    const { socket } = message
    const start = () => {
      response.once('close', () => {
        const next = waiting.get(socket)?.shift()
        if (next === undefined) waiting.delete(socket)
        else if (socket.destroyed || socket.writableEnded) waiting.set(socket, [])
        else next()
      })
      listener(message, response)
    }
    const queue = waiting.get(socket)
    if (queue === undefined) {
      waiting.set(socket, [])
      start()
    } else if (queue.length < PIPELINED_MAX) queue.push(start)
    else socket.destroy()
  }
}

const FAULT_TEXT: Record<RequestFault, string> = {
  'bad-version': 'HTTP/1.1 is spoken here\n',
  'duplicate-host': 'more than one Host field\n',
  'bad-target': 'request target not understood\n',
}

function refuse(transaction: NodeTransaction, fault: RequestFault): void {
  const body = Buffer.from(FAULT_TEXT[fault])
  const extra = ['Content-Type', 'text/plain; charset=utf-8', 'Connection', 'close']
  transaction.send({ status: 400, fields: NO_FIELDS, extra, length: body.length }, body)
}
