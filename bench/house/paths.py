"""The ways from a visitor to the local program that a run compares."""
import subprocess, time

from house import peers
from house.adit import LIBRARY, LIBRARY_TLS, ORIGIN, PAIR, PAIR_LIBRARY, RELAY, Tunnel
from house.namespace import take_along
from house.processes import (Failed, cpu_seconds, cut_connections, family, kill_all, memory_kib,
                             wait_for_answer)

RAW = ('requests', 'connections', 'bulk', 'websocket')  # groups of rows that any TCP path carries
TLS_RAW = (*RAW, 'tls')


class Path:
    """`port` for visitors in clear, `tls_port` for those over TLS, 0 where there is none. `kind`:
    yardstick, adit, tunnel (a peer), pair or hop (of haproxy). `can`: groups of rows. Open from
    `start` to `close`."""
    name, kind, version, tls, note = '', 'yardstick', '', '', ''
    can, port, tls_port, host = RAW, 0, 0, 'bench'
    only = ()             # rows, where it has not all that it can
    comes_back = True     # by itself, when its connection is lost
    descriptors = 1       # that a visitor takes of the process that has the most of them
    agent_start_s = None  # from before the agent's fork until a visitor was answered

    def start(self, wait=True):
        return self

    def wait(self):
        wait_for_answer(self.port, host=self.host)

    def close(self):
        pass

    def ways(self, agents, is_tls=False):
        """What leads bench-load to so many agents, started here where they are not there yet; to
        the one there is where one carries any number of visitors."""
        return [('--port', self.tls_port, '--tls') if is_tls else ('--port', self.port)]

    def pids(self):
        """{side: {pid: name}}, `server` where visitors come in, `agent` by the local program."""
        return {}

    def cpu(self):
        return {side: sum(map(cpu_seconds, pids)) for side, pids in self.pids().items() if pids}

    def memory(self):
        """KiB of anonymous pages of each side."""
        return {side: sum(memory_kib(pid, 'Anonymous') for pid in pids)
                for side, pids in self.pids().items() if pids}

    def about(self):
        return {'kind': self.kind, 'version': self.version, 'tls': self.tls, 'note': self.note}


class Direct(Path):
    name, port = 'direct', ORIGIN

    def __init__(self, bench):
        pass


class Relay(Path):
    name, port, note = 'relay', RELAY, 'one plain hop, read and write'

    def __init__(self, bench):
        self.bench = bench

    def command(self):
        return 'bench-relay', RELAY, ORIGIN

    def start(self, wait=True):
        program, *ports = self.command()
        self.process = self.bench.processes.start([self.bench.build / 'bench' / program, *ports])
        return self

    def close(self):
        self.bench.processes.stop(self.process)

    def pids(self):
        return {'server': {self.process.pid: self.command()[0]}}


class Pair(Relay):
    """The least that two processes with one connection of TLS between them can do."""
    name, port, tls, can = 'pair', PAIR, 'TLS 1.3', ('requests', 'connections', 'bulk')
    note = 'two bare processes: no windows, limits, checks, log or sandbox'
    only = ('requests-64', 'requests-64-1024', 'requests-1', 'requests-1-1024', 'paced-2000',
            'paced-10000', 'close-64', 'close-64-1024', 'close-1', 'close-1-1024', 'down-1', 'up-1',
            'down-64', 'up-64', 'under-bulk')

    def command(self):
        return 'bench-pair', PAIR, ORIGIN

    def pids(self):
        both = family(self.process.pid)
        server = {self.process.pid: both.pop(self.process.pid)}
        return {'server': server, 'agent': both}


class PairLibrary(Pair):
    """The same with records that the TLS library makes: what its copies cost."""
    name, port = 'pair-library', PAIR_LIBRARY
    note = "the bare pair with the TLS library's own record layer"
    only = ('requests-64', 'close-64', 'down-1', 'up-1', 'down-64', 'up-64')

    def command(self):
        return 'bench-pair', PAIR_LIBRARY, ORIGIN, 'library'


class Library(Relay):
    """No hop: what TLS itself costs a server that does nothing else."""
    name, port, tls_port, can = 'library', LIBRARY, LIBRARY_TLS, ('connections', 'tls')
    note = 'the TLS library over sockets, which answers by itself'
    only = ('close-64', 'handshakes', 'handshakes-resumed')

    def command(self):
        return 'bench-library', LIBRARY, LIBRARY_TLS


