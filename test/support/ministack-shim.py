"""MiniStack, but for eight things that it does in another way than AWS.

Its Lambdas lose an error's name, by which Retry and Catch go: a Node worker reports only the message, and MiniStack
answers `Runtime.HandlerError` to every failure, where Lambda answers with the error's own name. Here the worker puts the
name before the message, and the answer is parted again.
And what RDS has nothing to say about it leaves out, where MiniStack says it with an empty text: no cluster is called "".
It tells how much of the account's snapshot quotas is used, of 100 each.
Its CloudFormation gives a bucket the locks of objects that the template asks for.
Where IAM decides, a call that names a snapshot is about that snapshot, and one that lists them about all
snapshots, and not about everything.
Its scheduler says to a target at which time it was due; MiniStack leaves the placeholder of that time as it is.
CloudTrail knows the calls of RDS by their names, where MiniStack takes them from the address of a call alone.
And a search of a log for members of JSON finds the lines that have them, where MiniStack finds every line.
"""

import json
import re
import time

from ministack.core import iam_actions, lambda_runtime
from ministack.services import cloudtrail, cloudwatch_logs, eventbridge, lambda_svc, rds, s3
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
LISTED = {"DescribeDBSnapshots": "snapshot", "DescribeDBClusterSnapshots": "cluster-snapshot"}
resource_of = iam_actions.extract_resource_arn


def resource_or_snapshot(service, method, path, headers, body, query, region, account):
    arn = resource_of(service, method, path, headers, body, query, region, account)
    if service != "rds" or arn != "*":
        return arn
    for parameter, kind in SNAPSHOTS.items():
        name = iam_actions._query_param(query, parameter)
        if name:
            return f"arn:aws:rds:{region}:{account}:{kind}:{name}"
    kind = LISTED.get(iam_actions._query_param(query, "Action"))
    return arn if kind is None else f"arn:aws:rds:{region}:{account}:{kind}:*"


iam_actions.extract_resource_arn = resource_or_snapshot

BUCKETS = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
create_bucket = BUCKETS["create"]


def create_bucket_with_locks(logical_id, properties, stack_name):
    name, attributes = create_bucket(logical_id, properties, stack_name)
    if str(properties.get("ObjectLockEnabled")).lower() == "true":
        s3._bucket_object_lock[name] = {"enabled": True, "default_retention": None}
    return name, attributes


BUCKETS["create"] = create_bucket_with_locks

invoke_target = eventbridge._invoke_target


def invoke_at_its_time(target, event, rule, view=None):
    if event.get("Source") == "aws.scheduler" and target.get("Input"):
        # Its turns are some seconds late; schedules are due at whole minutes.
        due = time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(event["Time"]))
        target = {**target, "Input": target["Input"].replace("<aws.scheduler.scheduled-time>", due)}
    return invoke_target(target, event, rule, view)


eventbridge._invoke_target = invoke_at_its_time

record_event = cloudtrail.record_event


def record_by_name(**call):
    call["event_name"] = (call.get("request_params") or {}).get("Action") or call["event_name"]
    record_event(**call)


cloudtrail.record_event = record_by_name

MEMBER = re.compile(r'\$\.(\w+) = "([^"]*)"')
compile_pattern = cloudwatch_logs._compile_filter_pattern


def compile_members(raw):
    if not (raw or "").strip().startswith("{"):
        return compile_pattern(raw)
    wanted = MEMBER.findall(raw)

    def has_one(message):
        try:
            line = json.loads(message)
        except ValueError:
            return False
        return isinstance(line, dict) and any(line.get(member) == value for member, value in wanted)

    return has_one


cloudwatch_logs._compile_filter_pattern = compile_members

if __name__ == "__main__":
    from ministack.app import main

    main()
