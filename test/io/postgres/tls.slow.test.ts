import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectionOf } from '../../../io/postgres/connection.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../../../io/postgres/server.ts';
import { openSession } from '../../../io/postgres/session.ts';
import { describeWithPostgres } from '../../support/postgres.ts';

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
const hasOpenssl = (() => {
  try {
    return openssl('version').length > 0;
  } catch {
    return false;
  }
})();
const describeWithTls = hasOpenssl
  ? describeWithPostgres
  : (name: string, tests: () => void) => describe.skip(`${name} (openssl is not installed)`, tests);

describeWithTls('a session with a server that speaks TLS', () => {
  let folder: string;
  let server: ThrowawayPostgres;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
    await chmod(folder, 0o755);
    for (const name of ['root', 'other']) {
      const subject = [
        '-subj',
        `/CN=${name}`,
        '-keyout',
        join(folder, `${name}.key`),
        '-out',
        join(folder, `${name}.crt`),
      ];
      openssl(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        ...subject,
      );
    }
    await certificate('server', 'DNS:localhost');
    const settings = { ssl: 'on', ssl_cert_file: join(folder, 'server.crt'), ssl_key_file: join(folder, 'server.key') };
    server = await startThrowawayPostgres({ settings });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true });
  });

  /** Signed by `root`, owned by whom PostgreSQL runs as. */
  const certificate = async (name: string, names: string) => {
    const [key, request, out] = ['key', 'csr', 'crt'].map((kind) => join(folder, `${name}.${kind}`)) as [
      string,
      string,
      string,
    ];
    await writeFile(join(folder, 'names'), `subjectAltName=${names}`);
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=x',
      '-keyout',
      key,
      '-out',
      request,
    );
    const root = ['-CA', join(folder, 'root.crt'), '-CAkey', join(folder, 'root.key'), '-CAcreateserial'];
    openssl('x509', '-req', '-in', request, ...root, '-days', '2', '-extfile', join(folder, 'names'), '-out', out);
    const postgres = (await readFile('/etc/passwd', 'utf8')).split('\n').find((line) => line.startsWith('postgres:'));
    if (process.getuid?.() === 0 && postgres !== undefined) await chown(key, Number(postgres.split(':')[2]), 0);
    await chmod(key, 0o600);
  };
  const encrypted = async (host: string, more: { sslRootCert?: string; query?: string; via?: string }) => {
    const { query = '', ...source } = more;
    const url = `${server.url('postgres').replace('127.0.0.1', host)}${query}`;
    const session = await openSession(connectionOf({ url, ...source }), { environment: process.env });
    const [row] = await session.rows('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    await session.close();
    return row?.[0] === 't';
  };
  const root = () => join(folder, 'root.crt');
  const other = () => join(folder, 'other.crt');

  const ways = [
    ['over TCP', {}],
    ['behind a command', { via: 'env WHO=me' }],
  ] as const;
  test.each(ways)('verifies it by the root certificate and by name (%s)', async (_, via) => {
    expect(await encrypted('localhost', { ...via, sslRootCert: root() })).toBe(true);
    const strange = { name: 'ServerNotVerified', kind: 'refused' };
    await expect(encrypted('localhost', { ...via, sslRootCert: other() })).rejects.toMatchObject(strange);
    await expect(encrypted('127.0.0.1', { ...via, sslRootCert: root() })).rejects.toMatchObject(strange);
  });

  test.each(ways)('does what sslmode says (%s)', async (_, via) => {
    const mode = (name: string) => ({ ...via, query: `?sslmode=${name}` });
    expect(await encrypted('127.0.0.1', mode('disable'))).toBe(false);
    for (const name of ['prefer', 'require']) expect(await encrypted('127.0.0.1', mode(name))).toBe(true);
    const verifying = `?sslmode=verify-ca&sslrootcert=${root()}`;
    expect(await encrypted('127.0.0.1', { ...via, query: verifying })).toBe(true);
    await expect(
      encrypted('127.0.0.1', { ...via, query: verifying.replace('root.crt', 'other.crt') }),
    ).rejects.toMatchObject({
      name: 'ServerNotVerified',
    });
  });
});
