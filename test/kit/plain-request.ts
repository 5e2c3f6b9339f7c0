// A request as a flow sees it, without a server: for tests of what looks at its target and fields alone.
import type { HttpRequest } from '../../src/http/transaction.ts'

/** `fields` by lower-case name. */
export function plainRequest(
  about: { method?: string; target?: string; fields?: Readonly<Record<string, string>> } = {},
): HttpRequest {
  const fields = about.fields ?? {}
  return {
    method: about.method ?? 'GET',
    target: about.target ?? '/a.ts',
    host: 'a.example',
    version: '1.1',
    secure: false,
    remoteAddress: '127.0.0.1',
    header: (name) => fields[name],
    fields: () => Object.entries(fields).flat(),
    body: null,
  }
}
