"""The steps of ./test. A step that finds nothing to check fails. Their limits are for what hangs: no
slow machine comes near them."""
import glob
import json
import os
import re
import subprocess

import analysers
from command import JOBS, run, run_all
from report import Result

RELEASE = "build"          # gcc, hardened, optimised
SANITIZE = "build-clang"   # clang-19, ASan and UBSan, libFuzzer
OPENSSL = "build-openssl"  # as RELEASE, with OpenSSL 3.5 inside
SANITIZER_ENV = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}
UNIT_JOBS = 4 * JOBS       # the longest of them wait for deadlines and use no core


class Steps:
    def __init__(self, report, is_long):
        self.report = report
        self.is_long = is_long

    def log(self, name, text):
        with open(self.report.log_path(name), "a", encoding="utf-8") as file:
            file.write(text)

    # Builds.

    def build(self, folder, compiler, mode, openssl="system"):
        result = Result()
        log = ""
        options = ["-Dmode=" + mode, "-Dtests=true", "-Dopenssl=" + openssl]
        if not os.path.exists(os.path.join(folder, "build.ninja")):
            code, log = run(["meson", "setup", folder, *options], 300, env={"CC": compiler})
        else:
            code, log = run(["meson", "configure", folder, *options], 300)
        if code == 0:
            code, more = run(["ninja", "-C", folder, "-j", str(JOBS)], 1800)
            log += more
        if code == 0:
            code, more = run(["tools/layout", folder], 60)
            log += more
        self.log("build " + folder, log)
        if code == 0:
            result.ok(folder)
        else:
            result.fail(folder, log)
        return result

    def build_release(self):
        return self.build(RELEASE, "gcc", "release")

    def build_sanitize(self):
        return self.build(SANITIZE, "clang-19", "sanitize")

    def build_openssl(self):
        """With OpenSSL 3.5 inside, which is made first: minutes, and a mirror of Debian."""
        code, log = run(["tools/openssl"], 3600)
        self.log("build " + OPENSSL, log)
        if code == 0:
            return self.build(OPENSSL, "gcc", "release", "static")
        result = Result()
        result.fail("tools/openssl", log)
        return result

    # Unit tests.

    def unit(self, folder):
        result = Result()
        tests = json.loads(subprocess.check_output(["meson", "introspect", "--tests", folder]))
        tasks = []
        for test in tests:
            if not any(suite.split(":")[-1] == "unit" for suite in test["suite"]):
                continue
            env = dict(SANITIZER_ENV, **test["env"])
            env["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
            tasks.append((test["name"],
                          lambda test=test, env=env: run(test["cmd"], test["timeout"], env,
                                                         test["workdir"] or folder)))
        for name, (code, output) in run_all(tasks, UNIT_JOBS):
            self.log("unit " + folder, "== %s\n%s" % (name, output))
            one = Result()
            one.read_lines(output, name + ": ", code)
            if "stopped: it took longer" in output or (code < 0 and not one.failures):
                one.fail(name + ": ended by signal or time", output)
            result.merge(one)
        return result

    def unit_release(self):
        return self.unit(RELEASE)

    def unit_sanitize(self):
        return self.unit(SANITIZE)

    # Fuzzers.

    def fuzzers(self, folder):
        found = sorted(glob.glob(os.path.join(folder, "tests", "*_fuzz")))
        return [(os.path.basename(path)[:-len("_fuzz")], path) for path in found]

    def fuzz_replay(self):
        result = Result()
        tasks = []
        for folder in (RELEASE, SANITIZE):
            for name, path in self.fuzzers(folder):
                corpus = os.path.join("tests", "corpus", name)
                files = sorted(glob.glob(os.path.join(corpus, "*")))
                label = "%s/%s (%d inputs)" % (folder, name, len(files))
                if not files:
                    result.fail(label, "no seed corpus in %s" % corpus)
                    continue
                tasks.append((label, lambda path=path, files=files:
                              run([path] + files, 300, SANITIZER_ENV)))
        for label, (code, output) in run_all(tasks):
            self.log("fuzz replay", "== %s\n%s" % (label, output))
            if code == 0:
                result.ok(label)
            else:
                result.fail(label, output)
        return result

    def fuzz_one(self, name, path, seconds):
        work = os.path.abspath(os.path.join(self.report.folder, "fuzz", name))
        os.makedirs(work, exist_ok=True)
        prefix = os.path.join(work, "..", "crash-%s-" % name)
        return run([path, "-max_total_time=%d" % seconds, "-timeout=20", "-rss_limit_mb=1024",
                    "-print_final_stats=1", "-max_len=65536", "-artifact_prefix=" + prefix,
                    work, os.path.join("tests", "corpus", name)], seconds + 120, SANITIZER_ENV)

    def fuzz_run(self):
        result = Result()
        seconds = 600 if self.is_long else 5
        tasks = [(name, lambda name=name, path=path: self.fuzz_one(name, path, seconds))
                 for name, path in self.fuzzers(SANITIZE)]
        for name, (code, output) in run_all(tasks):
            self.log("fuzz run", "== %s\n%s" % (name, output))
            runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", output)
            if code == 0 and runs and int(runs.group(1)) > 0:
                result.ok("%s (%s runs)" % (name, runs.group(1)))
            else:
                inputs = re.findall(r"Test unit written to (\S+)", output)
                result.fail("%s %s" % (name, " ".join(inputs)), output)
        return result

    # Programs that print their own ok and not ok lines.

    def program(self, name, arguments, timeout_s):
        result = Result()
        code, output = run(arguments, timeout_s, SANITIZER_ENV)
        self.log(name, output)
        result.read_lines(output, "", code)
        return result

    def wall(self):
        return self.program("the wall", ["python3", "tools/wall"], 1200)

    def store_kills(self):
        """The database's process killed in a commit; ./test does it fifty times."""
        return self.program("store kills", ["env", "ADIT_DURABILITY_ROUNDS=1000",
                                            "CMOCKA_MESSAGE_OUTPUT=TAP",
                                            RELEASE + "/tests/store_durability_test"], 600)

    def token_timing(self):
        """That the time of a refusal does not tell how much of a token's tag was right."""
        return self.program("token timing", ["env", "ADIT_TIMING_TRIES=100000",
                                             "CMOCKA_MESSAGE_OUTPUT=TAP",
                                             RELEASE + "/tests/wire_token_timing_test"], 300)

    def sandbox(self):
        return self.program("sandboxes", ["tests/sandbox/run", RELEASE], 300)

    def simulator(self, folder, seeds):
        arguments = [os.path.join(folder, "tests", "sim", "sim"), "--seeds", seeds]
        if self.is_long:
            arguments.append("--long")
        return self.program("simulator " + folder, arguments, 3600 if self.is_long else 900)

    def interop(self):
        return self.program("interop", ["tests/interop/run"], 1800)

    def oracles(self):
        return self.program("oracles", ["tests/oracles/run", "--build", RELEASE,
                                        "--cases", "100000" if self.is_long else "6000"], 1800)

    def end_to_end(self):
        arguments = ["tests/e2e/run", "--build", RELEASE]
        if self.is_long:
            arguments.append("--long")
        return self.program("end to end", arguments, 5400 if self.is_long else 1800)

    def end_to_end_openssl(self):
        result = self.unit(OPENSSL)
        result.merge(self.program("sandboxes openssl", ["tests/sandbox/run", OPENSSL], 300))
        for family in ("transfer", "web", "hostile"):
            code, output = run(["tests/e2e/run", "--build", OPENSSL, "--only", family, "--mib", "64"],
                               1800)
            self.log("end to end openssl", output)
            result.read_lines(output, "", code)
        return result

    def end_to_end_sanitized(self):
        """Sanitizers need calls that a sandbox forbids, so these processes run without."""
        return self.program("end to end sanitized", ["tests/e2e/run", "--build", SANITIZE,
                                                     "--no-sandbox", "--mib", "32"], 1800)

    def bench_check(self):
        """That each job of the load program does what it says; no figures."""
        return self.program("benchmark programs", ["bench/check", "--build", RELEASE], 300)

    def instructions(self):
        return self.program("instructions", ["bench/instructions", "--build", RELEASE], 600)

    def bench(self):
        """That the benchmark runs through; its ratios are judged where nothing else runs."""
        result = Result()
        figures = f"{RELEASE}/bench-quick.json"  # those of a long run stay, for --add
        code, output = run(["bench/run", "--quick", "--build", RELEASE, "--json", figures], 600)
        self.log("benchmark", output)
        goals = [line for line in output.splitlines() if line.startswith("goal ")]
        if code == 0 and goals:
            met = sum(line.startswith("goal met") for line in goals)
            result.ok(f"bench/run --quick; {met} of {len(goals)} goals met, for what it is worth")
        else:
            result.fail("bench/run --quick", output)
        return result

    def all(self):
        """(name, function, needs): a step whose need failed is counted as failed, not run."""
        both = ["release build, gcc", "sanitized build, clang-19"]
        steps = [
            ("release build, gcc", self.build_release, []),
            ("sanitized build, clang-19", self.build_sanitize, []),
            ("unit tests, release", self.unit_release, ["release build, gcc"]),
            ("unit tests, sanitized", self.unit_sanitize, ["sanitized build, clang-19"]),
            ("fuzzers, seed corpora", self.fuzz_replay, both),
            ("fuzzers, searching", self.fuzz_run, ["sanitized build, clang-19"]),
            ("sandboxes", self.sandbox, ["release build, gcc"]),
            ("simulator, release",
             lambda: self.simulator(RELEASE, "1-20000" if self.is_long else "1-3000"), both[:1]),
            ("simulator, sanitized",
             lambda: self.simulator(SANITIZE, "1-2000" if self.is_long else "1-300"), both[1:]),
            ("interop", self.interop, both[:1]),
            ("oracles", self.oracles, both[:1]),
            ("end to end, sandboxed", self.end_to_end, both[:1]),
            ("end to end, sanitized", self.end_to_end_sanitized, both[1:]),
            ("benchmark, its programs", self.bench_check, both[:1]),
            ("benchmark, quick", self.bench, both[:1]),
            ("benchmark, instructions", self.instructions, both[:1]),
            ("the wall", self.wall, both),
        ]
        if self.is_long:
            openssl = "release build, OpenSSL 3.5"
            steps += [
                (openssl, self.build_openssl, []),
                ("end to end, OpenSSL 3.5", self.end_to_end_openssl, [openssl]),
                ("store, a thousand kills", self.store_kills, both[:1]),
                ("token timing", self.token_timing, both[:1]),
                ("gcc -fanalyzer", lambda: analysers.gcc_analyser(RELEASE), both[:1]),
                ("cppcheck", lambda: analysers.cppcheck(RELEASE), both[:1]),
            ]
        return steps
