import { expect, test } from '@jest/globals';
import { captureSources } from '../../config/capture-sources.ts';
import { parseConfig } from '../../config/parse.ts';
import { CaptureSources } from '../../core/capture-sources.ts';

const ARN = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:validator-AbCdEf';
const config = (identities: string, more = '') => `
network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./key.pem }
nodes:
  - name: validator-1
    protocol: splice
    identities: ${identities}${more}
    components:
      validator-app: { postgres: { url: 'postgres://backup@db.example.com:5432/validator' } }
      participant: { postgres: { url: { env: PARTICIPANT_DB } } }
`;
const sourcesOf = (identities: string, more = '') =>
  captureSources(parseConfig('ledgerhold.yaml', config(identities, more)))['validator-1'];
const auth = `tokenUrl: https://auth.example.com/token, clientId: backup`;

test('a Lambda takes identities over HTTPS with a secret that is in Secrets Manager, and databases not at all', () => {
  const sources = sourcesOf(
    `{ url: 'https://v.example.com/api', auth: { ${auth}, clientSecret: { secretsManager: '${ARN}' } } }`,
  );
  expect(sources).toEqual({
    identities: {
      identities: {
        url: 'https://v.example.com/api',
        auth: { tokenUrl: 'https://auth.example.com/token', clientId: 'backup', clientSecretArn: ARN },
      },
    },
    'validator-app': { elsewhere: { kind: 'postgres', at: 'postgres://db.example.com:5432/validator' } },
    participant: { elsewhere: { kind: 'postgres', at: 'an address that is a secret' } },
  });
  expect(CaptureSources.parse({ 'validator-1': sources })).toEqual({ 'validator-1': sources });
});

test.each([
  ['without authentication', `{ url: 'http://wallet.localhost/api', auth: { unsafe: { user: u, audience: a } } }`],
  [
    'with a secret of this machine',
    `{ url: 'https://v.example.com', auth: { ${auth}, clientSecret: { env: SECRET } } }`,
  ],
])('identities %s are elsewhere', (_, identities) => {
  expect(sourcesOf(identities)?.['identities']).toMatchObject({ elsewhere: { kind: 'identities' } });
});

test('private addresses are for nodes in a private network, and for no others', () => {
  const vpc = `
    vpc: { id: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d], securityGroups: [sg-0a1b2c3d] }`;
  const identities = `{ url: 'https://v.internal', auth: { ${auth}, clientSecret: { secretsManager: '${ARN}' } } }`;
  expect(sourcesOf(identities, vpc)?.['identities']).toMatchObject({ identities: { private: true } });
  expect(sourcesOf(identities)?.['identities']).not.toHaveProperty('identities.private');
});
