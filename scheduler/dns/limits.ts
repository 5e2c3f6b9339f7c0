// Bounds of the DNS server, in one place, each with what happens when it is reached.

/** A server cookie older than this is bad: the client is treated as one without (RFC 9018 §4.3). */
export const COOKIE_AGE_MAX_S = 3600

/** So far ahead the clock of another server of the set may be; a cookie from later is bad (RFC 9018 §4.3). */
export const COOKIE_AHEAD_MAX_S = 300

/** A good cookie older than this is replaced (RFC 9018 §4.3). */
export const COOKIE_RENEW_AFTER_S = 1800

/** Cookie secrets at once, each a hash a query; more are refused. A change of secret needs two. */
export const COOKIE_SECRETS_MAX = 4

/**
 * Buckets of the response rate limit, 13 octets each, a power of two. When more are in use, new networks share what
 * those have left: see rate-limit.ts.
 */
export const RATE_LIMIT_BUCKETS = 65_536

/** Names that were asked for lately, a power of two, 256 octets each at most; a later one may take an earlier's place. */
export const RECENT_NAMES = 1024

/** Highest `slip`; a truncated reply less often than every tenth would leave a client behind a flood waiting too long. */
export const RATE_LIMIT_SLIP_MAX = 10

/** A DNSSEC key file has a few hundred bytes; a larger one is none, and stops the start. */
export const KEY_FILE_BYTES_MAX = 16 * 1024

/** Lifetime of the DNSKEY records: a change of keys takes so long to reach every resolver. */
export const DNSKEY_TTL_S = 3600

/** Signatures made within the same six hours have the same times, so that one can be used for all of them. */
export const SIGNATURE_PERIOD_S = 6 * 3600

/** They hold from an hour before, for resolvers whose clocks are late (RFC 6781 §4.4.2), to a week after its begin. */
export const SIGNATURE_BACKDATED_S = 3600
export const SIGNATURE_VALID_S = 7 * 86_400

/** Signatures of answers that are kept, about 500 bytes each; the one unused for longest gives way. */
export const SIGNATURES_MAX = 16_384

/** Those of denials: any random name needs its own, so that more would be kept for nothing. */
export const DENIAL_SIGNATURES_MAX = 4096

/** Additional records of a query; more is FORMERR. Resolvers send one OPT, and a TSIG or SIG(0) behind it. */
export const ADDITIONAL_RECORDS_MAX = 8

/** What every client takes over UDP (RFC 1035 §4.2.1); what needs more is truncated unless EDNS says otherwise. */
export const UDP_BYTES_MIN = 512

/** Longest reply over UDP: IPv6's least MTU without headers, never sent in fragments (RFC 9715). More is truncated. */
export const UDP_REPLY_BYTES_MAX = 1232

/**
 * Texts of options in a reply; more is cut. With both at their longest, the header, any question and any OPT still fit
 * in UDP_BYTES_MIN.
 */
export const EXTENDED_ERROR_TEXT_BYTES_MAX = 64
export const NSID_BYTES_MAX = 64

/** CNAMEs that are followed within our zones; the resolver goes on from there itself. */
export const CNAME_HOPS_MAX = 8

/** An answer by location is used again so long: half of what a change of health may take to show. */
export const PREPARED_STEERED_MS = 500

/** One of static records; its signatures hold for days. */
export const PREPARED_STATIC_MS = 3_600_000

/** Answers by network that are kept; beyond it all are made anew. */
export const PREPARED_ANSWERS_MAX = 32_768

/** Questions of networks that are remembered to have been asked, a power of two; a later one may take an earlier's place. */
export const PREPARED_MARKS = 65_536

/** Orders of an answer, each encoded and kept; of more records only the first so many come to stand in front. */
export const PREPARED_ORDERS_MAX = 16

/** A message over TCP; its length has 16 bits. */
export const MESSAGE_BYTES_MAX = 65_535

/** Connections at once; the oldest that waits for a query gives way to a new one. */
export const TCP_CONNECTIONS_MAX = 2048
export const TCP_CONNECTIONS_PER_ADDRESS_MAX = 64

/** A connection without a whole query for so long is closed (RFC 7766 §6.2.3). */
export const TCP_IDLE_MS = 10_000

/** Replies that a client does not read: beyond it no further query of its connection is read. */
export const TCP_UNSENT_BYTES_MAX = 64 * 1024

/** Queries that wait for their turn; beyond it the connection is not read. One read may bring 64 KiB more. */
export const TCP_UNREAD_BYTES_MAX = 16 * 1024

/**
 * Queries over TCP that are answered in one turn of the event loop, and of one connection before others have theirs:
 * what comes over UDP meanwhile waits for no more.
 */
export const TCP_QUERIES_A_TURN = 64
export const TCP_QUERIES_OF_ONE = 16

/** No query is longer; a connection that announces one is closed, a packet over UDP that is one gets no answer. */
export const QUERY_BYTES_MAX = 4096

/** Packets over UDP that are taken and answered by one call of each kind. */
export const UDP_BATCH = 64

/**
 * Packets that are so taken in one turn of the event loop, a few milliseconds at most, for which all else that the process
 * does waits; what comes then is left in the kernel.
 */
export const UDP_TURN_PACKETS = 512

/** Queries that wait in the kernel while others are answered; it drops what comes beyond. */
export const UDP_RECEIVE_BYTES = 4 * 1024 * 1024

/** Replies that are written before any of them is sent; more begin the next lot. */
export const UDP_TURN_REPLIES = 64

/** Replies that the kernel has not taken; beyond it queries get none. */
export const UDP_UNSENT_MAX = 1024
