"""The tree that the wall reads: source files, their folders, and how they are compiled.

A rule sees files only through a Tree, so a bad sample can be put in the place of a real file.
"""
import json
import os
import re
import shlex
import subprocess

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
HERE = os.path.dirname(os.path.abspath(__file__))


class Finding:
    def __init__(self, rule, path, line, text):
        self.rule = rule
        self.path = path
        self.line = line
        self.text = text

    def __str__(self):
        return "%s:%d: %s [%s]" % (self.path, self.line, self.text, self.rule)


class Tree:
    """Paths are relative to the root, with forward slashes."""

    def __init__(self, texts):
        self.texts = texts

    @staticmethod
    def tracked():
        """Everything that git tracks or would track."""
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        texts = {}
        for name in listed.decode().split("\0"):
            path = os.path.join(ROOT, name)
            if not name or os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                data = file.read()
            if b"\0" not in data:
                try:
                    texts[name] = data.decode("utf-8")
                except UnicodeDecodeError:
                    pass
        return Tree(texts)

    def code(self, tests=False):
        """C files of src/; of tests only where asked."""
        return sorted(path for path in self.texts
                      if path.startswith("src/") and path.endswith((".c", ".h")) and
                      (tests or not is_test(path)))


def is_test(path):
    """Tests, fuzzers, and what the tests of a folder share."""
    return path.endswith(("_test.c", "_fuzz.c", "_test.h", "_harness.h", "_fixture.h"))


def folder_of(path):
    """src/edge/door/main.c -> edge/door; src/wire/yamux.c -> wire."""
    parts = path.split("/")
    return "/".join(parts[1:-1])


def without_comments(text):
    """The text with comments (and the inside of strings) blanked; line numbers stay."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)

    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[-1]
        return re.sub(r"[^\n]", " ", found)
    return pattern.sub(blank, text)


class Build:
    """One build folder: what was compiled, with which arguments, into which object."""

    def __init__(self, folder):
        self.folder = os.path.join(ROOT, folder)
        path = os.path.join(self.folder, "compile_commands.json")
        if not os.path.exists(path):
            raise SystemExit("tools/wall: %s is missing; build first (./test does)" % path)
        self.generated = set()
        self.entries = {}   # path in the tree -> [entry]
        with open(path, encoding="utf-8") as file:
            for entry in json.load(file):
                source = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
                tree_path = os.path.relpath(source, ROOT)
                if tree_path.startswith(folder + "/"):   # made by the build: src/sandbox/policy_door.c
                    tree_path = tree_path[len(folder) + 1:]
                    self.generated.add(tree_path)
                arguments = entry.get("arguments") or shlex.split(entry["command"])
                self.entries.setdefault(tree_path, []).append(
                    {"directory": entry["directory"], "arguments": arguments,
                     "output": entry.get("output", ""), "source": entry["file"]})

    def sources(self, generated=True):
        """Compiled files of src/ that are not tests."""
        return sorted(path for path in self.entries
                      if path.startswith("src/") and not is_test(path) and
                      (generated or path not in self.generated))

    def entry_of_folder(self, folder):
        for path in self.sources():
            if folder_of(path) == folder:
                return self.entries[path][0]
        return None

    def arguments_for(self, folder):
        """The compiler and flags of a folder, without the file and its outputs."""
        entry = self.entry_of_folder(folder)
        if entry is None:
            return None
        kept = []
        skip = False
        for argument in entry["arguments"]:
            if skip:
                skip = False
            elif argument in ("-o", "-MF", "-MQ", "-MT"):
                skip = True
            elif argument not in ("-MD", "-MMD", "-c", entry["source"], "-fcolor-diagnostics",
                                  "-fdiagnostics-color=always"):
                kept.append(argument)
        return kept
