// Percent-encoding of bytes that stand in a text as latin1, one character each (RFC 3986 §2.1).

/** Of each that is neither unreserved (§2.3) nor a slash: fit for a path, and for a value in a query. */
export function percentEncoded(bytes: string): string {
  return bytes.replaceAll(
    /[^A-Za-z0-9\-._~/]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** undefined: a `%` has no two hex digits behind it. */
export function percentDecoded(text: string): string | undefined {
  if (!text.includes('%')) return text
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  return text.replaceAll(/%[0-9A-Fa-f]{2}/g, (escape) =>
    String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
  )
}