class Adit(Path):
    """A TCP tunnel, its server with one worker."""
    name, kind, tls, note, number = 'adit', 'adit', 'TLS 1.3', 'TCP tunnel, one worker', 0

    def __init__(self, bench, also=None):
        """`also`: the folder of another build, to be compared with the run's own."""
        self.bench, self.version, self.build = bench, bench.version, also or bench.build
        if also:
            self.number += 2 + 2 * bench.also.index(also)
            self.name = self.name.replace('adit', f'adit@{also.name}')
            said = subprocess.run([also / 'adit', 'version'], capture_output=True, text=True).stdout
            self.note = f'{self.note}; {said.strip()}'

    def start(self, wait=True):
        self.tunnel = Tunnel(self.bench.processes, self.build, self.number)
        begin = time.monotonic()
        self.open()
        if wait:
            self.wait()
        self.agent_start_s = time.monotonic() - begin
        return self

    def open(self):
        self.port, _ = self.tunnel.start_agent()

    def ways(self, agents, is_tls=False):
        more = [self.tunnel.start_agent()[0] for _ in range(agents - 1)]
        return [('--port', port) for port in (self.port, *more)]

    def close(self):
        self.tunnel.close()

    def pids(self):
        server, agent = self.tunnel.pids()
        return {'server': server, 'agent': agent}

    def restart_server(self):
        kill_all(self.pids()['server'])
        self.tunnel.start_server()

    def kill_worker(self):
        kill_all(pid for pid, name in self.pids()['server'].items() if name == 'adit-worker')

    def cut_link(self):
        cut_connections(self.tunnel.https)


class AditHttp(Adit):
    """An HTTP tunnel: every head is parsed, judged and made anew."""
    name, can, note, number = 'adit-http', TLS_RAW, 'HTTP tunnel, one worker', 1
    host = 'bench.adit.localhost'  # that bench-load asks for

    def open(self):
        self.tunnel.start_agent('http', '--name', 'bench')
        self.port, self.tls_port = self.tunnel.http, self.tunnel.https

    def ways(self, agents, is_tls=False):
        where = Path.ways(self, 1, is_tls)
        for index in range(1, agents):
            self.tunnel.start_agent('http', '--name', f'bench-{index}')
            where.append((*where[0], '--host', f'bench-{index}.adit.localhost'))
        return where


class PeerPath(Path):
    def __init__(self, bench, kind_of_peer):
        self.bench, self.peer = bench, kind_of_peer(bench.processes, bench.build)
        self.name, self.tls, self.note = self.peer.name, self.peer.tls, self.peer.note
        self.kind, self.can = self.peer.kind, self.peer.can
        self.comes_back, self.descriptors = self.peer.comes_back, self.peer.descriptors

    def start(self, wait=True):
        self.peer.start(wait)
        self.version = self.peer.version
        self.port, self.tls_port = self.peer.port, self.peer.tls_port
        self.agent_start_s = self.peer.agent_start_s
        return self

    def restart_server(self):
        self.peer.restart_server()

    def cut_link(self):
        self.peer.cut_link()

    def close(self):
        self.peer.close()

    def pids(self):
        return {side: self.peer.pids(side) for side in ('server', 'agent')}


def own_paths(bench):
    """Those to compare with, and Adit's where there is a tunnel to measure."""
    also = [kind(bench, build) for build in bench.also for kind in (Adit, AditHttp)]
    return yardsticks(bench) + (tunnels(bench) + also if bench.has_tunnel else [])


def yardsticks(bench):
    return [kind(bench) for kind in (Direct, Relay, Pair, PairLibrary, Library)]


def tunnels(bench):
    return [kind(bench) for kind in (Adit, AditHttp)]


def peer_paths(bench):
    return [PeerPath(bench, kind) for kind in peers.PEERS if bench.wants_peer(kind.name)]


def started(bench, paths, tell):
    """Those that could be started, all at once; the others are told."""
    running, answering = [], []
    for path in paths:
        try:
            running.append(path.start(False))
        except peers.Unavailable as why:
            tell(f'{path.name} left out: {why}')
    for path in running:
        try:
            path.wait()
            take_along(pid for side in path.pids().values() for pid in side)
            answering.append(path)
        except Failed as why:
            tell(f'{path.name} left out: {why}')
            path.close()
    return answering
