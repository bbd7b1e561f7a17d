/**
 * Takes the place of the SDK's event streams in every bundle (`lib/bundle-step.ts`). Only S3 Select speaks them, and no
 * step uses it.
 */
export const resolveEventStreamSerdeConfig = <Config>(config: Config): Config => config;

export const eventStreamSerdeProvider = (): never => unused();

export class EventStreamSerde {
  constructor() {
    unused();
  }
}

function unused(): never {
  throw new Error('event streams are left out of the bundles');
}
