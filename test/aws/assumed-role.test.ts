import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { assumedRole } from '../../aws/assumed-role.ts';
import { callRds } from '../../aws/rds-errors.ts';

const ROLE = 'arn:aws:iam::222222222222:role/ledgerhold-acme_RdsKeeper';
const sts = mockClient(STSClient);
const assume = () => assumedRole(new STSClient({ region: 'eu-central-1' }), ROLE, 'session')();
const Expiration = new Date('2026-11-24T13:00:00Z');
const GIVEN = { AccessKeyId: 'id', SecretAccessKey: 'key', SessionToken: 'token', Expiration };

test('the role is assumed for an hour, and its credentials say when they end', async () => {
  sts.on(AssumeRoleCommand).resolves({ Credentials: GIVEN });
  expect(await assume()).toEqual({
    ...{ accessKeyId: 'id', secretAccessKey: 'key', sessionToken: 'token', expiration: Expiration },
  });
  expect(sts.call(0).args[0].input).toEqual({ RoleArn: ROLE, RoleSessionName: 'session', DurationSeconds: 3600 });
});

test('a refusal keeps its name and remedy through the call to RDS that needed the role', async () => {
  sts.on(AssumeRoleCommand).rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));
  const refused = { name: 'SecondAccountRefused', message: expect.stringContaining(ROLE) };
  await expect(assume()).rejects.toMatchObject(refused);
  await expect(callRds('a snapshot', assume)).rejects.toMatchObject(refused);
});

test('no answer, and half an answer, are to be asked for again', async () => {
  sts.on(AssumeRoleCommand).rejects(Object.assign(new Error('busy'), { name: 'ThrottlingException' }));
  await expect(assume()).rejects.toMatchObject({ name: 'RdsUnavailable' });
  sts.on(AssumeRoleCommand).resolves({ Credentials: { ...GIVEN, SessionToken: '' } });
  await expect(assume()).rejects.toMatchObject({ name: 'RdsUnavailable' });
});
