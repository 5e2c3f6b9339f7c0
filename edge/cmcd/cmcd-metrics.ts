// What players say of themselves (CMCD), counted. Labels come from closed lists; of what a player may write freely
// nothing becomes one.
import { Counter, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { PlayerNote } from './read-cmcd.ts'

const OBJECT_TYPES: Readonly<Record<string, string>> = {
  m: 'manifest',
  a: 'audio',
  v: 'video',
  av: 'muxed',
  i: 'init',
  c: 'caption',
  tt: 'timed-text',
  k: 'key',
  o: 'other',
}
const FORMATS: Readonly<Record<string, string>> = { d: 'dash', h: 'hls', s: 'smooth', o: 'other' }

export class CmcdMetrics {
  private readonly requests: Counter<'property' | 'object_type' | 'format'>
  private readonly starved: Counter<'property'>
  private readonly malformed: Counter
  private readonly bitrate: Histogram<'object_type'>
  private readonly throughput: Histogram
  private readonly buffer: Histogram

  constructor(registry: Registry) {
    const registers = [registry]
    this.requests = new Counter({
      name: 'edgeward_edge_cmcd_requests_total',
      help: 'Requests with CMCD, by property, object type and streaming format.',
      labelNames: ['property', 'object_type', 'format'],
      registers,
    })
    this.starved = new Counter({
      name: 'edgeward_edge_cmcd_starved_total',
      help: 'Requests whose player said that it had run out of media since the one before, by property.',
      labelNames: ['property'],
      registers,
    })
    this.malformed = new Counter({
      name: 'edgeward_edge_cmcd_malformed_total',
      help: 'Requests whose CMCD could not be read.',
      registers,
    })
    const bitrates = [250e3, 500e3, 1e6, 2e6, 4e6, 8e6, 16e6, 32e6]
    this.bitrate = new Histogram({
      name: 'edgeward_edge_cmcd_encoded_bitrate_bits_per_second',
      help: 'Encoded bitrate of the objects that players asked for, by object type.',
      labelNames: ['object_type'],
      buckets: bitrates,
      registers,
    })
    this.throughput = new Histogram({
      name: 'edgeward_edge_cmcd_throughput_bits_per_second',
      help: 'Throughput that players measured.',
      buckets: bitrates,
      registers,
    })
    this.buffer = new Histogram({
      name: 'edgeward_edge_cmcd_buffer_seconds',
      help: 'Media that players had buffered when they asked.',
      buckets: [0.5, 1, 2, 4, 8, 16, 32, 64],
      registers,
    })
  }

  /** `property` is an id from the configuration. */
  count(property: string, note: PlayerNote | 'malformed'): void {
    if (note === 'malformed') {
      this.malformed.inc()
      return
    }
    const type = OBJECT_TYPES[note.objectType ?? ''] ?? 'none'
    this.requests.inc({ property, object_type: type, format: FORMATS[note.format ?? ''] ?? 'none' })
    if (note.starved) this.starved.inc({ property })
    if (note.encodedBitrate !== undefined) this.bitrate.observe({ object_type: type }, note.encodedBitrate)
    if (note.throughput !== undefined) this.throughput.observe(note.throughput)
    if (note.bufferSeconds !== undefined) this.buffer.observe(note.bufferSeconds)
  }
}
