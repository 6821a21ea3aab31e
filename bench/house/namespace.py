"""A network namespace of the run's own, and its place before the rest of the machine."""
import os, pathlib, shutil, signal, subprocess, sys


def enter_namespace():
    """Runs this program again inside its own network namespace, where loopback uses cubic."""
    if os.environ.get('ADIT_BENCH_NAMESPACE') != str(os.getppid()):
        flags = ['--net'] if os.geteuid() == 0 else ['--net', '--map-root-user']
        os.environ['ADIT_BENCH_NAMESPACE'] = str(os.getpid())
        child = subprocess.Popen(['unshare', *flags, sys.executable, *sys.argv],
                                 start_new_session=True)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        while True:
            try:
                sys.exit(child.wait())
            except KeyboardInterrupt:
                child.terminate()  # it cleans up
    ip = shutil.which('ip') or '/usr/sbin/ip'
    subprocess.run([ip, 'link', 'set', 'lo', 'up'], check=True)
    for net in ('127.0.0.0/8', '127.0.0.1'):
        subprocess.run([ip, 'route', 'change', 'local', net, 'dev', 'lo', 'table', 'local', 'proto',
                        'kernel', 'scope', 'host', 'src', '127.0.0.1', 'congctl', 'cubic'],
                       check=True)


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
