// `edgeward key`: makes a secret and says where it goes. Nothing is stored.
import { randomBytes } from 'node:crypto'
import { Command, Option } from 'commander'
import { hashKey, newKey } from '../key.ts'

type Purpose = 'edge' | 'token'

/** Bytes of a token key: as many as HMAC-SHA256 makes of it. */
const TOKEN_KEY_BYTES = 32

export function keyCommand(): Command {
  return new Command('key')
    .description('Make a key: of an edge, with the hash that the scheduler keeps, or of a property’s tokens.')
    .addOption(
      new Option('--for <purpose>', 'what the key is for').choices(['edge', 'token']).default('edge'),
    )
    .option('--json', 'print one JSON object')
    .action((options: { for: Purpose; json?: true }) => {
      const made = options.for === 'edge' ? edgeKey() : tokenKey()
      process.stdout.write(options.json === true ? `${JSON.stringify(made.values)}\n` : made.explained)
    })
}

interface Made {
  values: Record<string, string>
  explained: string
}

function edgeKey(): Made {
  const key = newKey()
  const hash = hashKey(key)
  const explained = `key   ${key}
hash  ${hash}

On the edge: put the key into the environment, and name it in edge.yaml
  key: "\${EDGE_KEY}"
On the scheduler: put the hash into the edge's entry of edgeward.yaml
  keyHash: ${hash}
The key is shown this once and kept nowhere.
`
  return { values: { key, hash }, explained }
}

/** Hex digits: every scheme takes them, hdnts no others. */
function tokenKey(): Made {
  const key = randomBytes(TOKEN_KEY_BYTES).toString('hex')
  const explained = `key   ${key}

Put the key into the environment, or into a file, and name it in the property's tokens
  keys: ["\${SHOWS_KEY}"]        or  keys: ["\${file:/etc/edgeward/shows.key}"]
Whoever signs URLs needs it too. To replace a key: add the new one behind the old; once every edge
has it, move it to the front and let the signers take it; remove the old one when its last URL and
session have ended.
The key is shown this once and kept nowhere.
`
  return { values: { key }, explained }
}
