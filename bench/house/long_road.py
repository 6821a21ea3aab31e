"""The rows of a long road: what a visitor gets through each path, road by road.

    python3 -m house.long_road [--all] [--path NAME ...] [--delay MS --rate MBIT --loss PERCENT]
                               [--seed N ...]

A *cell* is one path over one road: half a minute. bench/run calls `measure` with the cells. A
seed is one pattern of losses, the same in each run. The rows are dicts: path, delay_ms, rate_mbit,
loss, cc, seed, what, and
  what = one, up: one download or upload: `first_mb_s` in the first second from before the connect,
         `later_mb_s` from then on
  what = under_bulk, under_up: small requests on connections that are there (p50_ms, p99_ms) while
         the same transfer goes on, with its `bulk_mb_s`
  what = eight: as one, of eight downloads at once
  what = new: a new connection with one request: p50_ms, p99_ms (less the round trip: `over_ms`)
Each may have `fault`: a sentence, where the shim could not keep up, or the path failed.
"""
import argparse, collections, concurrent.futures, json, os, pathlib, subprocess, sys, tempfile, time

from house import peers
from house.processes import Failed, Processes
from house.road import Road

HERE = pathlib.Path(__file__).resolve().parent
ORIGIN, HTTPS, HTTP, ADMIN = 9000, 8443, 8080, 9090
ALONE_S, BESIDE_S, EIGHT_S = 4, 3, 3  # of a transfer: alone, beside small requests; of eight
FAR_MS, FAR_ALONE_S = 100, 6  # so long a fast road takes two seconds to fill
NEW_COUNT, SMALL_PER_SECOND, SMALL_CONNECTIONS = 8, 180, 60
SMALL_CONNECT_S = 0.5  # for its connections
SMALL_START_S = SMALL_CONNECT_S + 0.2  # until a visitor's small requests begin
SMALL_END_S = 0.7  # before the transfer's
QUIET_MBIT = 500  # a faster road wants the machine to itself
AT_ONCE = 2  # of the slower ones
ROAD_PEERS = ('frp', 'frp-no-mux', 'rathole', 'chisel', 'ssh', 'haproxy-pair')
ALL_PATHS = ('direct', 'adit', 'frp', 'rathole')  # on the many roads; the few have all
Setting = collections.namedtuple('Setting', 'delay_ms rate_mbit loss cc seed', defaults=[1])
Cell = collections.namedtuple('Cell', 'setting name')
SHORT = [Setting(50, 200, 0, 'cubic'), Setting(50, 200, 0, 'bbr'), Setting(50, 200, 1, 'cubic')]
ALL = [*(Setting(delay, rate, loss, 'cubic') for rate in (200, 1000) for delay in (10, 50, 150)
         for loss in (0, 0.1, 1)),
       *(Setting(delay, 200, 0, 'bbr') for delay in (10, 50, 150))]
FEW = [*SHORT, Setting(10, 1000, 0, 'cubic')]  # of the many, those with every path


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

    def eight(self):
        return {'eight': begun(self.run('stream', 8, EIGHT_S))}

    def one(self):
        return self.beside('stream', (1,), ('one', 'under_bulk'))

    def up(self):
        return self.beside('upload', (), ('up', 'under_up'))

    def beside(self, job, numbers, names):
        """One transfer, alone at first, then beside small requests."""
        is_far = self.road.delay_ms >= FAR_MS and self.road.rate_mbit >= QUIET_MBIT
        alone_s = FAR_ALONE_S if is_far else ALONE_S
        bulk = self.begin(job, *numbers, alone_s + BESIDE_S)
        time.sleep(alone_s - SMALL_START_S)
        try:
            got = self.run('small', BESIDE_S - SMALL_END_S, SMALL_PER_SECOND, SMALL_CONNECTIONS,
                           SMALL_CONNECT_S)
        finally:
            moved = self.end(bulk)
        split = round(alone_s / moved['bucket_s'])
        alone = {**moved, 'buckets': moved['buckets'][:split]}
        return {names[0]: begun(alone), names[1]: {**got, 'bulk_mb_s': rate(moved, split, None)}}

    def new(self):
        got = self.run('new', NEW_COUNT)
        return {'new': {**got, 'over_ms': round(got['p50_ms'] - self.road.delay_ms, 2)}}


