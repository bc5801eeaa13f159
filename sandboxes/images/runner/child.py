"""Answers the cases of a Python submission as the program's own user, in a process that the zygote forked.

Everything after `load` may be changed by the program, which shares this process: what is written to the answer pipe
is the program's claim and is treated so by the worker.
"""

import json
import os
import struct
import sys
import types

PROGRAM = "/program/main.py"
ANSWER = 3
PR_SET_DUMPABLE = 4


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


def read_task():
    """The next task, None when there are no more."""
    head = read_exactly(4)
    if head is None:
        return None
    return json.loads(read_exactly(struct.unpack(">I", head)[0]))


def read_exactly(count):
    parts = b""
    while len(parts) < count:
        part = os.read(0, count - len(parts))
        if not part:
            return None
        parts += part
    return parts


def say(kind, text):
    sys.stdout.flush()
    sys.stderr.flush()
    rest = memoryview(kind + text + b"\n")
    while rest:
        rest = rest[os.write(ANSWER, rest) :]


def fault(code, message):
    say(b"F", json.dumps({"code": code, "message": message}).encode())


def answer(solve, task):
    """Runs the entry point for one task and says what came of it."""
    try:
        solve = solve or load()
        result = solve(task, Target(task["target"]))
        if hasattr(result, "__await__"):
            import asyncio

            result = asyncio.run(finish(result))
    except Exception as error:
        fault("program_error", describe(error))
        return solve
    try:
        text = json.dumps(result, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        fault("invalid_output", f"the answer is not JSON: {error}"[:1900])
        return solve
    say(b"A", text)
    return solve


def main(shared):
    """Answers one task, or in a shared process one after another until there are no more."""
    sys.argv = [PROGRAM]
    sys.path.insert(0, os.path.dirname(PROGRAM))
    sys.modules["__main__"] = types.ModuleType("__main__")
    make_dumpable()
    solve = None
    while (task := read_task()) is not None:
        solve = answer(solve, task)
        if not shared:
            break
    sys.stdout.flush()


def make_dumpable():
    """Changing the user hid /proc/self from this very process; programs rely on it, and it holds nothing secret."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
