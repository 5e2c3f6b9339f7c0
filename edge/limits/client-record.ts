// What is known of one client of one property: requests running, its bucket, its pace, its sessions. Records are
// found by client key and property in one bounded table.
import { LRUCache } from 'lru-cache'
import { CLIENTS_MAX } from '../limits.ts'
import type { Pipe } from './pipe.ts'
import type { SessionName } from './session-name.ts'
import { newBucket } from './token-bucket.ts'
import type { Bucket } from './token-bucket.ts'
import { newCredit } from './burst-credit.ts'
import type { BurstCredit } from './burst-credit.ts'

export interface ClientRecord {
  /** Of the address (client-key.ts). */
  readonly key: string
  /** Requests being answered. */
  running: number
  /** Sessions it has begun that go on. */
  sessions: number
  readonly requests: Bucket
  readonly credit: BurstCredit
  /** All its replies share it; null until one needs it. */
  pipe: Pipe | null
  /** Of the User-Agent that it named last, so that it is hashed once and not at each request. */
  agent: { readonly text: string; readonly name: SessionName } | null
}

/**
 * The client unseen for longest is forgotten when the table is full: it then starts afresh, with full buckets and
 * nothing counted against it but what it has running. Limits of the property hold all the same.
 */
export class ClientTable {
  private records: LRUCache<string, ClientRecord> | null = null

  get size(): number {
    return this.records?.size ?? 0
  }

  find(propertyId: string, clientKey: string): ClientRecord {
    // Its arrays are made at full length: not before somebody needs them.
    this.records ??= new LRUCache({ max: CLIENTS_MAX })
    const key = `${propertyId} ${clientKey}`
    const known = this.records.get(key)
    if (known !== undefined) return known
    const record: ClientRecord = {
      key: clientKey,
      running: 0,
      sessions: 0,
      requests: newBucket(),
      credit: newCredit(),
      pipe: null,
      agent: null,
    }
    this.records.set(key, record)
    return record
  }
}
