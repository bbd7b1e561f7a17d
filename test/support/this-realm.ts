import type { S3Client } from '@aws-sdk/client-s3';

/** Node's own errors are of another realm than a test's, and the SDK takes them for none: here they are made anew. */
export function ofThisRealm(client: S3Client): S3Client {
  client.middlewareStack.add(
    (next) => (args) =>
      next(args).catch((error: unknown) => {
        if (error instanceof Error) throw error;
        const { name, message } = error as { name: string; message: string };
        throw Object.assign(new Error(message), error, { name });
      }),
    { step: 'deserialize', priority: 'high', name: 'ofThisRealm' },
  );
  return client;
}
