"""That goals are judged as they say, from results made up here. bench/check runs it."""
import copy

from house import goals, leads, report, road_report, work
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


def leads_are_told(results, expect):
    """frp is the better peer by CPU time, ssh by rate; bore is better still and does not encrypt."""
    def told(changed):
        found = leads.Leads(changed)
        return {(one.row, one.figure): one for one in found.rows + found.roads}

    one = told(results)
    lead = one['requests-64', '1/s']
    expect('the best peer of a figure encrypts', (lead.peer, lead.lead), ('ssh', 2.4))
    expect('each figure has its own best peer', one['requests-64', 'CPU us'].peer, 'ssh')
    expect('equal latencies are level', (leads.is_ahead(one['requests-64', 'p50 us']),
                                         leads.is_behind(one['requests-64', 'p50 us'])),
           (False, False))
    expect('a row that no peer has is not counted', ('requests-1', '1/s') in one, False)
    changed = copy.deepcopy(results)
    changed['samples']['frp']['requests-64'] = [{**sample(10, 0.03), 'p99_us': 200}] * 2
    changed['samples']['ssh']['requests-64'][0]['cpu_s'] = {'server': 0.005, 'agent': 0.005}
    changed['samples']['adit-http'] = {'requests-64': [sample(47, 0.02), sample(25, 0.02)]}
    changed['road'].append(on_road('ssh', 150, 24))
    two = told(changed)
    expect('a row has one of the tunnels, by its first figure', {
        one.path for one in two.values() if one.row == 'requests-64'}, {'adit'})
    expect('less is better', (two['requests-64', 'p99 us'].peer, two['requests-64', 'p99 us'].lead),
           ('frp', 0.8))
    expect('a peer that spends half leads', two['requests-64', 'CPU us'].lead, 0.5)
    behind = leads.lines(leads.Leads(changed), goals.number)
    expect('where it is behind, the worst first', [(line[0].split(',')[0], line[1]) for line in behind],
           [('requests-64', 'CPU us'), ('one', 'MB/s'), ('requests-64', 'p99 us')])
    expect('the counts', leads.sentences(leads.Leads(changed), changed)[0],
           'Adit leads 1 of 4 figures of the rows, in 1 it is within 5% of the best peer, in 2 '
           'behind it')
    expect('the count of first figures', leads.of_firsts(leads.Leads(changed).rows),
           'by its first figure (rate, p50, memory) it leads 1 of 1 rows, in 0 it is level, in 0 behind')
    expect('memory that did not grow', (leads.times_better(1, 0, False), leads.times_better(0, 1, False),
                                        leads.times_better(0, 0, False)), (0.0, float('inf'), 1.0))


def beside_is_told(results, expect):
    """What flowed beside small requests, with the row and with who leads it."""
    changed = copy.deepcopy(results)
    for path, gib_s, p50_us in (('adit', 0.5, 100), ('ssh', 0.25, 50), ('bore', None, 50)):
        loaded = {**sample(100), 'p50_us': p50_us}
        changed['samples'][path]['under-bulk'] = [
            loaded if gib_s is None else {**loaded, 'bulk_gib_s': gib_s}] * 2
    told = {(one.row, one.figure): one.beside for one in leads.Leads(changed).rows}
    expect('the rate beside, of both', told['under-bulk', 'p50 us'], '0.50, its 0.25 GiB/s')
    expect('a row without a transfer beside it', told['requests-64', 'p50 us'], '')
    row = report.Report({**changed, 'machine': {}}).row('under-bulk').splitlines()
    expect('the rate in the row', [line.split('|')[-2].strip() for line in row[2:]],
           ['GiB/s beside', '---', '0.50', '-', '0.25'])
    rate_beside = work.bulk_rate((1 << 30, 1.0), (3 << 30, 2.0))
    expect('the rate is that of the time between', rate_beside, 2.0)
    said = leads.sentences(leads.Leads(changed), changed)[0]
    expect('half of the rate beside is like it', 'its bulk' in said, False)
    for loaded in changed['samples']['ssh']['under-bulk']:
        loaded['bulk_gib_s'] = 0.2
    said = leads.sentences(leads.Leads(changed), changed)[0]
    expect('less is told', said.endswith('in 1 of these with over 2 times its bulk beside'), True)


def others_are_told(results, expect):
    """Another build is told of beside, in Adit's place, and judged for nothing."""
    changed = copy.deepcopy(results)
    changed['paths']['adit@new'] = changed['paths']['adit']
    changed['samples']['adit@new'] = {'requests-64': [sample(96, 0.01), sample(52, 0.01)]}
    also = {one.name: one.figure for one in goals.judge_also(changed)['adit@new']}
    expect('the other build has a share of its own', also['adit: requests/s at 64, of direct'], 1.0)
    expect('goals that no build moves are not told', [name for name in also if 'resident' in name], [])
    expect('the goals stay', goals.judge(changed), goals.judge(results))
    expect('without another build, nothing', goals.judge_also(results), {})
    told = report.Report({**changed, 'machine': {}}).other_builds()
    expect('the table names the build', '| adit: requests/s at 64, of direct | adit@new | 1.00 |' in told,
           True)


def pair_is_told(results, expect):
    """The bare pair stands beside the goals, and is no peer."""
    changed = copy.deepcopy(results)
    changed['paths']['pair'] = {'kind': 'yardstick', 'tls': 'TLS 1.3'}
    changed['samples']['pair'] = {'requests-64': [sample(80, 0.005), sample(52, 0.005)]}
    name = 'adit: requests/s at 64, of direct'
    expect('what the pair comes to', goals.judge_pair(changed).get(name), (0.8 + 1.04) / 2)
    expect('it changes no verdict', goals.judge(changed), goals.judge(results))
    expect('without it, nothing', goals.judge_pair(results), {})
    told = report.Report({**changed, 'machine': {}})
    expect('it is told with the goal', [line for line in told.goal_lines() if name in line],
           [f'goal met: {name}: 0.50, at least 0.48 wanted, a bare pair 0.92'])
    changed['paths']['pair-library'] = changed['paths']['pair']
    changed['samples']['pair-library'] = changed['samples']['pair']
    told = report.Report({**changed, 'machine': {}})
    expect("so is the one with the library's records", [
        line for line in told.goal_lines() if name in line],
        [f'goal met: {name}: 0.50, at least 0.48 wanted, a bare pair 0.92, '
         "with the library's records 0.92"])
    expect('Adit beside it', told.beside_pair().splitlines()[-1],
           '| requests-64 | 0.55 | 2.00 | - | - |')


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
    leads_are_told(results, expect)
    beside_is_told(results, expect)
    others_are_told(results, expect)
    pair_is_told(results, expect)
    names = [goal.name for goal in goals.GOALS]
    expect('every goal has a name of its own', len(set(names)), len(names))
    for goal in goals.GOALS:
        if goal.stretch is not None and (goal.stretch < goal.target) == goal.is_least:
            wrong.append(f'{goal.name}: the stretch is easier than the target')
    return wrong
