import { ApiEvent } from '../../lambdas/member-api/contract.ts';

/** Who signs a call; undefined: nobody. */
export interface Signed {
  readonly account: string;
  readonly arn?: string;
}

/** An event of a Lambda behind a REST API with AWS_IAM, with the members that API Gateway sends. */
export function apiEvent(signed: Signed | undefined, method: string, url: string, body?: unknown): ApiEvent {
  const [path = '', search = ''] = url.split('?');
  const { account, arn = `arn:aws:sts::${account}:assumed-role/ledger-ops/ann` } = signed ?? { account: '' };
  return ApiEvent.parse({
    ...{ resource: '/{any+}', path, httpMethod: method, stageVariables: null, isBase64Encoded: false },
    headers: { Host: 'a1b2c3.execute-api.eu-central-1.amazonaws.com', 'X-Forwarded-Proto': 'https' },
    multiValueHeaders: { Host: ['a1b2c3.execute-api.eu-central-1.amazonaws.com'] },
    queryStringParameters: search === '' ? null : Object.fromEntries(new URLSearchParams(search)),
    multiValueQueryStringParameters: null,
    pathParameters: null,
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    requestContext: {
      ...{ resourcePath: '/{any+}', httpMethod: method, path: `/v1${path}`, stage: 'v1', protocol: 'HTTP/1.1' },
      // The API's own account: the operator's, whoever calls.
      ...{ accountId: '111111111111', apiId: 'a1b2c3', requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef' },
      identity: {
        ...{ sourceIp: '192.0.2.1', userAgent: 'aws-sdk-js/3', cognitoIdentityId: null, apiKey: null },
        accountId: signed === undefined ? null : account,
        userArn: signed === undefined ? null : arn,
        caller: signed === undefined ? null : 'AROAEXAMPLE:ann',
        user: signed === undefined ? null : 'AROAEXAMPLE:ann',
        accessKey: signed === undefined ? null : 'ASIAEXAMPLE',
      },
    },
  });
}
