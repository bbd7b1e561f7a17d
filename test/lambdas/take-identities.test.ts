import { expect, test } from '@jest/globals';
import { guardUrl } from '../../io/http-guard.ts';
import { outboundOf } from '../../lambdas/start-capture/take.ts';

const source = {
  url: 'https://wallet.internal/api/validator',
  auth: { tokenUrl: 'https://auth.example.com/token', clientId: 'backup', clientSecretArn: 'arn:aws:secretsmanager:x' },
  scan: 'https://scan.example.com',
};

test('identities are fetched from the hosts that the config names, and private addresses only inside a private network', () => {
  const hosts = ['wallet.internal', 'auth.example.com', 'scan.example.com'];
  expect(outboundOf(source)).toEqual({ origins: [], hosts });
  const origins = hosts.map((host) => `https://${host}`);
  expect(outboundOf({ ...source, private: true })).toEqual({ origins, hosts });
  expect(() => guardUrl('http://wallet.internal/api', outboundOf({ ...source, private: true }))).toThrow();
});
