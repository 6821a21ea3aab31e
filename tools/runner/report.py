"""Counts and prints results: one line a step, details only of failures, everything in files."""
import os
import re
import sys
import time

RESULT = re.compile(r"^\s*(ok|not ok)\b\s*(?:\d+\s*)?(?:-\s*)?(.*)$")
SHOWN_MAX = 12     # failures of one step that are printed; the log has all
TAIL_LINES = 25    # of the output of a command that failed


class Report:
    def __init__(self, folder):
        self.folder = folder
        self.passed = 0
        self.failed = 0
        os.makedirs(folder, exist_ok=True)
        self.tap = open(os.path.join(folder, "results.tap"), "w", encoding="utf-8")

    def log_path(self, name):
        return os.path.join(self.folder, re.sub(r"[^a-z0-9]+", "-", name.lower()) + ".log")

    def step(self, name, function):
        """Runs one step, which returns a Result, and prints its line."""
        started = time.monotonic()
        try:
            result = function()
        except Exception as problem:  # a step that breaks is a failure, never a silence
            result = Result()
            result.fail("the step itself", repr(problem))
        if result.passed + len(result.failures) == 0:
            result.fail("the step itself", "it checked nothing")
        for line in result.names_passed:
            self.tap.write("ok %s: %s\n" % (name, line))
        for line, _ in result.failures:
            self.tap.write("not ok %s: %s\n" % (name, line))
        self.tap.flush()
        self.passed += result.passed
        self.failed += len(result.failures)
        took = time.monotonic() - started
        verdict = "not ok" if result.failures else "ok"
        counts = "%d passed" % result.passed
        if result.failures:
            counts += ", %d failed" % len(result.failures)
        print("%-6s %-34s %-24s %6.1f s" % (verdict, name, counts, took))
        for line, details in result.failures[:SHOWN_MAX]:
            print("       not ok %s" % line)
            for detail in details.splitlines()[-TAIL_LINES:]:
                print("           " + detail)
        if len(result.failures) > SHOWN_MAX:
            print("       ... and %d more: %s" % (len(result.failures) - SHOWN_MAX, self.folder))
        sys.stdout.flush()
        return not result.failures

    def finish(self):
        self.tap.close()
        print("%d passed, %d failed" % (self.passed, self.failed))
        return 1 if self.failed or not self.passed else 0


class Result:
    def __init__(self):
        self.names_passed = []
        self.failures = []   # (name, details)

    @property
    def passed(self):
        return len(self.names_passed)

    def ok(self, name):
        self.names_passed.append(name)

    def fail(self, name, details=""):
        self.failures.append((name, details))

    def merge(self, other):
        self.names_passed += other.names_passed
        self.failures += other.failures

    def read_lines(self, text, prefix, exit_code):
        """Counts the ok and not ok lines of a program; lines after a not ok are its details."""
        seen = 0
        details = None
        for line in text.splitlines():
            match = RESULT.match(line)
            if match and match.group(1) == "ok":
                seen += 1
                details = None
                self.ok(prefix + match.group(2).strip())
            elif match:
                seen += 1
                details = []
                self.failures.append((prefix + match.group(2).strip(), details))
            elif details is not None and len(details) < TAIL_LINES:
                details.append(line)
        self.failures = [(name, found if isinstance(found, str) else "\n".join(found))
                         for name, found in self.failures]
        has_failure = any(name.startswith(prefix) for name, _ in self.failures)
        if exit_code != 0 and not has_failure:
            tail = "\n".join(text.splitlines()[-TAIL_LINES:])
            self.fail(prefix + "exit code %d" % exit_code, tail)
        elif seen == 0:
            self.fail(prefix + "no results", "the program printed no ok or not ok line")
