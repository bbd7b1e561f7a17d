import { describe, expect, test } from '@jest/globals';
import { effectiveDatabase } from '../../cli/effective-database.ts';
import { loadedFrom } from '../support/splice-backups.ts';

const { env } = process;

describe('the database that a deployment really uses', () => {
  test('is what the command prints', async () => {
    expect(await effectiveDatabase('sh -c "echo $NAME"', { ...env, NAME: 'participant-4' })).toBe('participant-4');
  });

  test.each(['false', 'no-such-program-here', 'true', 'echo two words', "printf 'a\\nb'"])(
    'is never guessed when %s says nothing of use',
    async (command) => {
      await expect(effectiveDatabase(command, env)).rejects.toMatchObject({
        name: 'DeploymentSilent',
        kind: 'external',
      });
    },
  );

  test('takes the place of the one in the address', async () => {
    const yaml = `
network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./key.pem }
nodes:
  - name: validator-1
    protocol: splice
    identities: { url: http://wallet.localhost/api/validator, auth: { unsafe: { user: u, audience: a } } }
    components:
      validator-app: { postgres: { url: 'postgres://u@h/validator' } }
      participant: { postgres: { url: 'postgres://u@h:1/old?sslmode=disable', database: { command: echo participant-4 } } }
`;
    const { prepared } = await loadedFrom({ yaml, env: { PATH: env['PATH'] ?? '' } });
    expect(prepared.databases.get('participant')?.url).toBe('postgres://u@h:1/participant-4?sslmode=disable');
  });
});
