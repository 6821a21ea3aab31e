"""What a server and its agents weigh while visitors stay and nothing moves, and how fast they come
and come back."""
import json, pathlib, resource, select, subprocess, tempfile, time

from house import paths
from house.processes import VISIT_AGAIN_S, Failed, visit
from house.work import progress

FEW = {'ssh': 200}  # visitors where a thousand take minutes
MANY = ('adit', 'frp', 'rathole', 'haproxy-pair')  # that are given ten thousand
AGENTS = 10         # over which Adit's come then: one session carries 1,024 streams
SPARE_DESCRIPTORS = 600
HELD_SECONDS = 30   # within which visitors who stay are served
STARTS, BACKS = 9, 5  # of each path
BACK_SECONDS = 15   # a path that has not come back by then does not


def all_paths(bench):
    return paths.tunnels(bench) + ([] if bench.quick else paths.peer_paths(bench))


def visitors(bench):
    """Growth of anonymous memory for each visitor who stays connected after one request; two
    halves, as the first also touches what is touched once."""
    for path in all_paths(bench):
        if path.kind == 'hop':
            continue
        count = 200 if bench.quick else FEW.get(path.name, 1000)
        bench.attempt(path, 'idle-1000', lambda: hold(bench, path, count))
        if 'tls' in path.can:
            bench.attempt(path, 'idle-tls-1000', lambda: hold(bench, path, count, is_tls=True))
        if path.name in MANY and not bench.quick:
            bench.attempt(path, 'idle-10000', lambda: hold(bench, path, many(path), AGENTS))
        if path.name == 'adit-http' and not bench.quick:
            bench.attempt(path, 'idle-tls-10000',
                          lambda: hold(bench, path, many(path), AGENTS, True))
    progress('idle visitors')


def many(path):
    """Ten thousand, or as many hundreds as the descriptors of one process allow."""
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_DESCRIPTORS
    return min(10000, room // path.descriptors // 200 * 200)


def hold(bench, path, count, agents=1, is_tls=False):
    path.start()
    held = []
    try:
        ways = path.ways(agents, is_tls)
        bench.load('requests', *ways[0], '--connections', 64, '--ms', 300)
        before, grown = path.memory(), []
        for _ in range(2):
            for way in ways:
                held.append(Held(bench, count // 2 // len(ways), *way))
            time.sleep(0.5)
            now = path.memory()
            grown.append({side: now[side] - before[side] for side in before})
        seconds, used = 0.5 if bench.quick else 2, sum(path.cpu().values())
        time.sleep(seconds)
        sample = {'count': count, 'cpu_share': (sum(path.cpu().values()) - used) / seconds}
        for side in before:
            sample.update(each(side, [growth[side] for growth in grown], count))
        control = subprocess.run(['ss', '-tinH'], capture_output=True, text=True).stdout.split()
        bench.facts['congestion_control'] = {name: control.count(name) for name in
                                             ('cubic', 'bbr', 'reno') if name in control}
        return sample
    finally:
        for one in held:
            one.close()
        path.close()


def each(side, grown, count):
    """KiB for each of `count`, of all and of the second half, from what had been added after each
    half."""
    return {f'kib_{side}': grown[1] / count,
            f'kib_{side}_second_half': (grown[1] - grown[0]) / (count // 2)}


class Held:
    """Visitors that stay, once each has been answered."""

    def __init__(self, bench, count, *where):
        self.processes = bench.processes
        self.load = bench.start_load('idle', '--connections', count, *where, stdin=subprocess.PIPE)
        try:
            standing(self.load, 'idle', count, HELD_SECONDS)
        except Failed:
            self.close()
            raise

    def close(self):
        self.processes.stop(self.load)
        for pipe in (self.load.stdin, self.load.stdout, self.load.stderr):
            pipe.close()


def standing(program, what, count, seconds):
    """Waits until the program says that all of them stand."""
    ready, _, _ = select.select([program.stdout], [], [], seconds)
    said = json.loads(program.stdout.readline() or '{}') if ready else {}
    if said.get(what) != count:
        wrong = program.stderr.readline().strip() if program.poll() is not None else ''
        raise Failed(wrong or f'not all of {count} stood within {seconds} s')
    return said


def come_and_go(bench):
    """How long a start takes, and how long nobody is answered after a blow; one path after the other,
    so that a slow moment meets all of them."""
    agents = [path for path in all_paths(bench) if path.kind not in ('pair', 'hop')]
    for _ in range(1 if bench.quick else STARTS):
        for path in agents:
            bench.attempt(path, 'start', lambda: started(path))
    for _ in range(0 if bench.quick else BACKS):
        for path in agents:
            bench.attempt(path, 'back-server', lambda: back(path, path.restart_server))
            bench.attempt(path, 'back-link', lambda: back(path, path.cut_link))
            if path.kind == 'adit':
                bench.attempt(path, 'back-worker', lambda: back(path, path.kill_worker))
    progress('start and coming back')


def started(path):
    path.start()
    try:
        return {'ms': path.agent_start_s * 1000}
    finally:
        path.close()


def back(path, strike):
    """How long no visitor is answered after a blow."""
    if not path.comes_back:
        raise Failed('it ends with its connection')
    path.start()
    try:
        time.sleep(0.3)
        begin = time.monotonic()
        strike()
        while not visit(path.port, path.host, 0.5):
            if time.monotonic() - begin > BACK_SECONDS:
                raise Failed(f'not back within {BACK_SECONDS} s')
            time.sleep(VISIT_AGAIN_S)
        return {'ms': (time.monotonic() - begin) * 1000}
    finally:
        path.close()


def library(bench):
    """What this machine's TLS library does in one thread, with nothing around it."""
    bench.facts['library'] = bench.load('library', '--ms', 200 if bench.quick else 1000)
    speed = subprocess.run(['openssl', 'speed', '-seconds', '1', '-bytes', '16384', '-evp',
                            'aes-128-gcm'], capture_output=True, text=True).stdout.split()
    if speed and speed[-1].endswith('k'):
        bench.facts['aes_gcm_gib_s'] = float(speed[-1][:-1]) * 1000 / (1 << 30)
    progress('the TLS library')


def sizes(bench):
    programs = [bench.build / 'adit', bench.build / 'aditd']
    programs += sorted((bench.build / 'libexec' / 'adit').glob('*'))
    bench.facts['stripped_bytes'] = {}
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            if program.is_file():
                stripped = pathlib.Path(folder, 'stripped')
                subprocess.run(['strip', '-o', stripped, program], check=True)
                bench.facts['stripped_bytes'][program.name] = stripped.stat().st_size
