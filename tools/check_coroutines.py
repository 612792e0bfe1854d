#!/usr/bin/env python3
"""Finds what g++ 12 compiles wrongly around co_await, and spawns that swallow exceptions.

    check_coroutines.py [PATH…]    files or folders (default: src and tools); file:line: what

In the full expression of a co_await there may be no lambda with captures by value, no aggregate
temporary `Type{…}` or `{…}` argument, no ternary of class type: g++ 12.2 destroys such temporaries
twice. Name the object in a statement of its own before, or give the type a constructor. Nor may a
result be bound with `auto [a, b] = co_await …`.

This is a reader of tokens and brackets, not a compiler. A line that is right nevertheless says
`coroutine-lint: ok` and why.
"""
import pathlib
import re
import sys

TOKEN = re.compile(r"""
    (?P<skip>\s+|//[^\n]*|/\*.*?\*/|^\s*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<text>(?:u8|[uUL])?R"(?P<raw>[^(\s]*)\(.*?\)(?P=raw)"|(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+')
  | (?P<word>[A-Za-z_]\w*)
  | (?P<number>\.?\d(?:[\w.]|'(?=\w)|[eEpP][+-])*)
  | (?P<sign>::|->|\[\[|\]\]|<<=|>>=|<=>|&&|\|\||[-+*/%&|^=!<>]=|\+\+|--|<<|.)
""", re.X | re.S | re.M)

SCALARS = {"bool", "char", "int", "unsigned", "long", "short", "float", "double", "size_t", "byte", "uint8_t",
           "uint16_t", "uint32_t", "uint64_t", "int8_t", "int16_t", "int32_t", "int64_t", "string_view", "span"}
STATEMENT_WORDS = {"return", "co_return", "co_yield", "co_await", "throw", "case", "else", "do", "new", "delete"}
BLOCK_BEFORE = {")", ";", "{", "}", ":", "else", "do", "try", "mutable", "noexcept", "const", "override", "final",
                "]", "constexpr"}


class Group:
    """A bracket and what is in it. kind: ( [ block init."""

    def __init__(self, kind, line):
        self.kind, self.line, self.items = kind, line, []


class Token:
    def __init__(self, text, line, kind):
        self.text, self.line, self.kind = text, line, kind


def tokens_of(source):
    line = 1
    for match in TOKEN.finditer(source):
        text = match.group()
        if match.lastgroup != "skip" and match.group("skip") is None:
            kind = "text" if match.group("text") else "word" if match.group("word") else \
                "number" if match.group("number") else "sign"
            if text in ("[[", "]]"):
                yield Token(text[0], line, kind)
                yield Token(text[0], line, kind)
            else:
                yield Token(text, line, kind)
        line += text.count("\n")


def last_text(items):
    """What stands last in `items`, as text; groups as their closing bracket."""
    if not items:
        return None
    last = items[-1]
    if isinstance(last, Token):
        return last.text
    return {"(": ")", "[": "]"}.get(last.kind, "}")


def opens_block(items, outer):
    """Is the `{` after `items` a block (of a function, lambda, type, statement) or an initializer?"""
    before = last_text(items)
    if before is None:
        return outer == "block"
    if before in BLOCK_BEFORE:
        if before == "}" and items[-1].kind == "init":
            return outer == "block"        # the body after a constructor's  : a_{b}
        return not (before == ")" and outer != "block" and not lambda_before(items))
    statement = []
    for item in reversed(items):
        text = item.text if isinstance(item, Token) else None
        if text == ";" or (isinstance(item, Group) and item.kind == "block"):
            break
        statement.append(item)
    words = [item.text for item in statement if isinstance(item, Token)]
    if any(word in ("struct", "class", "union", "enum", "namespace", "extern") for word in words) and "=" not in words:
        return True
    # A trailing return type: … ) -> Type {   or   ) noexcept -> Type {
    for position, item in enumerate(statement):
        if isinstance(item, Group) and item.kind == "(":
            break
        if isinstance(item, Token) and item.text == "->":
            behind = [x for x in statement[position + 1:position + 4]]
            named_call = len(behind) > 0 and isinstance(behind[0], Token) and behind[0].kind == "word" and \
                behind[0].text not in ("mutable", "noexcept", "const")
            return not named_call
    return False


def lambda_before(items):
    """`[…] (…)` at the end of items."""
    return len(items) >= 2 and isinstance(items[-2], Group) and items[-2].kind == "["


def parse(source):
    root = Group("block", 1)
    stack = [root]
    for token in tokens_of(source):
        top = stack[-1]
        if token.text in ("(", "["):
            group = Group(token.text, token.line)
        elif token.text == "{":
            group = Group("block" if opens_block(top.items, top.kind) else "init", token.line)
        elif token.text in (")", "]", "}"):
            if len(stack) > 1:
                stack.pop()
            continue
        else:
            top.items.append(token)
            continue
        top.items.append(group)
        stack.append(group)
    return root


