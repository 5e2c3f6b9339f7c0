// Flags of Node for the daemons, from the file that the `edgeward` command reads too, which no TypeScript can be.
//
// `--max-semi-space-size`: V8's young generation, 4 MiB a half instead of 16. Bodies are not in it, and what a request
// leaves there is little; a large one costs a daemon 50 MB that are never given back (docs/decisions/0011-memory.md).
//
// `--disable-warning=ExperimentalWarning`: node:ffi is one (docs/decisions/0025-many-packets-a-call.md), and two lines of
// text among those of the log tell nobody more than the log does.
import flags from './node-flags.json' with { type: 'json' }

export const NODE_FLAGS: readonly string[] = flags
