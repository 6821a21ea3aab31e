"""Namespaces of the run's own, and its place before the rest of the machine."""
import os, pathlib, re, shutil, signal, subprocess, sys, tempfile

MARK = 'ADIT_BENCH_NAMESPACE'  # set for the program that runs inside: its parent's number outside
FOLDERS_MAX = 100  # of killed runs, that one start clears


def enter_namespace():
    """Runs this program again inside its own network namespace, where loopback uses cubic, and as
    the first process of a process namespace: whatever ends it, all that it started ends with it."""
    if MARK not in os.environ or os.getpid() != 1:
        clear_folders()
        sys.exit(run_inside())
    ip = shutil.which('ip') or '/usr/sbin/ip'
    subprocess.run([ip, 'link', 'set', 'lo', 'up'], check=True)
    for net in ('127.0.0.0/8', '127.0.0.1'):
        subprocess.run([ip, 'route', 'change', 'local', net, 'dev', 'lo', 'table', 'local', 'proto',
                        'kernel', 'scope', 'host', 'src', '127.0.0.1', 'congctl', 'cubic'],
                       check=True)


def run_inside():
    """The exit code of this program inside. `setpriv`: killed if this one is, which a new user
    namespace would undo if it came later; the inner `unshare` hands that on."""
    user = [] if os.geteuid() == 0 else ['--map-root-user']
    child = subprocess.Popen(
        ['unshare', '--net', *user, 'setpriv', '--pdeathsig', 'KILL', 'unshare', '--pid', '--fork',
         '--mount-proc', '--kill-child', sys.executable, *sys.argv],
        start_new_session=True, env={**os.environ, MARK: str(os.getpid())})

    def pass_on(*_):
        os.killpg(child.pid, signal.SIGTERM)  # unshare itself waits for the program, which cleans up
    signal.signal(signal.SIGTERM, pass_on)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            pass_on()


def folder_prefix():
    """Of a run's temporary folders: whose they are can be told when it was killed."""
    return f'adit-bench-{os.environ.get(MARK, os.getpid())}-'


def clear_folders():
    """Removes the temporary folders of runs that no longer live; which those were."""
    cleared = []
    for folder in sorted(pathlib.Path(tempfile.gettempdir()).glob('adit-bench-*')):
        run = re.fullmatch(r'adit-bench-(\d+)-\w+', folder.name)
        if run and not pathlib.Path('/proc', run[1]).exists() and len(cleared) < FOLDERS_MAX and \
                folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
            cleared.append(folder.name)
    return cleared


def go_ahead(nice, is_realtime):
    """Lets everything that is measured, the direct path included, run ahead of the rest of the
    machine, where that is allowed: this session as a whole too, if the kernel groups by session.
    Returns the niceness that came of it, in words."""
    try:
        if is_realtime:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            return f'{os.nice(0)}, at real-time priority 1'
        got = os.nice(nice)
        autogroup = pathlib.Path('/proc/self/autogroup')
        if nice and autogroup.exists():
            autogroup.write_text(str(nice))
        return str(got)
    except OSError:
        return str(os.nice(0))


def take_along(pids):
    """A process that began a session of its own (sshd's do) goes ahead as far as this one does."""
    own = pathlib.Path('/proc/self/autogroup')
    if not own.exists():
        return
    nice = own.read_text().split()[-1]
    for pid in pids:
        try:
            pathlib.Path('/proc', str(pid), 'autogroup').write_text(nice)
        except OSError:
            pass  # it may not, or has ended
