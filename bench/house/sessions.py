"""What agents' sessions weigh at the server while nobody visits."""
import statistics, subprocess, time

from house import paths
from house.adit import Tunnel
from house.idle import each, standing
from house.processes import Failed, cpu_seconds, family, memory_kib
from house.work import progress

FIRST = 10           # sessions that pay for what is there once
PROGRAMS = 50        # sessions of as many agents
SAMPLES = ((1000, 1), (10000, 4))  # sessions of bench-sessions; workers, of 4,096 at most each
ACCOUNT = 500        # of them in one account, which may have 1,024 names
STANDING_SECONDS = 90
PEERS = ('frp', 'chisel', 'rathole', 'ssh')  # the others have none, or connections kept ready


def sessions(bench):
    adit = paths.Adit(bench)
    bench.attempt(adit, f'sessions-{PROGRAMS}', lambda: of_agents(bench))
    for count, workers in (((40, 1),) if bench.quick else SAMPLES):
        bench.attempt(adit, f'sessions-{count}', lambda: of_one_program(bench, count, workers))
    for path in [] if bench.quick else paths.peer_paths(bench):
        if path.name in PEERS:
            bench.attempt(path, f'sessions-{PROGRAMS}', lambda: of_peer(path))
    progress('idle agent sessions')


def grow(server, count, add):
    """A sample of what a server gains by so many sessions, `add`ed in two halves; `server`: its
    processes now."""
    def memory():
        return sum(memory_kib(pid, 'Anonymous') for pid in server())
    before, grown, begin = memory(), [], time.monotonic()
    for _ in range(2):
        add(count // 2)
        time.sleep(0.5)
        grown.append(memory() - before)
    stood, used = time.monotonic(), sum(map(cpu_seconds, server()))
    time.sleep(1)
    return {'count': count, **each('server', grown, count), 'seconds': stood - begin,
            'cpu_share': sum(map(cpu_seconds, server())) - used}


def of_agents(bench):
    """Of as many agents as a peer is given; and what one of them weighs itself."""
    tunnel, starts = Tunnel(bench.processes, bench.build), []

    def add(count):
        starts.extend(tunnel.start_agent()[1] for _ in range(count))
    try:
        add(FIRST)
        time.sleep(0.2)
        server, agents = tunnel.pids()
        bench.facts['agent_rss_kib'] = memory_kib(next(iter(agents)), 'Rss')
        bench.facts['agent_pss_kib'] = sum(memory_kib(pid, 'Pss')
                                           for pid in family(tunnel.agents[0].pid))
        bench.facts['server_pss_kib'] = {name: memory_kib(pid, 'Pss')
                                         for pid, name in server.items()}
        sample = grow(lambda: tunnel.pids()[0], 4 if bench.quick else PROGRAMS, add)
        bench.facts['agent_start_ms'] = statistics.median(starts) * 1000
        return {**sample, 'rss_agent': bench.facts['agent_rss_kib']}
    finally:
        tunnel.close()


def of_one_program(bench, count, workers):
    tunnel, programs = Tunnel(bench.processes, bench.build, 0, workers), []

    def add(more):
        while more > 0:
            some = min(more, ACCOUNT)
            programs.append(tunnel.start_sessions('http', some, f'bench-{len(programs)}'))
            standing(programs[-1], 'sessions', some, STANDING_SECONDS)
            more -= some
    try:
        add(FIRST)
        sample = grow(lambda: tunnel.pids()[0], count, add)
        if any(program.poll() is not None for program in programs):
            raise Failed('sessions were lost: ' + ''.join(
                program.stderr.readline() for program in programs if program.poll() is not None))
        return sample
    finally:
        for program in programs:
            bench.processes.stop(program)
            for pipe in (program.stdin, program.stdout, program.stderr):
                pipe.close()
        tunnel.close()


def of_peer(path):
    peer, last = path.peer, 0
    peer.clients = 1 + FIRST + PROGRAMS

    def add(count):
        nonlocal last
        for _ in range(count):
            last += 1
            peer.start_client(last)
        wait_for_listeners([peer.port_of(index) for index in range(1, last + 1)])
    path.start()
    try:
        add(FIRST)
        sample = grow(lambda: peer.server, PROGRAMS, add)
        return {**sample, 'rss_agent': sum(memory_kib(pid, 'Rss') for pid in peer.agent)}
    finally:
        path.close()


def wait_for_listeners(ports):
    """Without a visit."""
    deadline = time.monotonic() + STANDING_SECONDS
    while True:
        lines = subprocess.run(['ss', '-Hltn'], capture_output=True, text=True).stdout.splitlines()
        there = {line.split()[3].rsplit(':', 1)[1] for line in lines}
        missing = [port for port in ports if str(port) not in there]
        if not missing:
            return
        if time.monotonic() > deadline:
            raise Failed(f'{len(missing)} of {len(ports)} clients did not come')
        time.sleep(0.05)
