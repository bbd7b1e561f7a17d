import { BadPostgresSource } from './errors.ts';
import { splitWords } from './shell-words.ts';

/** A database as the config names it. Holds a password: never printed, never in a handle. */
export interface PostgresSource {
  /** `postgres://user:password@host:port/database`, with libpq's parameters such as `?sslmode=require`. */
  readonly url: string;
  /** A root certificate's file. With it the server is verified in full, its name included. */
  readonly sslRootCert?: string;
  /** A command that PostgreSQL's programs run behind, such as `docker exec -i NAME`; host and port are as seen there. */
  readonly via?: string;
  /** Folder of `pg_dump` and its kin; default: the newest installed. */
  readonly tools?: string;
}

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** A source taken apart. */
export interface Connection {
  /** A name, an address, the folder of a socket, or empty for the default of the place where programs run. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string | undefined;
  readonly sslMode: SslMode;
  readonly sslRootCert: string | undefined;
  /** Words of the command that programs run behind; empty for none. */
  readonly via: readonly string[];
  readonly tools: string | undefined;
}

/** Throws `BadPostgresSource`, without the URL: it holds the password. */
export function connectionOf(source: PostgresSource): Connection {
  const url = parseUrl(source.url);
  const hostname = url.hostname === NO_HOST ? '' : decode(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  const host = url.searchParams.get('host') ?? hostname;
  const via = source.via === undefined ? [] : splitWords(source.via);
  refuseSecretWords(via);
  if (host === '' && via.length === 0) throw badUrl('it names no host');
  const user = decode(url.username);
  if (user === '') throw badUrl('it names no user');
  const password = url.password === '' ? undefined : decode(url.password);
  // A password file is read by lines, and so is the first line behind a command.
  if (password !== undefined && /[\r\n\0]/.test(password)) throw badUrl('the password holds a line break');
  const database = decode(url.pathname.slice(1));
  if (database === '') throw badUrl('it names no database');
  const sslRootCert = source.sslRootCert ?? url.searchParams.get('sslrootcert') ?? undefined;
  const sslMode = sslModeOf(url, source);
  if (sslMode.startsWith('verify') && sslRootCert === undefined) {
    throw badUrl(`sslmode=${sslMode} needs a root certificate: give sslRootCert`);
  }
  const port = url.port === '' ? 5432 : Number(url.port);
  return { host, port, user, database, password, sslMode, sslRootCert, via, tools: source.tools };
}

/** Stands for no host, which libpq allows and the general form of URLs does not. */
const NO_HOST = 'none.invalid';

function parseUrl(text: string): URL {
  const url = URL.parse(text.replace(/^([a-z]+:\/\/[^@/]*@)(?=\/)/, `$1${NO_HOST}`));
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol)) throw badUrl('it does not begin with postgres://');
  for (const name of url.searchParams.keys()) {
    // Ignored, a client certificate or a second password would only seem to be used.
    if (!URL_PARAMETERS.includes(name)) throw badUrl(`its parameter ${name} is none of ${URL_PARAMETERS.join(', ')}`);
  }
  return url;
}

/** What a URL may say behind its question mark. */
export const URL_PARAMETERS: readonly string[] = ['host', 'sslmode', 'sslrootcert'];

const SECRET_NAME = '[\\w-]*(?:pass|pwd|secret|token|credential)[\\w-]*';
const SECRET_WORD = new RegExp(`^(?:${SECRET_NAME}=.|-{1,2}${SECRET_NAME}(?:=.|$))`, 'i');

/** A command line is everybody's to read, and this one is told in receipts. */
function refuseSecretWords(via: readonly string[]): void {
  const word = via.find((each) => SECRET_WORD.test(each));
  if (word === undefined) return;
  throw new BadPostgresSource(
    `via holds what looks like a secret, ${word.replace(/=.*/s, '=…')}: command lines are readable by everybody`,
    'Take it out of via; a password belongs into the address that url points to, and is handed over on stdin.',
  );
}

function sslModeOf(url: URL, { sslRootCert }: PostgresSource): SslMode {
  if (sslRootCert !== undefined) return 'verify-full';
  const given = url.searchParams.get('sslmode') ?? 'prefer';
  const mode = SSL_MODES.find((one) => one === given);
  if (mode === undefined) throw badUrl(`its sslmode is none of ${SSL_MODES.join(', ')}`);
  return mode;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw badUrl('a % in it is not followed by two hexadecimal digits; write % itself as %25', { cause });
  }
}

const badUrl = (why: string, options?: ErrorOptions) =>
  new BadPostgresSource(
    `the database's URL cannot be used: ${why}`,
    'Write it as postgres://user:password@host:port/database, each part percent-encoded.',
    options,
  );

/** For receipts and people: no user, no password. */
export function describeSource(source: PostgresSource): string {
  const { host, port, database, via } = connectionOf(source);
  const at = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
  const url = `postgres://${at}:${port}/${encodeURIComponent(database)}`;
  return via.length === 0 ? url : `${url} by ${via.join(' ')}`;
}

/** libpq's connection string: all but the password, fit for a command line. */
export function connectionString(connection: Connection): string {
  const { host, port, user, database, sslMode, sslRootCert } = connection;
  const parts = {
    ...(host === '' ? {} : { host }),
    port: String(port),
    user,
    dbname: database,
    sslmode: sslMode,
    ...(sslRootCert === undefined ? {} : { sslrootcert: sslRootCert }),
    application_name: 'ledgerhold',
    connect_timeout: String(CONNECT_WITHIN_SECONDS),
    // A server that vanished is noticed within two minutes, not two hours.
    keepalives_idle: String(KEEPALIVE_SECONDS),
    keepalives_interval: '15',
    keepalives_count: '4',
  };
  const quoted = (value: string) => `'${value.replace(/['\\]/g, '\\$&')}'`;
  return Object.entries(parts)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ');
}

export const CONNECT_WITHIN_SECONDS = 10;
export const KEEPALIVE_SECONDS = 60;

/** Takes a connection's password out of a text that someone else wrote. */
export function scrub(text: string, { password }: Connection): string {
  const withoutUrls = text.replace(/(postgres(?:ql)?:\/\/)[^@\s/]*@/g, '$1');
  // A very short password would take harmless letters with it, and is none.
  return password === undefined || password.length < 4 ? withoutUrls : withoutUrls.replaceAll(password, '…');
}
