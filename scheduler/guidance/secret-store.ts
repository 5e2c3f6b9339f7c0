// The secrets by which edges know each other (src/wire/peer-token.ts): one for each hour, some hours ahead, the same from
// every scheduler of a cluster. The interface that memory-secrets.ts and redis-secrets.ts implement and that
// test/contract/peer-secrets.test.ts holds both to. They are never logged.
import { createHash, randomBytes } from 'node:crypto'
import type { PeerSecret } from '../../src/wire/guidance.ts'
import { SECRETS_AHEAD, SECRET_MS } from './limits.ts'

export interface SecretStore {
  /** Of the hour before this one, this one, and those ahead, as far as they are known. Never waits. */
  current(): readonly PeerSecret[]
  /** Called when there are others; one listener. */
  onChange: (() => void) | null
  close(): Promise<void>
}

/** Hours since the epoch. */
export function secretHoursAt(nowMs: number): readonly number[] {
  const hour = Math.floor(nowMs / SECRET_MS)
  return Array.from({ length: SECRETS_AHEAD + 2 }, (_, i) => hour - 1 + i)
}

/** 32 bytes, as they are stored. */
export function newSecretKey(): string {
  return randomBytes(32).toString('base64url')
}

export function isSecretKey(text: unknown): text is string {
  return typeof text === 'string' && /^[A-Za-z0-9_-]{43}$/.test(text)
}

/** Its id tells two of one hour apart, as when a store was lost, and nothing of the key. */
export function secretOf(hour: number, key: string): PeerSecret {
  const id = `${hour}-${createHash('sha256').update(key).digest('base64url').slice(0, 8)}`
  return { id, key, fromMs: hour * SECRET_MS, untilMs: (hour + 1) * SECRET_MS }
}
