// A Redis Cluster of three nodes, put together by commands as an operator would; without replicas, so that the loss of
// a node is the loss of its slots.
import { freePort } from './ports.ts'
import { startRedis } from './redis-server.ts'
import type { RedisServer } from './redis-server.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'
import { until } from './until.ts'

const SLOTS = 16_384
const NODES = 3

export interface RedisClusterSet {
  readonly nodes: readonly RedisServer[]
  /** For `scheduler.redis`. */
  readonly settings: { cluster: string[]; password: string }
  /** The node that holds the keys of a cluster of ours. */
  holderOf(cluster: string): Promise<RedisServer>
}

export async function startRedisCluster(t: TestScope): Promise<RedisClusterSet> {
  const password = 'the-word-of-the-nodes'
  const directory = await tempDirectory(t)
  const nodes: RedisServer[] = []
  const busPorts: number[] = []
  for (let i = 0; i < NODES; i++) {
    const busPort = await freePort()
    const args = [
      '--cluster-enabled',
      'yes',
      '--cluster-node-timeout',
      '1000',
      '--cluster-port',
      `${busPort}`,
    ]
    args.push('--cluster-config-file', `nodes-${i}.conf`)
    busPorts.push(busPort)
    nodes.push(await startRedis(t, { password, directory, args }))
  }
  const clients = nodes.map((node) => node.client(t))
  for (const [i, client] of clients.entries()) {
    const [first, last] = [i, i + 1].map((part) => Math.floor((SLOTS * part) / NODES))
    await client.call('cluster', 'addslotsrange', `${first}`, `${(last ?? 0) - 1}`)
    // Else two nodes that meet contend for one epoch.
    await client.call('cluster', 'set-config-epoch', `${i + 1}`)
  }
  for (const [i, node] of nodes.entries()) {
    await clients[0]?.call('cluster', 'meet', '127.0.0.1', `${node.port}`, `${busPorts[i]}`)
  }
  await until('every node sees the whole cluster', async () => {
    const infos = await Promise.all(clients.map((client) => client.call('cluster', 'info')))
    return infos.every((info) => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(info)))
  })
  return {
    nodes,
    settings: { cluster: nodes.map((node) => `127.0.0.1:${node.port}`), password },
    async holderOf(cluster) {
      const slot = Number(await clients[0]?.call('cluster', 'keyslot', `{${cluster}}`))
      const holder = nodes[Math.min(NODES - 1, Math.floor(((slot + 1) * NODES - 1) / SLOTS))]
      if (holder === undefined) throw new Error(`no node holds slot ${slot}`)
      return holder
    },
  }
}
