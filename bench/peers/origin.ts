// The origin behind every server under measurement, a process of its own: `node bench/peers/origin.ts PORT`.
// Cacheable objects of any length, and a count of what it was asked for, which tells a hit from a miss.
import { createServer } from 'node:http'
import { objectBody, parseObjectPath } from './objects.ts'

export const COUNT_PATH = '/count'

let asked = 0

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.url === COUNT_PATH) {
    response.end(String(asked))
    return
  }
  asked++
  const object = parseObjectPath(request.url ?? '')
  if (object === undefined) {
    response.writeHead(404, { 'Cache-Control': 'no-store' }).end()
    return
  }
  response.writeHead(200, {
    'Content-Type': 'video/mp4',
    'Content-Length': object.bytes,
    'Cache-Control': 'public, max-age=86400',
    'Last-Modified': 'Sun, 01 Nov 2026 00:00:00 GMT',
    ETag: `"${object.bytes}-${object.number}"`,
  })
  response.end(objectBody(object.bytes, object.number))
})

if (import.meta.main) server.listen(Number(process.argv[2]), '127.0.0.1')
