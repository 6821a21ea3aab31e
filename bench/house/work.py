"""What is measured over each path: jobs of bench-load, in interleaved rounds."""
import json, pathlib, statistics, subprocess, sys

from house.adit import HTTP, ORIGIN, RELAY, Tunnel
from house.processes import Processes, cpu_seconds, wait_for_answer

USUAL, LARGE = 32 * 1024, 256 * 1024  # bytes that both ends of a transfer send at a time


def progress(what):
    print(f'bench: {what} done', file=sys.stderr, flush=True)


class Path:
    """One way from a visitor to the local program. `server`, `agent`: {pid: name} of the processes
    on the visitors' side and on the local program's; `can`: the jobs that make sense over it."""

    def __init__(self, name, port, server=None, agent=None, **more):
        self.name, self.port, self.server, self.agent = name, port, server or {}, agent or {}
        self.can = more.get('can', ('requests', 'down', 'up'))
        self.about = {key: more.get(key, '') for key in ('version', 'tls', 'note')}

    def cpu(self):
        return {side: sum(map(cpu_seconds, pids))
                for side, pids in (('server', self.server), ('agent', self.agent)) if pids}


class Bench:
    """One run: what was asked for, its processes, its samples and facts."""

    def __init__(self, options):
        self.quick, self.build = options.quick, pathlib.Path(options.build).resolve()
        self.rounds = options.rounds or (1 if options.quick else 5)
        self.has_tunnel = not options.no_tunnel
        self.only = options.only
        self.processes, self.samples, self.facts, self.paths = Processes(), {}, {}, {}
        for program in ('bench-load', 'bench-origin', 'bench-relay'):
            if not (self.build / 'bench' / program).exists():
                raise SystemExit(f'bench: {self.build}/bench/{program} is missing: tools/build')
        if self.has_tunnel and not (self.build / 'aditd').exists():
            raise SystemExit(f'bench: {self.build}/aditd is missing: tools/build')

    def wants(self, group):
        return not self.only or group in self.only

    def load(self, job, port, *numbers):
        return self.loads([(job, port, *numbers)])[0]

    def loads(self, jobs):
        """Several at once; what each says."""
        program = self.build / 'bench' / 'bench-load'
        running = [self.processes.start([program, *job], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True) for job in jobs]
        return [json.loads(self.processes.take(process)) for process in running]

    def measure(self, path, job, *numbers):
        """One sample: what the load program says, and the CPU time of the processes between."""
        before = path.cpu()
        sample = self.load(job, path.port, *numbers)
        sample['cpu_s'] = {side: used - before[side] for side, used in path.cpu().items()}
        row = '-'.join([job, str(numbers[0])] + [str(number) for number in numbers[2:]])
        self.samples.setdefault(path.name, {}).setdefault(row, []).append(sample)

    def rounds_of_load(self):
        """Interleaved: each round runs every job over every path, so that a slow minute of the
        machine meets all of them."""
        ms, size = (800, 1 << 28) if self.quick else (3000, 1 << 30)
        jobs = [('requests', 64, ms), ('down', 1, size, USUAL), ('up', 1, size, USUAL)]
        if not self.quick:
            jobs += [('requests', 1, 1000), ('down', 64, size, USUAL), ('up', 64, size, USUAL),
                     ('down', 1, size, LARGE), ('up', 1, size, LARGE)]
        jobs = [job for job in jobs if self.wants('requests' if job[0] == 'requests' else 'bulk')]
        if not jobs:
            return
        paths = self.open_paths()
        for path in paths:
            self.load('requests', path.port, 64, 200)  # warm
        for number in range(self.rounds):
            for job, *numbers in jobs:
                for path in paths:
                    if job in path.can:
                        self.measure(path, job, *numbers)
            progress(f'round {number + 1} of {self.rounds}')
        self.paths = {path.name: path.about for path in paths}
        for path in paths:
            if path.name == 'adit':
                path.tunnel.close()

    def open_paths(self):
        relay = self.processes.start([self.build / 'bench' / 'bench-relay', RELAY, ORIGIN])
        wait_for_answer(RELAY)
        paths = [Path('direct', ORIGIN), Path('relay', RELAY, {relay.pid: 'bench-relay'})]
        if self.has_tunnel:
            tunnel = Tunnel(self.processes, self.build)
            port, _ = tunnel.start_agent()
            wait_for_answer(port)
            server, tcp = tunnel.pids()
            tunnel.start_agent('http', '--name', 'bench')  # the host that bench-load asks for
            wait_for_answer(HTTP, host='bench.adit.localhost')
            web = {pid: name for pid, name in tunnel.pids()[1].items() if pid not in tcp}
            paths += [Path('adit', port, server, tcp),
                      Path('http', HTTP, server, web, can=('requests',))]
            paths[-2].tunnel = tunnel
        return paths


def two_workers(bench):
    """CPU for each request of two workers against that of one: two agents of each kind at both
    servers, 32 visitors at each agent, one server measured after the other in each round."""
    servers = [(workers, Tunnel(bench.processes, bench.build, workers, workers))
               for workers in (1, 2)]
    jobs, pids, ms = {}, {}, 800 if bench.quick else 3000
    for workers, tunnel in servers:
        for side in (0, 1):
            port, _ = tunnel.start_agent()
            jobs.setdefault(('tcp', workers), []).append(('requests', port, 32, ms))
            tunnel.start_agent('http', '--name', f'bench-{side}')
            host = f'bench-{side}.adit.localhost'
            wait_for_answer(tunnel.http, host=host)
            jobs.setdefault(('http', workers), []).append(('requests', tunnel.http, 32, ms, host))
        pids[workers] = [pid for group in tunnel.pids() for pid in group]
        for kind in ('tcp', 'http'):
            bench.loads([(*job[:3], 200, *job[4:]) for job in jobs[kind, workers]])  # warm
    used = {key: [] for key in jobs}
    for _ in range(bench.rounds):
        for kind, workers in jobs:
            before = sum(map(cpu_seconds, pids[workers]))
            count = sum(one['requests'] for one in bench.loads(jobs[kind, workers]))
            used[kind, workers].append((sum(map(cpu_seconds, pids[workers])) - before) / count)
    for kind in ('tcp', 'http'):
        pairs = list(zip(used[kind, 1], used[kind, 2]))
        bench.facts[f'two_workers_{kind}'] = statistics.median(two / one for one, two in pairs)
        bench.facts[f'two_workers_{kind}_us'] = [statistics.median(values) * 1e6
                                                 for values in zip(*pairs)]
    for _, tunnel in servers:
        tunnel.close()
    progress('two workers')
