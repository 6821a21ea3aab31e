"""Who leads which row: every figure that has a better direction, of Adit and of the peer that encrypts
and is best at just that figure.

A row is carried by one of Adit's tunnels for all its figures: by the one whose first figure is the
better one, where both carry it. Compared is the median of the rounds' own ratios. Within LEVEL of each
other nobody leads: that much two equals differ by on a shared machine. A long road is measured once,
so there the ratio is that of one round."""
import collections, math

from house.look import beside, cpu_each, latency, quietly, rate, speed, spread, weight
from house.results import Missing, Results, field

LEVEL = 1.05
LIKE = 0.5  # a peer that carries less than this share of Adit's bulk beside stands on an emptier road
OWN = ('adit', 'adit-http')
PEERS = ('tunnel', 'pair')  # of haproxy, which is no tunnel, but leads some rows

# is_most: more is better. lead: how many times better Adit is; below 1: the peer is. beside: under what
# load, where that is not the same for both; load: the peer's, of Adit's.
Figure = collections.namedtuple('Figure', 'name of is_most')
Verdict = collections.namedtuple('Verdict', 'row figure path mine peer its lead beside load',
                                 defaults=('', None))

RATE = Figure('1/s', rate, True)
SPEED = Figure('GiB/s', speed, True)
P50, P99 = (Figure(f'{at} us', latency(at), False) for at in ('p50', 'p99'))
CPU_US = Figure('CPU us', lambda s: cpu_each()(s), False)
CPU_GIB = Figure('CPU s/GiB', lambda s: cpu_each()(s), False)
SPREAD = Figure('last/first end', spread, False)
MS = Figure('ms', field('ms'), False)
BOTH_KIB = Figure('KiB, both sides', weight, False)
SERVER_KIB = Figure('KiB, server', field('kib_server'), False)
AGENT_KIB = Figure('an agent, resident KiB', field('rss_agent'), False)

ROAD = (('one', 'later_mb_s', True), ('up', 'later_mb_s', True), ('eight', 'later_mb_s', True),
        ('new', 'p50_ms', False), ('under_bulk', 'p50_ms', False), ('under_bulk', 'p99_ms', False),
        ('under_up', 'p50_ms', False), ('under_up', 'p99_ms', False))
ROAD_NAMES = {'later_mb_s': 'MB/s', 'p50_ms': 'p50 ms', 'p99_ms': 'p99 ms'}


def figures_of(row):
    """The first one decides which tunnel carries the row. What a schedule fixes has no better direction,
    and CPU time beside a transfer is mostly the transfer's."""
    name = row.split('-')[0]
    if name in ('down', 'up') or row.endswith('down-1'):
        return (SPEED, CPU_GIB, SPREAD) if row.endswith('64') else (SPEED, CPU_GIB)
    if name == 'under':
        return P50, P99
    if name == 'paced':
        return P50, P99, CPU_US
    if name == 'idle':
        return (BOTH_KIB,)
    if name == 'sessions':
        return SERVER_KIB, AGENT_KIB
    if name in ('start', 'back'):
        return (MS,)
    return RATE, P50, P99, CPU_US


def times_better(mine, its, is_most):
    """How many times; a figure of nothing or less (memory that did not grow) is as good as can be."""
    mine, its = (mine, its) if is_most else (its, mine)
    if mine <= 0 or its <= 0:
        return 1.0 if mine == its else math.inf if its <= 0 else 0.0
    return mine / its


