"""Processes that a run starts, and what the kernel counts of them."""
import os, pathlib, resource, signal, socket, subprocess, time


VISIT_AGAIN_S = 0.0005  # between two visitors to a path that does not answer yet


class Failed(Exception):
    """What a program said when it failed."""


class Processes:
    """The processes that this run started; they end with it, whatever happens."""

    def __init__(self):
        self.running = []

    def start(self, command, **options):
        process = subprocess.Popen([str(part) for part in command], **options)
        self.running.append(process)
        return process

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.remove(process)

    def take(self, process, seconds=300):
        """Waits for the end of one that was started with pipes; what it wrote."""
        try:
            out, wrong = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            self.stop(process)
            raise Failed(f'no end within {seconds} s') from late
        self.running.remove(process)
        if process.returncode != 0:
            raise Failed(wrong.strip() or f'exit code {process.returncode}')
        return out

    def stop_all(self):
        for process in reversed(list(self.running)):
            self.stop(process)


def family(pid):
    """A process and all its descendants: {pid: name}."""
    parents = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                stat = pathlib.Path('/proc', entry, 'stat').read_text()
            except OSError:
                continue
            name, rest = stat[stat.index('(') + 1:stat.rindex(')')], stat[stat.rindex(')') + 2:]
            parents[int(entry)] = (int(rest.split()[1]), name)
    found = {pid: parents[pid][1]} if pid in parents else {}
    grew = True
    while grew:
        more = {p: n for p, (parent, n) in parents.items() if parent in found and p not in found}
        found.update(more)
        grew = bool(more)
    return found


def cpu_seconds(pid):
    """Time on a CPU of all threads, in nanoseconds' precision where the kernel counts them."""
    try:
        tasks = list(pathlib.Path('/proc', str(pid), 'task').iterdir())
        return sum(int((task / 'schedstat').read_text().split()[0]) for task in tasks) / 1e9
    except (OSError, IndexError):
        fields = pathlib.Path('/proc', str(pid), 'stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class Disturbance:
    """How much of the machine everybody else used while something was measured: time that the
    processors worked, less that of the processes named and of children that ended meanwhile."""

    def __init__(self, pids):
        self.pids, self.begin = list(pids), time.monotonic()
        self.before = self.others()

    def others(self):
        fields = pathlib.Path('/proc/stat').read_text().split(None, 9)[1:9]
        idle, waiting = int(fields[3]), int(fields[4])
        busy = (sum(map(int, fields)) - idle - waiting) / os.sysconf('SC_CLK_TCK')
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return busy - ended.ru_utime - ended.ru_stime - sum(map(cpu_seconds, self.pids))

    def share(self):
        spent = (time.monotonic() - self.begin) * os.cpu_count()
        return round(max(0.0, self.others() - self.before) / spent, 3)


def memory_kib(pid, field):
    for line in pathlib.Path('/proc', str(pid), 'smaps_rollup').read_text().splitlines():
        if line.startswith(field + ':'):
            return int(line.split()[1])
    raise KeyError(field)


def visit(port, host='bench', seconds=2):
    """Whether a visitor is answered there."""
    try:
        with socket.create_connection(('127.0.0.1', port), 1) as visitor:
            visitor.settimeout(seconds)
            visitor.sendall(f'GET / HTTP/1.1\r\nHost: {host}\r\n\r\n'.encode())
            return visitor.recv(64).startswith(b'HTTP/1.1 200')
    except OSError:
        return False


def wait_for_answer(port, seconds=20, host='bench'):
    deadline = time.monotonic() + seconds
    while not visit(port, host):
        if time.monotonic() > deadline:
            raise Failed(f'nothing answers at port {port}')
        time.sleep(VISIT_AGAIN_S)


def wait_for_listener(port, seconds=10, host='127.0.0.1'):
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise Failed(f'nothing listens at port {port}') from None
        time.sleep(0.01)


def cut_connections(port):
    """Resets every connection of a port, at both of its ends."""
    for end in ('sport', 'dport'):
        subprocess.run(['ss', '-K', '-t', 'state', 'established', f'{end} = :{port}'], check=True,
                       stdout=subprocess.DEVNULL)


def kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
