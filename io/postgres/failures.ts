import type { CaptureFailed } from '../../core/receipts.ts';
import { type Connection, scrub } from './connection.ts';
import {
  DatabaseNotReadable,
  DatabaseUnavailable,
  LoginRefused,
  NoSuchDatabase,
  PostgresToolFailed,
  ServerNotVerified,
  ToolOlderThanServer,
  WrongPassword,
} from './errors.ts';

/** What a failure is, told by its SQLSTATE or else by libpq's English words, which is all that its programs give. */
interface Failure {
  readonly codes: RegExp;
  readonly words: RegExp;
  readonly error: new (message: string, remedy: string, options?: ErrorOptions) => CaptureFailed;
  readonly remedy: string;
}

/** In order: the first that fits. Codes: PostgreSQL, appendix A; Node's for sockets. */
const FAILURES: readonly Failure[] = [
  {
    codes: /^28P01$/,
    words: /password authentication failed|no password supplied|client password must be/,
    error: WrongPassword,
    remedy: 'Correct the user or the password in the URL.',
  },
  {
    codes: /^28/,
    words: /pg_hba\.conf|role ".*" does not exist|authentication failed/,
    error: LoginRefused,
    remedy: "Allow this user from this host in the server's pg_hba.conf, or correct user and sslmode in the URL.",
  },
  {
    codes: /CERT|^ERR_TLS|^UNABLE_TO/,
    words: /certificate verify failed|server certificate/,
    error: ServerNotVerified,
    remedy:
      'Find out who answers there; if it is the server, give the root certificate that signed its own, and the name in it.',
  },
  {
    codes: /^3D000$/,
    words: /database ".*" does not exist/,
    error: NoSuchDatabase,
    remedy: 'Correct the database in the URL: the one that the node really uses.',
  },
  {
    codes: /^42501$/,
    words: /permission denied/,
    error: DatabaseNotReadable,
    remedy: 'Use the user that the node itself uses, or grant this one pg_read_all_data.',
  },
  {
    codes: /^$/,
    words: /server version mismatch/,
    error: ToolOlderThanServer,
    remedy: "Install PostgreSQL's client programs of the server's version.",
  },
  {
    codes: /^(?:08|53|57P0)|^E[A-Z]+$/,
    words:
      /could not connect|connection to server .* failed|could not translate|too many (?:clients|connections)|connection slots|database system is|timeout|connection terminated|server closed the connection|terminating connection|SSL|certificate|recovery/i,
    error: DatabaseUnavailable,
    remedy: 'See that the server runs, can be reached from here and has a free connection; then run again.',
  },
];

/** Names a failure. `said` is what the server or a program said. */
export function failureNamed(
  said: string,
  connection: Connection,
  { code = '', ...options }: ErrorOptions & { code?: string } = {},
): CaptureFailed {
  const message = scrub(said, connection);
  const { host, port, database, via } = connection;
  const failure = FAILURES.find(({ codes, words }) => (code === '' ? words.test(message) : codes.test(code)));
  const where = `${database} on ${host === '' ? via.join(' ') : `${host}:${port}`}`;
  const { error: Named, remedy } = failure ?? { error: PostgresToolFailed, remedy: 'Act on what is said there.' };
  return new Named(`database ${where}: ${message}`, remedy, options);
}
