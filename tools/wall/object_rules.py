"""Rules on the compiled objects: what a folder imports, and that it keeps no writable state.

They see through macros and inline functions, which rules on the text cannot.
"""
import os
import re
import subprocess
import tempfile

from tree import HERE, Finding, folder_of

MEMORY = {"malloc", "calloc", "realloc", "reallocarray", "free", "posix_memalign", "aligned_alloc",
          "memalign", "valloc", "strdup", "strndup", "asprintf", "vasprintf", "__asprintf_chk",
          "mmap", "mmap64", "munmap", "brk", "sbrk", "mremap", "getline", "getdelim"}
DEATH = {"abort", "exit", "_exit", "_Exit", "quick_exit", "raise", "__assert_fail", "__assert_perror_fail",
         "longjmp", "siglongjmp", "__longjmp_chk", "err", "errx", "verr", "verrx"}
# What a compiler writes of itself: struct copies, guards, checks of -D_FORTIFY_SOURCE.
COMPILER = {"memcpy", "memset", "memmove", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}


def output_of(arguments):
    return subprocess.run(arguments, stdout=subprocess.PIPE, check=True).stdout.decode()


def undefined(path):
    names = [line.split()[-1] for line in output_of(["nm", "-u", path]).splitlines() if line.strip()]
    return {name.split("@")[0] for name in names}


def defined(path):
    lines = output_of(["nm", "--defined-only", "--extern-only", path]).splitlines()
    return {line.split()[-1] for line in lines if line.strip()}


def writable_sections(path):
    """Names of sections that a program could write to at run time, and are not empty."""
    found = []
    for line in output_of(["readelf", "-SW", path]).splitlines():
        match = re.match(r"\s*\[\s*\d+\]\s+(\S+)\s+\S+\s+[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+\S+\s+(\S*)",
                         line)
        if not match or "W" not in match.group(3) or int(match.group(2), 16) == 0:
            continue
        if not match.group(1).startswith(".data.rel.ro"):
            found.append(match.group(1))
    for line in output_of(["nm", path]).splitlines():
        if len(line.split()) == 3 and line.split()[1] == "C":
            found.append("COMMON " + line.split()[2])
    return found


class Allow:
    """allow/FOLDER.txt: 'from FOLDER' (what that folder defines), names, 'NAME*', '!NAME*'."""

    def __init__(self, folder):
        self.path = os.path.join(HERE, "allow", folder.replace("/", "-") + ".txt")
        self.folders = []
        self.names = set()
        self.prefixes = []
        self.refused = []
        self.used = set()
        self.exists = os.path.exists(self.path)
        if self.exists:
            with open(self.path, encoding="utf-8") as file:
                for line in file:
                    self.read(line.split("#")[0].split())

    def read(self, words):
        if words[:1] == ["from"]:
            self.folders += words[1:]
            return
        for word in words:
            if word.startswith("!"):
                self.refused.append(word[1:].rstrip("*"))
            elif word.endswith("*"):
                self.prefixes.append(word[:-1])
            else:
                self.names.add(word)

    def permits(self, name, defined_by):
        if name.startswith(tuple(self.refused)) and self.refused:
            return False
        if name in self.names:
            self.used.add(name)
            return True
        for prefix in self.prefixes:
            if name.startswith(prefix):
                self.used.add(prefix + "*")
                return True
        return name in COMPILER or any(name in defined_by.get(folder, ()) for folder in self.folders)

    def unused(self):
        return sorted((self.names | {prefix + "*" for prefix in self.prefixes}) - self.used)


class Objects:
    def __init__(self, build):
        self.build = build
        self.by_folder = {}    # folder -> [(source, object)]
        self.defined_by = {}   # folder -> names
        for path in build.sources():
            for entry in build.entries[path]:
                target = os.path.join(entry["directory"], entry["output"])
                if not os.path.exists(target):
                    continue
                folder = folder_of(path)
                self.by_folder.setdefault(folder, []).append((path, target))
                self.defined_by.setdefault(folder, set()).update(defined(target))

    def imports(self, is_strict=True):
        """Each folder imports only what its allow-list names; a name nobody uses fails too."""
        for folder, objects in sorted(self.by_folder.items()):
            allow = Allow(folder)
            if not allow.exists:
                yield Finding("imports", "src/" + folder, 0, "no list " + os.path.relpath(allow.path))
                continue
            for source, target in objects:
                for finding in self.check_imports(source, target, folder, allow):
                    yield finding
            if is_strict:
                for name in allow.unused():
                    yield Finding("imports", os.path.relpath(allow.path), 0,
                                  "%s is allowed and nobody imports it" % name)

    def check_imports(self, source, target, folder, allow):
        for name in sorted(undefined(target)):
            if name in self.defined_by.get(folder, ()) or allow.permits(name, self.defined_by):
                continue
            yield Finding("imports", source, 0, "imports %s, which %s may not" % (name, folder))

    def memory(self):
        """Nobody but base takes or returns memory."""
        for folder, objects in sorted(self.by_folder.items()):
            for source, target in objects:
                yield from self.check_memory(source, target)

    @staticmethod
    def check_memory(source, target):
        if source.startswith("src/base/"):
            return
        for name in sorted(undefined(target) & MEMORY):
            yield Finding("memory", source, 0, "imports %s; memory comes from base" % name)

    def death(self):
        """Nobody but base/assert.c can end the process."""
        for folder, objects in sorted(self.by_folder.items()):
            for source, target in objects:
                yield from self.check_death(source, target)

    @staticmethod
    def check_death(source, target):
        if source == "src/base/assert.c":
            return
        for name in sorted(undefined(target) & DEATH):
            yield Finding("death", source, 0, "imports %s; only base/assert.c may" % name)

    def globals(self):
        """No writable data, no constructors: .data.rel.ro is read-only once the program runs."""
        for folder, objects in sorted(self.by_folder.items()):
            for source, target in objects:
                yield from self.check_globals(source, target)

    @staticmethod
    def check_globals(source, target):
        for name in writable_sections(target):
            yield Finding("globals", source, 0, "has writable data in %s" % name)

    def check_sample(self, sample):
        """None where the sample's object is refused for its rule; else what went wrong."""
        folder = folder_of(sample.as_path)
        arguments = self.build.arguments_for(folder)
        if arguments is None:
            return "no file of %s is compiled" % folder
        with tempfile.TemporaryDirectory() as scratch:
            target = os.path.join(scratch, "sample.o")
            done = subprocess.run(arguments + ["-c", sample.path, "-o", target],
                                  cwd=self.build.folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            if done.returncode != 0:
                return "does not compile: " + done.stdout.decode()[:300]
            checks = {
                "imports": lambda: self.check_imports(sample.as_path, target, folder, Allow(folder)),
                "memory": lambda: self.check_memory(sample.as_path, target),
                "death": lambda: self.check_death(sample.as_path, target),
                "globals": lambda: self.check_globals(sample.as_path, target),
            }
            found = list(checks[sample.rule]())
        if any(sample.expect in str(finding) for finding in found):
            return None
        return "is accepted" if not found else "is refused for another reason: %s" % found[0]
