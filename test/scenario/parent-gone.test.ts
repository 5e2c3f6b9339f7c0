// A daemon that another process started, such as `edgeward demo` or a test, does not outlive it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { prepareEdge } from '../kit/edge.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

for (const [when, isReady] of [
  ['before it is ready', false],
  ['while it serves', true],
] as const) {
  t.test(`its parent is gone ${when}: it ends by itself`, async (t) => {
    const edge = await prepareEdge(t, { origin: 'http://127.0.0.1:9' })
    const child = spawn(
      'env',
      ['-u', 'NODE_OPTIONS', process.execPath, CLI, 'edge', '--config', edge.configFile],
      {
        cwd: edge.directory,
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      },
    )
    t.teardown(() => child.kill('SIGKILL'))
    if (isReady) await once(child, 'message')
    const ended = once(child, 'exit')
    child.disconnect()
    t.same(await ended, [0, null])
  })
}
