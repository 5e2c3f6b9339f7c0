// Bounds of TLS on the public listeners, and what happens when each is reached.

/** From the accept to the end of the handshake: then close. */
export const HANDSHAKE_TIMEOUT_MS = 10_000
/** How often the files of certificates are looked at. */
export const CERTIFICATE_POLL_MS = 10_000
