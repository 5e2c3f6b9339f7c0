// Gauges and counters that are read from their owners when Prometheus scrapes.
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import type { HttpServer } from '../../src/listener/http-server.ts'
import type { ListenerCertificates } from '../../src/tls/listener-certificates.ts'
import { VERSION } from '../../src/version.ts'
import type { EdgeContext } from '../exchange.ts'
import { liveGauge } from './traffic.ts'

export function registerEdgeMetrics(
  registry: Registry,
  edge: EdgeContext,
  server: HttpServer,
  tls: ListenerCertificates | undefined,
): void {
  const { cache, fills } = edge
  liveGauge(registry, 'edgeward_edge_connections', 'Open client connections.', () => server.connectionCount)
  liveGauge(
    registry,
    'edgeward_edge_memory_tier_bytes',
    'Bytes in the memory tier.',
    () => cache.memory.bytes,
  )
  liveGauge(registry, 'edgeward_edge_disk_tier_bytes', 'Bytes in the disk tier.', () => cache.disk.bytes)
  liveGauge(registry, 'edgeward_edge_disk_degraded', '1 when a cache directory is no longer used.', () =>
    cache.disk.degraded ? 1 : 0,
  )
  liveGauge(
    registry,
    'edgeward_edge_fills_running',
    'Fetches and slices on their way from upstreams.',
    () => fills.running,
  )
  liveGauge(registry, `edgeward_edge_build_info`, `Always 1; Edgeward ${VERSION}.`, () => 1)
  liveCounter(
    registry,
    'edgeward_edge_upstream_requests_total',
    'Requests sent to upstreams.',
    () => fills.counters.upstreamRequests,
  )
  liveCounter(
    registry,
    'edgeward_edge_upstream_received_bytes_total',
    'Body bytes from upstreams.',
    () => fills.counters.upstreamBytes,
  )
  liveCounter(
    registry,
    'edgeward_edge_collapsed_total',
    'Requests that followed another’s fetch.',
    () => fills.counters.collapsed,
  )
  liveCounter(
    registry,
    'edgeward_edge_connections_refused_total',
    'Connections closed because a cap was reached.',
    () => server.refused,
  )
  if (tls !== undefined) {
    liveCounter(
      registry,
      'edgeward_edge_tls_handshakes_failed_total',
      'TLS handshakes that came to nothing.',
      () => server.handshakesFailed,
    )
    liveGauge(
      registry,
      'edgeward_edge_tls_certificate_expiry_seconds',
      'When the first of the certificates in use ends, seconds since the epoch.',
      () => tls.certificates.notAfterMs / 1000,
    )
  }
  liveCounter(
    registry,
    'edgeward_edge_disk_writes_dropped_total',
    'Slices not kept because the write queue was full.',
    () => cache.disk.dropped,
  )
}

/** A counter whose total is kept elsewhere and read when it is scraped. */
export function liveCounter(registry: Registry, name: string, help: string, total: () => number): void {
  const counter = new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset()
      this.inc(total())
    },
  })
  registry.registerMetric(counter)
}
