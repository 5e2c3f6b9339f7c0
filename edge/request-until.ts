// undici hears that a request is given up only once it has a connection: where packets vanish, that is seconds later.
// This gives it up at once.
import { request } from 'undici'
import type { Dispatcher } from 'undici'

type RequestOptions = NonNullable<Parameters<typeof request<null>>[1]>

/** Rejects with the reason of the signal as soon as that is aborted, until there is a head; then that ends its body. */
export async function requestUntil(
  signal: AbortSignal,
  url: string,
  options: Omit<RequestOptions, 'signal'>,
): Promise<Dispatcher.ResponseData> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const giveUp = () => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([request(url, { ...options, signal }), aborted])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
