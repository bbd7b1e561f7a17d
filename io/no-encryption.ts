import type { Encryption } from '../core/ports.ts';

/** Stores bytes as they come. Only where the config says `encryption: none`, and with a warning. */
export const noEncryption: Encryption = { encoding: undefined, filter: () => (source) => source };
