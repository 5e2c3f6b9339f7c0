// What the benchmark knows of one server under measurement, whichever program it is.
import { spawnSync } from 'node:child_process'
import type { RunningProgram } from '../lib/processes.ts'

export interface PeerSettings {
  /** Empty, for its configuration, cache and state. */
  readonly directory: string
  /** Base URL of the origin. */
  readonly origin: string
  readonly port: number
  readonly cpus: string
  /** Memory for cached bodies, where the program has such a tier. */
  readonly memoryBytes: number
}

export interface Peer {
  readonly name: string
  readonly version: string
  readonly url: string
  readonly program: RunningProgram
  /** Memory it was told to use for cached bodies; 0 when it leaves that to the page cache. */
  readonly memoryBytes: number
  /** Bytes of bodies it holds in memory of its own; undefined when it does not say. */
  bodyBytesInMemory?(): Promise<number>
}

/** For the disk tier of every server that has one: more than all objects together. */
export const DISK_BYTES = 8 * 2 ** 30

/** First line that `program FLAG` says of its version; undefined when it is not installed. */
export function versionOf(program: string, flag: string): string | undefined {
  // nginx and varnishd say it on stderr, and some name servers fail after they have said it.
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', `${program} ${flag}`], { encoding: 'utf8' })
  return /\d+\.\d+(?:\.\d+)?/.exec(stdout + stderr)?.[0]
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}
