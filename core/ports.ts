import type { FactQuery, Facts } from './facts.ts';
import type { GaugeName, Of } from './gauges.ts';
import type { ComponentName, Fence, NetworkName, NodeName, Sha256, Slot } from './names.ts';
import type { Reading } from './positions.ts';
import type { Captured, Encoding, EndReceipt, StartReceipt } from './receipts.ts';

export interface Clock {
  now(): Date;
}

/** What a line of a log is about: names and numbers alone, never a value that was captured. */
export type About = Readonly<Record<string, string | number | boolean>>;

/** The log: a line for each thing that happens. */
export interface Journal {
  note(what: string, about: About): void;
  /** Tells an error by its name, and by its message and remedy if it is one of ours: any other may quote what it was given. */
  failure(what: string, about: About, error: unknown): void;
}

/** Numbers for alarms and the dashboard (`core/gauges.ts`). */
export interface Gauges {
  set<Name extends GaugeName>(name: Name, value: number, of: Of<Name>): void;
}

/** Lets somebody take one object out of the vault without being let into it. */
export interface Downloads {
  /** A URL that gives the object's bytes to whoever has it, for so many seconds at most. Throws `InvalidKey`. */
  urlOf(key: string, seconds: number): Promise<string>;
}

/** ECDSA P-256 over SHA-256, DER. The private key may be in a file or in KMS. */
export interface Signer {
  /** SHA-256 of the public key's SubjectPublicKeyInfo (DER). */
  fingerprint(): Promise<Sha256>;
  publicKeyPem(): Promise<string>;
  /** The DER signature over `bytes` (at most a few MiB), as `openssl dgst -sha256 -verify` checks it. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Bytes in, bytes out, in order and in bounded memory. */
export type ByteFilter = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** Encrypts what can hold a secret to keys that the machine which backs up does not have. */
export interface Encryption {
  /** Outermost encoding that `filter` adds; undefined for `encryption: none`. */
  readonly encoding: Encoding | undefined;
  /** A fresh filter for one artifact; `context` is authenticated where the scheme can (KMS), ignored by age. */
  filter(context: Readonly<Record<string, string>>): ByteFilter;
}

/** All that a capture needs to know of its place in a run. */
export interface CaptureOrder {
  readonly network: NetworkName;
  readonly node: NodeName;
  readonly slot: Slot;
  readonly fence: Fence;
  readonly component: ComponentName;
  readonly role: string;
  /** Where artifacts go: a key prefix ending in `/`, of this run and attempt alone. */
  readonly prefix: string;
  /** Protocol by name, as the registry has it. */
  readonly protocol: string;
  /** The finished receipts that this capture's start receipt cites. */
  readonly predecessors: StartReceipt['predecessors'];
}

export interface Progress {
  /** Bytes captured so far, before encodings. */
  readonly bytes: number;
  /** Expected bytes, where the source can tell. */
  readonly of?: number;
  readonly message?: string;
}

/** What asks a database, in one consistent snapshot. */
export type AskFacts = (queries: readonly FactQuery[]) => Promise<Facts>;

/** How a protocol turns a database's facts into a reading. */
export type ReadPositions = (ask: AskFacts) => Promise<Reading>;

/** How far a capture is, and where it is somebody else's work, when it is worth looking again. */
export interface Polled {
  readonly ended: boolean;
  readonly progress: Progress;
  readonly lookAgainSeconds?: number;
  /** What somebody should know before it ends; told at each poll as long as it is so. */
  readonly warning?: string;
}

/**
 * Captures of one runtime: start → poll → finish. `start` may be repeated for the same order (a retried step) and then
 * returns the same handle; the handle is small JSON without secrets, since it travels through the state machine.
 */
export interface Captures {
  /** What the start receipt says about the source; makes no call. */
  source(order: CaptureOrder): { readonly kind: string; readonly at: string };
  start(order: CaptureOrder): Promise<string>;
  /** Waits inside, up to `waitSeconds`, for the end. Rejects with the capture's own error if it failed. */
  poll(handle: string, waitSeconds: number): Promise<Polled>;
  /** The result of a capture that has ended; may be repeated. */
  finish(handle: string): Promise<Captured>;
  /**
   * Looks again at what a finished capture of a predecessor has left outside the vault, such as a snapshot. Rejects with
   * `PredecessorNotEnded` unless it is there and whole now.
   */
  attest(predecessor: EndReceipt): Promise<void>;
}
