/** A statement of IAM as AWS writes it. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: '*' | { readonly AWS: string };
  readonly Action?: string | readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/**
 * PutObject alone would allow overwriting, so a write must say `If-None-Match`. The parts of a multipart upload cannot:
 * they create no object, and its completion is checked instead. This is the form that the S3 User Guide gives
 * ("Enforce conditional writes on Amazon S3 buckets").
 */
export const onlyWriteOnce = (objects: string): Statement => ({
  Sid: 'OnlyWriteOnce',
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:PutObject',
  Resource: objects,
  Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
});

export const onlyHttps = (bucketArn: string): Statement => ({
  Sid: 'OnlyHttps',
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:*',
  Resource: [bucketArn, `${bucketArn}/*`],
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
});
