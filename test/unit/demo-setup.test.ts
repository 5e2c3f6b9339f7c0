// What the demo sets up before anything starts: ports, configuration files that the checker accepts, and a
// screen that fits.
import { createServer } from 'node:net'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { EDGE_COUNT, writeCluster } from '../../src/commands/demo/cluster.ts'
import { choosePorts } from '../../src/commands/demo/ports.ts'
import { jsonLine, screen } from '../../src/commands/demo/screen.ts'
import { keyMatches } from '../../src/key.ts'
import { listen } from '../../src/net/listen.ts'
import { demoInfoSchema } from '../kit/demo.ts'
import { freePort } from '../kit/ports.ts'
import { runCommand } from '../kit/process.ts'
import { tempDirectory } from '../kit/temp.ts'

const DEFAULTS = {
  originPort: 8070,
  steeringPort: 8080,
  controlPort: 8081,
  adminPort: 8082,
  edgePort: 8090,
  anyPorts: false,
}

t.test('any free ports are ten different ones', async (t) => {
  const { edges, ...others } = await choosePorts({ ...DEFAULTS, anyPorts: true }, EDGE_COUNT)
  const all = [...Object.values(others), ...edges.flatMap((edge) => [edge.public, edge.admin])]
  t.equal(new Set(all).size, 10)
  t.ok(all.every((port) => port > 0))
})

t.test('a taken port and one that two options name', async (t) => {
  const holder = createServer()
  const taken = await listen(holder, { host: '127.0.0.1', port: 0 }, 'the test')
  t.teardown(() => holder.close())
  const control = await freePort()
  const options = { ...DEFAULTS, originPort: await freePort(), steeringPort: taken, controlPort: control }
  await t.rejects(choosePorts({ ...options, adminPort: await freePort() }, 0), {
    message: `port ${taken} (steering) is taken; choose another with --steering-port`,
  })
  await t.rejects(choosePorts({ ...options, steeringPort: await freePort(), adminPort: control }, 0), {
    message: new RegExp(`^port ${control} \\(\\w+\\) is taken; choose another with --\\w+-port$`),
  })
})

t.test('the files hold no key, and the checker accepts them', async (t) => {
  const directory = await tempDirectory(t)
  const ports = await choosePorts({ ...DEFAULTS, anyPorts: true }, EDGE_COUNT)
  const cluster = await writeCluster(directory, ports)
  const files = await readdir(directory)
  t.strictSame(files.toSorted(), ['edgeward.yaml', 'fra-1.yaml', 'gz-1.yaml', 'sp-1.yaml'])
  const scheduler = parse(await readFile(cluster.schedulerFile, 'utf8'))
  for (const edge of cluster.edges) {
    t.notMatch(await readFile(edge.configFile, 'utf8'), edge.key)
    const entry = scheduler.edges.find((candidate: { id: string }) => candidate.id === edge.id)
    t.ok(keyMatches(edge.key, entry.keyHash), edge.id)
  }
  for (const file of files) {
    const env = { EDGE_KEY: cluster.edges[0]?.key ?? '' }
    const result = await runCommand(t, ['check', path.join(directory, file)], { env })
    t.equal(result.code, 0, `${file}: ${result.stderr}`)
  }

  const pids = new Map(cluster.edges.map((edge, i) => [edge.id, 4_000_000 + i]))
  t.doesNotThrow(() => demoInfoSchema.parse(JSON.parse(jsonLine(cluster, pids))))
  const text = screen(cluster, pids, 1234)
  const wide = text.split('\n').filter((line) => line.length > 80)
  t.ok(wide.length === 1 && wide[0]?.startsWith('  player'), text)
})