class Leads:
    """Verdicts of a run's results (as in build/bench.json)."""

    def __init__(self, data, own=OWN):
        self.read, self.own = Results(data), own
        self.peers = [path for path, about in data['paths'].items()
                      if about['kind'] in PEERS and about['tls']]
        rows = []
        for path in self.own:
            rows += [row for row in data['samples'].get(path, {}) if row not in rows]
        self.rows = [verdict for row in rows for verdict in self.of_row(row)]
        self.roads = [verdict for what in ROAD for verdict in self.of_road(*what)]

    def best(self, paths, row, figure):
        known = {}
        for path in paths:
            value = quietly(lambda: self.read.median(path, row, figure.of))
            if value is not None:
                known[path] = value
        return (max if figure.is_most else min)(known, key=known.get) if known else None

    def of_row(self, row):
        figures = figures_of(row)
        path = self.best(self.own, row, figures[0])
        for figure in figures:
            peer = self.best(self.peers, row, figure)
            mine = quietly(lambda: self.read.median(path, row, figure.of))
            if peer is None or mine is None:
                continue
            lead = quietly(lambda: self.read.compare(
                path, peer, row, figure.of, lambda a, b: times_better(a, b, figure.is_most)))
            if lead is not None:
                loads = [quietly(lambda: self.read.median(name, row, beside))
                         for name in (path, peer)]
                yield Verdict(row, figure.name, path, mine, peer,
                              self.read.median(peer, row, figure.of), lead, *of_loads(loads, 'GiB/s'))

    def of_road(self, what, key, is_most):
        """Of each road that Adit and a peer have, the best peer there."""
        try:
            mine = self.read.on_road(self.own[0], what, key)
        except Missing:
            return
        for road, value in mine.items():
            peers = {}
            for peer in self.peers:
                found = quietly(lambda: self.read.on_road(peer, what, key))
                if found and road in found:
                    peers[peer] = found[road]
            if peers:
                peer = (max if is_most else min)(peers, key=peers.get)
                loads = [quietly(lambda: self.read.on_road(name, what, 'bulk_mb_s')[road])
                         for name in (self.own[0], peer)]
                place = f'{what}, {road[0]:g} ms, {road[1]} Mbit/s, {road[2]:g} %, {road[3]}'
                yield Verdict(place, ROAD_NAMES[key], self.own[0], value, peer, peers[peer],
                              times_better(value, peers[peer], is_most),
                              *of_loads(loads, 'MB/s'))


def of_loads(loads, unit):
    """What flowed beside, of Adit and the peer, in words, and the peer's share of Adit's; nothing where
    that is not known of both."""
    if not all(loads):
        return '', None
    form = '.2f' if unit == 'GiB/s' else '.1f'
    return f'{loads[0]:{form}}, its {loads[1]:{form}} {unit}', loads[1] / loads[0]


def is_ahead(verdict):
    return verdict.lead > LEVEL


def is_behind(verdict):
    return verdict.lead < 1 / LEVEL


def is_unlike(verdict):
    return verdict.load is not None and verdict.load < LIKE


def count(verdicts, what):
    """In words: of how many figures Adit leads, and is level with the best."""
    ahead, behind = sum(map(is_ahead, verdicts)), sum(map(is_behind, verdicts))
    unlike = sum(is_behind(verdict) and is_unlike(verdict) for verdict in verdicts)
    said = (f'Adit leads {ahead} of {len(verdicts)} figures of {what}, in '
            f'{len(verdicts) - ahead - behind} it is within {LEVEL - 1:.0%} of the best peer, in '
            f'{behind} behind it')
    return said + (f', in {unlike} of these with over {1 / LIKE:g} times its bulk beside' if unlike else '')


def of_firsts(verdicts):
    """In words: the same by the figure that a row is for, its first."""
    firsts = list({verdict.row: verdict for verdict in reversed(verdicts)}.values())
    ahead, behind = sum(map(is_ahead, firsts)), sum(map(is_behind, firsts))
    return (f'by its first figure (rate, p50, memory) it leads {ahead} of {len(firsts)} rows, in '
            f'{len(firsts) - ahead - behind} it is level, in {behind} behind')


def lines(leads, number):
    """For a table: where Adit is behind, the worst first."""
    behind = [verdict for verdict in leads.rows + leads.roads if is_behind(verdict)]
    return [[verdict.row, verdict.figure, verdict.path, number(verdict.mine), verdict.peer,
             number(verdict.its), f'{verdict.lead:.2f}', verdict.beside or '-']
            for verdict in sorted(behind, key=lambda one: one.lead)]


def sentences(leads, data):
    """The counts, where there is a peer to count by."""
    said = [count(verdicts, what) for verdicts, what in ((leads.rows, 'the rows'),
                                                         (leads.roads, 'the long roads')) if verdicts]
    said += [of_firsts(leads.rows)] if leads.rows else []
    for path in OWN if leads.rows else ():
        alone = Leads(data, (path,)).rows
        said.append(f'with {path} alone: {sum(map(is_ahead, alone))} of {len(alone)} of the rows, '
                    f'{sum(map(is_behind, alone))} behind')
    return said


def as_json(leads):
    return [{**verdict._asdict(), 'lead': None if math.isinf(verdict.lead) else verdict.lead}
            for verdict in leads.rows + leads.roads]
