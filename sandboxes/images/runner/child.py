"""Runs one case of a Python submission as the program's own user. Started by runner.py, one process per case.

Everything after `load` may be changed by the program, which shares this process: what is written to the answer pipe
is the program's claim and is treated so by the worker.
"""

# Only what every case needs: each import here is paid for at every case. asyncio alone costs as much as the interpreter.
import json
import os
import sys
import types

PROGRAM = "/program/main.py"
WRITABLE = ("/work", "/dev/shm")


class ChatError(Exception):
    """The gateway refused a call: budget, policy, or the provider failed."""


class Target:
    """What `solve` gets as its second argument."""

    def __init__(self, name):
        self.name = name

    def chat(self, messages, options=None, *, target=None, temperature=None, max_output_tokens=None):
        """Sends messages to a target and returns the text of its reply; raises ChatError when there is none.

        `options` may hold `target`, `temperature` and `maxOutputTokens`, as in JavaScript.
        """
        options = {"target": options} if isinstance(options, str) else dict(options or {})
        body = {"model": target or options.get("target") or self.name, "messages": list(messages)}
        if body["model"] is None:
            raise ChatError("this case names no target: pass target=")
        temperature = options.get("temperature") if temperature is None else temperature
        most = options.get("maxOutputTokens") if max_output_tokens is None else max_output_tokens
        if temperature is not None:
            body["temperature"] = temperature
        if most is not None:
            body["max_tokens"] = most
        return send(body)


def send(body):
    # Imported when first needed: most programs of a rubric without targets never pay for it.
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", 8080)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
    except OSError as error:
        raise ChatError(f"the gateway did not answer: {error}") from None
    finally:
        connection.close()
    try:
        reply = json.loads(text)
    except ValueError:
        raise ChatError(f"the gateway answered {response.status}: {text[:500]}") from None
    if response.status != 200:
        error = reply.get("error") if isinstance(reply, dict) else None
        raise ChatError(error["message"] if isinstance(error, dict) and "message" in error else text[:500])
    return reply["choices"][0]["message"]["content"] or ""


def clean():
    for folder in WRITABLE:
        os.chmod(folder, 0o700)
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                import shutil

                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


def load():
    with open(PROGRAM, "rb") as file:
        code = compile(file.read(), PROGRAM, "exec")
    module = types.ModuleType("submission")
    module.__file__ = PROGRAM
    sys.modules["submission"] = module
    exec(code, module.__dict__)
    solve = getattr(module, "solve", None)
    if not callable(solve):
        raise LookupError("the program has no entry point: define `def solve(task, target)`")
    return solve


async def finish(awaitable):
    return await awaitable


def describe(error):
    import traceback

    traceback.print_exc()
    if isinstance(error, LookupError) and "entry point" in str(error):
        return str(error)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == PROGRAM]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == PROGRAM else lines[-1] if lines else None
    where = "" if line is None else f" (line {line})"
    return f"{type(error).__name__}: {error}"[:1900] + where


def main():
    answer = int(sys.argv[1])
    del sys.argv[1:]
    task = json.loads(sys.stdin.buffer.read())
    # The kernel shall choose the program before the runner when the sandbox is out of memory.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    os.chdir("/work")
    clean()
    os.write(answer, b"+")

    def say(kind, text):
        sys.stdout.flush()
        sys.stderr.flush()
        rest = memoryview(kind + text + b"\n")
        while rest:
            rest = rest[os.write(answer, rest) :]

    def fault(code, message):
        say(b"F", json.dumps({"code": code, "message": message}).encode())

    try:
        result = load()(task, Target(task["target"]))
        if hasattr(result, "__await__"):
            import asyncio

            result = asyncio.run(finish(result))
    except Exception as error:
        return fault("program_error", describe(error))
    try:
        text = json.dumps(result, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return fault("invalid_output", f"the answer is not JSON: {error}"[:1900])
    say(b"A", text)


main()
