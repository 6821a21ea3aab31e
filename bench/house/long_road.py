"""The rows of a long road: what a visitor gets through each path, road by road.

    python3 -m house.long_road [--all] [--path NAME ...] [--delay MS --rate MBIT --loss PERCENT]

bench/run calls `measure`. Its rows are dicts: path, delay_ms, rate_mbit, loss, cc, what, and
  what = one, eight: `first_mb_s` in the first second from before the connect, `later_mb_s` from
         then on; of that many downloads at once
  what = new: a new connection with one request: p50_ms, p99_ms (less the round trip: `over_ms`)
  what = small: a request on a connection that is there: p50_ms, p99_ms
  what = under_bulk: the same while one download fills the same agent's link, with its `bulk_mb_s`
Each may have `fault`: a sentence, where the shim could not keep up, or the path failed.
"""
import argparse, collections, json, os, pathlib, subprocess, sys, tempfile, time

from house import peers
from house.processes import Failed, Processes
from house.road import Road

HERE = pathlib.Path(__file__).resolve().parent
ORIGIN, HTTPS, HTTP, ADMIN = 9000, 8443, 8080, 9090
STREAM_S, BULK_S, WARM_S = 5, 5, 2
NEW_COUNT, SMALL_PER_SECOND, SMALL_CONNECTIONS = 15, 20, 10
ROAD_PEERS = ('frp', 'frp-no-mux', 'rathole', 'chisel', 'ssh')
Setting = collections.namedtuple('Setting', 'delay_ms rate_mbit loss cc')
SHORT = [Setting(50, 200, 0, 'cubic'), Setting(50, 200, 0, 'bbr'), Setting(50, 200, 1, 'cubic')]
ALL = [Setting(delay, rate, loss, cc) for cc in ('cubic', 'bbr') for delay in (10, 50, 150)
       for rate in (200, 1000) for loss in (0, 0.1, 1)]


class Direct:
    """A visitor that crosses the road itself."""
    name, host, port = 'direct', Road.FAR, ORIGIN

    def close(self):
        pass


