// Distances by a formula of the simulator's own (haversine), to check those that steering makes of dot products.
import type { Position } from '../../src/geo/place.ts'

const EARTH_RADIUS_KM = 6371
const RADIANS = Math.PI / 180

export function kilometres(from: Position, to: Position): number {
  const north = Math.sin(((to.lat - from.lat) * RADIANS) / 2) ** 2
  const east = Math.sin(((to.lon - from.lon) * RADIANS) / 2) ** 2
  const half = north + Math.cos(from.lat * RADIANS) * Math.cos(to.lat * RADIANS) * east
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, half)))
}
