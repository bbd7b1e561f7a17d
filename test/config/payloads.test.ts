import { describe, expect, test } from '@jest/globals';
import { nodeNamed, nodesMeant } from '../../cli/context.ts';
import { everySecondsOf } from '../../config/every.ts';
import { ConfigInvalid, parseConfig } from '../../config/parse.ts';
import { payloadNodes } from '../../config/payloads.ts';

const config = ({ name = 'consortium', client = 'quorum', more = '', second = '' } = {}) =>
  parseConfig(
    'c.yaml',
    `network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./key.pem }
${more}
nodes:
  - name: ${name}
    enabled: true
    protocol: ethereum
    client: ${client}
    monitor: { rpc: "http://127.0.0.1:8545" }
    validators: [ { name: bank-a, rpc: "http://127.0.0.1:8546" } ]
    timesADay: 2
    components: { tessera: { postgres: { url: "postgres://t@127.0.0.1/tessera" } } }
${second}`,
  );

describe('the payloads beside a chain', () => {
  test('are a node of their own name, which runs when the chain does', () => {
    const [payloads, another] = payloadNodes(config());
    expect(payloads).toMatchObject({ name: 'consortium-tessera', protocol: 'tessera', enabled: true });
    expect(another).toBeUndefined();
    expect(payloads && everySecondsOf(payloads)).toBe(12 * 3600);
  });

  test('are meant together with the chain, and can be named alone', () => {
    expect(nodesMeant(config(), undefined).map(({ name }) => name)).toEqual(['consortium', 'consortium-tessera']);
    expect(nodeNamed(config(), undefined).name).toBe('consortium');
    expect(nodesMeant(config(), 'consortium-tessera').map(({ name }) => name)).toEqual(['consortium-tessera']);
  });

  test.each([
    ['a client that has no Tessera', { client: 'geth' }, 'client quorum'],
    ['a name too long to be lengthened', { name: 'a'.repeat(17) }, 'at most 16 characters'],
    [
      'a deployment on AWS, which does not capture them',
      { more: 'aws: { account: "123456789012", region: eu-central-1 }' },
      'not on AWS yet',
    ],
    [
      'another node of that name',
      {
        second: `  - name: consortium-tessera
    protocol: canton
    components: { participant: { postgres: { url: "postgres://p@127.0.0.1/p" } } }`,
      },
      'have this name',
    ],
  ])('are refused with %s', (_, given, message) => {
    expect(() => config(given)).toThrow(ConfigInvalid);
    expect(() => config(given)).toThrow(message);
  });
});
