import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { isNativeError } from 'node:util/types';
import pg from 'pg';
import { CONNECT_WITHIN_SECONDS, type Connection, KEEPALIVE_SECONDS } from './connection.ts';
import { BadPostgresSource } from './errors.ts';
import { failureNamed } from './failures.ts';
import type { Session, SqlRow } from './session.ts';

const CLOSE_WITHIN_MS = 5000;

/** Values as the server sends them. */
const AS_TEXT: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value };

export async function openTcpSession(connection: Connection): Promise<Session> {
  const client = await connect(connection);
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw named(cause, connection);
    }
  };
  return {
    run: async (command) => void (await attempt(() => client.query(command))),
    rows: async (query) => {
      const { rows } = await attempt(() => client.query<string[]>({ text: query, rowMode: 'array', types: AS_TEXT }));
      return rows as SqlRow[];
    },
    // A server that vanished says no goodbye.
    close: () => Promise.race([client.end().catch(() => undefined), sleep(CLOSE_WITHIN_MS, undefined, { ref: false })]),
  };
}

/** What libpq does by these words, in the order of its attempts; undefined is without TLS. */
async function tlsAttempts({ host, sslMode, sslRootCert }: Connection): Promise<(ConnectionOptions | undefined)[]> {
  if (host.startsWith('/') || sslMode === 'disable') return [undefined];
  const unverified = { rejectUnauthorized: false };
  if (sslMode === 'allow') return [undefined, unverified];
  if (sslMode === 'prefer') return [unverified, undefined];
  if (sslMode === 'require' || sslRootCert === undefined) return [unverified];
  const ca = await rootCertificate(sslRootCert);
  if (sslMode === 'verify-ca') return [{ ca, checkServerIdentity: () => undefined }];
  // By our own host: for an address the library would have another name checked.
  return [{ ca, checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate) }];
}

async function rootCertificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const remedy = "Name the file of the root certificate that signed the server's.";
    throw new BadPostgresSource(`the root certificate ${path} cannot be read`, remedy, { cause });
  }
}

async function connect(connection: Connection): Promise<pg.Client> {
  let failure: unknown;
  for (const ssl of await tlsAttempts(connection)) {
    const client = clientOf(connection, ssl);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      // The first attempt's answer is the one that was asked for, unless it was only that there is no TLS.
      if (failure === undefined || isAboutTls(failure)) failure = error;
      if (!isAboutTls(error) && !isRefusal(error)) break;
    }
  }
  throw named(failure, connection);
}

function clientOf({ host, port, user, database, password }: Connection, ssl: ConnectionOptions | undefined): pg.Client {
  const client = new pg.Client({
    host,
    port,
    user,
    database,
    // A function, so that no variable of our own environment takes the place of a password that was not given.
    password: () => password ?? '',
    ssl: ssl ?? false,
    connectionTimeoutMillis: CONNECT_WITHIN_SECONDS * 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_SECONDS * 1000,
    application_name: 'ledgerhold',
  });
  // A connection lost while idle is told by the next query.
  client.on('error', () => undefined);
  return client;
}

const isAboutTls = (error: unknown): boolean => messageOf(error).includes('SSL');
/** The server's own no, which the other kind of connection may not get. */
const isRefusal = (error: unknown): boolean => codeOf(error).startsWith('28');

const codeOf = (error: unknown): string =>
  isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** One refused attempt for each address of a name comes as one error without words of its own. */
function messageOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  return error.message === '' && 'errors' in error ? [error.errors].flat().map(messageOf).join('; ') : error.message;
}

const named = (cause: unknown, connection: Connection) =>
  failureNamed(messageOf(cause), connection, { code: codeOf(cause), cause });
