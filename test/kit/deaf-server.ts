// A port where connecting never ends: its queue is full and nobody takes anyone out of it, so the kernel drops whoever
// comes, as where packets vanish. For tests of what gives up waiting for a connection.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestScope } from './scope.ts'

/** Listens, says where, and never runs again. */
const DEAF = `
const server = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

/** `http://127.0.0.1:port`. */
export async function startDeaf(t: TestScope): Promise<string> {
  const child = spawn(process.execPath, ['-e', DEAF], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = await once(child.stdout, 'data')
  const port = Number(String(said))
  for (let queued = 0; queued < 2; queued++) {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
  }
  return `http://127.0.0.1:${port}`
}
