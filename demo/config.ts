import type { DemoNetwork } from './network.ts';

/** Environment variables that the demo's config names, as a real one would name its own. */
export const SECRET_VARIABLE = 'LEDGERHOLD_DEMO_SECRET';
export const APP_URL_VARIABLE = 'LEDGERHOLD_DEMO_APP_URL';
export const PARTICIPANT_URL_VARIABLE = 'LEDGERHOLD_DEMO_PARTICIPANT_URL';

/** The `ledgerhold.yaml` of the demo. Paths are relative to where it lies. */
export function demoConfig(
  { oauth, endpoint, client }: Pick<DemoNetwork, 'oauth' | 'endpoint' | 'client'>,
  recipient: string,
) {
  return `# What \`ledgerhold demo\` backs up: a toy Splice validator on this machine. Replaced by the next start.
network: demo
vault: { folder: ./vault }
encryption: { recipients: [${recipient}] }
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: validator-1
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
`;
}
