// A primary, its replica and a sentinel that fails over within about two seconds, all with a password.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { startRedis } from './redis-server.ts'
import type { RedisServer } from './redis-server.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'
import { until } from './until.ts'

export const SENTINEL_PASSWORD = 'the-word-of-the-servers'

export interface SentinelSet {
  readonly primary: RedisServer
  readonly replica: RedisServer
  readonly sentinel: RedisServer
  /** For `scheduler.redis`. */
  readonly settings: { sentinels: string[]; name: string; password: string }
  /** The port that the sentinel takes for the primary's. */
  primaryPort(): Promise<number>
}

export async function startSentinelSet(t: TestScope): Promise<SentinelSet> {
  const password = SENTINEL_PASSWORD
  const directory = await tempDirectory(t)
  const auth = ['--masterauth', password]
  const primary = await startRedis(t, { password, args: auth })
  const replicaOf = ['--replicaof', `127.0.0.1 ${primary.port}`, '--repl-diskless-sync-delay', '0']
  const replica = await startRedis(t, { password, args: [...auth, ...replicaOf] })
  const ofReplica = replica.client(t)
  await until('the replica follows', async () => /master_link_status:up/.test(await ofReplica.info()))

  const file = path.join(directory, 'sentinel.conf')
  const lines = [
    `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
    `sentinel auth-pass main ${password}`,
    'sentinel down-after-milliseconds main 2500',
    'sentinel failover-timeout main 3000',
  ]
  await writeFile(file, `dir ${directory}\n${lines.join('\n')}\n`)
  const sentinel = await startRedis(t, { sentinelFile: file })
  const client = sentinel.client(t)
  const primaryPort = async () => {
    const address = await client.call('sentinel', 'get-master-addr-by-name', 'main')
    return Array.isArray(address) ? Number(address[1]) : 0
  }
  await until('the sentinel knows the replica', async () => {
    const replicas = await client.call('sentinel', 'replicas', 'main')
    return Array.isArray(replicas) && replicas.length === 1
  })
  const settings = { sentinels: [`127.0.0.1:${sentinel.port}`], name: 'main', password }
  return { primary, replica, sentinel, settings, primaryPort }
}
