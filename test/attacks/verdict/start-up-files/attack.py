import os
import sys

PATHS = ["sitecustomize.py", "usercustomize.py", "conftest.py", "json.py", "http/client.py", "pythonstartup.py", "pyvenv.cfg", "python3._pth", ".pythonrc.py", "submission.py"]


def solve(task, target):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = ["/work", f"/work/.local/lib/{version}/site-packages", "/dev/shm", "/work/lib"]
    if task["input"] == "plant":
        for folder in folders:
            for name in PATHS:
                os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
                with open(f"{folder}/{name}", "w") as file:
                    file.write("import builtins\nbuiltins.planted = True\n")
        with open("/work/.local/lib/" + version + "/site-packages/x.pth", "w") as file:
            file.write("import builtins; builtins.planted = True\n")
        os.environ |= {"PYTHONPATH": "/work", "PYTHONSTARTUP": "/work/pythonstartup.py", "LD_PRELOAD": "/work/x.so", "PYTHONINSPECT": "1"}
        return "planted"
    import builtins
    import http.client

    loaded = [module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None) and not module.__file__.startswith(("/usr/", "/opt/", "/program/"))]
    return "untouched" if not hasattr(builtins, "planted") and loaded == [] else f"{loaded}"
