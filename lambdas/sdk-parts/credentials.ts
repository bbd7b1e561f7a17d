/**
 * Takes the place of the SDK's search for credentials in every bundle (`lib/bundle-step.ts`): Lambda puts a role's
 * credentials into the environment, for the life of the process, and nowhere else.
 */
export const defaultProvider =
  (_options?: unknown, environment: NodeJS.ProcessEnv = process.env) =>
  async (): Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }> => {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      throw new Error('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not in the environment: this is not a Lambda');
    }
    const sessionToken = environment['AWS_SESSION_TOKEN'];
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  };
