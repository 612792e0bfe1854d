#!/usr/bin/env python3
"""The lints catch what they are for: each bad example must be found, each good one must pass."""
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "lint")]
sys.dont_write_bytecode = True

import check_coroutines  # noqa: E402
import check_examples  # noqa: E402
import check_includes  # noqa: E402
import check_machine_paths  # noqa: E402

HEADER = "// What it is for.\n#pragma once\n"


class Includes(unittest.TestCase):
    def faults(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check_includes.check(folder)

    def caught(self, words, files):
        faults = self.faults(files)
        self.assertTrue(any(words in fault for fault in faults), f"{words!r} not in {faults}")

    def test_good_tree_passes(self):
        self.assertEqual([], self.faults({
            "src/core/a.h": HEADER + "#include <vector>\n",
            "src/dicom/b.h": HEADER + '#include "core/a.h"\n',
            "src/service/c.cpp": '#include "dicom/b.h"\n#include "storage/d.h"\n',
            "src/storage/d.h": HEADER,
            "src/storage/sqlite_d.cpp": '#include <sqlite3.h>\nauto q = "SELECT a FROM b";\n'}))

    def test_forbidden_arrows(self):
        for here, there in (("core", "dicom"), ("dicom", "net/ul"), ("net/ul", "storage"), ("storage", "net/ul"),
                            ("storage", "net/scu"), ("net/ul", "net/dimse"), ("net/dimse", "net/scu"),
                            ("service", "app"), ("net/scu", "service"), ("app", "tools")):
            place = there if there == "tools" else f"src/{there}"
            include = "tools/x.h" if there == "tools" else f"{there}/x.h"
            self.caught("may not include", {f"{place}/x.h": HEADER, f"src/{here}/y.cpp": f'#include "{include}"\n'})

    def test_tests_are_not_included(self):
        self.caught("may not include tests", {"tests/support/x.h": HEADER,
                                              "src/core/y.cpp": '#include "tests/support/x.h"\n'})

    def test_libraries_in_the_wrong_place(self):
        self.caught("sqlite may not", {"src/service/a.cpp": "#include <sqlite3.h>\n"})
        self.caught("asio may not", {"src/service/a.cpp": "#include <asio/ip/tcp.hpp>\n"})
        self.caught("asio executors may not", {"src/dicom/a.cpp": "#include <asio/post.hpp>\n"})
        self.caught("CLI11 may not", {"src/app/a.cpp": "#include <CLI/CLI.hpp>\n"})
        self.caught("unknown third-party", {"src/app/a.cpp": "#include <strange/thing.hpp>\n"})

    def test_third_party_in_a_public_header_even_through_another(self):
        self.caught("must not be in it", {
            "src/net/ul/a.h": HEADER + '#include "net/ul/b.h"\n',
            "src/net/ul/b.h": HEADER + "#include <asio/ip/tcp.hpp>\n",
            "src/service/c.cpp": '#include "net/ul/a.h"\n'})

    def test_sql_outside_its_files(self):
        self.caught("SQL outside", {"src/service/a.cpp": 'auto q = "SELECT uid FROM study";\n'})

    def test_shape(self):
        self.caught("#pragma once", {"src/core/a.h": "// What.\nint a();\n"})
        self.caught("begins with a comment", {"src/core/a.h": "#pragma once\n"})
        self.caught("at most 250", {"src/core/a.h": HEADER + "\n" * 300})
        self.caught("at most 800", {"src/core/a.cpp": "\n" * 801})


class Coroutines(unittest.TestCase):
    def faults(self, source):
        return check_coroutines.check({"a.cpp": source})

    def caught(self, words, body):
        faults = self.faults("Task<void> f() {\n" + body + "\n}\n")
        self.assertTrue(any(words in fault for fault in faults), f"{words!r} not in {faults} for {body}")

    def passes(self, body, outside=""):
        self.assertEqual([], self.faults(outside + "Task<void> f() {\n" + body + "\n}\n"), body)

    def test_lambda_by_value(self):
        self.caught("lambda", "co_await pool.run([x] { return x; });")
        self.caught("lambda", "auto r = co_await run([=]() mutable { return 1; });")
        self.caught("lambda", "if (!co_await run([self = shared_from_this()] { return 1; })) co_return;")
        self.caught("lambda", "auto g = [&] { return 1; }; for (;;) { use(co_await run([x, &y](int a) -> int { return a; })); }")

    def test_lambda_inside_a_lambda_body(self):
        self.caught("lambda", "auto work = [&]() -> Task<void> { co_await run([x] { }); };")

    def test_good_lambdas(self):
        self.passes("auto work = [x] { return x; };\nco_await pool.run(std::move(work));")
        self.passes("co_await pool.run([&x] { return x; });\nco_await run([this] { return 1; });")
        self.passes("auto work = [x]() -> Task<void> { co_await y(); };\nco_await work();")
        self.passes("spawn([x]() -> Task<int> { co_return co_await y(x); });")

    def test_aggregate_temporary(self):
        self.caught("aggregate", "co_await f(Options{1, 2});")
        self.caught("aggregate", "co_return co_await client.store(StoreOperation{uid}, payload);")
        self.caught("initializer list", "co_await f({1, 2});")

    def test_good_braces(self):
        self.passes("Options options{1, 2};\nco_await f(options);")
        self.passes("co_await f(std::size_t{3});")
        self.passes("const Reply reply{co_await f()};")
        self.passes("if (co_await f()) { g(Options{1}); }")
        self.passes("co_await f(Made{1});", "struct Made { explicit Made(int a) : a_{a} {} int a_; };\n")
        self.passes("while (!co_await f()) {\n g(Options{2});\n}\nh(Options{3});")

    def test_ternary(self):
        self.caught("ternary", "co_await send(ok ? accept() : refuse());")
        self.caught("ternary", "auto r = ok ? co_await a() : b;")
        self.passes("co_await wait(ok ? 1 : 2);")
        self.passes("const auto text = ok ? a : b;\nco_await send(text);")

    def test_structured_binding(self):
        self.caught("bind the result", "auto [ec, n] = co_await read();")
        self.passes("auto done = co_await read();\nauto& [ec, n] = done;\nbuffer[n] = co_await next();")

    def test_detached_and_dead_lambda(self):
        self.caught("detached", "asio::co_spawn(executor, g(), asio::detached);")
        self.caught("dies", "asio::co_spawn(executor, [self]() -> Task<void> { co_return; }(), report_exception);")
        self.passes("asio::co_spawn(executor, [self]() -> Task<void> { co_return; }, report_exception);")

    def test_text_and_comments_are_not_code(self):
        self.passes('// co_await f(Options{1});\nlog("co_await f(Options{1})");')

    def test_exception_with_a_reason(self):
        self.passes("co_await f(Options{1});  // coroutine-lint: ok, trivially destructible")


class MachinePaths(unittest.TestCase):
    def test_caught(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "good.txt").write_text("/etc/dcmtk and /usr/share are everywhere\n")
            self.assertEqual([], check_machine_paths.check(folder))
            for path in ("home/somebody", "Users/somebody", "root/x", "work/tree"):
                pathlib.Path(folder, "bad.txt").write_text(f"see /{path}/notes\n")
                self.assertEqual(1, len(check_machine_paths.check(folder)), path)


class Examples(unittest.TestCase):
    SNIPPET = "// example: {}\nint x = {};\n// end of example\n"
    BLOCK = "<!-- example: {} -->\n```cpp\nint x = {};\n```\n"

    def faults(self, test, page):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("tests/dicom/some_examples_test.cpp", test), ("docs/PARSER.md", page)):
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True)
                path.write_text(text)
            return check_examples.check(folder)

    def test_equal_passes(self):
        self.assertEqual([], self.faults(self.SNIPPET.format("a", 1), "# Page\n\n" + self.BLOCK.format("a", 1)))

    def test_caught(self):
        for words, test, page in (
                ("differs from", self.SNIPPET.format("a", 1), self.BLOCK.format("a", 2)),
                ("in no test", "", self.BLOCK.format("a", 1)),
                ("in no page", self.SNIPPET.format("a", 1), ""),
                ("without `<!--", "", "```cpp\nint x = 1;\n```\n"),
                ("without `<!--", self.SNIPPET.format("a", 1), "<!-- example: a -->\nwords\n```cpp\nint x = 1;\n```\n")):
            faults = self.faults(test, page)
            self.assertTrue(any(words in fault for fault in faults), f"{words!r} not in {faults}")


if __name__ == "__main__":
    unittest.main()
