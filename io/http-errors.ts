import { LedgerholdError } from '../core/errors.ts';

/** `where` is always an origin and a path: a query can hold a secret. */
export class OriginNotAllowed extends LedgerholdError {
  override readonly name = 'OriginNotAllowed';
  readonly kind = 'usage';
  constructor(why: string) {
    super(
      `no call was made: ${why}`,
      'Write the URL into the config as it is to be called: scheme, host and port in their plain spelling.',
    );
  }
}

/** A name led to an address that must not be called. */
export class AddressRefused extends LedgerholdError {
  override readonly name = 'AddressRefused';
  readonly kind = 'refused';
  constructor(host: string, address: string, what: string) {
    super(
      `no call was made: ${host} stands for ${address}, a ${what} address`,
      'Check the DNS record; a private address is called only for an origin that the config names in full.',
    );
  }
}

export class HostUnreachable extends LedgerholdError {
  override readonly name = 'HostUnreachable';
  readonly kind = 'external';
  constructor(where: string, why: string, options?: ErrorOptions) {
    super(`${where} cannot be reached: ${why}`, 'Check that it runs and can be reached from here; try again.', options);
  }
}

export class RequestTimedOut extends LedgerholdError {
  override readonly name = 'RequestTimedOut';
  readonly kind = 'external';
  constructor(where: string, what: 'connect' | 'answer', milliseconds: number) {
    super(`${where} did not ${what} within ${milliseconds / 1000} s`, 'Check the load of that host; try again.');
  }
}

export class TlsFailed extends LedgerholdError {
  override readonly name = 'TlsFailed';
  readonly kind = 'external';
  constructor(where: string, code: string, options?: ErrorOptions) {
    super(
      `${where} could not prove who it is: ${code}`,
      'Check the host name, and that its certificate is valid and of an authority known to this machine.',
      options,
    );
  }
}

export class RedirectRefused extends LedgerholdError {
  override readonly name = 'RedirectRefused';
  readonly kind = 'violation';
  constructor(where: string, status: number, target: string) {
    super(
      `${where} answered ${status}, a redirect to ${target}; redirects are never followed`,
      'Write the URL that answers itself into the config.',
    );
  }
}

export class BodyTooLarge extends LedgerholdError {
  override readonly name = 'BodyTooLarge';
  readonly kind = 'violation';
  constructor(where: string, limit: number) {
    super(
      `${where} answers with more than ${limit} bytes`,
      'Check that the URL is the endpoint that the config means: none of them has that much to say.',
    );
  }
}

/** We ask for plain bytes; a compressed answer could unfold to any size. */
export class EncodedBody extends LedgerholdError {
  override readonly name = 'EncodedBody';
  readonly kind = 'violation';
  constructor(where: string) {
    super(`${where} answers compressed though it was asked not to`, 'Turn compression off in the proxy before it.');
  }
}
