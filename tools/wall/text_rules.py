"""Rules that need only the text: raw regions, layers, system includes, preludes, pragmas."""
import os
import re

from tree import HERE, Finding, Tree, folder_of, is_test, without_comments

# The share of raw-region lines in all non-test code that the wall allows, in per cent, and
# whether more than that fails. A young tree has little code around its base.
RAW_SHARE_MAX = 3.0
RAW_SHARE_ENFORCED = True

REGION_DEFINITION = re.compile(r"#\s*define\s+ADIT_UNSAFE_(BEGIN|END)\b")


def is_base(path):
    return path.startswith("src/base/")


def raw_outside_base(tree):
    """The opt-out mark and its pragma are legal in src/base only."""
    for path in tree.code(tests=True):
        if is_base(path) and not is_test(path):
            continue
        for number, line in enumerate(tree.texts[path].splitlines(), 1):
            if re.search(r"ADIT_UNSAFE_(BEGIN|END)|unsafe_buffer_usage", line):
                yield Finding("raw-outside-base", path, number, "a raw region outside src/base")


def raw_regions(tree):
    """(path, first line, last line) of every region; an unbalanced one has no last line."""
    for path in tree.code():
        if not is_base(path):
            continue
        start = None
        for number, line in enumerate(tree.texts[path].splitlines(), 1):
            code = line.split("/*")[0]
            if REGION_DEFINITION.search(code) or line.lstrip().startswith("*"):
                continue
            if "ADIT_UNSAFE_BEGIN" in code:
                start = number
            if "ADIT_UNSAFE_END" in code and start is not None:
                yield path, start, number
                start = None
        if start is not None:
            yield path, start, None


def code_lines(text):
    return sum(1 for line in without_comments(text).splitlines() if line.strip())


def raw_count(tree):
    """(lines inside regions with their marks, lines of all non-test code)."""
    regions = sum(last - first + 1 for _, first, last in raw_regions(tree) if last)
    return regions, sum(code_lines(tree.texts[path]) for path in tree.code())


def raw_region(tree):
    """Every region in base is closed, and says why in its mark."""
    for path, first, last in raw_regions(tree):
        if last is None:
            yield Finding("raw-region", path, first, "a raw region that is not closed")
        line = tree.texts[path].splitlines()[first - 1]
        if not re.search(r'ADIT_UNSAFE_BEGIN\("[^"]{8,}"\)', line):
            yield Finding("raw-region", path, first, "a raw region without a reason")


def raw_share(tree, is_enforced=RAW_SHARE_ENFORCED):
    regions, whole = raw_count(tree)
    if is_enforced and whole and 100.0 * regions / whole > RAW_SHARE_MAX:
        yield Finding("raw-share", "src/base", 0, "%d raw lines are %.2f %% of %d; %.1f %% is the most"
                      % (regions, 100.0 * regions / whole, whole, RAW_SHARE_MAX))


def raw_share_proof():
    """A tree with 4 raw lines in 100 fails, and one with 2 in 100 does not."""
    region = '    ADIT_UNSAFE_BEGIN("the index is checked")\n%s    ADIT_UNSAFE_END\n'
    for inner, is_bad in ((2, True), (0, False)):
        text = region % ("    x();\n" * inner) + "    y();\n" * (98 - inner)
        findings = list(raw_share(Tree({"src/base/sample.c": text}), True))
        if bool(findings) != is_bad:
            yield Finding("raw-share", "src/base/sample.c", 0, "%d raw lines of 100 are %s"
                          % (inner + 2, "accepted" if is_bad else "refused"))


ESCAPES = [
    (re.compile(r"^\s*#\s*pragma\b|\b_Pragma\s*\("), "a pragma"),
    (re.compile(r"\b__(?:builtin|atomic|sync|c11)_\w+"), "a compiler builtin, which the poison does not see"),
    (re.compile(r"\b(?:__asm__|__asm|asm)\b"), "assembly"),
    (re.compile(r"\b__attribute__\b|\[\[\s*gnu::"), "an attribute of a compiler"),
    (re.compile(r"^\s*#\s*include_next\b"), "include_next"),
]


