// What a main playlist offers: its variants, and the media of the groups that they name (RFC 8216bis §4.4.6).
import { integerOf } from './values.ts'

export interface Variant {
  uri: string
  /** Peak, bits a second. */
  bandwidth: number | null
  /** Of its video, in pixels. */
  height: number | null
  /** The groups that play with it, as groupOf names them. */
  groups: readonly string[]
}

export interface GroupMedia {
  group: string
  uri: string
}

type Attributes = ReadonlyMap<string, string>

const GROUP_TYPES = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'] as const

export function variantOf(attributes: Attributes, uri: string): Variant {
  const height = /^\d{1,5}x(\d{1,5})$/.exec(attributes.get('RESOLUTION') ?? '')?.[1]
  return {
    uri,
    bandwidth: integerOf(attributes.get('BANDWIDTH')),
    height: height === undefined ? null : Number(height),
    groups: GROUP_TYPES.flatMap((type) => {
      const id = attributes.get(type)
      return id === undefined ? [] : groupOf(type, id)
    }),
  }
}

/** undefined where the media has no playlist of its own. */
export function groupMediaOf(attributes: Attributes): GroupMedia | undefined {
  const uri = attributes.get('URI')
  const group = groupOf(attributes.get('TYPE') ?? '', attributes.get('GROUP-ID') ?? '')
  return uri === undefined ? undefined : { group, uri }
}

/** Groups of two types may have one id. */
function groupOf(type: string, id: string): string {
  return `${type} ${id}`
}
