#!/usr/bin/env python3
"""The examples of docs/PARSER.md are those that are compiled and run.

    check_examples.py [ROOT]      prints file:line: what is wrong; exit status 1 if anything is

In the page `<!-- example: NAME -->` stands above a ```cpp block; in a test the same lines stand between
`// example: NAME` and `// end of example`.
"""
import pathlib
import re
import sys

PAGES = ["docs/PARSER.md"]
TESTS = "tests/dicom/*examples_test.cpp"
BEGIN = re.compile(r"^\s*// example: (\S+)$")
END = re.compile(r"^\s*// end of example$")
MARK = re.compile(r"^<!-- example: (\S+) -->$")


def snippets(path):
    """NAME → (line, text) of a test file."""
    found, name, first, lines = {}, None, 0, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := BEGIN.match(line):
            name, first, lines = match[1], number, []
        elif END.match(line):
            found[name] = (first, "\n".join(lines))
            name = None
        elif name:
            lines.append(line)
    return found


def blocks(path):
    """(NAME or None, line, text) of each ```cpp block of a page."""
    found, name, lines, first = [], None, None, 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if lines is not None:
            if line == "```":
                found.append((name, first, "\n".join(lines)))
                name, lines = None, None
            else:
                lines.append(line)
        elif match := MARK.match(line):
            name = match[1]
        elif line == "```cpp":
            first, lines = number, []
        elif line.strip():
            name = None
    return found


def check(root):
    root = pathlib.Path(root)
    compiled, faults, shown = {}, [], set()
    for path in sorted(root.glob(TESTS)):
        for name, (line, text) in snippets(path).items():
            compiled[name] = (f"{path.relative_to(root)}:{line}", text)
    for page in PAGES:
        for name, line, text in blocks(root / page):
            shown.add(name)
            if name is None:
                faults.append(f"{page}:{line}: a C++ block without `<!-- example: NAME -->` above it")
            elif name not in compiled:
                faults.append(f"{page}:{line}: example {name} is in no test")
            elif compiled[name][1] != text:
                faults.append(f"{page}:{line}: example {name} differs from {compiled[name][0]}")
    faults += [f"{place}: example {name} is in no page" for name, (place, _) in compiled.items() if name not in shown]
    return faults


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    faults = check(root)
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