def escape(tree):
    """No pragma, builtin, attribute, assembly, or undoing of another file's macro outside base:
    each is a way round the wall."""
    for path in tree.code():
        if is_base(path):
            continue
        text = without_comments(tree.texts[path])
        own = set(re.findall(r"^\s*#\s*define\s+(\w+)", text, re.MULTILINE))
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, what in ESCAPES:
                if pattern.search(line):
                    yield Finding("escape", path, number, what + " outside src/base")
            undone = re.match(r"\s*#\s*undef\s+(\w+)", line)
            if undone and undone.group(1) not in own:
                yield Finding("escape", path, number, "undoes a macro of another file")


INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(tree, path):
    for number, line in enumerate(tree.texts[path].splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def load_layers():
    layers = {}
    with open(os.path.join(HERE, "layers.txt"), encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if line:
                name, _, below = line.partition(":")
                layers[name.strip()] = below.split()
    return layers


def layer(tree):
    """Arrows point down only; the table of allowed arrows is layers.txt."""
    layers = load_layers()
    for path in tree.code():
        folder = folder_of(path)
        if folder not in layers:
            yield Finding("layer", path, 0, "folder %s is not in layers.txt" % folder)
            continue
        for number, is_system, name in includes(tree, path):
            target = os.path.dirname(name)
            if is_system or target == folder:
                continue
            if target not in layers[folder]:
                yield Finding("layer", path, number, "%s may not include %s" % (folder, name))


def layer_table(_tree):
    """The table itself has no cycle, and no arrow to something above."""
    order = []
    for name, below in load_layers().items():
        for target in below:
            if target not in order:
                yield Finding("layer", "tools/wall/layers.txt", 0,
                              "%s points at %s, which is not above it in the file" % (name, target))
        order.append(name)


def system_include(tree):
    """System and library headers come in through a prelude; base alone includes its own."""
    for path in tree.code():
        if is_base(path) or path.endswith("/prelude.h"):
            continue
        for number, is_system, name in includes(tree, path):
            if is_system:
                yield Finding("system-include", path, number, "<%s> belongs in the prelude" % name)


def prelude_poison(tree):
    """Each prelude (base's is exempt) ends with the poison, after everything else."""
    for path in tree.code():
        if not path.endswith("/prelude.h") or is_base(path):
            continue
        lines = [line for line in without_comments(tree.texts[path]).splitlines() if line.strip()]
        names = [name for _, _, name in includes(tree, path)]
        if not names or names[-1] != "base/poison.h" or "#include" not in lines[-1]:
            yield Finding("prelude-poison", path, 0, 'a prelude ends with #include "base/poison.h"')
        for number, line in enumerate(without_comments(tree.texts[path]).splitlines(), 1):
            if re.match(r"\s*#\s*(?:if|ifdef|ifndef|undef)\b", line) and "ADIT_TEST" in line:
                yield Finding("prelude-poison", path, number, "a prelude that hides its poison")


POOLS_ONLY = ("mux",)   # memory from pools made at the start, and nowhere else


def pools(tree):
    """A folder that may use only pools shows it: a test of it runs with an allocator that fails
    after the start."""
    for folder in POOLS_ONLY:
        paths = [path for path in tree.code(tests=True) if folder_of(path) == folder]
        shown = any(is_test(path) and "calloc_fails_after" in tree.texts[path] for path in paths)
        if any(path.endswith(".c") for path in paths) and not shown:
            yield Finding("pools", "src/" + folder, 0, "no test with an allocator that fails")


RULES = [
    ("raw-outside-base", raw_outside_base),
    ("raw-region", raw_region),
    ("raw-share", raw_share),
    ("escape", escape),
    ("layer", lambda tree: list(layer(tree)) + list(layer_table(tree))),
    ("system-include", system_include),
    ("pools", pools),
    ("prelude-poison", prelude_poison),
]


def sample_tree(sample):
    return Tree({sample.as_path: sample.text})
