import { existsSync, readFileSync } from 'node:fs';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { parseConfig } from '../config/parse.ts';
import { backupStacks } from '../lib/backup-stacks.ts';
import { memberApiStack } from '../lib/member-api-stack.ts';
import { secondVaultStack } from '../lib/second-vault-stack.ts';

const app = new App();

/** `-c config=FILE`; else the folder's own, and in a fresh checkout the example. */
const file: string =
  app.node.tryGetContext('config') ??
  ['ledgerhold.yaml', 'examples/splice-validator/ledgerhold.yaml'].find((each) => existsSync(each));

const config = parseConfig(file, readFileSync(file, 'utf8'));
const [{ backup }] = backupStacks(app, config);
memberApiStack(app, config, backup.storage);
secondVaultStack(app, config);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
