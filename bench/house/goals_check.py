"""That goals are judged as they say, from results made up here. bench/check runs it."""
from house import goals, road_report
from house.results import Missing, Results, rate


def sample(rps, cpu_s=0.0):
    return {'rps': rps, 'requests': 1000, 'p50_us': 100, 'p99_us': 250, 'p999_us': 300,
            'cpu_s': {'server': cpu_s, 'agent': cpu_s}}


def on_road(path, delay_ms, later_mb_s):
    return {'path': path, 'delay_ms': delay_ms, 'rate_mbit': 200, 'loss': 0, 'cc': 'cubic',
            'what': 'one', 'first_mb_s': 1, 'later_mb_s': later_mb_s}


def made_up():
    """Two rounds, the second on a machine that is half as fast; one peer fails in it."""
    return {
        'paths': {'direct': {'kind': 'yardstick', 'tls': ''}, 'adit': {'kind': 'adit', 'tls': 'TLS'},
                  'bore': {'kind': 'tunnel', 'tls': ''}, 'frp': {'kind': 'tunnel', 'tls': 'TLS'},
                  'ssh': {'kind': 'tunnel', 'tls': 'SSH'}},
        'facts': {'agent_rss_kib': 4000},
        'road': [on_road('direct', 50, 12), on_road('adit', 50, 12), on_road('direct', 150, 24),
                 on_road('adit', 150, 12), on_road('direct', 10, 24),
                 {**on_road('adit', 10, 1), 'fault': 'the shim was late'}],
        'samples': {'direct': {'requests-64': [sample(100), sample(50)]},
                    'adit': {'requests-64': [sample(48, 0.01), sample(26, 0.01)],
                             'requests-64-1024': [{**sample(9), 'p999_us': 90000}, sample(9)],
                             'requests-1': [sample(9), {'error': 'it ended'}]},
                    'bore': {'requests-64': [sample(60), sample(30)]},
                    'frp': {'requests-64': [sample(10, 0.03), sample(6, 0.03)]},
                    'ssh': {'requests-64': [sample(20), {'error': 'it ended'}]}}}


def failures():
    """What is wrong, one sentence each."""
    wrong, results = [], made_up()
    read = Results(results)

    def expect(what, got, wanted):
        if got != wanted:
            wrong.append(f'{what}: {got}, not {wanted}')

    expect('a share is taken within its round', read.compare('adit', 'direct', 'requests-64', rate),
           (0.48 + 0.52) / 2)
    expect('a failed sample counts nowhere', read.compare('adit', 'ssh', 'requests-64', rate), 2.4)
    expect('a peer without encryption is not the best', read.best('requests-64', rate), 'ssh')
    try:
        read.median('adit', 'close-64', rate)
        wrong.append('a row that was not measured has a figure')
    except Missing:
        pass
    verdicts = {verdict.name: verdict for verdict in goals.judge(results)}
    share = verdicts['adit: requests/s at 64, of direct']
    expect('at least, met', (share.met, share.stretched), (True, False))
    expect('at least, missed', verdicts['adit: requests/s at 64, times the best encrypted peer'].met,
           False)
    stall = verdicts['adit: p99.9 of small requests, us (no stall)']
    expect('a stall of one round is the machine\'s', (stall.figure, stall.met), (300, True))
    spread = verdicts['adit: p99 / p50 there']
    expect('at most, met', (spread.figure, spread.met, spread.stretched), (2.5, True, False))
    expect('at most, missed', verdicts['agent, resident KiB'].met, False)
    expect('what was not measured is not judged',
           [name for name in verdicts if 'upload' in name or name.startswith('down')], [])
    road = verdicts.get('road: one download, of direct (worst: 150 ms, 200 Mbit/s, 0 %, cubic)')
    expect('the worst road counts, without those whose shim was late', road and road.figure, 0.5)
    lines = road_report.text(results['road']).splitlines()
    expect('a line for each road and path, and the table\'s head', len(lines), 4 + 1 + 2 + 6)
    expect('the fault is told', sum('the shim was late' in line for line in lines), 1)
    names = [goal.name for goal in goals.GOALS]
    expect('every goal has a name of its own', len(set(names)), len(names))
    for goal in goals.GOALS:
        if goal.stretch is not None and (goal.stretch < goal.target) == goal.is_least:
            wrong.append(f'{goal.name}: the stretch is easier than the target')
    return wrong
