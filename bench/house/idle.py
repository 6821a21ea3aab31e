"""What a server and its agents weigh while nothing moves, and how fast they come and come back."""
import json, pathlib, select, statistics, subprocess, tempfile, time

from house import paths
from house.adit import Tunnel
from house.processes import Failed, family, memory_kib, visit
from house.work import progress

FEW = {'ssh': 200}  # visitors where a thousand take minutes
HELD_SECONDS = 30   # within which visitors who stay are served
BACK_SECONDS = 15   # a path that has not come back by then does not


def all_paths(bench):
    return paths.own_paths(bench)[2:] + ([] if bench.quick else paths.peer_paths(bench))


def visitors(bench):
    """Growth of anonymous memory for each visitor who stays connected after one request; two
    halves, as the first also touches what is touched once."""
    for path in all_paths(bench):
        if path.kind == 'hop':
            continue
        count = 200 if bench.quick else FEW.get(path.name, 1000)
        bench.attempt(path, 'idle-1000', lambda: hold(bench, path, count))
        if path.name == 'adit-http':
            bench.attempt(path, 'idle-tls-1000', lambda: hold(bench, path, count, is_tls=True))
        if path.name == 'adit' and not bench.quick:
            # One session carries 1,024 streams, so these come over nine agents.
            bench.attempt(path, 'idle-10000', lambda: hold(bench, path, 9000, agents=9))
    progress('idle visitors')


def hold(bench, path, count, is_tls=False, agents=1):
    path.start()
    held = []
    try:
        port, tls = (path.tls_port, ('--tls',)) if is_tls else (path.port, ())
        ports = [port] + [path.tunnel.start_agent()[0] for _ in range(agents - 1)]
        bench.load('requests', '--port', port, *tls, '--connections', 64, '--ms', 300)
        before, grown = path.memory(), []
        for _ in range(2):
            for port in ports:
                held.append(Held(bench, count // 2 // agents, '--port', port, *tls))
            time.sleep(0.5)
            now = path.memory()
            grown.append({side: now[side] - before[side] for side in before})
        seconds, used = 0.5 if bench.quick else 2, sum(path.cpu().values())
        time.sleep(seconds)
        sample = {'visitors': count, 'cpu_share': (sum(path.cpu().values()) - used) / seconds}
        for side in before:
            sample[f'kib_{side}'] = grown[1][side] / count
            sample[f'kib_{side}_second_half'] = (grown[1][side] - grown[0][side]) / (count // 2)
        control = subprocess.run(['ss', '-tinH'], capture_output=True, text=True).stdout.split()
        bench.facts['congestion_control'] = {name: control.count(name) for name in
                                             ('cubic', 'bbr', 'reno') if name in control}
        return sample
    finally:
        for one in held:
            one.close()
        path.close()


class Held:
    """Visitors that stay, once each has been answered."""

    def __init__(self, bench, count, *where):
        self.processes = bench.processes
        self.load = bench.start_load('idle', '--connections', count, *where, stdin=subprocess.PIPE)
        ready, _, _ = select.select([self.load.stdout], [], [], HELD_SECONDS)
        said = json.loads(self.load.stdout.readline() or '{}') if ready else {}
        if said.get('idle') != count:
            self.close()
            raise Failed(f'{said.get("idle", 0)} of {count} idle visitors were served')

    def close(self):
        self.processes.stop(self.load)
        for pipe in (self.load.stdin, self.load.stdout, self.load.stderr):
            pipe.close()


def sessions(bench):
    """Of the server, for each agent that is connected and has no visitor; and one agent's own."""
    count = 4 if bench.quick else 200
    tunnel = Tunnel(bench.processes, bench.build)
    starts = [tunnel.start_agent()[1] for _ in range(10)]  # the first pay for what is there once
    time.sleep(0.2)
    server, agents = tunnel.pids()
    first = next(iter(agents))
    bench.facts['agent_rss_kib'] = memory_kib(first, 'Rss')
    bench.facts['agent_pss_kib'] = sum(memory_kib(p, 'Pss') for p in family(tunnel.agents[0].pid))
    bench.facts['server_pss_kib'] = {n: memory_kib(p, 'Pss') for p, n in server.items()}
    before = sum(memory_kib(pid, 'Anonymous') for pid in server)
    starts += [tunnel.start_agent()[1] for _ in range(count)]
    time.sleep(0.5)
    after = sum(memory_kib(pid, 'Anonymous') for pid in server)
    bench.facts['idle_sessions'] = count
    bench.facts['kib_per_idle_session'] = (after - before) / count
    bench.facts['agent_start_ms'] = statistics.median(starts) * 1000
    tunnel.close()
    progress('idle agent sessions')


def idle(bench):
    sessions(bench)
    visitors(bench)


def come_and_go(bench):
    """From before the agent's fork until a visitor is answered; the server is there."""
    for path in all_paths(bench):
        if path.kind in ('pair', 'hop'):
            continue
        for _ in range(1 if bench.quick else 5):
            bench.attempt(path, 'start', lambda: started(path))
    for path in all_paths(bench):
        if path.kind not in ('pair', 'hop') and not bench.quick:
            for _ in range(3):
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
            time.sleep(0.002)
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
