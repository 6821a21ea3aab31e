"""What a server and its agents weigh while nothing moves, and how fast they come and come back."""
import json, pathlib, signal, statistics, subprocess, tempfile, time

from house import paths
from house.adit import Tunnel
from house.processes import (Failed, cpu_seconds, family, memory_kib, visit, wait_for_answer)
from house.work import progress, say

FEW = {'ssh': 200}  # visitors where a thousand take minutes
BACK_SECONDS = 15   # a path that has not come back by then does not


def all_paths(bench):
    return paths.own_paths(bench)[2:] + ([] if bench.quick else paths.peer_paths(bench))


def visitors(bench):
    """Growth of anonymous memory for each visitor who stays connected after one request; two
    halves, as the first also touches what is touched once."""
    for path in all_paths(bench):
        count = 200 if bench.quick else FEW.get(path.name, 1000)
        if path.kind == 'hop':
            continue
        for row, tls, count in [('idle-1000', False, count)] + (
                [('idle-tls-1000', True, count)] if path.name == 'adit-http' else []) + (
                [('idle-10000', False, 9000)] if path.name == 'adit' and not bench.quick else []):
            bench.attempt(path, row, lambda: hold(bench, path, count, tls))
    progress('idle visitors')


def hold(bench, path, count, tls):
    path.start()
    holders = []
    try:
        bench.load('requests', '--port', path.port, '--connections', 64, '--ms', 300)
        command = ['idle', '--connections', count // 2, '--port',
                   path.tls_port if tls else path.port, *(['--tls'] if tls else [])]
        if tls:
            bench.load('requests', '--port', path.tls_port, '--tls', '--connections', 64, '--ms',
                       300)
        before, grown = path.memory(), []
        for _ in range(2):
            holders.append(bench.start_load(*command, stdin=subprocess.PIPE))
            said = json.loads(holders[-1].stdout.readline() or '{}')
            if said.get('idle') != count // 2:
                raise Failed(f'{said.get("idle")} of {count // 2} idle visitors were served')
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
        for holder in holders:
            bench.processes.stop(holder)
            for pipe in (holder.stdin, holder.stdout, holder.stderr):
                pipe.close()
        path.close()


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
        if path.kind == 'hop':
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
