// One prom-client registry a daemon. Names are `edgeward_<daemon>_…` in base units; labels are bounded.
import { Registry, collectDefaultMetrics } from 'prom-client'

export function createMetricsRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
