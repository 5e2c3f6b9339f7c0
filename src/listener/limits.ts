// Bounds of a public listener before any protocol is spoken, and what happens when each is reached.

/** Connections of one listener: beyond it a new one is closed at once. */
export const CONNECTIONS_MAX = 50_000
/** Connections of one client address, unless configured; of IPv6, of one /64: beyond it likewise. */
export const CONNECTIONS_PER_ADDRESS_MAX = 20_000