def is_lambda(items, position):
    """items[position] is `[captures]` of a lambda, not a subscript or an attribute."""
    group = items[position]
    if not (isinstance(group, Group) and group.kind == "["):
        return False
    if position > 0:
        before = items[position - 1]
        if isinstance(before, Group) and before.kind in ("(", "[", "init"):
            return False
        if isinstance(before, Token) and (before.kind == "word" and before.text not in STATEMENT_WORDS):
            return False
    if len(group.items) == 1 and isinstance(group.items[0], Group) and group.items[0].kind == "[":
        return False                                           # [[attribute]]
    rest = items[position + 1:position + 9]
    return any(isinstance(item, Group) and item.kind == "block" for item in rest)


def captures_by_value(group):
    parts, current = [], []
    for item in group.items:
        if isinstance(item, Token) and item.text == ",":
            parts.append(current)
            current = []
        else:
            current.append(item)
    parts.append(current)
    for part in parts:
        if not part:
            continue
        first = part[0].text if isinstance(part[0], Token) else ""
        if first == "&" or (first == "this" and len(part) == 1):
            continue
        return True
    return False


class Checker:
    def __init__(self, name, source, constructed):
        self.name, self.constructed = name, constructed
        self.lines = source.split("\n")
        self.faults = []
        self.root = parse(source)

    def fault(self, line, text):
        if any("coroutine-lint: ok" in self.lines[n] for n in (line - 2, line - 1) if 0 <= n < len(self.lines)):
            return
        entry = f"{self.name}:{line}: {text}"
        if entry not in self.faults:
            self.faults.append(entry)

    def run(self):
        self.block(self.root.items)
        return self.faults

    def block(self, items):
        statement = []
        for position, item in enumerate(items):
            ends = isinstance(item, Token) and item.text == ";"
            if isinstance(item, Group) and item.kind == "block":
                statement.append(item)
                in_lambda = self.lambda_body(items, position)
                ends = not in_lambda
            elif not ends:
                statement.append(item)
            if ends:
                self.statement(statement)
                statement = []
        self.statement(statement)

    @staticmethod
    def lambda_body(items, position):
        for back in range(position - 1, max(-1, position - 12), -1):
            item = items[back]
            if isinstance(item, Token) and item.text == ";":
                return False
            if isinstance(item, Group) and item.kind == "block":
                return False
            if isinstance(item, Group) and item.kind == "[":
                return is_lambda(items, back)
        return False

    def statement(self, items):
        """One statement: conditions in the parentheses of if/while/for/switch stand for themselves."""
        if not items:
            return
        rest = items
        for position, item in enumerate(items):
            if isinstance(item, Token) and item.text in ("if", "while", "for", "switch") and position < 3:
                for after in range(position + 1, min(position + 3, len(items))):
                    if isinstance(items[after], Group) and items[after].kind == "(":
                        self.block(items[after].items)
                        rest = items[:position] + items[after + 1:]
                        if rest:
                            self.statement(rest)
                        return
                break
        self.expression(rest)
        self.bodies(rest)

    def bodies(self, items):
        for item in items:
            if isinstance(item, Group):
                if item.kind == "block":
                    self.block(item.items)
                else:
                    self.bodies(item.items)

    def expression(self, items):
        awaits = self.find_await(items)
        self.spawned_lambdas(items)
        for position, item in enumerate(items):
            if isinstance(item, Token) and item.text == "asio" and position + 2 < len(items):
                pass
        if awaits is None:
            return
        top = [item for item in items]
        for position, item in enumerate(top[:-1]):
            if isinstance(item, Group) and item.kind == "[" and not is_lambda(top, position) and position > 0:
                words = [x.text for x in top[:position] if isinstance(x, Token)]
                if words and words[-1] in ("auto", "&", "&&") and "auto" in words[-2:] + words[-1:]:
                    self.fault(item.line, "`auto [a, b] = co_await …`: bind the result to a name first")
        self.temporaries(items, True)

    def find_await(self, items):
        for item in items:
            if isinstance(item, Token) and item.text == "co_await":
                return item
            if isinstance(item, Group) and item.kind != "block":
                found = self.find_await(item.items)
                if found:
                    return found
        return None

    def temporaries(self, items, top):
        for position, item in enumerate(items):
            if isinstance(item, Group) and item.kind == "block":
                continue
            if is_lambda(items, position):
                if captures_by_value(item):
                    self.fault(item.line, "a lambda with captures by value in the full expression of a co_await: "
                                          "name it first")
                continue
            if isinstance(item, Group):
                if item.kind == "init":
                    self.init(items, position, top)
                self.temporaries(item.items, False)
            elif item.text == "?":
                self.ternary(items, position)

    def init(self, items, position, top):
        group = items[position]
        before = items[position - 1] if position else None
        if isinstance(before, Token) and before.kind == "word":
            two_before = items[position - 2] if position > 1 else None
            text = two_before.text if isinstance(two_before, Token) else None
            declares = top and two_before is not None and (
                text in (">", "&", "*", "auto") or
                (isinstance(two_before, Token) and two_before.kind == "word" and text not in STATEMENT_WORDS))
            if declares:
                return
            if before.text in SCALARS or before.text in self.constructed:
                return
            if before.text in ("return", "co_return", "co_await"):
                return self.fault(group.line, "an initializer list in the full expression of a co_await: name it first") \
                    if group.items else None
            return self.fault(group.line, f"an aggregate temporary {before.text}{{…}} in the full expression of a "
                                          "co_await: name it first, or give the type a constructor")
        if isinstance(before, Token) and before.text in ("(", ",", "=") or before is None:
            if before is not None and before.text == "=" and top:
                return
            if group.items:
                self.fault(group.line, "an initializer list in the full expression of a co_await: name it first")
        elif isinstance(before, Token) and before.text == ">":
            if top and self.looks_like_declaration(items[:position]):
                return
            words = [x.text for x in items[:position] if isinstance(x, Token)]
            if not any(word in SCALARS for word in words[-6:]):
                self.fault(group.line, "an aggregate temporary …>{…} in the full expression of a co_await: name it first")

    @staticmethod
    def looks_like_declaration(items):
        return False

    def ternary(self, items, position):
        arms = [[], []]
        arm, depth = 0, 0
        for item in items[position + 1:]:
            if isinstance(item, Token):
                if item.text == "?":
                    depth += 1
                elif item.text == ":" and depth == 0 and arm == 0:
                    arm = 1
                    continue
                elif item.text == ":" and depth:
                    depth -= 1
                elif item.text in (",", ";"):
                    break
            arms[arm].append(item)
        for words in arms:
            plain = all(isinstance(x, Token) and (x.kind in ("number", "text") or x.text in (
                "true", "false", "nullptr", "-", "+", "*", "::", "->", ".", "&") or x.kind == "word") for x in words)
            calls = any(isinstance(x, Group) for x in words)
            literal = len(words) == 1 and isinstance(words[0], Token) and (
                words[0].kind in ("number", "text") or words[0].text in ("true", "false", "nullptr"))
            address = bool(words) and isinstance(words[0], Token) and words[0].text == "&" and plain
            enumerator = plain and not calls and any(isinstance(x, Token) and x.text == "::" for x in words)
            if not (literal or address or enumerator):
                line = items[position].line
                return self.fault(line, "a ternary that may be of class type in the full expression of a co_await: "
                                        "name it first")

    def spawned_lambdas(self, items):
        """co_spawn(executor, [captures] { … }(), …): the lambda dies, its coroutine goes on."""
        for position, item in enumerate(items):
            if not isinstance(item, Group) or item.kind == "block":
                continue
            before = items[position - 1] if position else None
            if item.kind == "(" and isinstance(before, Token) and before.text == "co_spawn":
                inner = item.items
                for at in range(len(inner)):
                    if is_lambda(inner, at) and inner[at].items:
                        for body in range(at + 1, len(inner)):
                            if isinstance(inner[body], Group) and inner[body].kind == "block":
                                called = body + 1 < len(inner) and isinstance(inner[body + 1], Group) and \
                                    inner[body + 1].kind == "("
                                if called:
                                    self.fault(inner[at].line, "co_spawn of a called lambda with captures: the "
                                                               "lambda dies at the semicolon")
                                break
            self.spawned_lambdas(item.items)


