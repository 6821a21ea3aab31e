"""The slow analysers of ./test --long: gcc's -fanalyzer on the pure folders, cppcheck on all."""
import json
import os
import re
import shlex
import tempfile

from command import run, run_all
from report import Result

# What gcc 12 reports and is not so, read and judged: (file, warning) and why.
KNOWN = {
    ("src/base/queue.c", "-Wanalyzer-null-dereference"):
        "chunks of one block: the address of an element is never null",
    ("src/base/rights.c", "-Wanalyzer-null-dereference"):
        "the control buffer has room for one header, so CMSG_FIRSTHDR finds it",
}
# Each analyser must refuse this in the same run.
BAD = """#include <stdlib.h>
int adit_sample(int count);
int adit_sample(int count)
{
    int *number = malloc(sizeof(int));
    if (!number) {
        return 0;
    }
    *number = count;
    free(number);
    return *number;
}
int adit_sample_second(void);
int adit_sample_second(void)
{
    int numbers[4] = {0};
    int index = 7;
    return numbers[index];
}
"""

PURE = ("src/base/", "src/wire/", "src/mux/", "src/route/")


def commands(folder):
    """(path in the tree, arguments, directory) of each file of src/ that is not a test."""
    root = os.getcwd()
    with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as file:
        for entry in json.load(file):
            source = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
            path = os.path.relpath(source, root)
            if path.startswith("src/") and not path.endswith(("_test.c", "_fuzz.c")):
                yield path, shlex.split(entry["command"]), entry["directory"]


def with_bad_sample(check):
    """check(path) -> (code, output) on the bad sample."""
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "sample.c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(BAD)
        return check(path)


def gcc_analyser(folder):
    result = Result()
    tasks = []
    used = set()
    flags = ["-fanalyzer", "-fdiagnostics-plain-output", "-fdiagnostics-color=never"]
    for path, arguments, directory in commands(folder):
        if not path.startswith(PURE):
            continue
        arguments = list(arguments)
        arguments[arguments.index("-o") + 1] = "/dev/null"
        tasks.append((path, lambda arguments=arguments, directory=directory:
                      run(arguments + flags, 600, cwd=directory)))
    for path, (code, output) in run_all(tasks):
        found = {(path, name) for name in re.findall(r"\[-Werror=(analyzer[\w-]*)\]", output)}
        found = {(path, "-W" + name) for path, name in found}
        used |= found
        if code == 0 or (found and found <= set(KNOWN)):
            result.ok(path)
        else:
            result.fail(path, output)
    for path, name in sorted(set(KNOWN) - used):
        result.fail("%s %s" % (path, name), "is known, and no longer reported; take it from KNOWN")
    code, output = with_bad_sample(lambda path: run(
        ["gcc", "-Werror", "-c", "-o", "/dev/null", path] + flags, 60))
    refused = code != 0 and "analyzer-use-after-free" in output
    (result.ok if refused else result.fail)("refuses the bad sample")
    return result


def readable(scratch):
    """A folder that goes before the tree's: cppcheck does not read our checked access, a statement in
    an expression, everywhere; plain indexing it does, and then it sees bounds, too."""
    with open("src/base/raw.h", encoding="utf-8") as file:
        before, _, rest = file.read().partition("#define ADIT_SLOT(pointer, count, index)")
    _, end, after = rest.partition("#define ADIT_JOIN(a, b)")
    if not end:
        raise RuntimeError("src/base/raw.h: ADIT_SLOT is not where it was")
    os.makedirs(os.path.join(scratch, "base"))
    with open(os.path.join(scratch, "base", "raw.h"), "w", encoding="utf-8") as file:
        file.write(before + "#define ADIT_SLOT(pointer, count, index) ((pointer)[index])\n" +
                   end + after)
    return scratch


def cppcheck(folder):
    with tempfile.TemporaryDirectory() as scratch:
        return cppcheck_with(folder, readable(scratch))


def cppcheck_with(folder, first):
    result = Result()
    tasks = []
    for path, arguments, directory in commands(folder):
        includes = [os.path.join(directory, argument[2:]) for argument in arguments
                    if argument.startswith("-I")]
        prelude = [argument for before, argument in zip(arguments, arguments[1:])
                   if before == "-include"]
        own = ["--include=src/" + name for name in prelude]
        tasks.append((path, lambda path=path, includes=includes, own=own: run(
            ["cppcheck", "--quiet", "--std=c11", "--error-exitcode=1", "--inline-suppr",
             "--enable=warning,portability", "--suppress=missingIncludeSystem",
             "--suppress=unknownMacro", "-DADIT_TEST", "-D__GNUC__=12",
             "-I" + first] + ["-I" + name for name in includes] + own + [path], 600)))
    for path, (code, output) in run_all(tasks):
        if code == 0:
            result.ok(path)
        else:
            result.fail(path, output)
    code, output = with_bad_sample(lambda path: run(
        ["cppcheck", "--quiet", "--error-exitcode=1", path], 60))
    refused = code == 1 and "out of bounds" in output
    (result.ok if refused else result.fail)("refuses the bad sample")
    return result
