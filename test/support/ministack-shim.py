"""MiniStack, with the one thing that its Lambdas lose: an error's name. Retry and Catch go by it.

A Node worker reports only the message, and MiniStack answers `Runtime.HandlerError` to every failure, where Lambda
answers with the error's own name. Here the worker puts the name before the message, and the answer is parted again.
"""

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

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

if __name__ == "__main__":
    from ministack.app import main

    main()