CONSTRUCTED = re.compile(r"\b(?:struct|class)\s+(?:\[\[\w+\]\]\s*)?(\w+)(?:\s+final)?(?:\s*:[^{;]*)?\s*\{")


def constructed_types(sources):
    """Types that declare a constructor: their temporaries are no aggregates."""
    found = set()
    for source in sources:
        for match in CONSTRUCTED.finditer(source):
            name = match[1]
            depth, end = 1, match.end()
            while end < len(source) and depth:
                depth += {"{": 1, "}": -1}.get(source[end], 0)
                end += 1
            if re.search(rf"(?<![~\w]){name}\s*\(", source[match.end():end]):
                found.add(name)
    return found


def check(files):
    """files: name → source."""
    constructed = constructed_types(files.values()) | {"Uid", "string", "vector"}
    faults = []
    for name, source in files.items():
        for number, line in enumerate(source.split("\n"), 1):
            if re.search(r"\b(asio::detached|detached_t)\b", re.sub(r"//.*", "", line)):
                faults.append(f"{name}:{number}: asio::detached swallows exceptions: hand over report_exception")
        if "co_await" in source or "co_spawn" in source:
            faults += Checker(name, source, constructed).run()
    return faults


def main(arguments):
    root = pathlib.Path(__file__).resolve().parent.parent
    places = [pathlib.Path(a) for a in arguments] or [root / "src", root / "tools", root / "tests"]
    files = {}
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.suffix in (".h", ".cpp"):
                files[str(path)] = path.read_text(encoding="utf-8", errors="replace")
    faults = check(files)
    print("\n".join(faults) or f"{len(files)} files, no pitfalls")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
