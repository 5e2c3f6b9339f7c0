// A report that claims several times what its edge can carry: a wrong capacity in the configuration, or an edge gone
// wrong. It is taken, since the edge serves; what it claims counts as UTILISATION_MAX (choose/candidates.ts).
import type { EdgeReport } from '../../src/wire/report.ts'
import { UTILISATION_MAX } from '../limits.ts'
import type { EdgeView } from '../topology.ts'

/** In words; null: nothing is impossible. */
export function impossibleClaimOf({ sentBitRate, connections }: EdgeReport, edge: EdgeView): string | null {
  const { bandwidth, connectionsMax } = edge
  if (sentBitRate > UTILISATION_MAX * bandwidth) {
    return `sends ${gigabits(sentBitRate)} of ${gigabits(bandwidth)}`
  }
  if (connections > UTILISATION_MAX * connectionsMax) return `${connections} of ${connectionsMax} connections`
  return null
}

function gigabits(bits: number): string {
  return `${Number((bits / 1e9).toPrecision(3))} Gbit/s`
}
