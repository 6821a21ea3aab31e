"""The wall: enforces the rules of docs/wall.md, proves that each still fires, prints a report.

usage: python3 tools/wall [--build build] [--clang build-clang]

Each rule prints "ok NAME" or "not ok NAME". Both build folders must be built. Exit 1 where a
rule found something, or where a bad sample is no longer refused for its rule.
"""
import argparse
import importlib.machinery
import importlib.util
import os
import sys

import binary_rules
import compile_rules
import object_rules
import query_rules
import samples as sample_files
import text_rules
from tree import ROOT, Build, Finding, Tree

SHOWN_MAX = 20


def load_tidy():
    loader = importlib.machinery.SourceFileLoader("tidy", os.path.join(ROOT, "tools", "tidy"))
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_loader("tidy", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class Wall:
    def __init__(self, build, clang):
        self.tree = Tree.tracked()
        self.builds = {"gcc": Build(build), "clang": Build(clang)}
        self.samples = sample_files.load()
        self.tidy = load_tidy()
        self.failed = 0
        self.proved = set()   # rules with a sample, or with samples that they make themselves

    def say(self, name, findings, note=""):
        findings = list(findings)
        print("%s %s%s" % ("not ok" if findings else "ok", name, "  " + note if note else ""))
        for finding in findings[:SHOWN_MAX]:
            print("    %s" % finding)
        if len(findings) > SHOWN_MAX:
            print("    ... and %d more" % (len(findings) - SHOWN_MAX))
        self.failed += 1 if findings else 0

    # The rules, on the tree.

    def text(self):
        files = len(self.tree.code())
        for name, rule in text_rules.RULES:
            note = "%d files" % files
            if name == "raw-share":
                regions, whole = text_rules.raw_count(self.tree)
                note = "%d raw-region lines, all in src/base, are %.2f %% of %d lines of code%s" % (
                    regions, 100.0 * regions / max(whole, 1), whole,
                    "" if text_rules.RAW_SHARE_ENFORCED else " (reported, not yet enforced)")
            self.say(name, rule(self.tree), note)

    def style(self):
        for name, findings in self.tidy.check(self.tree).items():
            self.say("tidy " + name, findings, "%d files" % len(self.tree.texts))

    def compilers(self):
        commands = sum(len(build.sources()) for build in self.builds.values())
        self.say("flags", compile_rules.flags(self.tree, self.builds), "%d compilations" % commands)
        self.say("flags-documented", compile_rules.flags_documented(self.tree))
        self.say("poison", compile_rules.poison(self.builds),
                 "%d words, each tried in each folder" % len(compile_rules.poisoned_words()))
        self.proved |= {"poison"}

    def objects(self):
        objects = object_rules.Objects(self.builds["gcc"])
        count = sum(len(found) for found in objects.by_folder.values())
        note = "%d objects in %d folders" % (count, len(objects.by_folder))
        self.say("imports", objects.imports(), note)
        self.say("memory", objects.memory(), note)
        self.say("death", objects.death(), note)
        self.say("globals", objects.globals(), note)
        self.check_samples(("imports", "memory", "death", "globals"), objects.check_sample)

    def queries(self):
        queries = query_rules.Queries(self.builds["clang"], self.samples)
        found = queries.run(self.tree)
        note = "%d files" % len(self.builds["clang"].sources())
        for name in query_rules.WHAT:
            self.say(name, [finding for finding in found if finding.rule == name], note)
            if any(sample.rule == name for sample in self.samples):
                self.proved.add(name)
        self.say("query-run", [finding for finding in found if finding.rule == "query-run"],
                 "each query answered, and matched its samples in the same run")

    def binaries(self):
        programs = binary_rules.programs(self.builds["gcc"].folder)
        self.say("hardening", binary_rules.hardening(programs), "%d programs" % len(programs))
        self.say("libraries", binary_rules.libraries(programs), "%d programs" % len(programs))
        self.say("hardening refuses", binary_rules.hardening_proof())
        self.proved |= {"hardening", "libraries"}

    # The rules, on their samples.

    def check_samples(self, rules, check):
        for sample in self.samples:
            if sample.rule in rules:
                problem = check(sample)
                self.proved.add(sample.rule)
                self.say("%s refuses bad/%s" % (sample.rule, sample.name),
                         [Finding(sample.rule, "tools/wall/bad/" + sample.name, 0, problem)]
                         if problem else [])

    def sample_of_text(self, sample):
        rule = dict(text_rules.RULES)[sample.rule]
        return self.sample_verdict(sample, rule(text_rules.sample_tree(sample)))

    def sample_of_style(self, sample):
        found = self.tidy.check(Tree({sample.as_path: sample.text}))
        return self.sample_verdict(sample, found[sample.rule[len("tidy-"):]])

    @staticmethod
    def sample_verdict(sample, findings):
        findings = [finding for finding in findings if
                    sample.as_path.startswith(finding.path)]
        if not findings:
            return "is accepted"
        if not any(sample.expect.replace("_", " ") in str(finding) or sample.expect in str(finding)
                   for finding in findings):
            return "is refused for another reason: %s" % findings[0]
        return None

    def proofs(self):
        self.check_samples([name for name, _ in text_rules.RULES], self.sample_of_text)
        styles = ["tidy-" + name for name, _ in self.tidy.RULES] + ["tidy-waiver-unused"]
        self.check_samples(styles, self.sample_of_style)
        self.check_samples(("compiler",),
                           lambda sample: compile_rules.check_sample(sample, self.builds))
        self.say("flags refuses", compile_rules.flags_proof(self.builds))
        self.say("raw-share refuses", text_rules.raw_share_proof())
        self.proved |= {"flags", "flags-documented", "raw-share"}
        known = {name for name, _ in text_rules.RULES} | set(styles) | set(query_rules.WHAT)
        known |= {"compiler", "flags", "poison", "imports", "memory", "death", "globals"}
        missing = [Finding("proof", "tools/wall/bad", 0, "no sample of rule " + name)
                   for name in sorted(known - self.proved)]
        unknown = [Finding("proof", "tools/wall/bad/" + sample.name, 0, "unknown rule " + sample.rule)
                   for sample in self.samples if sample.rule not in known]
        self.say("every rule has a sample", missing + unknown,
                 "%d samples, %d rules" % (len(self.samples), len(known)))


def main():
    parser = argparse.ArgumentParser(prog="tools/wall")
    parser.add_argument("--build", default="build", help="the release build, of gcc")
    parser.add_argument("--clang", default="build-clang", help="the sanitized build, of clang-19")
    options = parser.parse_args()
    wall = Wall(options.build, options.clang)
    for part in (wall.text, wall.style, wall.compilers, wall.objects, wall.queries, wall.binaries,
                 wall.proofs):
        part()
    return 1 if wall.failed else 0


if __name__ == "__main__":
    sys.exit(main())
