"""What is measured over each path: jobs of bench-load, in interleaved rounds."""
import json, os, pathlib, statistics, subprocess, sys, time

from house import paths, rows
from house.adit import Tunnel
from house.processes import (Disturbance, Failed, Processes, cpu_seconds,
                             wait_for_answer)

OTHERS_MAX = 0.1  # of the machine, used by others: a sample beyond that is taken once more


def say(what):
    print(f'bench: {what}', file=sys.stderr, flush=True)


def progress(what):
    say(f'{what} done')


class Bench:
    """One run: what was asked for, its processes, its samples and facts."""

    def __init__(self, options, version):
        self.quick, self.build = options.quick, pathlib.Path(options.build).resolve()
        self.rounds = options.rounds or (1 if options.quick else 3)
        self.has_tunnel, self.version = not options.no_tunnel, version
        self.also = [pathlib.Path(folder).resolve() for folder in options.also]
        self.only, self.peers, self.no_peers = options.only, options.peer, options.no_peers
        self.processes, self.samples, self.facts, self.paths = Processes(), {}, {}, {}
        self.road, self.is_broken = [], False
        self.always = []  # processes that take part in every sample: the local program
        for program in ('bench-load', 'bench-origin', 'bench-relay', 'bench-library',
                        'bench-pair', 'bench-sessions'):
            if not (self.build / 'bench' / program).exists():
                raise SystemExit(f'bench: {self.build}/bench/{program} is missing: tools/build')
        if self.has_tunnel and not (self.build / 'aditd').exists():
            raise SystemExit(f'bench: {self.build}/aditd is missing: tools/build')

    def wants(self, group):
        return not self.only or group in self.only

    def wants_peer(self, name):
        return not self.no_peers and (not self.peers or name in self.peers)

    def load(self, *command):
        return self.loads([command])[0]

    def start_load(self, *command, **options):
        return self.processes.start([self.build / 'bench' / 'bench-load', *command],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                    **options)

    def loads(self, jobs):
        """Several at once; what each says."""
        running = [self.start_load(*job) for job in jobs]
        said, wrong = [], None
        for process in running:
            try:
                said.append(json.loads(self.processes.take(process)))
            except (Failed, ValueError) as failure:
                wrong = failure
        if wrong:
            raise Failed(str(wrong))
        return said

    def keep(self, path, row, sample):
        """A peer that fails leaves its cell empty; a path of our own also fails the run."""
        if 'error' in sample:
            say(f'{path.name}, {row}: {sample["error"]}')
            self.is_broken = self.is_broken or path.kind in ('adit', 'yardstick')
        if path.version or path.name not in self.paths:  # one that never started knows none
            self.paths[path.name] = path.about()
        self.samples.setdefault(path.name, {}).setdefault(row, []).append(sample)

    def attempt(self, path, row, measure):
        """Keeps what `measure` gives, or why it gave nothing."""
        try:
            self.keep(path, row, measure())
        except (Failed, OSError, paths.peers.Unavailable) as wrong:
            self.keep(path, row, {'error': str(wrong)[-200:]})


