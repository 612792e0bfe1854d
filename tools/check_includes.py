#!/usr/bin/env python3
"""The arrows between folders, as docs/ARCHITECTURE.md draws them, and the sizes of files.

    check_includes.py [ROOT]      prints file:line: what is wrong; exit status 1 if anything is
"""
import pathlib
import re
import sys

# Which modules a module may include, besides itself.
NET = {"net/ul", "net/dimse", "net/scu"}
ARROWS = {
    "core": set(),
    "dicom": {"core"},
    "codec": {"core", "dicom"},
    "net/ul": {"core", "dicom"},
    "net/dimse": {"core", "dicom", "net/ul"},
    "net/scu": {"core", "dicom", "net/ul", "net/dimse"},
    "trace": {"core", "dicom", "net/ul", "net/dimse"},
    "doctor": {"core", "dicom", "trace"} | NET,
    "audit": {"core", "dicom"},
    "storage": {"core", "dicom"},
    "media": {"core", "dicom", "storage"},
    "deid": {"core", "dicom", "codec"},
    "route": {"core", "dicom", "storage", "deid"} | NET,
    "service": {"core", "dicom", "codec", "storage", "deid", "route"} | NET,
}
ARROWS["app"] = set(ARROWS) | NET
ARROWS["tools"] = set(ARROWS)

# Third-party headers: library → what starts its includes, and where it may be used (regular
# expressions over paths below the root).
LIBRARIES = {
    # Resuming a coroutine on its executor is everybody's business who answers; sockets and timers are not.
    "asio executors": (r"asio/(async_result|post|this_coro|use_awaitable|any_io_executor)\.hpp",
                       [r"src/core/(task|worker_pool)\.h", r"src/net/", r"src/service/", r"src/app/", r"tools/",
                        r"tests/"]),
    "asio": (r"asio(\.hpp|/)", [r"src/core/(task|worker_pool)\.h", r"src/core/asio_impl\.cpp", r"src/net/",
                                r"src/app/", r"tools/", r"tests/"]),
    "spdlog": (r"spdlog/", [r"src/core/log\.(h|cpp)"]),
    "fmt": (r"fmt/", [r"src/", r"tools/", r"tests/"]),
    "sqlite": (r"sqlite3(ext)?\.h", [r"src/storage/sqlite_[^/]*\.(cpp|h)", r"src/deid/vault[^/]*\.cpp", r"tests/storage/", r"tests/deid/"]),
    "zlib": (r"zlib\.h", [r"src/dicom/deflate\.cpp", r"src/codec/[^/]*\.cpp", r"src/storage/", r"tools/", r"tests/"]),
    "address sanitizer": (r"sanitizer/asan_interface\.h", [r"src/core/object_memory\.cpp"]),
    "xxhash": (r"xxh", [r"src/storage/[^/]*\.cpp", r"tests/storage/"]),
    "libarchive": (r"archive(_entry)?\.h$", [r"src/media/container[^/]*\.cpp"]),
    "utf8proc": (r"utf8proc", [r"src/dicom/[^/]*\.cpp"]),
    "iconv": (r"iconv\.h", [r"src/dicom/[^/]*\.cpp"]),
    "toml++": (r"toml\+\+|toml\.hpp", [r"src/app/toml\.h", r"src/app/[^/]*\.cpp", r"src/deid/[^/]*\.cpp"]),
    "CLI11": (r"CLI/", [r"tools/"]),
    "nlohmann-json": (r"nlohmann/", [r"tools/", r"tests/", r"src/deid/[^/]*\.cpp", r"src/codec/[^/]*\.cpp", r"src/app/[^/]*\.cpp", r"src/dicom/json_reader\.cpp"]),
    "openssl": (r"openssl/", [r"src/deid/", r"src/net/ul/", r"src/storage/[^/]*\.cpp", r"src/app/"]),
    "codec libraries": (r"(jpeglib|turbojpeg|openjpeg|charls|openjph)", [r"src/codec/[^/]*\.cpp"]),
    "png": (r"png\.h", [r"src/codec/[^/]*\.cpp", r"tests/codec/"]),
    "googletest": (r"g(test|mock)/", [r"tests/"]),
    "dcmtk": (r"dcmtk/", [r"tests/bench/"]),
    "rapidcheck": (r"rapidcheck", [r"tests/"]),
    "benchmark": (r"benchmark/", [r"tests/bench/"]),
}
# The headers that bring a third-party name into everybody's sight, on purpose.
EXEMPT_PUBLIC = {"src/core/task.h", "src/core/worker_pool.h", "src/core/log.h", "src/net/ul/io_threads.h",
                 "src/net/ul/signal.h"}

