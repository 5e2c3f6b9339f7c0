// A steady load on an edge: one body after the other, so many a second, until it is stopped or the test ends.
import { get } from './client.ts'
import type { TestScope } from './scope.ts'

/** Gives the function that stops it, which waits for those under way. */
export function keepDownloading(t: TestScope, url: string, aSecond: number): () => Promise<void> {
  const running = new Set<Promise<unknown>>()
  const timer = setInterval(() => {
    // An edge that is gone is what some tests are about.
    const one = get(url).catch(() => undefined)
    running.add(one)
    void one.finally(() => running.delete(one))
  }, 1000 / aSecond)
  t.teardown(() => clearInterval(timer))
  return async () => {
    clearInterval(timer)
    await Promise.all(running)
  }
}
