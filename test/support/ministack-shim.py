"""MiniStack, but for five things that it does in another way than AWS.

Its Lambdas lose an error's name, by which Retry and Catch go: a Node worker reports only the message, and MiniStack
answers `Runtime.HandlerError` to every failure, where Lambda answers with the error's own name. Here the worker puts the
name before the message, and the answer is parted again.
And what RDS has nothing to say about it leaves out, where MiniStack says it with an empty text: no cluster is called "".
It tells how much of the account's snapshot quotas is used, of 100 each.
Its CloudFormation gives a bucket the locks of objects that the template asks for.
And where IAM decides, a call that names a snapshot is about that snapshot, and not about everything.
"""

import re

from ministack.core import iam_actions, lambda_runtime
from ministack.services import lambda_svc, rds, s3
from ministack.services.cloudformation import provisioners

MARK = "\x1f"
LOST = "error: String(err.message || err)"
KEPT = 'error: "\\u001f" + ((err && err.name) || "Error") + "\\u001f" + String((err && err.message) || err)'

scripts = [name for name, value in vars(lambda_runtime).items() if isinstance(value, str) and LOST in value]
if not scripts:
    raise SystemExit("MiniStack's worker is not the one that this shim is for")
for name in scripts:
    setattr(lambda_runtime, name, getattr(lambda_runtime, name).replace(LOST, KEPT))

answer = lambda_svc._execute_function_warm


def answer_with_name(*args, **kwargs):
    answered = answer(*args, **kwargs)
    body = answered.get("body")
    if isinstance(body, dict) and str(body.get("errorMessage", "")).startswith(MARK):
        _, body["errorType"], body["errorMessage"] = body["errorMessage"].split(MARK, 2)
    return answered


lambda_svc._execute_function_warm = answer_with_name

EMPTY = re.compile("<(DBClusterIdentifier|ReadReplicaSourceDBInstanceIdentifier|KmsKeyId)></\\1>")
answer_in_xml = rds._xml
rds._xml = lambda status, root, inner: answer_in_xml(status, root, EMPTY.sub("", inner))


def describe_account_attributes(_parameters):
    used = {"ManualSnapshots": rds._snapshots, "ManualClusterSnapshots": rds._db_cluster_snapshots}
    quotas = "".join(
        f"<AccountQuota><AccountQuotaName>{name}</AccountQuotaName><Used>{len(list(of.values()))}</Used><Max>100</Max></AccountQuota>"
        for name, of in used.items()
    )
    result = f"<DescribeAccountAttributesResult><AccountQuotas>{quotas}</AccountQuotas></DescribeAccountAttributesResult>"
    return rds._xml(200, "DescribeAccountAttributesResponse", result)


rds._ACTION_MAP["DescribeAccountAttributes"] = describe_account_attributes

SNAPSHOTS = {"DBSnapshotIdentifier": "snapshot", "DBClusterSnapshotIdentifier": "cluster-snapshot"}
resource_of = iam_actions.extract_resource_arn


def resource_or_snapshot(service, method, path, headers, body, query, region, account):
    arn = resource_of(service, method, path, headers, body, query, region, account)
    if service != "rds" or arn != "*":
        return arn
    for parameter, kind in SNAPSHOTS.items():
        name = iam_actions._query_param(query, parameter)
        if name:
            return f"arn:aws:rds:{region}:{account}:{kind}:{name}"
    return arn


iam_actions.extract_resource_arn = resource_or_snapshot

BUCKETS = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
create_bucket = BUCKETS["create"]


def create_bucket_with_locks(logical_id, properties, stack_name):
    name, attributes = create_bucket(logical_id, properties, stack_name)
    if str(properties.get("ObjectLockEnabled")).lower() == "true":
        s3._bucket_object_lock[name] = {"enabled": True, "default_retention": None}
    return name, attributes


BUCKETS["create"] = create_bucket_with_locks

if __name__ == "__main__":
    from ministack.app import main

    main()