MAX_LINES = {".h": 250, ".cpp": 800}
SQL = re.compile(r'"\s*(SELECT\s+.+\bFROM\b|INSERT\s+(OR\s+\w+\s+)?INTO\b|DELETE\s+FROM\b|UPDATE\s+\w+\s+SET\b|'
                 r'CREATE\s+(TABLE|INDEX|VIRTUAL|UNIQUE)\b|PRAGMA\s+\w+)', re.IGNORECASE)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def module_of(path):
    parts = path.split("/")
    if parts[0] != "src":
        return parts[0]
    return "/".join(parts[1:3]) if parts[1] == "net" else parts[1]


def house_of(path):
    return module_of(path).split("/")[0]


def library_of(header):
    for name, (pattern, places) in LIBRARIES.items():
        if re.match(pattern, header):
            return name, places
    return None, None


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.faults = []
        self.files = {}
        for top in ("src", "tools", "tests"):
            for path in sorted((self.root / top).rglob("*")):
                if path.suffix in (".h", ".cpp"):
                    name = path.relative_to(self.root).as_posix()
                    self.files[name] = path.read_text(encoding="utf-8", errors="replace").split("\n")
        self.includes = {name: self.includes_of(lines) for name, lines in self.files.items()}

    @staticmethod
    def includes_of(lines):
        found = []
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                found.append((number, match[1], match[2]))
        return found

    def fault(self, name, line, text):
        self.faults.append(f"{name}:{line}: {text}")

    def own(self, header):
        """The file of ours that an include means, or None."""
        for candidate in (f"src/{header}", header, f"tools/{header}"):
            if candidate in self.files:
                return candidate
        return None

    def check_arrows(self):
        for name, includes in self.includes.items():
            here = module_of(name)
            for line, quote, header in includes:
                target = self.own(header)
                if target is None:
                    self.check_library(name, line, quote, header)
                    continue
                there = module_of(target)
                if here == "tests" or here == there:
                    continue
                if there == "tests":
                    self.fault(name, line, f"{here} may not include tests ({header})")
                elif there not in ARROWS.get(here, set()):
                    self.fault(name, line, f"{here} may not include {there} ({header})")

    def check_library(self, name, line, quote, header):
        library, places = library_of(header)
        if library is None:
            if quote == "<" and "/" in header and not header.startswith(("sys/", "linux/", "netinet/", "arpa/", "bits/",
                                                                        "experimental/")):
                self.fault(name, line, f"unknown third-party header {header}: name it in tools/check_includes.py")
            return
        if name.startswith("tests/"):
            return
        if not any(re.match(place, name) for place in places):
            self.fault(name, line, f"{library} may not be used here ({header})")

    def check_public_headers(self):
        """A header another module sees, itself or through others, shows no third-party header."""
        public = set()
        for name, includes in self.includes.items():
            if name.startswith("tests/"):
                continue
            for _, _, header in includes:
                target = self.own(header)
                # The three folders of net are one house to Asio.
                if target and target.startswith("src/") and house_of(target) != house_of(name):
                    public.add(target)
        waiting = sorted(public)
        while waiting:
            name = waiting.pop()
            if name in EXEMPT_PUBLIC:
                continue
            for line, _, header in self.includes[name]:
                target = self.own(header)
                if target is None:
                    if library_of(header)[0] is not None:
                        self.fault(name, line, f"other modules include this header; {header} must not be in it")
                elif target not in public:
                    public.add(target)
                    waiting.append(target)

    def check_sql(self):
        for name, lines in self.files.items():
            if name.startswith("tests/") or re.match(r"src/(storage/sqlite_|deid/vault)", name):
                continue
            for number, line in enumerate(lines, 1):
                if SQL.search(line):
                    self.fault(name, number, "SQL outside src/storage/sqlite_* and src/deid/vault*")

    def check_shape(self):
        for name, lines in self.files.items():
            suffix = pathlib.PurePosixPath(name).suffix
            count = len(lines) - (lines[-1] == "")
            if count > MAX_LINES[suffix]:
                self.fault(name, count, f"{count} lines; a {suffix} file has at most {MAX_LINES[suffix]}")
            if suffix != ".h":
                continue
            if not lines[0].startswith("//"):
                self.fault(name, 1, "a header begins with a comment saying what it is for")
            if "#pragma once" not in lines:
                self.fault(name, 1, "#pragma once is missing")


def check(root):
    tree = Tree(root)
    tree.check_arrows()
    tree.check_public_headers()
    tree.check_sql()
    tree.check_shape()
    return tree.faults


if __name__ == "__main__":
    start = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    faults = check(start)
    print("\n".join(faults) or "the arrows are right")
    sys.exit(1 if faults else 0)
