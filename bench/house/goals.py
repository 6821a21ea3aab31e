"""The goals, as data: what is computed from the results, what is wanted, and what would be better
still. `judge` tells each that the run has measured."""
import collections

from house.results import Missing, Results, cpu_gib, cpu_us, field, rate, speed

# is_least: at least the target is wanted, else at most. stretch: None where there is none.
Goal = collections.namedtuple('Goal', 'name figure target stretch is_least')
Verdict = collections.namedtuple('Verdict', 'name figure target stretch is_least met stretched')

ROWS_OF_SMALL_REQUESTS = ('requests-64', 'requests-64-1024', 'requests-1')
STALL_US = 40000  # delayed acknowledgements: 40 ms


def least(name, figure, target, stretch=None):
    return Goal(name, figure, target, stretch, True)


def most(name, figure, target, stretch=None):
    return Goal(name, figure, target, stretch, False)


def times_best(path, row, what):
    return lambda r: r.compare(path, r.best(row, what), row, what)


def times(path, other, row, what):
    return lambda r: r.compare(path, other, row, what)


def of(path, row, what):
    return lambda r: r.median(path, row, what)


def spread(path):
    return lambda r: r.median(path, 'requests-64', lambda s: s['p99_us'] / s['p50_us'])


def stall(path):
    """The worst row's p99.9 in its best round: a stall of the program's own is in every round, one of
    a busy machine is not."""
    def figure(r):
        rounds = [[value for value in r.values(path, row, field('p999_us')) if value is not None]
                  for row in ROWS_OF_SMALL_REQUESTS]
        if not all(rounds):
            raise Missing(f'{path}, small requests')
        return max(map(min, rounds))
    return figure


def added(r, path):
    """Microseconds over direct, at one connection."""
    return r.compare(path, 'direct', 'requests-1', field('p50_us'), lambda mine, its: mine - its)


def added_times_best(path):
    def figure(r):
        peers = [added(r, peer) for peer in r.encrypted() if r.values(peer, 'requests-1', rate)]
        if not peers:
            raise Missing('peers')
        return added(r, path) / min(peers)
    return figure


def of_aes(row):
    return lambda r: r.median('adit', row, speed) / r.fact('aes_gcm_gib_s')


def both_sides(row):
    return lambda r: sum(r.median('adit', row, field(f'kib_{side}')) for side in ('server', 'agent'))


def server_us(sample):
    return sample['cpu_s']['server'] * 1e6 / sample['requests']


def tls_us(r, path, row):
    """What TLS adds to a new connection, of the server's CPU time."""
    return r.median(path, row, server_us) - r.median(path, 'close-64', server_us)


def of_library(row, kind):
    """What the library's server spends for a handshake over memory, over what TLS adds to a
    connection."""
    return lambda r: r.fact('library')[kind]['server_us'] / tls_us(r, 'adit-http', row)


def aggregate(way):
    return lambda r: (r.median('adit', f'{way}-64', speed) / r.median('adit', f'{way}-1', speed))


def unfairness(way):
    return lambda r: r.median('adit', f'{way}-64', lambda s: s['last_end_s'] / s['first_end_s'])


class Worst(float):
    """A figure of the worst of the roads measured, and which that was."""
    where = ''


def worst(pick, figures):
    """`figures`: {(delay, rate, loss, cc): figure}; `pick`: min or max."""
    if not figures:
        raise Missing('a road that both have')
    road = pick(figures, key=figures.get)
    found = Worst(figures[road])
    found.where = f'{road[0]:g} ms, {road[1]} Mbit/s, {road[2]:g} %, {road[3]}'
    return found


def payload_mb_s(road):
    """What TCP can carry there: 1448 bytes in each packet of 1500."""
    return road[1] / 8 * 1448 / 1500


def road_share(what, key, **where):
    """Of direct, which hands over more for a moment than a road carries when it fills a gap."""
    def figure(r):
        mine, direct = (r.on_road(path, what, key, **where) for path in ('adit', 'direct'))
        return worst(min, {road: mine[road] / min(direct[road], payload_mb_s(road))
                           for road in mine if direct.get(road)})
    return figure


def road_over(what, key, **where):
    """Milliseconds over the round trip."""
    def figure(r):
        return worst(max, {road: value - road[0] for road, value in
                           r.on_road('adit', what, key, **where).items()})
    return figure


def road_bulk(alone, beside):
    """A transfer's rate beside small requests, of what it had before them."""
    def figure(r):
        before = r.on_road('adit', alone, 'later_mb_s', loss=0)
        after = r.on_road('adit', beside, 'bulk_mb_s', loss=0)
        return worst(min, {road: after[road] / before[road] for road in after
                           if before.get(road)})
    return figure


