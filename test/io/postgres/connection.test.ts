import { describe, expect, test } from '@jest/globals';
import { URL_PARAMETERS as CONFIG_PARAMETERS, PostgresUrl } from '../../../config/values.ts';
import {
  connectionOf,
  connectionString,
  describeSource,
  scrub,
  URL_PARAMETERS,
} from '../../../io/postgres/connection.ts';
import { BadPostgresSource } from '../../../io/postgres/errors.ts';
import { splitWords } from '../../../io/postgres/shell-words.ts';

const url = 'postgres://me%40home:p%40ss%3Aword@db.internal:6543/my%20shop';

describe('a database’s address', () => {
  test('is taken apart, each part decoded', () => {
    expect(connectionOf({ url })).toEqual({
      host: 'db.internal',
      port: 6543,
      user: 'me@home',
      database: 'my shop',
      password: 'p@ss:word',
      sslMode: 'prefer',
      sslRootCert: undefined,
      via: [],
      tools: undefined,
    });
    expect(connectionOf({ url: 'postgresql://me@[::1]/shop' })).toMatchObject({
      host: '::1',
      port: 5432,
      password: undefined,
    });
    expect(connectionOf({ url: 'postgres://me@/shop?host=/run/postgresql' })).toMatchObject({
      host: '/run/postgresql',
    });
    expect(connectionOf({ url: 'postgres://me:x@/shop', via: 'docker exec -i db' })).toMatchObject({ host: '' });
  });

  test.each(['password=hunter2', 'sslcert=/x', 'options=-csearch_path'])(
    'with ?%s is refused, not half obeyed',
    (query) => {
      expect(() => connectionOf({ url: `postgres://me@db/shop?${query}` })).toThrow(BadPostgresSource);
      expect(PostgresUrl.safeParse(`postgres://me@db/shop?${query}`).success).toBe(false);
    },
  );

  test('has one list of parameters, whoever reads it', () => {
    expect([...CONFIG_PARAMETERS]).toEqual(URL_PARAMETERS);
  });

  test.each([
    'docker exec -e PGPASSWORD=hunter2 -i db',
    'kubectl --token=hunter2 exec -i db --',
    'ssh --password hunter2 db',
  ])('behind the command %s is refused, since it is told in receipts, and the secret is not told', (via) => {
    let error = new Error('it was accepted');
    try {
      describeSource({ url: 'postgres://me@/shop', via });
    } catch (caught) {
      error = caught as Error;
    }
    expect(error).toBeInstanceOf(BadPostgresSource);
    expect(error.message).not.toContain('hunter2');
  });

  test.each([
    'docker exec -i compass-db',
    'kubectl --context=prod exec -i POD --',
    'env DOCKER_HOST=tcp://h docker exec -i db',
  ])('behind the command %s is accepted', (via) => {
    expect(describeSource({ url: 'postgres://me@/shop', via })).toContain(via);
  });

  test('with a root certificate is of a server that is verified in full', () => {
    expect(connectionOf({ url, sslRootCert: 'root.crt' })).toMatchObject({
      sslMode: 'verify-full',
      sslRootCert: 'root.crt',
    });
    const inUrl = `${url}?sslmode=verify-ca&sslrootcert=other.crt`;
    expect(connectionOf({ url: inUrl })).toMatchObject({ sslMode: 'verify-ca', sslRootCert: 'other.crt' });
  });

  test.each([
    ['nothing', ''],
    ['another scheme', 'mysql://me:secret-word@host/shop'],
    ['no host', 'postgres://me:secret-word@/shop'],
    ['no user', 'postgres://host/shop'],
    ['no database', 'postgres://me:secret-word@host/'],
    ['a wrong escape', 'postgres://me:secret-word%zz@host/shop'],
    ['a password of two lines', 'postgres://me:secret-word%0aand@host/shop'],
    ['an unknown sslmode', 'postgres://me:secret-word@host/shop?sslmode=maybe'],
    ['nothing to verify by', 'postgres://me:secret-word@host/shop?sslmode=verify-full'],
  ])('with %s is refused, without being quoted', (_, wrong) => {
    expect(() => connectionOf({ url: wrong })).toThrow(BadPostgresSource);
    expect(() => connectionOf({ url: wrong })).not.toThrow(/secret-word/);
  });

  test('is described without user and password', () => {
    expect(describeSource({ url })).toBe('postgres://db.internal:6543/my%20shop');
    expect(describeSource({ url, via: 'docker exec -i db' })).toBe(
      'postgres://db.internal:6543/my%20shop by docker exec -i db',
    );
    expect(describeSource({ url: 'postgres://me:x@[::1]/shop' })).toBe('postgres://[::1]:5432/shop');
  });

  test('is written for programs without the password, each value quoted', () => {
    const connection = connectionOf({ url: "postgres://o'brien:hidden@host/a%5Cb" });
    expect(connectionString(connection)).toBe(
      "host='host' port='5432' user='o\\'brien' dbname='a\\\\b' sslmode='prefer' application_name='ledgerhold' connect_timeout='10' " +
        "keepalives_idle='60' keepalives_interval='15' keepalives_count='4'",
    );
  });

  test('does not come back in a text that somebody else wrote', () => {
    const said = `FATAL: p@ss:word is wrong for ${url} and postgres://other:pw@host`;
    expect(scrub(said, connectionOf({ url }))).toBe(
      'FATAL: … is wrong for postgres://db.internal:6543/my%20shop and postgres://host',
    );
  });
});

describe('a command', () => {
  test.each([
    ['docker exec -i db', ['docker', 'exec', '-i', 'db']],
    ['  kubectl  exec "-n" my\\ space \'a "b"\' -- ', ['kubectl', 'exec', '-n', 'my space', 'a "b"', '--']],
    ['a""b \'\' "c\\"$d"', ['ab', '', 'c"$d']],
  ])('%s is split as a shell splits it', (command, words) => {
    expect(splitWords(command)).toEqual(words);
  });

  test.each(['', '  ', "docker 'exec", 'docker "exec', 'docker \\'])('%j is refused', (command) => {
    expect(() => splitWords(command)).toThrow(BadPostgresSource);
  });
});
