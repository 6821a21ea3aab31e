"""Rules on the syntax tree, asked with clang-query.

clang-query prints nothing at all for a query that it does not understand, and looks clean. So
each run also holds the bad samples: every rule must match in its sample in the same run, and
there must be as many counts ("3 matches.") as there are queries; otherwise the run is a failure.
"""
import json
import os
import re
import subprocess
import tempfile

from tree import HERE, ROOT, Finding, folder_of

QUERIES = os.path.join(HERE, "queries.txt")
COUNT = re.compile(r"^(\d+) match(?:es)?\.$")
NODE = re.compile(r"^(\w+) 0x[0-9a-f]+ (?:parent 0x[0-9a-f]+ )?(?:prev 0x[0-9a-f]+ )?"
                  r"<(<[^>]*>[^,>]*|[^,>]+)(?:, ([^>]+))?>(.*)$")
PLACE = re.compile(r"^(.+):(\d+):(\d+)$")

WHAT = {
    "pointer-index": "an index; use ADIT_AT or ADIT_SLOT",
    "pointer-arithmetic": "arithmetic on a pointer",
    "pointer-compare": "an order of pointers",
    "variadic": "a function of any number of arguments",
    "pointer-cast": "a cast to or from a pointer",
    "byte-pointer": "bytes that become an object by way of void *",
    "union": "a union",
    "goto": "a goto that does not lead forward to out:",
    "mutable-global": "a writable variable that outlives its function",
    "void-status": "a status dropped by a cast to void; use adit_status_ignore",
    "enum-default": "default in a switch over an enum of ours",
    "bit-field": "a bit-field",
}


def query_rules():
    """The rule of each match line, in the order of the file."""
    rules = []
    rule = None
    with open(QUERIES, encoding="utf-8") as file:
        for line in file:
            if line.startswith("# rule: "):
                rule = line[len("# rule: "):].strip()
            elif line.startswith("match "):
                rules.append(rule)
    return rules


def is_excused(rule, place, tree):
    """Whether a match at its spelled place is legal there."""
    path = place[0]
    in_base = path.startswith("src/base/")
    in_system = not path.startswith(("src/", "tools/", "tests/", "bench/"))
    if rule in ("pointer-index", "pointer-arithmetic", "pointer-compare"):
        return in_base
    if rule in ("pointer-cast", "byte-pointer", "variadic"):
        return in_base or in_system
    if rule == "void-status":
        return path == "src/base/status.h"
    if rule == "goto":
        return is_forward_to_out(tree.texts.get(path, "").splitlines(), place[1])
    if rule in ("mutable-global", "union", "bit-field"):
        return in_system
    return False


def is_forward_to_out(lines, number):
    if not 0 < number <= len(lines) or "goto out;" not in lines[number - 1]:
        return False
    for line in lines[number:]:
        if line.strip() == "out:":
            return True
        if line.startswith("}"):
            return False
    return False


class Queries:
    def __init__(self, build, samples):
        self.build = build
        self.samples = [sample for sample in samples if sample.rule in WHAT]
        self.rules = query_rules()

    def database(self, scratch):
        """Compile commands of the real files, and of each sample as a file of its folder."""
        entries = []
        for path in self.build.sources(generated=False):
            entry = self.build.entries[path][0]
            entries.append({"directory": entry["directory"], "file": os.path.join(ROOT, path),
                            "arguments": self.build.arguments_for(folder_of(path)) +
                            ["-w", "-c", os.path.join(ROOT, path)]})
        for sample in self.samples:
            arguments = self.build.arguments_for(folder_of(sample.as_path))
            if arguments is not None:
                entries.append({"directory": self.build.folder, "file": sample.path,
                                "arguments": arguments + ["-w", "-c", sample.path]})
        with open(os.path.join(scratch, "compile_commands.json"), "w", encoding="utf-8") as file:
            json.dump(entries, file)
        return [os.path.join(ROOT, path) for path in self.build.sources(generated=False)]

    def start(self, scratch, files):
        files = files + [sample.path for sample in self.samples]
        return subprocess.Popen(["clang-query-19", "-p", scratch, "-f", QUERIES] + files,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.build.folder)

    def matches(self, output):
        """[(rule, (path, line), rest)], and how many counts were seen."""
        found = []
        counts = 0
        block = 0
        last = None
        for line in output.splitlines():
            count = COUNT.match(line)
            node = NODE.match(line)
            if count:
                if int(count.group(1)) != block:
                    found.append(("unread", (line, 0), "%d of %s" % (block, line)))
                counts += 1
                block = 0
            elif node and counts < len(self.rules):
                block += 1
                # Where a node is spelled: its first token, or, where that was pasted together by
                # a macro (and so stands in no file), its last.
                begin = node.group(2)
                if begin.startswith("<scratch space>") and node.group(3):
                    begin = node.group(3)
                place = PLACE.match(begin)
                last = self.normal(place) if place else (begin, 0)
                found.append((self.rules[counts], last, node.group(1) + node.group(4)))
        return found, counts

    def normal(self, place):
        path = os.path.normpath(os.path.join(self.build.folder, place.group(1)))
        relative = os.path.relpath(path, ROOT)
        return (relative if not relative.startswith("..") else path, int(place.group(2)))

    def run(self, tree):
        """Findings of the real files, then of the run itself."""
        findings = {}
        with tempfile.TemporaryDirectory() as scratch:
            files = self.database(scratch)
            halves = [files[0::2], files[1::2]]
            children = [self.start(scratch, half) for half in halves]
            for child in children:
                output, errors = child.communicate(timeout=300)
                for finding in self.judge(tree, output.decode("utf-8", "replace"),
                                          errors.decode("utf-8", "replace")):
                    findings[str(finding)] = finding
        return [findings[key] for key in sorted(findings)]

    def judge(self, tree, output, errors):
        found, counts = self.matches(output)
        if counts != len(self.rules):
            yield Finding("query-run", "tools/wall/queries.txt", 0, "%d of %d queries answered: %s"
                          % (counts, len(self.rules), (output + errors)[-300:]))
        for line in errors.splitlines():
            if "error:" in line:
                yield Finding("query-run", "tools/wall/queries.txt", 0, line.strip())
        seen_in_samples = set()
        by_sample = {os.path.relpath(sample.path, ROOT): sample for sample in self.samples}
        for rule, place, rest in found:
            if rule == "unread":
                yield Finding("query-run", "tools/wall/queries.txt", 0, "misread output: " + rest)
            elif place[0] in by_sample:
                sample = by_sample[place[0]]
                texts = {place[0]: sample.text}
                if not is_excused(rule, place, type(tree)(texts)) and sample.expect in rest:
                    seen_in_samples.add((sample.name, rule))
            elif not is_excused(rule, place, tree):
                yield Finding(rule, place[0], place[1], WHAT[rule])
        for sample in self.samples:
            if (sample.name, sample.rule) not in seen_in_samples:
                yield Finding("query-run", "tools/wall/bad/" + sample.name, 0,
                              "the query of rule %s does not match its sample" % sample.rule)
