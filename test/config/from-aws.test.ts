import { describe, expect, test } from '@jest/globals';
import { runsOnAws } from '../../config/from-aws.ts';
import { parseConfig } from '../../config/parse.ts';

const SECRET = '{ secretsManager: "arn:aws:secretsmanager:eu-central-1:111111111111:secret:x" }';

function onAws({ aws = true, url = 'https://v.example.com', secret = SECRET, app = '{ rds: app-db }' } = {}): boolean {
  const config = parseConfig(
    'test.yaml',
    `network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
${aws ? "aws: { account: '111111111111', region: eu-central-1 }" : ''}
nodes:
  - name: validator-1
    protocol: splice
    identities: { url: "${url}", auth: { tokenUrl: https://auth.example.com/t, clientId: c, clientSecret: ${secret} } }
    components:
      validator-app: ${app}
      participant: { rds: participant-db }
`,
  );
  const [node] = config.nodes;
  return node !== undefined && runsOnAws(config, node);
}

describe('runs of a node', () => {
  test('happen on AWS if it is deployed and all of it can be reached from there', () => {
    expect(onAws()).toBe(true);
  });

  test.each([
    ['the config says nowhere', { aws: false }],
    ['a database is reached by its address', { app: '{ postgres: { url: { env: URL } } }' }],
    ['the secret of its identities is on this machine', { secret: '{ env: SECRET }' }],
    ['its identities are not served over HTTPS', { url: 'http://localhost:5003' }],
  ])('happen here if %s', (_, changes) => {
    expect(onAws(changes)).toBe(false);
  });
});
