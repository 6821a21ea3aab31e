"""Markdown from the results of a run: the goals, a table for each row, and where it was."""
import pathlib, re

from house import goals, leads, road_report
from house.look import Look, beside, cpu_each, field, latency, quietly, rate, speed, spread

TITLES = {
    'requests-64': '64 connections, keep-alive', 'requests-1': 'one connection, keep-alive',
    'requests-64-1024': '64 connections, keep-alive, bodies of 1 KiB',
    'requests-1-1024': 'one connection, keep-alive, bodies of 1 KiB',
    'paced-2000': 'open loop, 2,000 requests/s', 'paced-10000': 'open loop, 10,000 requests/s',
    'close-64': '64 connections, a new one for each request',
    'close-64-1024': '64 connections, a new one for each request, bodies of 1 KiB',
    'close-1': 'one connection at a time, a new one for each request',
    'close-1-1024': 'one connection at a time, a new one for each request, bodies of 1 KiB',
    'websocket-64': 'WebSocket messages, 64 connections',
    'websocket-1': 'WebSocket messages, one connection',
    'under-bulk': 'small requests while a download fills the same link',
    'tls-64': 'TLS visitors, 64 connections, keep-alive', 'tls-1': 'TLS visitor, one connection',
    'handshakes': 'TLS visitors, a full handshake for each request',
    'handshakes-resumed': 'TLS visitors, a resumed handshake for each request',
    'down-1': 'download, one stream', 'up-1': 'upload, one stream',
    'down-64': 'download, 64 streams', 'up-64': 'upload, 64 streams',
    'http-down-1': 'download as an HTTP body', 'http-up-1': 'upload as an HTTP body',
    'tls-down-1': 'download as an HTTP body over TLS',
}
US_EACH_TO_S = 0.1  # microseconds for each request, as seconds for 100,000
OTHERS_MAX = 0.1  # of the machine: more disturbs a sample
START = '<!-- bench/run writes what follows -->'
END = '<!-- bench/run wrote what stands above -->'
PICTURES = (('requests', 'Requests a second'), ('cpu', 'CPU for each request'),
            ('latency', 'Latency at one connection'), ('bulk', 'Bulk'),
            ('memory', 'Memory for each idle visitor'),
            ('road', 'A long road: one stream'),
            ('under-bulk', 'A long road: a small request under bulk'))


def whole(value):
    return f'{value:,.0f}'


def one(value):
    return f'{value:,.1f}'


def two(value):
    return f'{value:,.2f}'


def percent(value):
    return f'{100 * value:.2f} %'


def cell(value, form):
    return '-' if value is None else form(value)


def table(head, lines):
    return '\n'.join(['| ' + ' | '.join(head) + ' |', '|---' * len(head) + '|'] +
                     ['| ' + ' | '.join(line) + ' |' for line in lines])


