"""Namespaces of the run's own, and its place before the rest of the machine."""
import contextlib, fcntl, os, pathlib, shutil, signal, subprocess, sys, tempfile, time

MARK = 'ADIT_BENCH_NAMESPACE'  # set for the program that runs inside
FOLDER = 'adit-bench-run-'
FOLDERS_MAX = 100  # of killed runs, that one start clears
LOCKED_S = 5  # within which a new one is locked


def enter_namespace():
    """Runs this program again inside its own network namespace, where loopback uses cubic, and as
    the first process of a process namespace: whatever ends it, all that it started ends with it."""
    if MARK not in os.environ or os.getpid() != 1:
        clear_folders()
        with own_folder() as folder:
            code = run_inside(folder)
        sys.exit(code)
    ip = shutil.which('ip') or '/usr/sbin/ip'
    subprocess.run([ip, 'link', 'set', 'lo', 'up'], check=True)
    for net in ('127.0.0.0/8', '127.0.0.1'):
        subprocess.run([ip, 'route', 'change', 'local', net, 'dev', 'lo', 'table', 'local', 'proto',
                        'kernel', 'scope', 'host', 'src', '127.0.0.1', 'congctl', 'cubic'],
                       check=True)


def run_inside(folder):
    """The exit code of this program inside. `setpriv`: killed if this one is, which a new user
    namespace would undo if it came later; the inner `unshare` hands that on."""
    user = [] if os.geteuid() == 0 else ['--map-root-user']
    child = subprocess.Popen(
        ['unshare', '--net', *user, 'setpriv', '--pdeathsig', 'KILL', 'unshare', '--pid', '--fork',
         '--mount-proc', '--kill-child', sys.executable, *sys.argv],
        start_new_session=True, env={**os.environ, MARK: '1', 'TMPDIR': folder})

    def pass_on(*_):
        os.killpg(child.pid, signal.SIGTERM)  # unshare itself waits for the program, which cleans up
    signal.signal(signal.SIGTERM, pass_on)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            pass_on()


@contextlib.contextmanager
def own_folder():
    """The folder in which a run has all its temporary ones. It is locked as long as the run lives, which
    tells a killed one's from others', whatever process namespace they were started in."""
    with tempfile.TemporaryDirectory(prefix=FOLDER, ignore_cleanup_errors=True) as folder:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            os.close(lock)


def clear_folders():
    """Removes those of runs that no longer live; which those were."""
    cleared = []
    for folder in sorted(pathlib.Path(tempfile.gettempdir()).glob(FOLDER + '*')):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            about = os.fstat(lock)
            if about.st_uid == os.geteuid() and time.time() - about.st_mtime > LOCKED_S and \
                    len(cleared) < FOLDERS_MAX:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                cleared.append(folder.name)
        except BlockingIOError:
            pass  # its run lives
        finally:
            os.close(lock)
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
