"""Moto's server, whose state machines really execute and whose Lambdas are the test's own: each call goes to
`LAMBDAS/<function>` over HTTP, and the answer is the function's. Moto itself would start a container for each."""

import json
import os
import sys
import urllib.request

from moto.awslambda import models
from moto.core.config import default_user_config
from moto.server import main

default_user_config["stepfunctions"] = {"execute_state_machine": True}
LAMBDAS = os.environ["LAMBDAS"]


def invoke(function, event=None):
    body = event if isinstance(event, (str, bytes)) else json.dumps(event or {})
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(f"{LAMBDAS}/{function.function_name}", data=data)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode(), answer.headers.get("failed") == "true", ""


models.LambdaFunction._invoke_lambda = invoke

if __name__ == "__main__":
    main(sys.argv[1:])