class Rounds:
    """Interleaved: each round runs every row over every path, one path after the other, so that a
    slow minute of the machine meets all of them."""

    def __init__(self, bench):
        self.bench, self.speeds, self.running = bench, {}, []
        self.rows = [row for row in rows.ROWS
                     if bench.wants(row.group) and (row.quick or not bench.quick)]

    def run(self):
        if not self.rows:
            return
        bench = self.bench
        running = paths.started(bench, paths.own_paths(bench), say)
        running += paths.started(bench, paths.peer_paths(bench), say)
        self.running = running
        try:
            for number in range(bench.rounds):
                for row in self.rows:
                    for _ in range(1 if bench.quick else row.times):
                        self.each_path(row)
                progress(f'round {number + 1} of {bench.rounds}')
        finally:
            for path in reversed(running):
                path.close()

    def each_path(self, row):
        for path in self.running:
            if rows.fits(row, path) and not self.too_much(row, path):
                self.bench.attempt(path, row.name, lambda: self.quiet_sample(path, row))

    def too_much(self, row, path):
        """A quick run shows only that peers work."""
        return self.bench.quick and path.kind not in ('adit', 'yardstick') and \
            row.name not in ('requests-64', 'tls-64')

    def quiet_sample(self, path, row):
        """The less disturbed of two, where the first was disturbed."""
        sample = self.sample(path, row)
        if sample['others'] > OTHERS_MAX and not self.bench.quick:
            before, begin = self.used_by_others(path), time.monotonic()
            again = self.sample(path, row)
            spent = (time.monotonic() - begin) * os.cpu_count()
            for name, used in self.used_by_others(path).items():
                if used - before[name] > OTHERS_MAX * spent:
                    say(f'{row.name} over {path.name} is disturbed by {name}, which should rest')
            sample = min(sample, again, key=lambda one: one['others'])
        return sample

    def used_by_others(self, path):
        """CPU seconds of the paths that are not measured now."""
        return {other.name: sum(other.cpu().values()) for other in self.running if other is not path}

    def sample(self, path, row):
        """What the load program says, and the CPU time of each side in between."""
        command = self.command(path, row)
        bulk = None
        if row.name == 'under-bulk':
            bulk = self.bulk_beside(path, row)
        pids = path.pids()
        machine = Disturbance([pid for side in pids.values() for pid in side] + self.bench.always)
        before = {side: sum(map(cpu_seconds, pids[side])) for side in pids}
        try:
            begin = bulk and bulk_so_far(bulk)
            sample = self.bench.load(*command)
            if bulk:
                sample['bulk_gib_s'] = bulk_rate(begin, bulk_so_far(bulk))
        finally:
            if bulk:
                self.bench.processes.stop(bulk)
                bulk.communicate()
        sample['cpu_s'] = {side: sum(map(cpu_seconds, pids[side])) - before[side]
                           for side in pids if pids[side]}
        sample['others'] = machine.share()
        self.learn(path, row, sample)
        return sample

    def command(self, path, row):
        port = path.tls_port if row.tls else path.port
        command = [*row.options, '--port', port]
        seconds = 0.4 if self.bench.quick else row.seconds
        if row.options[0] in rows.BULK:
            return [*command, '--bytes', self.bulk_bytes(path, row, seconds, command)]
        return [*command, '--ms', int(seconds * 1000)]

    def bulk_bytes(self, path, row, seconds, command):
        """As much as the path carries in that time, told by a small transfer first."""
        if (path.name, row.name) not in self.speeds:
            self.learn(path, row, self.bench.load(*command, '--bytes', rows.BULK_MIB_FIRST << 20))
        mib = int(self.speeds[path.name, row.name] * seconds) >> 20
        return min(max(mib, rows.BULK_MIB_FIRST), rows.BULK_MIB_MAX) << 20

    def learn(self, path, row, sample):
        """The best speed so far: a bad moment does not make later transfers short."""
        if 'bytes' in sample:
            key = path.name, row.name
            self.speeds[key] = max(self.speeds.get(key, 0), sample['bytes'] / sample['seconds'])

    def bulk_beside(self, path, row):
        """A download that goes on for longer than the sample takes."""
        bulk = self.bench.start_load('http-down', '--port', path.port, '--streams', 1,
                                     '--bytes', 1 << 36, '--tell', stdin=subprocess.PIPE)
        time.sleep(0.3)
        return bulk


def bulk_so_far(bulk):
    """What has come of a transfer that tells, and when: (bytes, seconds)."""
    try:
        bulk.stdin.write('\n')
        bulk.stdin.flush()
        said = json.loads(bulk.stdout.readline())
    except (OSError, ValueError) as wrong:
        raise Failed('the download beside it ended') from wrong
    return said['bytes'], said['seconds']


def bulk_rate(begin, end):
    """GiB/s between two moments of a transfer."""
    return (end[0] - begin[0]) / (end[1] - begin[1]) / (1 << 30)


def two_workers(bench):
    """CPU for each request of two workers against that of one: two agents of each kind at both
    servers, 32 visitors at each agent, one server measured after the other in each round."""
    servers = [(workers, Tunnel(bench.processes, bench.build, workers, workers))
               for workers in (1, 2)]
    jobs, pids, ms = {}, {}, 400 if bench.quick else 2000
    for workers, tunnel in servers:
        for side in (0, 1):
            port, _ = tunnel.start_agent()
            common = ('requests', '--connections', 32, '--port')
            jobs.setdefault(('tcp', workers), []).append((*common, port))
            tunnel.start_agent('http', '--name', f'bench-{side}')
            host = f'bench-{side}.adit.localhost'
            wait_for_answer(tunnel.http, host=host)
            jobs.setdefault(('http', workers), []).append((*common, tunnel.http, '--host', host))
        pids[workers] = [pid for group in tunnel.pids() for pid in group]
        for kind in ('tcp', 'http'):
            bench.loads([(*job, '--ms', 200) for job in jobs[kind, workers]])  # warm
    used = {key: [] for key in jobs}
    for _ in range(max(bench.rounds, 1 if bench.quick else 5)):
        for kind, workers in jobs:
            before = sum(map(cpu_seconds, pids[workers]))
            said = bench.loads([(*job, '--ms', ms) for job in jobs[kind, workers]])
            count = sum(one['requests'] for one in said)
            used[kind, workers].append((sum(map(cpu_seconds, pids[workers])) - before) / count)
    for kind in ('tcp', 'http'):
        pairs = list(zip(used[kind, 1], used[kind, 2]))
        bench.facts[f'two_workers_{kind}'] = statistics.median(two / one for one, two in pairs)
        bench.facts[f'two_workers_{kind}_us'] = [statistics.median(values) * 1e6
                                                 for values in zip(*pairs)]
    for _, tunnel in servers:
        tunnel.close()
    progress('two workers')
