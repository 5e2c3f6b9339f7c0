// `edgeward demo` in a test: on free ports, with its temporary directory where the test can look into it.
// Ended by its pid when the test ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { ExitStatus } from './process.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

const httpUrl = z.string().regex(/^http:\/\/127\.0\.0\.1:\d+/)

/** The line that `--json` prints. */
export const demoInfoSchema = z.strictObject({
  player: httpUrl,
  vod: httpUrl,
  live: httpUrl,
  mp4: httpUrl,
  origin: httpUrl,
  scheduler: z.strictObject({ steering: httpUrl, admin: httpUrl }),
  edges: z
    .array(
      z.strictObject({
        id: z.string(),
        site: z.string(),
        url: httpUrl,
        admin: httpUrl,
        pid: z.number().int().positive(),
      }),
    )
    .length(3),
})

export type DemoInfo = z.infer<typeof demoInfoSchema>

export interface RunningDemo {
  info: DemoInfo
  pid: number
  /** Where the demo makes its own directory. */
  tempRoot: string
  stderr(): string
  exited: Promise<ExitStatus>
  /** Sends the signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<ExitStatus>
}

/** Resolves when the demo has printed its line; rejects with its stderr when it ends instead. */
export async function startDemo(t: TestScope): Promise<RunningDemo> {
  const tempRoot = await tempDirectory(t)
  // `env -u`: tap loads a recorder into children through NODE_OPTIONS, which slows their start.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, CLI, 'demo', '--any-ports', '--json'], {
    env: { ...process.env, TMPDIR: tempRoot },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return exited
  }
  t.teardown(() => stop('SIGTERM'))
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited])
  if (!Array.isArray(line)) throw new Error(`the demo ended with ${line.code ?? line.signal}:\n${stderr}`)
  const info = demoInfoSchema.parse(JSON.parse(String(line[0])))
  return { info, pid: child.pid ?? 0, tempRoot, stderr: () => stderr, exited, stop }
}
