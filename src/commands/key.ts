// `edgeward key`: makes the secret of one edge and says where its two halves go. Nothing is stored.
import { Command } from 'commander'
import { hashKey, newKey } from '../key.ts'

export function keyCommand(): Command {
  return new Command('key')
    .description('Make a key for an edge, and the hash that the scheduler keeps of it.')
    .option('--json', 'print one JSON object')
    .action((options: { json?: true }) => {
      const key = newKey()
      const hash = hashKey(key)
      process.stdout.write(
        options.json === true ? `${JSON.stringify({ key, hash })}\n` : explained(key, hash),
      )
    })
}

function explained(key: string, hash: string): string {
  return `key   ${key}
hash  ${hash}

On the edge: put the key into the environment, and name it in edge.yaml
  key: "\${EDGE_KEY}"
On the scheduler: put the hash into the edge's entry of edgeward.yaml
  keyHash: ${hash}
The key is shown this once and kept nowhere.
`
}
