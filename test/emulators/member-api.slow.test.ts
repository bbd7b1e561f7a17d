import { once } from 'node:events';
import { get } from 'node:https';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { s3Vault } from '../../aws/s3-vault.ts';
import { memberVersions } from '../../vault/members.ts';
import { type DeployedApp, deployedApp } from '../support/deployed-app.ts';
import { describeWith } from '../support/emulator.ts';
import { ACCOUNT, type Ministack, REGION, startMinistack } from '../support/ministack.ts';
import { type Credentials, signedCall } from '../support/signed-call.ts';
import { ToyHistory } from '../support/toy-deliveries.ts';

/**
 * Here the operator is a member, too: MiniStack looks for an API in the account of whoever calls, and so lets in nobody
 * of another one. That their accounts come in, and where to, is shown by simulation in `test/lib/member-api.slow.test.ts`.
 */
const CONFIG = `
network: acme
aws: { account: '${ACCOUNT}', region: ${REGION} }
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: consortium
    protocol: ethereum
    client: besu
    monitor: { rpc: http://10.0.0.5:8545 }
    validators: [ { name: bank-a, rpc: https://rpc.example.com } ]
members:
  - { id: bank-a, account: '${ACCOUNT}', bucket: bank-a-ledgers, region: eu-west-1 }
  - { id: bank-b, account: '222222222222', bucket: bank-b-ledgers, region: eu-west-1 }
`;

const BUCKET = { bucket: 'bank-a-ledgers', region: 'eu-west-1' };

describeWith('ministack', 'the API of members, deployed where IAM decides about every call', (python) => {
  let ministack: Ministack;
  let app: DeployedApp;

  beforeAll(async () => {
    ministack = await startMinistack(python, { enforced: true });
    app = await deployedApp(ministack, CONFIG, { 'ledgerhold:no-composite': 'true' });
    await app.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`);
    await app.cdk('deploy', '--all', '--require-approval', 'never');
  }, 300_000);
  afterAll(async () => ministack?.stop(), 60_000);

  /** A user of the operator's account; `on`: the paths that a policy lets it call. */
  const user = async (name: string, on: readonly string[]): Promise<Credentials> => {
    const iam = new IAMClient(ministack.connection);
    await iam.send(new CreateUserCommand({ UserName: name }));
    const Resource = on.map((path) => `arn:aws:execute-api:${REGION}:${ACCOUNT}:*/v1/*/${path}`);
    const Statement = [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    if (on.length > 0)
      await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'calls', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
    iam.destroy();
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  };

  const call = async (credentials: Credentials | undefined, method: string, path: string, body?: unknown) => {
    const [, api] = /\/\/(\w+)\./.exec(await app.output('Url')) ?? [];
    const at = { url: `${ministack.endpoint}/_aws/execute-api/${api}/v1`, region: REGION, credentials };
    const { status, text } = await signedCall(at, method, path, {
      agent: ministack.connection.requestHandler.httpsAgent,
      body,
    });
    return { status, json: JSON.parse(text) };
  };

  const opened = async () => {
    const client = new S3Client({ ...ministack.connection, forcePathStyle: true });
    const [bucket = '', prefix = ''] = (await app.output('Vault')).replace('s3://', '').split('/');
    return { vault: s3Vault({ client, bucket, prefix }), close: () => client.destroy() };
  };

  const bytesAt = async (url: string): Promise<{ status: number | undefined; text: string }> => {
    const [answer] = await once(get(url, { agent: ministack.connection.requestHandler.httpsAgent }), 'response');
    return { status: answer.statusCode, text: Buffer.concat(await Array.fromAsync(answer)).toString() };
  };

  test('a member registers as the principal that AWS attests, and that lies in the vault', async () => {
    const ann = await user('ann', ['members/*']);
    const put = await call(ann, 'PUT', '/members/bank-a/destination', BUCKET);
    const by = `arn:aws:iam::${ACCOUNT}:user/ann`;
    expect(put).toMatchObject({
      status: 200,
      json: { by, state: 'invited', destination: { ...BUCKET, account: ACCOUNT } },
    });
    expect(await call(ann, 'POST', '/members/bank-a/check')).toMatchObject({
      status: 202,
      json: { checkWanted: true },
    });
    expect(await call(ann, 'GET', '/members/bank-a')).toMatchObject({ status: 200, json: { by, behind: [] } });
    expect(await call(ann, 'GET', '/members/bank-a/receipts?after=0')).toMatchObject({ json: { receipts: [] } });
    const { vault, close } = await opened();
    expect((await memberVersions(vault, 'bank-a')).map(({ value }) => value.by)).toEqual([by]);
    close();
    expect(await call(ann, 'DELETE', '/members/bank-a/destination')).toMatchObject({ json: { state: 'left', n: 2 } });
    const back = await call(ann, 'PUT', '/members/bank-a/destination', BUCKET);
    expect(back).toMatchObject({ status: 200, json: { state: 'invited', n: 3 } });
  }, 120_000);

  test('nobody speaks for another member, whatever IAM allows', async () => {
    const bob = await user('bob', ['*']);
    const refused = { status: 403, json: { error: { name: 'NotYourMember' } } };
    expect(await call(bob, 'PUT', '/members/bank-b/destination', BUCKET)).toMatchObject(refused);
    expect(await call(bob, 'GET', '/members/bank-b')).toMatchObject(refused);
  }, 120_000);

  test('the operator sets a chain’s backup, and a principal that IAM does not let comes to no Lambda', async () => {
    const [eve, olga] = [await user('eve', ['members/*']), await user('olga', ['nodes/*'])];
    const set = await call(olga, 'PATCH', '/nodes/consortium/backup', { enabled: true });
    expect(set).toMatchObject({ status: 200, json: { enabled: true, timesADay: 4, version: 1 } });
    for (const who of [eve, undefined, { ...olga, secretAccessKey: 'another' }]) {
      const refused = await call(who, 'PATCH', '/nodes/consortium/backup', { enabled: false });
      expect(refused.status).toBe(403);
      expect(refused.json).not.toHaveProperty('error');
    }
    expect((await call(olga, 'GET', '/nodes/consortium/backup')).json).toMatchObject({ enabled: true, version: 1 });
  }, 120_000);

  test('the operator lists a chain’s history and downloads a file of it, and no member does', async () => {
    const [eve, omar] = [await user('eva', ['members/*']), await user('omar', ['nodes/*'])];
    const { vault, close } = await opened();
    await new ToyHistory(vault).seal(Buffer.from('blocks'));
    close();
    const { json } = await call(omar, 'GET', '/nodes/consortium/history?after=0');
    const [{ key, size, sha256 }] = json.manifests[0].files;
    const one = `/nodes/consortium/history/download?seq=1&key=${encodeURIComponent(key)}`;
    const found = await call(omar, 'GET', one);
    expect(found).toMatchObject({ status: 200, json: { key, size, sha256 } });
    expect(await bytesAt(found.json.url)).toEqual({ status: 200, text: 'blocks' });
    expect((await bytesAt(found.json.url.replace(/(Signature=)\w+/, `$1${'0'.repeat(64)}`))).status).toBe(403);
    expect((await call(eve, 'GET', one)).status).toBe(403);
    const elsewhere = await call(omar, 'GET', '/nodes/consortium/history/download?seq=1&key=members%2Fbank-a');
    expect(elsewhere).toMatchObject({ status: 404, json: { error: { name: 'NoSuchFile' } } });
  }, 120_000);
});
