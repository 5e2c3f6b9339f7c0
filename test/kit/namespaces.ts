// A network of a test's own in Linux network namespaces: hosts around one router, which the test's process sits on. A
// path that is cut drops packets without a word, and what is still tried on it is counted. Nothing of it has a name or
// outlives its processes: a namespace goes with the last one in it.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { z } from 'zod'
import type { TestScope } from './scope.ts'

/** Set in the process that `inOwnNetwork` starts. */
const INSIDE = 'EDGEWARD_TEST_NETWORK'
/** The router, as every host sees it. */
const GATEWAY = { ipv4: '169.254.1.1', ipv6: 'fe80::1' }

/** Where a program of a test runs. */
export interface Place {
  /** Where it listens, and what its packets say. */
  readonly address: string
  /** The command that starts another one there. */
  readonly within: readonly string[]
}

export const LOOPBACK: Place = { address: '127.0.0.1', within: [] }

/**
 * Runs the tests of a file in a process of its own, in a namespace of its own: true in there. Outside, false, once they
 * have run; where there can be no namespaces, they are skipped, and the reason is said.
 */
export async function inOwnNetwork(t: Test, fileUrl: string): Promise<boolean> {
  if (process.env[INSIDE] !== undefined) return true
  const missing = whatIsMissing()
  if (missing === null) {
    const args = ['--net', process.execPath, fileURLToPath(fileUrl)]
    await t.spawn('unshare', args, { env: { ...process.env, [INSIDE]: '1' } }, 'in a network of its own')
  } else await t.test('in a network of its own', { skip: missing }, async () => {})
  return false
}

function whatIsMissing(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
  if (process.getuid?.() !== 0) return 'only root makes network namespaces'
  const attempt = 'ip link add one type veth peer name two && nft add table inet test && nsenter --version'
  const { status, stderr, error } = spawnSync('unshare', ['--net', 'sh', '-c', attempt], { encoding: 'utf8' })
  return status === 0 ? null : `needs unshare, nsenter, ip and nft that work: ${error?.message ?? stderr}`
}

/** Pairs of addresses between which nothing gets through; of what is tried there, each attempt once. */
const RULES = `
table inet test {
  set cut4 { type ipv4_addr . ipv4_addr; }
  set cut6 { type ipv6_addr . ipv6_addr; }
  set tried4 { typeof ip saddr . ip daddr . tcp sport . tcp sequence; flags dynamic; size 65536; }
  set tried6 { typeof ip6 saddr . ip6 daddr . tcp sport . tcp sequence; flags dynamic; size 65536; }
  chain cuts {
    ip saddr . ip daddr @cut4 jump lost
    ip6 saddr . ip6 daddr @cut6 jump lost
  }
  chain lost {
    tcp flags & (syn | psh) != 0 add @tried4 { ip saddr . ip daddr . tcp sport . tcp sequence }
    tcp flags & (syn | psh) != 0 add @tried6 { ip6 saddr . ip6 daddr . tcp sport . tcp sequence }
    drop
  }
  chain arriving { type filter hook prerouting priority 0; jump cuts; }
  chain leaving { type filter hook output priority 0; jump cuts; }
}`

const setSchema = z.object({
  nftables: z.array(
    z.object({
      set: z.object({ elem: z.array(z.object({ concat: z.array(z.unknown()) })).default([]) }).optional(),
    }),
  ),
})

/** Made once, in a process that `inOwnNetwork` says true in. */
export class TestNetwork {
  #hosts = 0

  static async open(): Promise<TestNetwork> {
    await run(['ip', '-batch', '-'], 'link set lo up\n')
    await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
    await writeFile('/proc/sys/net/ipv6/conf/all/forwarding', '1')
    await run(['nft', '-f', '-'], RULES)
    return new TestNetwork()
  }

  /** An address of the test's own process: for the clients and origins in it. */
  async here(address: string): Promise<Place> {
    await run(['ip', '-batch', '-'], `addr add ${address} dev lo\n`)
    return { address, within: [] }
  }

  /** A host with one address alone, and with that family alone. */
  async host(t: TestScope, address: string): Promise<Place> {
    const device = `host${this.#hosts++}`
    const pid = await holdNamespace(t)
    const within = ['nsenter', `--net=/proc/${pid}/ns/net`, '--']
    const gateway = isIPv6(address) ? GATEWAY.ipv6 : GATEWAY.ipv4
    await run(
      ['ip', '-batch', '-'],
      `link add ${device} type veth peer name eth0 netns ${pid}
      addr add ${gateway} dev ${device} nodad
      link set ${device} up
      route add ${address} dev ${device}\n`,
    )
    await run(
      [...within, 'ip', '-batch', '-'],
      `link set lo up
      addr add ${address} dev eth0 nodad
      link set eth0 up
      route add ${gateway} dev eth0
      route add default via ${gateway} dev eth0\n`,
    )
    return { address, within }
  }

  /** From now on nothing gets from one to the other, nor back. */
  cut(a: Place, b: Place): Promise<void> {
    return this.#change('add', a, b)
  }

  /** Ends a cut. */
  async join(a: Place, b: Place): Promise<void> {
    await this.#change('delete', a, b)
  }

  /** How often it was tried to get from one to the other while they were cut: connections, and requests on those there were. */
  async attempts(from: Place, to: Place): Promise<number> {
    const listed = await run(['nft', '-j', 'list', 'set', 'inet', 'test', `tried${family(from)}`])
    const { nftables } = setSchema.parse(JSON.parse(listed))
    const tried = nftables.flatMap(({ set }) => set?.elem ?? [])
    return tried.filter(({ concat: [a, b] }) => a === from.address && b === to.address).length
  }

  async #change(verb: 'add' | 'delete', { address: a }: Place, { address: b }: Place): Promise<void> {
    const pairs = `{ ${a} . ${b}, ${b} . ${a} }`
    await run(['nft', verb, 'element', 'inet', 'test', `cut${isIPv6(a) ? 6 : 4}`, pairs])
  }
}

function family({ address }: Place): 4 | 6 {
  return isIPv6(address) ? 6 : 4
}

/** A namespace that lasts as long as the test, and no longer than this process; gives the pid by which it is found. */
async function holdNamespace(t: TestScope): Promise<number> {
  const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(holder, 'exit')
  t.teardown(async () => {
    holder.stdin.end()
    await exited
  })
  // What comes back says that unshare(1) has become cat(1).
  holder.stdin.write('\n')
  await once(holder.stdout, 'data')
  return holder.pid ?? 0
}

/** Runs it to its end; gives what it printed. */
async function run([program = '', ...args]: readonly string[], input = ''): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = execFile(program, args, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
  // A program that reads nothing may have ended: what came of it, its exit code says.
  child.stdin?.on('error', () => {}).end(input)
  return promise
}
