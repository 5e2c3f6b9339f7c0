// The body of an HTTP/2 request as a stream of its own: whoever reads it may break it off without taking the reply
// with it, which goes out over the other half of the same node:http2 stream.
import { Readable } from 'node:stream'
import type { ServerHttp2Stream } from 'node:http2'

export function bodyOf(stream: ServerHttp2Stream): Readable {
  let over = false
  const body = new Readable({
    read: () => void stream.resume(),
    destroy: (error, done) => {
      over = true
      stream.off('data', onData).off('end', onEnd)
      stream.off('aborted', onAborted).off('close', onAborted)
      // What still comes is read and dropped.
      if (!stream.destroyed) stream.resume()
      done(error)
    },
  })
  const onData = (chunk: Buffer) => {
    if (!body.push(chunk)) stream.pause()
  }
  const onEnd = () => {
    over = true
    body.push(null)
  }
  const onAborted = () => {
    if (!over) body.destroy(new Error('the client broke its request off'))
  }
  stream.on('data', onData).on('end', onEnd)
  stream.on('aborted', onAborted).on('close', onAborted)
  stream.pause()
  return body
}
