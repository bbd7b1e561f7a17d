import { LedgerholdError } from '../../core/errors.ts';
import { CaptureFailed } from '../../core/receipts.ts';

/** The configuration's words about a database cannot be used; no call was made. */
export class BadPostgresSource extends LedgerholdError {
  override readonly name = 'BadPostgresSource';
  readonly kind = 'usage';
}

export class WrongPassword extends CaptureFailed {
  override readonly name = 'WrongPassword';
  override readonly kind = 'usage';
}

/** The server knows us or our address not, or wants another way to log in. */
export class LoginRefused extends CaptureFailed {
  override readonly name = 'LoginRefused';
  override readonly kind = 'usage';
}

/** Whoever answers cannot prove to be the server that the root certificate vouches for. */
export class ServerNotVerified extends CaptureFailed {
  override readonly name = 'ServerNotVerified';
  override readonly kind = 'refused';
}

export class NoSuchDatabase extends CaptureFailed {
  override readonly name = 'NoSuchDatabase';
  override readonly kind = 'usage';
}

/** `pg_dump` reads servers of its own major version and older ones, never newer ones. */
export class ToolOlderThanServer extends CaptureFailed {
  override readonly name = 'ToolOlderThanServer';
  override readonly kind = 'usage';
}

/** Nobody answers, or the server is starting, stopping or full. */
export class DatabaseUnavailable extends CaptureFailed {
  override readonly name = 'DatabaseUnavailable';
}

/** The user may log in, but not read all that a dump holds. */
export class DatabaseNotReadable extends CaptureFailed {
  override readonly name = 'DatabaseNotReadable';
}

/** A program of PostgreSQL's failed in a way that has no name of its own; its last words are in the message. */
export class PostgresToolFailed extends CaptureFailed {
  override readonly name = 'PostgresToolFailed';
}

/** `pg_dump` ended well, and yet what it wrote is not a whole dump. */
export class DumpCutShort extends CaptureFailed {
  override readonly name = 'DumpCutShort';
}

/** Bytes that should be a whole dump are not. */
export class DumpDamaged extends LedgerholdError {
  override readonly name = 'DumpDamaged';
  readonly kind = 'violation';
  constructor(what: string, options?: ErrorOptions) {
    super(`the dump is damaged: ${what}`, 'Use another set, and find out what changed or cut this one.', options);
  }
}

/** A dump that may be whole, and yet cannot be read for what was asked. */
export class UnsupportedDump extends LedgerholdError {
  override readonly name = 'UnsupportedDump';
  readonly kind = 'unknown';
  constructor(what: string, remedy = 'Read it with the pg_restore that belongs to it.') {
    super(`the dump cannot be read here: ${what}`, remedy);
  }
}
