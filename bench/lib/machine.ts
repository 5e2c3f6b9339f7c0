// What a result was measured on, so that two results are compared only when they can be.
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { systemClock } from '../../src/clock.ts'
import { congestionControl } from './own-network.ts'

export interface Machine {
  measured: string
  cores: number
  cpu: string
  kernel: string
  memoryBytes: number
  congestionControl: string
  node: string
  /** One-minute load average before the first measurement: above 0.5, something else was running. */
  loadBefore: number
}

export function describeMachine(): Machine {
  const cpus = os.cpus()
  return {
    measured: new Date(systemClock.now()).toISOString(),
    cores: cpus.length,
    cpu: cpus[0]?.model ?? 'unknown',
    kernel: `${os.type()} ${os.release()}`,
    memoryBytes: os.totalmem(),
    congestionControl: congestionControl(),
    node: process.version,
    loadBefore: Number(readFileSync('/proc/loadavg', 'utf8').split(' ', 1)[0]),
  }
}
