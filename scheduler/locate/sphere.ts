// Distance on the globe without trigonometry per request: places are unit vectors, and of two places the one
// with the larger dot product is nearer along the great circle.
import type { Position } from '../../src/geo/place.ts'

export interface Direction {
  readonly x: number
  readonly y: number
  readonly z: number
}

export function directionOf({ lat, lon }: Position): Direction {
  const latitude = (lat * Math.PI) / 180
  const longitude = (lon * Math.PI) / 180
  const level = Math.cos(latitude)
  return { x: level * Math.cos(longitude), y: level * Math.sin(longitude), z: Math.sin(latitude) }
}

/** 1 for the same place down to -1 for the other side of the globe; -2, farther than all, when one is unknown. */
export function nearness(a: Direction | undefined, b: Direction | undefined): number {
  if (a === undefined || b === undefined) return -2
  return a.x * b.x + a.y * b.y + a.z * b.z
}
