import * as z from 'zod';

/** Given a shape of alternatives, the type of a value that has exactly one of them. */
type OneOf<Shape extends z.ZodRawShape> = {
  [K in keyof Shape]: { readonly [P in K]: z.infer<Shape[P]> } & { readonly [P in Exclude<keyof Shape, K>]?: never };
}[keyof Shape];

/** An object with exactly one of the keys of `shape`: `{ folder: … }` or `{ s3: … }`, never both, never neither. */
export function exactlyOne<Shape extends z.ZodRawShape>(shape: Shape): z.ZodType<OneOf<Shape>> {
  const names = Object.keys(shape);
  return z
    .strictObject(shape)
    .partial()
    .refine((value) => Object.keys(value).length === 1, {
      error: `give exactly one of ${names.join(', ')}`,
      when: (payload) => typeof payload.value === 'object' && payload.value !== null,
    })
    .meta({ minProperties: 1, maxProperties: 1 }) as unknown as z.ZodType<OneOf<Shape>>;
}

/** Where a secret is found when it is needed. The secret itself never stands in the config. */
export const Secret = exactlyOne({
  env: z.string().min(1).describe('Name of an environment variable'),
  file: z.string().min(1).describe('Path of a file; one newline at its end is ignored'),
  secretsManager: z.string().min(1).describe('ARN or name of a secret in AWS Secrets Manager'),
}).meta({ secret: true, description: 'Where a secret is found: never the secret itself' });
export type Secret = z.infer<typeof Secret>;

const UNIT_SECONDS = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 } as const;
const duration = /^([1-9]\d{0,6}) ?(second|minute|hour|day|week)s?$/;

/** A length of time as people write it, such as `4 hours`; read as whole seconds. */
export const Seconds = z
  .string()
  .regex(duration, { error: 'write a whole number and a unit, such as 30 minutes, 4 hours or 2 days' })
  .transform((text) => {
    const [, count = '', unit = ''] = duration.exec(text) ?? [];
    return Number(count) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
  });

const RATE_BYTES = { kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;
const rate = /^([1-9]\d{0,5}) ?([kMG]B|[KMG]iB)\/s$/;

/** How fast a capture may read, such as `50 MB/s`; read as bytes a second. */
export const BytesPerSecond = z
  .string()
  .regex(rate, { error: 'write a whole number and a unit, such as 50 MB/s or 20 MiB/s' })
  .transform((text) => {
    const [, count = '', unit = ''] = rate.exec(text) ?? [];
    return Number(count) * RATE_BYTES[unit as keyof typeof RATE_BYTES];
  });

/** A web address of a service; a password in it is refused, since it would stand in the config. */
export const ServiceUrl = z
  .url({ protocol: /^https?$/, error: 'write a web address, such as https://scan.example.com' })
  .refine((url) => !hasUserInfo(url), { error: 'a user or password stands in this address; take it out' });

/** The same as `io/postgres/connection.ts` reads; a test holds them equal. */
export const URL_PARAMETERS: ReadonlySet<string> = new Set(['host', 'sslmode', 'sslrootcert']);

/** A `postgres://` address whose password, if any, comes from elsewhere. */
const PlainPostgresUrl = z
  .url({ protocol: /^postgres(ql)?$/, error: 'write postgres://user@host:port/database, or { env: NAME }' })
  .refine((url) => URL.parse(url)?.password === '', {
    error: 'a password stands in this address; write { env: NAME } and put the address there',
  })
  .refine((url) => [...(URL.parse(url)?.searchParams.keys() ?? [])].every((name) => URL_PARAMETERS.has(name)), {
    error: `behind the question mark only ${[...URL_PARAMETERS].join(', ')} are used; take the rest out`,
  })
  .meta({ secret: true });

export const PostgresUrl = z.union([PlainPostgresUrl, Secret]);
export type PostgresUrl = z.infer<typeof PostgresUrl>;

export const TimeZone = z.string().refine(isTimeZone, {
  error: 'write a name of the IANA time zone database, such as UTC or Europe/Zurich',
});

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function hasUserInfo(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed === null || parsed.username !== '' || parsed.password !== '';
}