class Report:
    def __init__(self, data):
        self.results = Look(data)
        self.machine = data['machine']
        self.rounds = data.get('rounds', 0)
        self.verdicts = goals.judge(data)
        self.also, self.pair = goals.judge_also(data), goals.judge_pair(data)
        self.by_library = goals.judge_pair(data, 'pair-library')
        self.data, self.leads = data, leads.Leads(data)

    def about(self):
        machine = self.machine
        control = ', '.join(f'{name} on {count} sockets' for name, count in
                            self.results.facts.get('congestion_control', {}).items())
        return (f'`{machine.get("command", "bench/run")}`: {machine["cpu"]}, {machine["cores"]} '
                f'cores, Linux {machine["kernel"]}, {machine["openssl"]}, commit '
                f'{machine["commit"]}, load average at the start {machine["load_average"]:.1f}, '
                f'nice {machine["nice"]}; medians of {self.rounds} interleaved '
                f'round{"s" if self.rounds != 1 else ""}{"; " + control if control else ""}.'
                f'{self.disturbed()}')

    def disturbed(self):
        """How much of it others of the machine had a hand in."""
        shares = [sample['others'] for rows in self.results.samples.values()
                  for row in rows.values() for sample in row if 'others' in sample]
        many = sum(share > OTHERS_MAX for share in shares)
        return (f' In {many} of {len(shares)} samples other programs used more than '
                f'{OTHERS_MAX:.0%} of the machine.') if many else ''

    def versions(self):
        lines = []
        for name in self.results.names:
            about = self.results.paths[name]
            lines.append([name, about.get('version') or '-', about.get('tls') or 'none',
                          about.get('note') or '-'])
        return table(['path', 'version', 'encrypted by', ''], lines)

    def goal_lines(self):
        return [goals.line(verdict, self.pair.get(verdict.name), self.by_library.get(verdict.name))
                for verdict in self.verdicts]

    def goal_table(self):
        lines = []
        for verdict in self.verdicts:
            word = 'at least ' if verdict.is_least else 'at most '
            lines.append([verdict.name, goals.number(verdict.figure),
                          word + goals.number(verdict.target),
                          '-' if verdict.stretch is None else goals.number(verdict.stretch),
                          cell(self.pair.get(verdict.name), goals.number),
                          cell(self.by_library.get(verdict.name), goals.number),
                          'met, and the stretch' if verdict.stretched else
                          'met' if verdict.met else '**missed**'])
        return table(['goal', 'found', 'wanted', 'stretch', 'a bare pair',
                      "with the library's records", ''], lines) if lines else ''

    def where_it_does_not_lead(self):
        """Every figure in which an encrypted peer is ahead."""
        said = leads.sentences(self.leads, self.data)
        if not said:
            return ''
        behind = leads.lines(self.leads, goals.number)
        return '\n\n'.join(['; '.join(said) + '.', *([table(
            ['row', 'figure', '', 'found', 'best peer', 'its', 'Adit better by', 'beside'],
            behind)] if behind else [])])

    def beside_pair(self):
        """What is left between Adit and the least that its shape can cost."""
        results, lines = self.results, []
        for row in results.rows() if 'pair' in results.names else ():
            of = speed if quietly(lambda: results.median('pair', row, speed)) else rate
            line = [cell(results.times(path, 'pair', row, what), two)
                    for path in ('adit', 'adit-http') for what in (of, cpu_each())]
            if line != ['-'] * len(line) and row != 'under-bulk':  # whose rate is a schedule's
                lines.append([row, *line])
        return table(['of a bare pair', 'adit: rate', 'CPU', 'adit-http: rate', 'CPU'],
                     lines) if lines else ''

    def other_builds(self):
        """What the goals for speed come to with another build: told, and not judged."""
        return table(['goal', 'with', 'found', 'wanted'], [
            [verdict.name, name, goals.number(verdict.figure),
             ('at least ' if verdict.is_least else 'at most ') + goals.number(verdict.target)]
            for name, verdicts in self.also.items() for verdict in verdicts]) if self.also else ''

    def ratios(self, path, row, of):
        """Against direct and the best peer that encrypts."""
        best = self.results.leader(row, of)
        return [cell(self.results.times(path, other, row, of), two)
                for other in ('direct', best)]

    def row(self, name):
        results = self.results
        paths = results.measured(name)
        is_bulk = any(results.value(path, name, speed) is not None for path in paths)
        of = speed if is_bulk else rate
        best = results.leader(name, of)
        head = ['', 'GiB/s' if is_bulk else '1/s', 'of direct',
                f'of {best}' if best else 'of the best peer']
        head += ['last/first end', 'CPU s/GiB server', 'agent'] if is_bulk else \
            ['p50 us', 'p99', 'p99.9', 'CPU us server', 'agent']
        has_beside = any(results.value(path, name, beside) is not None for path in paths)
        head += ['GiB/s beside'] if has_beside else []
        lines = []
        for path in paths:
            line = [f'**{path}**' if results.kind(path) == 'adit' else path,
                    cell(results.value(path, name, of), two if is_bulk else whole)]
            line += self.ratios(path, name, of)
            if is_bulk:
                line.append(cell(results.value(path, name, spread), two))
            else:
                line += [cell(results.value(path, name, latency(at)), whole)
                         for at in ('p50', 'p99', 'p999')]
            line += [cell(results.value(path, name, cpu_each(side)), two if is_bulk else one)
                     for side in ('server', 'agent')]
            line += [cell(results.value(path, name, beside), two)] if has_beside else []
            lines.append(line)
        return f'**{TITLES.get(name, name)}** (`{name}`)\n\n' + table(head, lines)

    def cpu(self):
        """What each side spends on the same work."""
        rows = [('requests-64', ', 100,000 requests', US_EACH_TO_S)] + [
            (row, ', a GiB', 1) for row in ('down-1', 'up-1', 'down-64', 'up-64')]
        rows = [row for row in rows if self.results.measured(row[0])]
        lines = []
        for path in self.results.names:
            sides = [[self.spent(path, row, side, scale) for side in ('server', 'agent')]
                     for row, _, scale in rows]
            if any(server is not None for server, _ in sides):
                lines.append([path] + [' + '.join(cell(value, two) for value in pair
                                                  if value is not None) or '-' for pair in sides])
        return table(['CPU s, server + agent'] + [row + what for row, what, _ in rows],
                     lines) if lines else ''

    def spent(self, path, row, side, scale):
        value = self.results.value(path, row, cpu_each(side))
        return None if value is None else value * scale

    def started(self):
        rows = [row for row in ('start', 'back-server', 'back-worker', 'back-link')
                if self.results.measured(row)]
        paths = [path for path in self.results.names
                 if any(path in self.results.measured(row) for row in rows)]
        return table(['ms'] + rows, [[path] + [
            cell(self.results.value(path, row, field('ms')), one) for row in rows]
            for path in paths]) if rows else ''

    def idle(self):
        """Of visitors who stay, then of agents without one."""
        rows = [row for row in self.results.rows() if row.startswith('idle-')]
        keys = (('count', whole), ('kib_server', two), ('kib_agent', two),
                ('kib_server_second_half', two), ('kib_agent_second_half', two),
                ('cpu_share', percent))
        return table(['', '', 'visitors', 'KiB each, server', 'agent', 'of the second half, server',
                      'agent', 'CPU meanwhile'], self.lines_of(rows, keys)) if rows else ''

    def sessions(self):
        rows = [row for row in self.results.rows() if row.startswith('sessions-')]
        keys = (('count', whole), ('kib_server', two), ('kib_server_second_half', two),
                ('cpu_share', percent), ('rss_agent', whole))
        return table(['', '', 'agents', 'KiB each, server', 'of the second half', 'CPU meanwhile',
                      'an agent, resident KiB'], self.lines_of(rows, keys)) if rows else ''

    def lines_of(self, rows, keys):
        """Of each row and path, the medians of those fields."""
        return [[row, path] + [cell(self.results.value(path, row, field(key)), form)
                               for key, form in keys]
                for row in rows for path in self.results.measured(row)]

    def fact_table(self):
        facts, lines = self.results.facts, []
        if 'agent_rss_kib' in facts:
            lines += [['agent, resident (proportional) KiB',
                       f'{whole(facts["agent_rss_kib"])} ({whole(facts["agent_pss_kib"])})'],
                      ['server, proportional KiB', named(facts['server_pss_kib'], whole)],
                      ['agent, start to ready, ms', whole(facts['agent_start_ms'])]]
        for kind in ('tcp', 'http'):
            if f'two_workers_{kind}' in facts:
                _, used = facts[f'two_workers_{kind}_us']
                lines.append([f'{kind} tunnel, CPU us per request of two workers (times one)',
                              f'{one(used)} ({two(facts[f"two_workers_{kind}"])})'])
        lines += self.handshakes()
        if 'stripped_bytes' in facts:
            sizes = {name: size / 1024 for name, size in facts['stripped_bytes'].items()}
            lines.append(['stripped size, KiB', named(sizes, whole)])
        return table(['', 'adit'], lines) if lines else ''

    def handshakes(self):
        """What TLS adds to a connection, beside the library alone: over memory, and over sockets."""
        lines = []
        for row, kind in (('handshakes', 'full'), ('handshakes-resumed', 'resumed')):
            mine, sockets = (quietly(lambda: goals.tls_us(self.results, path, row))
                             for path in ('adit-http', 'library'))
            if mine and sockets:
                memory = self.results.facts.get('library', {}).get(kind, {}).get('server_us')
                lines.append([f'{kind} handshake, CPU us of the server more than a connection in '
                              f'clear (the library over sockets, over memory)',
                              f'{one(mine)} ({one(sockets)}, {cell(memory, one)}): '
                              f'{two(sockets / mine)} of the library over sockets'])
        return lines

    def rows(self):
        return [self.row(name) for name in self.results.rows()
                if name in TITLES and self.results.measured(name)]

    def text(self):
        """All of it, for standard output."""
        parts = [self.about(), self.versions(), self.cpu(), *self.rows(), self.started(), self.idle(),
                 self.sessions(), self.fact_table(), road_report.text(self.results.road),
                 self.where_it_does_not_lead(), self.beside_pair(), self.other_builds()]
        return '\n\n'.join(part for part in parts if part) + '\n'

    def is_missed(self):
        return any(not verdict.met for verdict in self.verdicts)

    def document(self, pictures):
        """For docs/benchmarks.md; `pictures`: names of those that were drawn."""
        parts = [self.about(), self.goal_table()]
        parts += [f'![{title}](benchmarks/{name}.png)' for name, title in PICTURES
                  if name in pictures]
        for title, found in (('Where Adit does not lead', [self.where_it_does_not_lead()]),
                             ('Beside a bare pair', [self.beside_pair()]),
                             ('Another build', [self.other_builds()]),
                             ('Paths', [self.versions()]),
                             ('CPU', [self.cpu()]), ('Rows', self.rows()),
                             ('Start, and coming back', [self.started()]),
                             ('Idle', [self.idle(), self.sessions(), self.fact_table()]),
                             ('A long road', [road_report.text(self.results.road)])):
            found = [part for part in found if part]
            if found:
                parts += [f'### {title}', *found]
        return '\n\n'.join(part for part in parts if part) + '\n'


def named(values, form):
    return ', '.join(f'{name} {form(value)}' for name, value in values.items())


def write(report, pictures, path):
    """Renews what stands between the markers."""
    path = pathlib.Path(path)
    text = path.read_text()
    found = re.search(re.escape(START) + '.*?' + re.escape(END), text, re.DOTALL)
    if not found:
        raise SystemExit(f'bench: {path} has no place for results: {START} ... {END}')
    path.write_text(text[:found.start()] + f'{START}\n\n{report.document(pictures)}\n{END}' +
                    text[found.end():])
