"""Puts the peers where the run looks for them, each with its own package manager, at the versions
named here and in bench/peers/go.mod. What cannot be had is told in one line, and left out."""
import os, pathlib, re, shutil, subprocess, sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
MODULES = TOP / 'bench' / 'peers'  # go.mod, go.sum
CRATES = {'rathole': ('rathole', '0.5.0'), 'bore': ('bore-cli', '0.6.0')}  # program: crate, version
GO_PROGRAMS = ('frps', 'frpc', 'chisel')
SECONDS_MAX = 1800  # of one installation


def say(what):
    print(f'bench: {what}', file=sys.stderr, flush=True)


def program(build, name):
    """Where a peer's program is, or None."""
    own = build / 'peers' / 'bin' / name
    if own.exists():
        return own
    path = os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin'
    return shutil.which(name, path=path)


def go_version(module):
    found = re.search(rf'\s{re.escape(module)} (v[\w.]+)', (MODULES / 'go.mod').read_text())
    return found.group(1) if found else 'unknown'


def attempt(what, command, **options):
    """Whether it went well; the last line of what it wrote, if not."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=SECONDS_MAX, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as wrong:
        say(f'{what} left out: {wrong}')
        return False
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()] or ['no reason given']
        say(f'{what} left out: {lines[-1][:200]}')
    return done.returncode == 0


def install(build):
    """All that is missing: Debian packages, then Go modules, then crates."""
    attempt('Debian packages', [TOP / 'tools' / 'install', 'bench'])
    daemons = [name for name in ('haproxy', 'sshd') if not program(build, name)]
    if daemons and pathlib.Path('/run/systemd/system').exists():
        say(f'{" and ".join(daemons)} left out: installing it would start a daemon here; by hand: '
            'tools/install bench-daemons')
    elif daemons:
        attempt('haproxy and sshd', [TOP / 'tools' / 'install', 'bench-daemons'])
    bin_folder = build / 'peers' / 'bin'
    bin_folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in (*GO_PROGRAMS, *CRATES) if not (bin_folder / name).exists()]
    if missing:
        say(f'installing {", ".join(missing)}: some minutes, once')
    if not all((bin_folder / name).exists() for name in GO_PROGRAMS):
        attempt('frp and chisel', ['go', 'build', '-buildvcs=false', '-trimpath', '-tags', 'noweb',
                                   '-ldflags=-s -w', '-o', f'{bin_folder}/', 'tool'], cwd=MODULES)
    for name, (crate, version) in CRATES.items():
        if not (bin_folder / name).exists():
            # Not --locked: what rathole 0.5.0 locks does not compile with compilers since 1.80.
            attempt(name, ['cargo', 'install', crate, '--version', version, '--root',
                           build / 'peers'],
                    env={**os.environ, 'CARGO_TARGET_DIR': str(build / 'peers' / 'cargo')})
