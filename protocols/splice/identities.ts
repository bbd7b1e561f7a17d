import type { Instant } from '../../core/names.ts';
import type { Reading } from '../../core/positions.ts';
import type { Artifact, Captured } from '../../core/receipts.ts';
import { sha256 } from '../../io/digest.ts';
import type { Http, HttpAnswer } from '../../io/http.ts';
import { type Auth, bearerFor } from '../../io/oauth.ts';
import {
  ForeignParticipant,
  IdentitiesNotServed,
  NotAnAdministrator,
  NotIdentities,
  ValidatorFailed,
} from './identities-errors.ts';
import { type IdentitiesFacts, readIdentities } from './identities-schema.ts';

/** Where a validator's identities are, and whose they must be. */
export interface IdentitiesSource {
  /** Base of the validator's API, such as `https://wallet.validator.example.com/api/validator`. */
  readonly url: string;
  readonly auth: Auth;
  /** The participant that this node is known to be; the first capture has none. */
  readonly registered?: string | undefined;
}

export interface Calls {
  /** Guarded, with the origins of `url` and of the token server opened, and no others. */
  readonly http: Http;
  readonly now: () => Date;
  readonly signal?: AbortSignal;
}

/** Validated identities. `body` is the answer's bytes as they came; whoever called zeroes it after use. */
export interface Identities extends IdentitiesFacts {
  readonly body: Buffer;
}

/** Encrypts and stores the bytes before it resolves; must not keep them. */
export type StoreSecret = (
  bytes: Uint8Array,
  form: { readonly content: 'splice-identities-json'; readonly compress: boolean },
) => Promise<Artifact>;

export function identitiesEndpoint({ url }: { readonly url: string }): string {
  return `${url.replace(/\/+$/, '')}/v0/admin/participant/identities`;
}

/**
 * Fetches the identities and validates them. Every way to fail is a named error; `docs/protocols/splice-identities.md`
 * lists them with their exit codes.
 */
export async function fetchIdentities(source: IdentitiesSource, { http, now, signal }: Calls): Promise<Identities> {
  const endpoint = identitiesEndpoint(source);
  const aborting = signal === undefined ? {} : { signal };
  const token = await bearerFor(source.auth, endpoint, http, now)(signal);
  const answer = await http(endpoint, { headers: { authorization: `Bearer ${token}` }, ...aborting });
  try {
    const facts = validated(endpoint, answer, source.registered);
    return { ...facts, body: answer.body };
  } catch (error) {
    answer.body.fill(0);
    throw error;
  }
}

function validated(endpoint: string, { status, body }: HttpAnswer, registered: string | undefined): IdentitiesFacts {
  if (status === 401 || status === 403) throw new NotAnAdministrator(endpoint, status);
  if (status === 404) throw new IdentitiesNotServed(endpoint);
  if (status === 429 || status >= 500) throw new ValidatorFailed(endpoint, status);
  const refuse = (why: string): never => {
    throw new NotIdentities(endpoint, why);
  };
  if (status !== 200) refuse(`the status is ${status}`);
  const facts = readIdentities(body, sha256, refuse);
  if (registered !== undefined && facts.id !== registered) throw new ForeignParticipant(endpoint, facts.id, registered);
  return facts;
}

/** One capture: fetch, validate, store encrypted, forget. Nothing reaches `store` that was not validated. */
export async function captureIdentities(source: IdentitiesSource, calls: Calls, store: StoreSecret): Promise<Captured> {
  const startedAt = instant(calls.now());
  const { body, ...facts } = await fetchIdentities(source, calls);
  try {
    const artifact = await store(body, { content: 'splice-identities-json', compress: true });
    return {
      startedAt,
      endedAt: instant(calls.now()),
      artifacts: [artifact],
      reading: readingOf(facts),
      versions: facts.version === undefined ? {} : { splice: facts.version },
      notes: notesOf(facts),
    };
  } finally {
    body.fill(0);
  }
}

const readingOf = ({ id }: IdentitiesFacts): Reading => {
  return { status: 'known', role: 'identities', identity: id, counters: [] };
};

/** What a stored dump says, read again as it was read when it was fetched. */
export function identitiesReading(body: Uint8Array): Reading {
  try {
    return readingOf(readIdentities(body, sha256, throwReason));
  } catch (error) {
    if (error instanceof Unreadable)
      return { status: 'unknown', reason: `the identities cannot be read: ${error.message}` };
    throw error;
  }
}

class Unreadable extends Error {}

function throwReason(why: string): never {
  throw new Unreadable(why);
}

/** For the receipt, which anybody may read. */
function notesOf({ class: form, fingerprint, keys, kmsKeys }: IdentitiesFacts): Record<string, string> {
  const kms = kmsKeys.length === 0 ? {} : { kmsKeys: kmsKeys.join(' ') };
  return { class: form, fingerprint, keys: String(keys), ...kms };
}

const instant = (at: Date): Instant => at.toISOString() as Instant;
