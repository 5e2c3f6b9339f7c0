// Redis by TLS and password as a configuration file says it; whatever goes wrong, no word of a password gets out.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { fetch } from 'undici'
import { makeCertificate } from '../kit/certificates.ts'
import { runCommand, startDaemon } from '../kit/process.ts'
import { startRedis } from '../kit/redis-server.ts'
import { registryOf, schedulerConfig, startOperated } from '../kit/redis-viewers.ts'
import { schedulerFile } from '../kit/scheduler-process.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const PASSWORD = 'hush-hush-7381'

t.test('TLS with a CA file, the password from a file', async (t) => {
  const directory = await tempDirectory(t)
  const tls = await makeCertificate(directory, 'redis')
  const secret = path.join(directory, 'redis.password')
  await writeFile(secret, `${PASSWORD}\n`)
  const { url } = await startRedis(t, { tls, password: PASSWORD })
  const redis = { url, password: `\${file:${secret}}`, ca: tls.certificate }
  const scheduler = await startOperated(t, redis)
  await until('it is used', async () => (await registryOf(scheduler)).state === 'healthy')
  t.equal(await scheduler.override('gz-1', { state: 'drain' }), 'store')

  const strict = await startOperated(t, { url, password: PASSWORD })
  await until('without the CA, no', async () => {
    const { state, reason = '' } = await registryOf(strict)
    return state === 'held' && reason.includes('self-signed certificate')
  })
  t.notMatch(strict.daemon.stderr(), PASSWORD)

  const missing = await schedulerFile(t, schedulerConfig({ url, ca: 'none.pem' }))
  const { code, stderr } = await runCommand(t, ['scheduler', '--config', missing])
  t.equal(code, 2)
  t.match(stderr, /edgeward\.yaml: scheduler\.redis\.ca: .*none\.pem does not exist\n$/)
})

t.test('a wrong password, given in any way, is told without it', async (t) => {
  const { url, port } = await startRedis(t, { password: 'another' })
  const ways: Record<string, unknown> = {
    URL: url.replace('//', `//someone:${PASSWORD}@`),
    key: { url, password: PASSWORD },
    'key of a cluster': { cluster: [`127.0.0.1:${port}`], password: PASSWORD },
    'key of sentinels': {
      sentinels: [`127.0.0.1:${port}`],
      name: 'main',
      password: PASSWORD,
      sentinelPassword: PASSWORD,
    },
    environment: '${REDIS_URL}',
  }
  await Promise.all(
    Object.entries(ways).map(async ([way, redis]) => {
      const file = await schedulerFile(t, schedulerConfig(redis))
      const env = { REDIS_URL: url.replace('//', `//:${PASSWORD}@`) }
      const daemon = await startDaemon(t, ['scheduler', '--config', file, '--log-level', 'trace'], { env })
      await until(`${way}: it says what is wrong`, () => /registry cannot be used/.test(daemon.stderr()))
      const status = await until(`${way}: the status says so`, async () => {
        const text = await (await fetch(`${daemon.listeners['admin']}/api/v1/status`)).text()
        return /"state":"held","reason":"[^"]*WRONGPASS/.test(text) && text
      })
      t.notMatch(status, PASSWORD, `${way}: the status`)
      t.notMatch(daemon.stderr(), PASSWORD, `${way}: the log`)
    }),
  )
})

t.test('a broken setting is named, not quoted', async (t) => {
  const file = await schedulerFile(t, schedulerConfig({ url: `redis://:${PASSWORD}@host:port` }))
  const { code, stderr } = await runCommand(t, ['scheduler', '--config', file])
  t.equal(code, 2)
  t.match(stderr, /scheduler\.redis\.url: must be a redis:\/\/ or rediss:\/\/ URL/)
  t.notMatch(stderr, PASSWORD)
  t.match(await readFile(file, 'utf8'), PASSWORD)
})
