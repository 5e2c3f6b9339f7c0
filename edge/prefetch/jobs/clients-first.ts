// Whether clients need what a prefetch would take: places at an origin, or room in the queue to the disk.
import type { DiskTier } from '../../cache/disk/disk-tier.ts'
import { DISK_WRITE_QUEUE_BYTES_MAX, PREFETCH_LEFT_TO_CLIENTS } from '../../limits.ts'
import type { OriginSlots } from '../../upstream/origin-slots.ts'

/** Of any upstream: one that is in trouble may be what all of them stand behind. */
export function clientsNeedRoom(
  upstreams: readonly { readonly slots: Pick<OriginSlots, 'maxOf' | 'usedOf' | 'waitingOf'> }[],
  disk: Pick<DiskTier, 'queuedBytes'>,
): boolean {
  if (disk.queuedBytes > DISK_WRITE_QUEUE_BYTES_MAX * PREFETCH_LEFT_TO_CLIENTS) return true
  for (const { slots } of upstreams) {
    if (slots.waitingOf('filling') > 0) return true
    if (slots.usedOf('filling') > slots.maxOf('filling') * PREFETCH_LEFT_TO_CLIENTS) return true
  }
  return false
}