A_CONNECTION_EACH = ('rathole', 'frp-no-mux', 'haproxy-pair')


def best_at_loss(r, what, key, best):
    """{road: (figure, peer)} of the best peer with a connection for each stream, at 1 % loss."""
    found = {}
    for peer in A_CONNECTION_EACH:
        try:
            for road, value in r.on_road(peer, what, key, loss=1).items():
                found[road] = best(found.get(road, (value, peer)), (value, peer))
        except Missing:
            continue
    return found


def road_lossy(what, key, is_least=True):
    """At 1 % loss, of the best such peer; a time with how many times that peer's transfer goes on
    beside it."""
    best, pick = (max, min) if is_least else (min, max)

    def figure(r):
        mine, peers = r.on_road('adit', what, key, loss=1), best_at_loss(r, what, key, best)
        shares = {road: mine[road] / peers[road][0] for road in mine
                  if peers.get(road, (0, ''))[0] > 0}
        found = worst(pick, shares)
        if not is_least:
            road = next(road for road, share in shares.items() if share == found)
            rates = [r.on_road(path, what, 'bulk_mb_s', loss=1).get(road)
                     for path in ('adit', peers[road][1])]
            found.where += f', at {rates[0] / rates[1]:.0f} times the rate of {peers[road][1]}'
        return found
    return figure


def each_tunnel():
    for path in ('adit', 'adit-http'):
        yield least(f'{path}: requests/s at 64, times the best encrypted peer',
                    times_best(path, 'requests-64', rate), 2.5)
        yield least(f'{path}: requests/s at 64, times the haproxy pair with HTTP/2',
                    times(path, 'haproxy-h2', 'requests-64', rate), 1.5)
        yield least(f'{path}: requests/s at 64, of direct',
                    times(path, 'direct', 'requests-64', rate), 0.48, 0.52)
        yield most(f'{path}: p99 / p50 there', spread(path), 3, 2)
        yield most(f'{path}: p99.9 of small requests, us (no stall)', stall(path), STALL_US)
        yield most(f'{path}: CPU per request, times the haproxy pair',
                   times(path, 'haproxy-pair', 'requests-64', cpu_us), 0.36)
        yield most(f'{path}: CPU per request, times one plain hop',
                   times(path, 'relay', 'requests-64', cpu_us), 1.15)
        yield most(f'{path}: added p50 at 1 connection, times the best encrypted peer',
                   added_times_best(path), 0.75)
        yield most(f'{path}: added p50 at 1 connection, us', lambda r, p=path: added(r, p), 100, 50)
        yield least(f'{path}: new connections/s, times the best encrypted peer',
                    times_best(path, 'close-64', rate), 2)
        yield most(f'{path}: CPU us per new connection', of(path, 'close-64', cpu_us), 120, 80)


def each_transfer():
    for row in ('down-1', 'up-1', 'down-64', 'up-64'):
        yield least(f'{row}: GiB/s, times the best encrypted peer',
                    times_best('adit', row, speed), 1.5)
        yield least(f'{row}: GiB/s, times the haproxy pair',
                    times('adit', 'haproxy-pair', row, speed), 1.25)
        yield most(f'{row}: CPU per GiB, times the haproxy pair',
                   times('adit', 'haproxy-pair', row, cpu_gib), 0.7)
        yield most(f'{row}: CPU s per GiB', of('adit', row, cpu_gib), 2.2, 1.7)
    yield least('down-1: of one core of AES-GCM', of_aes('down-1'), 0.2, 0.3)
    for way in ('down', 'up'):
        yield least(f'{way}: 64 streams together, of one', aggregate(way), 0.95)
        yield most(f'{way}-64: last end / first end', unfairness(way), 1.3, 1.1)


TLS_GOALS = (
    least('TLS visitors: requests/s, times one haproxy hop',
          times('adit-http', 'haproxy-hop', 'tls-64', rate), 1.0, 1.15),
    least('full handshakes, of the library alone', of_library('handshakes', 'full'), 0.9),
    least('resumed handshakes, of the library alone',
          of_library('handshakes-resumed', 'resumed'), 0.9),
)

