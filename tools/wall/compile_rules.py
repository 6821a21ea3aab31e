"""Rules that the compilers apply: their flags are there, and each refuses what it should."""
import os
import re
import subprocess
import tempfile

from tree import HERE, ROOT, Finding, folder_of, is_test


def load_flags():
    """[(scope, flag)]: scope is both, gcc, clang, release or sanitize."""
    flags = []
    with open(os.path.join(HERE, "flags.txt"), encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].split()
            if line:
                flags.append((line[0], line[1]))
    return flags


def flags_of_commands(builds):
    """Every file of src/ is compiled by both, with every flag, and with its folder's prelude."""
    flags = load_flags()
    for kind, build in builds.items():
        scopes = {"both", kind, "release" if kind == "gcc" else "sanitize"}
        for path in build.sources():
            for entry in build.entries[path]:
                yield from check_command(path, entry["arguments"], flags, scopes)


def check_command(path, arguments, flags, scopes):
    for scope, flag in flags:
        if scope in scopes and flag not in arguments:
            yield Finding("flags", path, 0, "compiled without %s" % flag)
    loosened = [argument for argument in arguments
                if argument in ("-w", "-Wno-error") or argument.startswith("-Wno-error=") or
                argument.startswith("-Wno-") and ("any", argument) not in flags]
    for argument in loosened:
        yield Finding("flags", path, 0, "compiled with %s" % argument)
    if "-DADIT_TEST" in arguments:
        yield Finding("flags", path, 0, "compiled with -DADIT_TEST, which takes the poison away")
    preludes = [arguments[i + 1] for i, argument in enumerate(arguments[:-1])
                if argument == "-include"]
    folder = folder_of(path)
    if folder != "base" and preludes != [folder + "/prelude.h"]:
        yield Finding("flags", path, 0, "compiled with prelude %s, not %s/prelude.h"
                      % (preludes, folder))


def flags(tree, builds):
    yield from flags_of_commands(builds)
    for kind, build in builds.items():
        compiled = set(build.entries)
        for path in tree.code(tests=True):
            if path.endswith(".c") and path not in compiled:
                yield Finding("flags", path, 0, "is not compiled by %s" % kind)
        for path in sorted(compiled):
            if path.startswith("src/") and is_test(path) and kind == "clang":
                for entry in build.entries[path]:
                    if "-Wunsafe-buffer-usage" not in entry["arguments"]:
                        yield Finding("flags", path, 0, "compiled without -Wunsafe-buffer-usage")


def flags_documented(tree):
    """docs/wall.md names every flag; a flag without a reason there is a flag nobody can judge."""
    text = tree.texts.get("docs/wall.md", "")
    for _, flag in load_flags():
        if "`%s`" % flag not in text:
            yield Finding("flags-documented", "docs/wall.md", 0, "does not explain `%s`" % flag)


def flags_proof(builds):
    """Takes each flag in turn from a real command, or adds what may not be there."""
    every = load_flags()
    for kind, build in builds.items():
        scopes = {"both", kind, "release" if kind == "gcc" else "sanitize"}
        path = next(path for path in build.sources() if folder_of(path) != "base")
        whole = build.entries[path][0]["arguments"]
        changes = [(flag, [argument for argument in whole if argument != flag])
                   for scope, flag in every if scope in scopes]
        changes += [(extra, whole + [extra]) for extra in
                    ("-w", "-Wno-error=shadow", "-Wno-conversion", "-DADIT_TEST")]
        swapped = list(whole)
        swapped[swapped.index("-include") + 1] = "base/prelude.h"
        changes.append(("another prelude", swapped))
        for what, arguments in changes:
            if not list(check_command(path, arguments, every, scopes)):
                yield Finding("flags", path, 0, "a change of %s passes" % what)


DIAGNOSIS = re.compile(r"(?:fatal )?error: .*")


def compile_text(build, folder, text):
    """The errors of a text compiled as a file of a folder; None where the folder has no files."""
    arguments = build.arguments_for(folder)
    if arguments is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        source = os.path.join(scratch, "sample.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        limit = "-ferror-limit=0" if "clang" in arguments[0] else "-fmax-errors=0"
        done = subprocess.run(arguments + [limit, "-c", source, "-o", os.path.join(scratch, "out.o")],
                              cwd=build.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
    output = done.stdout.decode("utf-8", "replace")
    errors = [line for line in DIAGNOSIS.findall(output) if "generated" not in line]
    if done.returncode != 0 and not errors:
        errors = ["error: " + output]
    return errors


def check_sample(sample, builds):
    """None where each compiler refuses the sample for its rule alone; else what went wrong."""
    for kind in sample.by:
        errors = compile_text(builds[kind], folder_of(sample.as_path), sample.text)
        if errors is None:
            return "no file of %s is compiled" % folder_of(sample.as_path)
        if not errors:
            return "%s accepts it" % kind
        expected = sample.expect.split("|")
        others = [error for error in errors if not any(text in error for text in expected)]
        if not any(expected[0] in error for error in errors):
            return "%s refuses it for another reason: %s" % (kind, errors[0])
        if others:
            return "%s has a second complaint: %s" % (kind, others[0])
    return None


def poisoned_words():
    with open(os.path.join(ROOT, "src", "base", "poison.h"), encoding="utf-8") as file:
        text = file.read()
    words = []
    for line in re.findall(r"#pragma GCC poison (.*)", text):
        words += line.split()
    return words


# What DESIGN section 5 and the house rules name; the list may grow, not shrink.
POISON_AT_LEAST = """malloc calloc realloc free alloca strdup memcpy memmove memset strcpy strcat
strlen strcmp sprintf snprintf printf fprintf abort exit _exit assert raise system pthread_create
mmap strtol""".split()


def poison(builds):
    """Every poisoned word is refused by both compilers in every folder but base: the words are
    read from poison.h, and each of them is tried."""
    words = poisoned_words()
    for word in POISON_AT_LEAST:
        if word not in words:
            yield Finding("poison", "src/base/poison.h", 0, "%s is not poisoned" % word)
    text = "".join("int adit_try_%d(int %s);\n" % pair for pair in enumerate(words))
    for kind, build in builds.items():
        folders = sorted({folder_of(path) for path in build.sources()} - {"base"})
        for folder in folders:
            errors = compile_text(build, folder, text) or []
            refused = set()
            for error in errors:
                match = re.search(r"poisoned (?:\"|')?(\w+)", error)
                if match:
                    refused.add(match.group(1))
            if kind == "clang":   # it does not name the word, so it is counted
                count = sum("poisoned identifier" in error for error in errors)
                missing = [] if count >= len(words) else ["%d of %d" % (len(words) - count, len(words))]
            else:
                missing = [word for word in words if word not in refused]
            for word in missing:
                yield Finding("poison", "src/%s" % folder, 0, "%s lets %s through" % (kind, word))
