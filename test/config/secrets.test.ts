import { describe, expect, test } from '@jest/globals';
import { readSecret, SecretMissing, type SecretSources, withoutSecrets } from '../../config/secrets.ts';

const sources = (over: Partial<SecretSources> = {}): SecretSources => ({
  env: { SET: 'from the environment', EMPTY: '' },
  readFile: async () => 'from the file\n',
  secretsManager: async (id) => `from ${id}`,
  ...over,
});

describe('readSecret', () => {
  test('reads each kind where it says, without the newline that editors add', async () => {
    expect(await readSecret({ env: 'SET' }, sources())).toBe('from the environment');
    expect(await readSecret({ file: './x' }, sources())).toBe('from the file');
    expect(await readSecret({ secretsManager: 'arn:x' }, sources())).toBe('from arn:x');
  });

  test('names what is missing or empty', async () => {
    await expect(readSecret({ env: 'UNSET' }, sources())).rejects.toThrow(SecretMissing);
    await expect(readSecret({ env: 'EMPTY' }, sources())).rejects.toThrow('EMPTY is empty');
    await expect(readSecret({ file: './x' }, sources({ readFile: async () => '\n' }))).rejects.toThrow('./x is empty');
    const gone = sources({ readFile: async () => Promise.reject(new Error('ENOENT')) });
    await expect(readSecret({ file: './gone' }, gone)).rejects.toThrow('./gone cannot be read');
  });
});

describe('withoutSecrets', () => {
  test('leaves out what the config names, wherever it stands, and nothing else', () => {
    const config = {
      nodes: [{ auth: { clientSecret: { env: 'SECRET' } }, url: { env: 'URL' } }],
      other: { file: 'PATH' },
    };
    const env = { SECRET: 'a', URL: 'b', PATH: '/bin', DOCKER_HOST: 'c' };
    expect(withoutSecrets(env, config)).toEqual({ PATH: '/bin', DOCKER_HOST: 'c' });
  });
});
