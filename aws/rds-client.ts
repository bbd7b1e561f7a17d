import { RDSClient, type RDSClientConfig } from '@aws-sdk/client-rds';

/** With time limits, so that none waits for ever. The SDK's own attempts are few: the workflow waits longer, and for free. */
export const rdsClient = (region?: string, credentials?: RDSClientConfig['credentials']): RDSClient =>
  new RDSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 20_000 },
    ...(region === undefined || region === '' ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
  });
