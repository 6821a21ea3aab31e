"""./test: runs the steps in order and sums their results."""
import argparse
import os
import shutil
import sys

from report import Report, Result
from steps import Steps

RESULTS = "build-test-results"


def main():
    parser = argparse.ArgumentParser(prog="./test", description="Builds and checks everything.")
    parser.add_argument("--long", action="store_true", help="fuzz for hours, run slow analysers")
    parser.add_argument("--only", metavar="S", help="only steps whose name contains S")
    parser.add_argument("--list", action="store_true", help="name the steps")
    options = parser.parse_args()
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    if not options.list:
        shutil.rmtree(RESULTS, ignore_errors=True)
    report = Report(RESULTS)
    broken = set()
    for name, function, needs in Steps(report, options.long).all():
        if options.list:
            print(name)
            continue
        if options.only and options.only not in name:
            continue
        missing = [need for need in needs if need in broken]
        if missing:
            def function(missing=missing):
                result = Result()
                result.fail("not run", "needs: " + ", ".join(missing))
                return result
        if not report.step(name, function):
            broken.add(name)
    return 0 if options.list else report.finish()


if __name__ == "__main__":
    sys.exit(main())
