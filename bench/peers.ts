// Edgeward beside nginx, Varnish and Traffic Server on this machine: `node bench/peers.ts [--quick]`.
// Prints tables with ratios and writes results/peers.json. What is fair and why: bench/README.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { messageOf } from '../src/errors.ts'
import { describeMachine } from './lib/machine.ts'
import { moveToOwnNetwork } from './lib/own-network.ts'
import { measureFirstBytes } from './peers/first-byte.ts'
import { CLIENT_CPU, SERVER_CPU, startFleet } from './peers/fleet.ts'
import type { Fleet } from './peers/fleet.ts'
import { measureMemory } from './peers/memory.ts'
import { QUESTIONS, measure } from './peers/questions.ts'
import {
  formatFirstBytes,
  formatMemory,
  formatQuestion,
  judge,
  judgeFirstBytes,
  judgeMemory,
} from './peers/report.ts'
import type { FirstByteResult, PeersResult, QuestionResult } from './peers/report.ts'
import { warm } from './peers/warm.ts'

const RESULT = fileURLToPath(new URL('results/peers.json', import.meta.url))
const FIRST_BYTE_OBJECT = 64 * 1024
/** Numbers from here on are cold. */
const COLD_FROM = 1_000_000
const QUICK = { rounds: 3, seconds: 2, coldObjects: 300 }
const FULL = { rounds: 5, seconds: 4, coldObjects: 1000 }

interface Options {
  quick?: true
  alone?: true
  other?: string
  only?: string
  rounds?: string
  nodeFlags?: string
  out: string
}

const options = new Command('peers')
  .description('Measure Edgeward beside nginx, Varnish and Traffic Server.')
  .option('--quick', 'fewer and shorter runs')
  .option('--alone', 'only Edgeward')
  .option('--other <checkout>', 'measure another checkout of Edgeward beside this one')
  .option('--only <text>', 'only questions whose name holds this text')
  .option('--rounds <count>', 'runs of each server a question')
  .option('--node-flags <flags>', 'further flags for Edgeward’s Node, separated by blanks')
  .option('--out <file>', 'where the figures go', RESULT)
  .parse()
  .opts<Options>()

const timing = options.quick ? QUICK : FULL
const rounds = options.rounds === undefined ? timing.rounds : Number(options.rounds)
const wanted = (name: string) => options.only === undefined || name.includes(options.only)

await moveToOwnNetwork()
const machine = describeMachine()
const fleet = await startFleet({
  alone: options.alone ?? false,
  other: options.other,
  nodeFlags: options.nodeFlags?.split(' ') ?? [],
})
try {
  const result: PeersResult = {
    machine,
    versions: Object.fromEntries(fleet.peers.map((peer) => [peer.name, peer.version])),
    rounds,
    secondsPerRun: timing.seconds,
    questions: await askAll(fleet),
    firstByte: wanted('first byte') ? await askFirstBytes(fleet) : null,
    memory: wanted('memory') ? await askMemory(fleet) : [],
  }
  mkdirSync(path.dirname(options.out), { recursive: true })
  writeFileSync(options.out, `${JSON.stringify(result, null, 2)}\n`)
  say(`figures: ${path.relative(process.cwd(), options.out)}`)
} finally {
  await fleet.close()
}

async function askAll({ origin, peers }: Fleet): Promise<QuestionResult[]> {
  const results: QuestionResult[] = []
  for (const question of QUESTIONS.filter(({ name }) => wanted(name))) {
    const asked = peers.filter((peer) => question.servers.includes(peer.name))
    for (const peer of asked) await warm(peer, origin, question.bytes, question.objects)
    const measured = await measure(question, asked, {
      ...timing,
      rounds,
      serverCpu: SERVER_CPU,
      clientCpu: CLIENT_CPU,
    })
    const result = judge(question, measured)
    say(formatQuestion(result))
    results.push(result)
  }
  return results
}

async function askFirstBytes({ peers }: Fleet): Promise<FirstByteResult> {
  const asked = peers.filter((peer) => !peer.name.endsWith('-disk'))
  // Some that do not count: connections to the origin are made, compilers warm up.
  await measureFirstBytes(asked, FIRST_BYTE_OBJECT, COLD_FROM, 200)
  const times = await measureFirstBytes(asked, FIRST_BYTE_OBJECT, COLD_FROM + 200, timing.coldObjects)
  const servers = asked.map((peer) => peer.name)
  const result = judgeFirstBytes(FIRST_BYTE_OBJECT, servers, times)
  say(formatFirstBytes(result))
  return result
}

async function askMemory({ peers }: Fleet): Promise<PeersResult['memory']> {
  const results = []
  for (const peer of peers) {
    try {
      results.push(judgeMemory(await measureMemory(peer, COLD_FROM)))
    } catch (error) {
      // A peer that breaks off when its storage is full (Varnish, of 2 MiB objects) has no row; Edgeward must have one.
      if (peer.name.startsWith('edgeward')) throw error
      say(`${peer.name}: memory not measured, ${messageOf(error)}`)
    }
  }
  say(formatMemory(results))
  return results
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
