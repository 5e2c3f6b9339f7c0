// Where requests to an upstream go, taken apart once: scheme and authority, and what stands before each path.

export interface UpstreamBase {
  /** `https://host:port`. */
  readonly origin: string
  /** Without a slash at its end. */
  readonly basePath: string
}

export function upstreamBase(url: string): UpstreamBase {
  const { origin, pathname } = new URL(url)
  return { origin, basePath: pathname.replace(/\/+$/, '') }
}
