"""Rules on the finished programs: hardened, and linked with what their role needs and no more."""
import fnmatch
import os
import re
import subprocess
import tempfile

from tree import HERE, Finding

# Not here: -z nodlopen, which the linker drops for a program, and the mark of control-flow
# protection, which the start files of Debian 12 do not carry, so that no program there has it.
CAUSES = [
    ("type DYN", r"^\s*Type:\s+DYN"),
    ("BIND_NOW", r"\(FLAGS\).*BIND_NOW|\(BIND_NOW\)"),
    ("GNU_RELRO", r"^\s*GNU_RELRO\b"),
    ("a stack that is not executable", r"^\s*GNU_STACK\s.*\sRW\s"),
]


def programs(folder):
    """adit, aditd and the roles, where tools/layout put them."""
    found = [os.path.join(folder, name) for name in ("adit", "aditd")]
    roles = os.path.join(folder, "libexec", "adit")
    if os.path.isdir(roles):
        found += [os.path.join(roles, name) for name in sorted(os.listdir(roles))]
    return [path for path in found if os.path.exists(path)]


def readelf(path):
    return subprocess.run(["readelf", "-hldnW", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout.decode()


def hardening_of(path):
    text = readelf(path)
    for what, pattern in CAUSES:
        if not re.search(pattern, text, re.MULTILINE):
            yield Finding("hardening", os.path.basename(path), 0, "has not: " + what)
    if re.search(r"^\s*LOAD\s.*\sRWE\s", text, re.MULTILINE) or "(TEXTREL)" in text:
        yield Finding("hardening", os.path.basename(path), 0, "has memory that is writable code")


def hardening(found):
    for path in found:
        yield from hardening_of(path)


def load_libraries():
    table = {}
    with open(os.path.join(HERE, "libraries.txt"), encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if line:
                name, _, allowed = line.partition(":")
                table[name.strip()] = allowed.split()
    return table


def needed(path):
    return re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", readelf(path))


def libraries(found, table=None):
    table = table if table is not None else load_libraries()
    for path in found:
        name = os.path.basename(path)
        if name not in table:
            yield Finding("libraries", name, 0, "is not in tools/wall/libraries.txt")
            continue
        for library in needed(path):
            if not any(fnmatch.fnmatch(library, pattern) for pattern in table[name]):
                yield Finding("libraries", name, 0, "links %s, which its role may not" % library)


def hardening_proof():
    """A program made without hardening must fail each point that a flag of ours gives it."""
    with tempfile.TemporaryDirectory() as scratch:
        source = os.path.join(scratch, "soft.c")
        target = os.path.join(scratch, "soft")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-no-pie", "-Wl,-z,lazy", "-Wl,-z,norelro",
                        "-Wl,-z,execstack", "-Wl,--no-as-needed", "-lm", source, "-o", target],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        said = " ".join(str(finding) for finding in hardening_of(target))
        for what, _ in CAUSES:
            if what not in said:
                yield Finding("hardening", "soft", 0, "a program without it passes: " + what)
        if not list(libraries([target], {"soft": ["libc.so.6"]})):
            yield Finding("libraries", "soft", 0, "a program with a library too many passes")
