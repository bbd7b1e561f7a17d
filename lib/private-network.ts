import { Stack } from 'aws-cdk-lib';
import { type ISecurityGroup, type ISubnet, type IVpc, SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { VpcPlace } from '../config/nodes.ts';
import { allow } from './grants.ts';

/** Where in a private network a Lambda stands. */
export interface Standing {
  readonly vpc: IVpc;
  readonly vpcSubnets: { readonly subnets: ISubnet[] };
  readonly securityGroups: ISecurityGroup[];
}

/** Nothing is looked up: the ids are the config's, and so the same config always makes the same template. */
export function standing(scope: Construct, { id, subnets, securityGroups }: VpcPlace): Standing {
  // Zones are part of an imported network and of nothing that is made here.
  const vpc = Vpc.fromVpcAttributes(scope, 'Vpc', { vpcId: id, availabilityZones: ['any'] });
  return {
    vpc,
    vpcSubnets: { subnets: subnets.map((subnet) => Subnet.fromSubnetId(scope, subnet, subnet)) },
    securityGroups: securityGroups.map((group) => SecurityGroup.fromSecurityGroupId(scope, group, group)),
  };
}

/** What a capture calls from inside a private network. S3's endpoint is of type Gateway, the others' are interfaces. */
export const endpointsOf = (region: string, dumps: boolean): readonly string[] =>
  ['s3', 'kms', 'secretsmanager', 'rds', ...(dumps ? ['ecs', 'ecr.api', 'ecr.dkr', 'logs'] : [])].map(
    (service) => `com.amazonaws.${region}.${service}`,
  );

/** What the steps of a chain call from there: the one that seals starts deliveries, where there are members. */
export const endpointsOfChain = (region: string, members: boolean): readonly string[] =>
  ['s3', 'kms', 'secretsmanager', ...(members ? ['states'] : [])].map(
    (service) => `com.amazonaws.${region}.${service}`,
  );

/** Lambda attaches a function to a private network with the rights of the function's own role. */
export function allowAttaching(role: Role): void {
  const { partition, region, account } = Stack.of(role);
  allow(role, {
    because:
      'Lambda makes and removes its network interfaces with the rights of the function; ids come as they are made.',
    actions: [
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ],
    resources: [`arn:${partition}:ec2:${region}:${account}:*/*`],
  });
  allow(role, {
    because: 'Lambda looks whether its network interfaces are ready; EC2 describes all of them or none.',
    actions: ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
    resources: ['*'],
  });
}
