// An origin on bare sockets: for each path it sends byte for byte what a test says, and does with the connection what it
// is told to. For everything that no proper server would send.
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { listen } from '../../src/net/listen.ts'
import type { TestScope } from './scope.ts'

export type RawScript = (socket: Socket) => void

const OK =
  'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: "a"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'

/** Answers paths by the first script whose name they begin with; any other with `ok`. */
export async function startRawOrigin(
  t: TestScope,
  scripts: Readonly<Record<string, RawScript>>,
): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.once('data', (bytes: Buffer) => {
      const path = /^\S+ (\S+)/.exec(bytes.toString('latin1'))?.[1] ?? ''
      const script = Object.entries(scripts).find(([name]) => path.startsWith(name))?.[1]
      if (script === undefined) socket.end(OK)
      else script(socket)
    })
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'origin')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${port}`
}

/** Sends it, and closes. */
export const say =
  (text: string): RawScript =>
  (socket) =>
    void socket.end(text, 'latin1')

/** The same text until the other side has had enough. */
export const endlessly =
  (first: string, text: string): RawScript =>
  (socket) => {
    const bytes = Buffer.from(text, 'latin1')
    socket.write(first)
    const more = () => {
      while (!socket.destroyed && socket.write(bytes));
      socket.once('drain', more)
    }
    more()
  }