GOALS = (
    *each_tunnel(),
    *each_transfer(),
    *TLS_GOALS,
    *(most(f'KiB per idle {what}, of {count:,}', figure(count), target, stretch)
      for what, figure, target, stretch in (
          ('stream, both sides', lambda count: both_sides(f'idle-{count}'), 1, 0.3),
          ('TLS visitor', lambda count: of('adit-http', f'idle-tls-{count}', field('kib_server')),
           16, 4),
          ('agent session', lambda count: of('adit', f'sessions-{count}', field('kib_server')),
           20, 8))
      for count in (1000, 10000)),
    most('agent, resident KiB', lambda r: r.fact('agent_rss_kib'), 3072, 2048),
    most('agent, start to a working address, ms', of('adit', 'start', field('ms')), 150, 60),
    most('two workers, CPU per request, TCP', lambda r: r.fact('two_workers_tcp'), 1.1, 1.03),
    most('two workers, CPU per request, HTTP', lambda r: r.fact('two_workers_http'), 1.1, 1.03),
    least('road: one download, of direct', road_share('one', 'later_mb_s', loss=0), 0.97, 1.0),
    least('road: one upload, of direct', road_share('up', 'later_mb_s', loss=0), 0.97, 1.0),
    most('road: new connection, ms over the round trip', road_over('new', 'p50_ms', loss=0),
         3, 1.5),
    *(goal for cc in ('cubic', 'bbr') for goal in (
        most(f'road, {cc}: small request under {name}, {at} ms over the round trip',
             road_over(what, f'{at}_ms', loss=0, cc=cc), *wanted)
        for what, name in (('under_bulk', 'a download'), ('under_up', 'an upload'))
        for at, wanted in (('p50', (8, 3)), ('p99', (30, 12))))),
    least('road: a download beside small requests, of before', road_bulk('one', 'under_bulk'), 0.95),
    least('road: an upload beside small requests, of before', road_bulk('up', 'under_up'), 0.95),
    *(least(f'road, 1 % loss: {name}, of the best peer with a connection each',
            road_lossy(what, 'later_mb_s'), 1.0)
      for what, name in (('one', 'a download'), ('up', 'an upload'), ('eight', 'eight downloads'))),
    most('road, 1 % loss: p99 of a small request under a download, of the best such peer',
         road_lossy('under_bulk', 'p99_ms', is_least=False), 1.0),
)


def of_speed():
    """The goals that another build of the same sources may change."""
    tunnels = [goal for goal in each_tunnel() if 'CPU' in goal.name or 'requests/s' in goal.name]
    return [*tunnels, *each_transfer(), *TLS_GOALS]


def judge_also(results):
    """{folder: verdicts} on those goals, with other builds (bench/run --also) in Adit's place. They count
    for nothing. Facts are those of the run's own build, its library too."""
    found = {}
    for name in results['paths']:
        if name.startswith('adit@') and not name.endswith('-http'):
            found[name] = judge(in_place(results, name, f'{name}-http'), of_speed())
    return {name: verdicts for name, verdicts in found.items() if verdicts}


def judge_pair(results, pair='pair'):
    """{goal's name: what it comes to with a bare pair in Adit's place}: where that misses it too, the
    limit is that of two processes with TLS between them on this machine."""
    goals = [*each_tunnel(), *each_transfer()]
    return {verdict.name: verdict.figure
            for verdict in judge(in_place(results, pair, pair), goals)}


def in_place(results, tcp, http):
    """The results with other paths in the place of Adit's."""
    paths, samples = ({**results[part]} for part in ('paths', 'samples'))
    for mine, its in (('adit', tcp), ('adit-http', http)):
        paths.pop(mine, None)
        samples.pop(mine, None)
        if its in results['paths']:
            paths[mine], samples[mine] = paths[its], samples.get(its, {})
    return {**results, 'paths': paths, 'samples': samples}


def judge(results, wanted=None):
    """A verdict on each goal whose figure the results (as in build/bench.json) hold."""
    read, verdicts = Results(results), []
    for goal in GOALS if wanted is None else wanted:
        try:
            figure = goal.figure(read)
        except (Missing, ZeroDivisionError, ValueError):
            continue

        def reaches(wanted):
            return wanted is not None and (
                figure >= wanted if goal.is_least else figure <= wanted)
        place = getattr(figure, 'where', '')
        name = f'{goal.name} (worst: {place})' if place else goal.name
        verdicts.append(Verdict(name, figure, goal.target, goal.stretch, goal.is_least,
                                reaches(goal.target), reaches(goal.stretch)))
    return verdicts


def number(value):
    return f'{value:,.0f}' if value >= 1000 else f'{value:.2f}'


def line(verdict, pair=None, by_library=None):
    """What the bare pair comes to, and the one with the library's record layer."""
    said = 'met, and the stretch' if verdict.stretched else 'met' if verdict.met else 'MISSED'
    words = 'at least' if verdict.is_least else 'at most'
    return (f'goal {said}: {verdict.name}: {number(verdict.figure)}, {words} '
            f'{number(verdict.target)} wanted' +
            ('' if pair is None else f', a bare pair {number(pair)}') +
            ('' if by_library is None else f', with the library\'s records {number(by_library)}'))