class Adit:
    """A server near its visitors, with as many workers as it takes by default, and an agent at the
    far end."""
    name, host = 'adit', Road.NEAR

    def __init__(self, processes, build, road, environment=None):
        self.processes, self.started = processes, []
        self.folder = tempfile.TemporaryDirectory(prefix='adit-bench-')
        data = pathlib.Path(self.folder.name, 'data')
        self.log = open(pathlib.Path(self.folder.name, 'log'), 'w+b')
        self.start(road.near([build / 'aditd', 'serve', '--data', data, '--domain', road.DOMAIN,
                              '--https', f'{road.NEAR}:{HTTPS}', '--http', f'127.0.0.1:{HTTP}',
                              '--admin', f'127.0.0.1:{ADMIN}']), stdout=self.log)
        token = self.token(road, build, data)
        agent = self.start(
            road.far([build / 'adit', 'tcp', f'127.0.0.1:{ORIGIN}', '--server',
                      f'connect.{road.DOMAIN}:{HTTPS}', '--ca', data / 'ca.pem', '--json']),
            stdout=subprocess.PIPE, env={**os.environ, 'ADIT_TOKEN': token, **(environment or {})})
        for line in agent.stdout:
            event = json.loads(line)
            if event.get('event') == 'ready':
                self.port = int(event['url'].rsplit(':', 1)[1])
                return
        self.close()
        raise RuntimeError('the agent was not served')

    def start(self, command, **options):
        process = self.processes.start(command, stderr=self.log, **options)
        self.started.append(process)
        return process

    def token(self, road, build, data):
        """Once the server is there."""
        for _ in range(400):
            made = subprocess.run(road.near([build / 'aditd', 'token', 'create', '--data', data,
                                             '--account', 'bench']), capture_output=True, text=True)
            if made.returncode == 0 and (data / 'ca.pem').exists():
                return made.stdout.strip()
            time.sleep(0.05)
        raise RuntimeError('no token: ' + made.stderr)

    def said(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(errors='replace')

    def close(self):
        for process in reversed(self.started):
            self.processes.stop(process)
            if process.stdout:
                process.stdout.close()
        self.log.close()
        self.folder.cleanup()


class Visitors:
    """Runs visitor.py at the near end."""

    def __init__(self, processes, road, path):
        self.processes, self.road, self.path = processes, road, path

    def begin(self, job, *numbers):
        command = [sys.executable, HERE / 'visitor.py', job, self.path.host, self.path.port, *numbers]
        return self.processes.start(self.road.near(command), stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)

    def end(self, process):
        try:
            out, wrong = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            out, wrong = process.communicate()
            wrong = 'no end in a minute'
        self.processes.running.remove(process)
        if process.returncode != 0:
            raise RuntimeError((wrong.strip().splitlines() or ['failed'])[-1])
        return json.loads(out)

    def run(self, job, *numbers):
        return self.end(self.begin(job, *numbers))

    def streams(self, count):
        got = self.run('stream', count, STREAM_S)
        second = round(1 / got['bucket_s'])
        return {'first_mb_s': rate(got, 0, second), 'later_mb_s': rate(got, second, None),
                'buckets': got['buckets']}

    def new(self):
        got = self.run('new', NEW_COUNT)
        return {**got, 'over_ms': round(got['p50_ms'] - self.road.delay_ms, 2)}

    def small(self):
        return self.run('small', 2, SMALL_PER_SECOND, SMALL_CONNECTIONS)

    def under_bulk(self):
        bulk = self.begin('stream', 1, WARM_S + BULK_S)
        time.sleep(WARM_S)
        got = self.run('small', BULK_S - 1, SMALL_PER_SECOND, SMALL_CONNECTIONS)
        moved = self.end(bulk)
        return {**got, 'bulk_mb_s': rate(moved, round(WARM_S / moved['bucket_s']), None)}


def rate(got, start, end):
    buckets = got['buckets'][start:end]
    return round(sum(buckets) / (len(buckets) * got['bucket_s']) / 1e6, 2)


WHATS = {'one': lambda visitors: visitors.streams(1), 'eight': lambda visitors: visitors.streams(8),
         'new': Visitors.new, 'small': Visitors.small, 'under_bulk': Visitors.under_bulk}


def measure_path(processes, road, path, whats=WHATS):
    """Its rows over this road."""
    rows, visitors = [], Visitors(processes, road, path)
    for what in whats:
        row = {'path': path.name, 'delay_ms': road.delay_ms, 'rate_mbit': road.rate_mbit,
               'loss': road.loss, 'cc': road.cc, 'what': what}
        time.sleep(0.3 + 4 * road.delay_ms / 1000)  # what the row before left on the road
        road.figures()
        try:
            row.update(WHATS[what](visitors))
        except (RuntimeError, Failed, OSError, ValueError) as wrong:
            row['fault'] = str(wrong)
        figures = road.figures()
        if road.fault(figures):
            row.setdefault('fault', road.fault(figures))
        rows.append(row)
    return rows


def measure(build, settings, openers, whats=WHATS, tell=lambda row: None):
    """`openers`: {name: function of (processes, road) that gives a path}; one that raises
    RuntimeError has no rows on that road."""
    rows = []
    for setting in settings:
        for name, opener in openers.items():
            processes = Processes()
            with Road(build, *setting) as road:
                try:
                    processes.start(road.far([build / 'bench' / 'bench-origin', ORIGIN]))
                    time.sleep(0.1)
                    path = opener(processes, road)
                    for row in measure_path(processes, road, path, whats):
                        rows.append(row)
                        tell(row)
                    path.close()
                except (RuntimeError, Failed) as wrong:
                    print(f'bench: {name} at {setting}: {wrong}', file=sys.stderr)
                finally:
                    processes.stop_all()
    return rows


class Peer:
    """A peer of bench/house/peers.py, its two sides at the two ends."""
    host = '127.0.0.1'

    def __init__(self, processes, build, road, kind):
        place = peers.Place(server_prefix=tuple(road.near([])), agent_prefix=tuple(road.far([])),
                            server_ip=road.NEAR, agent_ip=road.FAR, origin_port=ORIGIN)
        self.name, self.peer = kind.name, kind(processes, build, place)
        self.started = False
        try:
            self.peer.start(wait=False)
            self.started = True
            self.port = self.peer.port
            self.wait(Visitors(processes, road, self))
        except peers.Unavailable as wrong:
            self.close()
            raise RuntimeError(str(wrong)) from wrong

    def wait(self, visitors):
        for _ in range(40):
            try:
                visitors.run('new', 1)
                return
            except RuntimeError:
                time.sleep(0.25)
        self.close()
        raise RuntimeError('no answer')

    def close(self):
        if self.started:
            self.started = False
            self.peer.close()


def openers_of(build, wanted=None):
    """Of direct, Adit and the peers with a tunnel for TCP: all, or those wanted."""
    openers = {'direct': lambda processes, road: Direct(),
               'adit': lambda processes, road: Adit(processes, build, road)}
    for kind in peers.PEERS:
        if kind.name in ROAD_PEERS:
            openers[kind.name] = lambda processes, road, kind=kind: Peer(processes, build, road, kind)
    return {name: opener for name, opener in openers.items() if not wanted or name in wanted}


def one_line(row):
    shown = {key: value for key, value in row.items() if key != 'buckets'}
    print(json.dumps(shown), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default=HERE.parent.parent / 'build', type=pathlib.Path)
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--path', action='append', help='direct, adit, ' + ', '.join(ROAD_PEERS))
    parser.add_argument('--what', action='append', choices=list(WHATS))
    parser.add_argument('--delay', type=float)
    parser.add_argument('--rate', type=int, default=200)
    parser.add_argument('--loss', type=float, default=0)
    parser.add_argument('--cc', default='cubic')
    options = parser.parse_args()
    settings = ALL if options.all else SHORT
    if options.delay:
        settings = [Setting(options.delay, options.rate, options.loss, options.cc)]
    measure(options.build.resolve(), settings, openers_of(options.build.resolve(), options.path),
            options.what or WHATS, one_line)


if __name__ == '__main__':
    main()
