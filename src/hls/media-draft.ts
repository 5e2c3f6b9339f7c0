// A media playlist while its lines come in: what each tag adds, and what applies to the segment that follows.
import type { ByteSpan, MediaPlaylist, Part, PreloadHint, Reference, Segment } from './playlist.ts'
import { integerOf, millisecondsOf, spanOf } from './values.ts'

type Attributes = ReadonlyMap<string, string>

export class MediaDraft {
  targetDurationMs: number | null = null
  partTargetMs: number | null = null
  mediaSequence = 0
  ended = false
  private type: MediaPlaylist['type'] = null
  private discontinuitySequence = 0
  private canBlockReload = false
  private canSkipUntilMs: number | null = null
  private partHoldBackMs: number | null = null
  private skippedSegments = 0
  private readonly segments: Segment[] = []
  private readonly hints: PreloadHint[] = []
  // Of the segment to come:
  private durationMs: number | null = null
  private rangeText: string | undefined
  private discontinuity = false
  private parts: Part[] = []
  /** Where the last range of a resource ended: the next may go on from there (§4.4.4.2, §4.4.4.9). */
  private lastRange: { uri: string; end: number } | null = null
  private lastPartRange: { uri: string; end: number } | null = null

  /** Nothing of a media playlist was seen. */
  get isEmpty(): boolean {
    return this.targetDurationMs === null && this.segments.length === 0 && this.parts.length === 0
  }

  setType(value: string): void {
    this.type = value === 'VOD' || value === 'EVENT' ? value : null
  }

  countDiscontinuities(count: number): void {
    this.discontinuitySequence = count
  }

  control(attributes: Attributes): void {
    this.canBlockReload = attributes.get('CAN-BLOCK-RELOAD') === 'YES'
    this.canSkipUntilMs = millisecondsOf(attributes.get('CAN-SKIP-UNTIL'))
    this.partHoldBackMs = millisecondsOf(attributes.get('PART-HOLD-BACK'))
  }

  skip(attributes: Attributes): void {
    this.skippedSegments = integerOf(attributes.get('SKIPPED-SEGMENTS')) ?? 0
  }

  inf(value: string): void {
    const comma = value.indexOf(',')
    this.durationMs = millisecondsOf(comma < 0 ? value : value.slice(0, comma))
  }

  byteRange(value: string): void {
    this.rangeText = value
  }

  discontinue(): void {
    this.discontinuity = true
  }

  part(attributes: Attributes): void {
    const uri = attributes.get('URI')
    if (uri === undefined) return
    const before = this.lastPartRange?.uri === uri ? this.lastPartRange.end : 0
    const span = spanOf(attributes.get('BYTERANGE'), before)
    this.lastPartRange = endOf(uri, span)
    this.parts.push({
      uri,
      span,
      durationMs: millisecondsOf(attributes.get('DURATION')),
      independent: attributes.get('INDEPENDENT') === 'YES',
    })
  }

  hint(attributes: Attributes): void {
    const uri = attributes.get('URI')
    if (uri === undefined) return
    const type = attributes.get('TYPE')
    const start = integerOf(attributes.get('BYTERANGE-START'))
    const length = integerOf(attributes.get('BYTERANGE-LENGTH'))
    const span =
      start === null && length === null
        ? null
        : { start: start ?? 0, end: length === null ? null : (start ?? 0) + length }
    this.hints.push({ type: type === 'PART' || type === 'MAP' ? type : null, uri, span })
  }

  segment(uri: string): void {
    const before = this.lastRange?.uri === uri ? this.lastRange.end : 0
    const span = this.rangeText === undefined ? null : spanOf(this.rangeText, before)
    this.lastRange = endOf(uri, span)
    this.segments.push({
      uri,
      span,
      // Numbered when all is read: the first number may stand anywhere in front of the first segment.
      sequence: this.segments.length,
      durationMs: this.durationMs,
      discontinuity: this.discontinuity,
      parts: this.parts,
    })
    this.durationMs = null
    this.rangeText = undefined
    this.discontinuity = false
    this.parts = []
  }

  finish(references: readonly Reference[]): MediaPlaylist {
    const first = this.mediaSequence + this.skippedSegments
    for (const segment of this.segments) segment.sequence += first
    return {
      kind: 'media',
      targetDurationMs: this.targetDurationMs,
      partTargetMs: this.partTargetMs,
      ended: this.ended,
      type: this.type,
      mediaSequence: this.mediaSequence,
      discontinuitySequence: this.discontinuitySequence,
      canBlockReload: this.canBlockReload,
      canSkipUntilMs: this.canSkipUntilMs,
      partHoldBackMs: this.partHoldBackMs,
      skippedSegments: this.skippedSegments,
      segments: this.segments,
      trailingParts: this.parts,
      hints: this.hints,
      references,
    }
  }
}

function endOf(uri: string, span: ByteSpan | null): { uri: string; end: number } | null {
  return span === null || span.end === null ? null : { uri, end: span.end }
}
