"""Runs programs with a time limit, their output in memory and in a log file."""
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

JOBS = int(os.environ.get("ADIT_JOBS", str(min(os.cpu_count() or 1, 8))))


def run(arguments, timeout_s, env=None, cwd=None):
    """(exit code, output); a program that runs out of time is killed with all its children."""
    whole_env = dict(os.environ, **(env or {}))
    try:
        child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, env=whole_env, cwd=cwd,
                                 start_new_session=True)
    except OSError as problem:
        return 127, "%s: %s\n" % (arguments[0], problem.strerror)
    try:
        output, _ = child.communicate(timeout=timeout_s)
        code = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        output += b"\nstopped: it took longer than %d s\n" % timeout_s
        code = 124
    return code, output.decode("utf-8", "replace")


def run_all(tasks, jobs=JOBS):
    """Runs (key, function) pairs, `jobs` at once; yields (key, value) in the given order."""
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        started = [(key, pool.submit(function)) for key, function in tasks]
        for key, future in started:
            yield key, future.result()