def begun(moved):
    second = round(1 / moved['bucket_s'])
    return {'first_mb_s': rate(moved, 0, second), 'later_mb_s': rate(moved, second, None),
            'buckets': moved['buckets']}


def rate(got, start, end):
    buckets = got['buckets'][start:end]
    return round(sum(buckets) / (len(buckets) * got['bucket_s']) / 1e6, 2)


WHATS = {'one': Visitors.one, 'eight': Visitors.eight, 'new': Visitors.new, 'up': Visitors.up}


def measure_path(processes, road, path, whats=WHATS):
    """Its rows over this road."""
    rows, visitors = [], Visitors(processes, road, path)
    where = {'path': path.name, 'delay_ms': road.delay_ms, 'rate_mbit': road.rate_mbit,
             'loss': road.loss, 'cc': road.cc, 'seed': road.seed}
    for what in whats:
        time.sleep(0.3 + 3 * road.delay_ms / 1000)  # what the row before left on the road
        road.figures()
        try:
            found = WHATS[what](visitors)
        except (RuntimeError, Failed, OSError, ValueError) as wrong:
            found = {what: {'fault': str(wrong)}}
        fault = road.fault(road.figures())
        for name, row in found.items():
            rows.append({**where, 'what': name, **({'fault': fault} if fault else {}), **row})
    return rows


def measure_cell(build, cell, opener, whats):
    """Its rows; none where the path cannot be opened."""
    processes = Processes()
    with Road(build, **cell.setting._asdict()) as road:
        try:
            processes.start(road.far([build / 'bench' / 'bench-origin', ORIGIN]))
            time.sleep(0.1)
            path = opener(processes, road)
            rows = measure_path(processes, road, path, whats)
            path.close()
            return rows
        except (RuntimeError, Failed) as wrong:
            print(f'bench: {cell.name} at {cell.setting}: {wrong}', file=sys.stderr)
            return []
        finally:
            processes.stop_all()


def quieter(build, cell, opener, whats):
    """Once more where the shim could not keep up; the better one."""
    rows = measure_cell(build, cell, opener, whats)
    if not any('shim' in row.get('fault', '') for row in rows):
        return rows
    again = measure_cell(build, cell, opener, whats)
    return min(rows, again, key=lambda some: sum('fault' in row for row in some) if some else 9)


def named(setting):
    return (f'{setting.delay_ms:g} ms, {setting.rate_mbit} Mbit/s, {setting.loss:g} %, '
            f'{setting.cc}' + (f', seed {setting.seed}' if setting.seed != 1 else ''))


def cells_of(settings, names, rows=(), is_wanted=lambda setting, name: True):
    """All but those that have rows already."""
    done = {(row['path'], row['delay_ms'], row['rate_mbit'], row['loss'], row['cc'],
             row.get('seed', 1)) for row in rows}
    return [Cell(setting, name) for setting in settings for name in names
            if (name, *setting) not in done and is_wanted(setting, name)]


def in_all(setting, name):
    """Of the many roads, which paths go over which."""
    return name in ALL_PATHS or setting in FEW


def measure(build, cells, openers, whats=WHATS, tell=lambda cell, rows: None):
    """`openers`: {name: function of (processes, road) that gives a path}; one that raises
    RuntimeError has no rows on that road. Roads that leave the machine idle go several at once."""
    quick = [cell for cell in cells if cell.setting.rate_mbit < QUIET_MBIT]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as several:
        running = {several.submit(quieter, build, cell, openers[cell.name], whats): cell
                   for cell in quick}
        try:
            for ended in concurrent.futures.as_completed(running):
                tell(running[ended], ended.result())
        except BaseException:  # a run that is cut waits only for the cells that have begun
            several.shutdown(wait=False, cancel_futures=True)
            raise
    for cell in cells:
        if cell not in quick:
            tell(cell, quieter(build, cell, openers[cell.name], whats))


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


def one_line(_, rows):
    for row in rows:
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
    parser.add_argument('--seed', action='append', type=int, help='of the losses; again for more')
    options = parser.parse_args()
    settings = ALL if options.all else SHORT
    if options.delay:
        settings = [Setting(options.delay, options.rate, options.loss, options.cc)]
    settings = [setting._replace(seed=seed) for seed in options.seed or [1] for setting in settings]
    openers = openers_of(options.build.resolve(), options.path)
    measure(options.build.resolve(), cells_of(settings, openers), openers, options.what or WHATS,
            one_line)


if __name__ == '__main__':
    main()
