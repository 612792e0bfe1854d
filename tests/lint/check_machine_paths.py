#!/usr/bin/env python3
"""No tracked file names a folder of somebody's machine.

    check_machine_paths.py [ROOT]
"""
import pathlib
import re
import subprocess
import sys

# Homes, drive letters and working copies. The slashes are written as [/] so that this file passes.
PATTERN = re.compile(r"(?<![\w.}/])([/]home[/]\w|[/]Users[/]\w|[/]root[/]|[/]work[/]\w|\b[A-Z]:\\\\?Users\b)")


def tracked(root):
    answer = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True)
    if answer.returncode != 0:
        return [p.relative_to(root) for p in pathlib.Path(root).rglob("*") if p.is_file() and ".git" not in p.parts]
    return [pathlib.Path(name) for name in answer.stdout.decode().split("\0") if name]


def check(root):
    faults = []
    for name in tracked(root):
        path = pathlib.Path(root) / name
        if not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" in data[:4096]:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            match = PATTERN.search(line)
            if match:
                faults.append(f"{name}:{number}: a path of one machine: {match[1]}…")
    return faults


if __name__ == "__main__":
    faults = check(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
    print("\n".join(faults) or "no paths of anybody's machine")
    sys.exit(1 if faults else 0)
