import type { DemoChain } from './chain.ts';
import type { DemoNetwork } from './network.ts';

export const DEMO_NETWORK = 'demo';

/** What the config calls the two nodes. */
export const VALIDATOR_NODE = 'validator-1';
export const CHAIN_NODE = 'consortium';
/** Beside the config. */
export const GENESIS_FILE = 'genesis.json';

/** Environment variables that the demo's config names, as a real one would name its own. */
export const SECRET_VARIABLE = 'LEDGERHOLD_DEMO_SECRET';
export const APP_URL_VARIABLE = 'LEDGERHOLD_DEMO_APP_URL';
export const PARTICIPANT_URL_VARIABLE = 'LEDGERHOLD_DEMO_PARTICIPANT_URL';

/** The `ledgerhold.yaml` of the demo. Paths are relative to where it lies. */
export function demoConfig(
  { oauth, endpoint, client }: Pick<DemoNetwork, 'oauth' | 'endpoint' | 'client'>,
  recipient: string,
  chain?: DemoChain,
) {
  return `# What \`ledgerhold demo\` backs up, all of it on this machine. Replaced by the next start.
network: ${DEMO_NETWORK}
vault: { folder: ./vault }
encryption: { recipients: [${recipient}] }
signing: { keyFile: ./signing-key.pem }
nodes:
  # A toy Splice validator.
  - name: ${VALIDATOR_NODE}
    protocol: splice
    every: 4 hours
    identities:
      url: ${endpoint.url}
      auth:
        tokenUrl: ${oauth.tokenUrl}
        clientId: ${client.clientId}
        clientSecret: { env: ${SECRET_VARIABLE} }
        audience: ${client.audience}
    components:
      validator-app: { postgres: { url: { env: ${APP_URL_VARIABLE} } } }
      participant: { postgres: { url: { env: ${PARTICIPANT_URL_VARIABLE} } } }
${chain === undefined ? '' : chainConfig(chain)}`;
}

const chainConfig = ({ monitor, validators }: DemoChain): string => `  # A chain that three nodes hold.
  - name: ${CHAIN_NODE}
    protocol: ethereum
    client: geth
    monitor: { rpc: ${monitor.url} }
    validators:
${validators.map(({ name, url }) => `      - { name: ${name}, rpc: ${url} }\n`).join('')}    restore: { genesis: ./${GENESIS_FILE} }
`;
