"""MiniStack, but for twelve things that it does in another way than AWS.

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
A search of a log for members of JSON finds the lines that have them, where MiniStack finds every line.
Policies may ask whether a write of S3 has a condition, and whether it creates an object; a session's principal is its
role; and a copy that may not replace anything does not.
A running execution that is started again, by the same name with the same input, is that execution, and no error.
"""

import json
import re
import time

from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import cloudtrail, cloudwatch_logs, eventbridge, lambda_svc, rds, s3, stepfunctions
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

object_context = iam_actions._s3_object_context


def object_context_of_write(action, query, path, headers):
    context = object_context(action, query, path, headers)
    if action == "s3:PutObject":
        creates = not ("partNumber" in query or "uploads" in query)
        context["s3:ObjectCreationOperation"] = str(creates).lower()
        if headers.get("if-none-match"):
            context["s3:if-none-match"] = headers["if-none-match"]
    return context


iam_actions._s3_object_context = object_context_of_write

SESSION = re.compile(r"^arn:(\S+?):sts::(\d+):assumed-role/([^/]+)/.*$")
resolve_condition_key = iam_evaluator._resolve_condition_key


def resolve_role_of_session(key, ctx):
    value = resolve_condition_key(key, ctx)
    return SESSION.sub(r"arn:\1:iam::\2:role/\3", value) if key.lower() == "aws:principalarn" else value


iam_evaluator._resolve_condition_key = resolve_role_of_session

copy_object = s3._copy_object


def copy_object_once(bucket, key, headers):
    found = s3._ensure_bucket(bucket)
    if headers.get("if-none-match") == "*" and found is not None and key in found["objects"]:
        message = "At least one of the pre-conditions you specified did not hold"
        return s3._error("PreconditionFailed", message, 412)
    return copy_object(bucket, key, headers)


s3._copy_object = copy_object_once

start_execution = stepfunctions._start_execution


def start_or_same_execution(data):
    wanted = (data.get("stateMachineArn"), data.get("name"), data.get("input", "{}"), "RUNNING")
    for execution in list(stepfunctions._executions.values()):
        if wanted == tuple(execution[member] for member in ("stateMachineArn", "name", "input", "status")):
            started = {member: execution[member] for member in ("executionArn", "startDate")}
            return stepfunctions.json_response(started)
    return start_execution(data)


stepfunctions._start_execution = start_or_same_execution

if __name__ == "__main__":
    from ministack.app import main

    main()
