import { memberPolicy } from '../../core/member-policy.ts';
import { accessOf, type MemberBucketSpec, memberCloudFormation, type Place } from '../../core/member-template.ts';
import { memberTerraform } from './member-terraform.ts';

/** What a template is asked for by; each as the tool of that name takes it. */
export const TEMPLATES = ['cdk', 'cloudformation', 'terraform', 'json'] as const;
export type TemplateKind = (typeof TEMPLATES)[number];

/** Lines of the member's template. `place` is where the member is, as far as it is known; `json` is the policy alone. */
export function memberTemplate(kind: TemplateKind, spec: MemberBucketSpec, place: Place | undefined): string[] {
  switch (kind) {
    case 'cdk':
      return memberCdk(spec, place);
    case 'cloudformation':
      return json(memberCloudFormation(spec));
    case 'terraform':
      return memberTerraform(spec);
    case 'json':
      // The name of the bucket and the ARN of its key are given: nothing is left to be filled in.
      return json(memberPolicy(accessOf(spec, { account: '', region: '' }, '')));
  }
}

const json = (value: unknown): string[] => JSON.stringify(value, undefined, 2).split('\n');

function memberCdk(spec: MemberBucketSpec, place: Place | undefined): string[] {
  const env = place === undefined ? '' : `, { env: ${literal({ account: place.account, region: place.region })} }`;
  return [
    "import { App, CfnOutput, Stack } from 'aws-cdk-lib';",
    "import { MemberBucket } from 'ledgerhold/cdk';",
    '',
    `// Ledgerhold: the bucket of ${spec.member} for the files of ${spec.network}.`,
    'const app = new App();',
    `const stack = new Stack(app, 'LedgerholdMember-${spec.network}'${env});`,
    "const { bucket } = new MemberBucket(stack, 'Destination', {",
    ...Object.entries(spec).flatMap(([name, value]) => (value === undefined ? [] : [`  ${name}: ${literal(value)},`])),
    '});',
    "new CfnOutput(stack, 'BucketName', { value: bucket.bucketName });",
  ];
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).map(([name, each]) => `${name}: ${literal(each)}`);
  return `{ ${parts.join(', ')} }`;
}
