"""The table that bench/run prints, from its samples. Shares are medians of the rounds' own shares,
since both halves of a round met the same machine."""
import statistics


def median(values):
    return statistics.median(values)


def thousands(value):
    return f'{value:,.0f}'


class Table:
    def __init__(self, bench):
        self.samples, self.lines = bench.samples, []
        self.paths = list(bench.samples) or ['adit']

    def values(self, path, job, value):
        return [value(sample) for sample in self.samples.get(path, {}).get(job, [])
                if 'error' not in sample]

    def share(self, path, job, value):
        pairs = zip(self.values(path, job, value), self.values('direct', job, value))
        return median([mine / direct for mine, direct in pairs])

    def row(self, name, job, value, form, has_share=False, skips=()):
        if not any(job in rows for rows in self.samples.values()):
            return
        cells = []
        for path in self.paths:
            if path in skips or not self.values(path, job, value):
                cells.append('-')
                continue
            cell = form(median(self.values(path, job, value)))
            if has_share and path != 'direct' and self.values('direct', job, value):
                cell += f' ({self.share(path, job, value):.2f})'
            cells.append(cell)
        self.lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')

    def fact(self, name, text):
        cells = [text if path == 'adit' else '-' for path in self.paths]
        self.lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')

    def text(self):
        head = ['| | ' + ' | '.join(self.paths) + ' |', '|---' * (len(self.paths) + 1) + '|']
        return '\n'.join(head + self.lines)


def cpu(sample):
    return sum(sample['cpu_s'].values())


def cpu_parts(table, job, unit, form):
    """'adit-worker 9.1, adit 8.0': the medians of each program, those that matter."""
    names = {name for sample in table.samples.get('adit', {}).get(job, []) for name in sample['cpu_s']}
    parts = {name: median(table.values('adit', job, lambda s: s['cpu_s'].get(name, 0) / unit(s)))
             for name in names}
    whole = sum(parts.values())
    return ', '.join(f'{name} {form(part)}' for name, part in
                     sorted(parts.items(), key=lambda item: -item[1]) if part >= whole / 100)


def add_load(table):
    def rate(sample):
        return sample['rps']

    def speed(sample):
        return sample['gib_s']

    def us_each(sample):
        return cpu(sample) * 1e6 / sample['requests']

    def s_per_gib(sample):
        return cpu(sample) * (1 << 30) / sample['bytes']

    def two(value):
        return f'{value:.2f}'

    def one(value):
        return f'{value:.1f}'

    table.row('requests/s, 64 keep-alive (share of direct)', 'requests-64', rate, thousands, True)
    for name in ('p50', 'p99'):
        table.row(f'{name} us there', 'requests-64', lambda s, n=name: s[f'{n}_us'], thousands)
    table.row('CPU us per request in between', 'requests-64', us_each, one, skips=('direct',))
    if table.values('adit', 'requests-64', rate):
        table.fact('of that', cpu_parts(table, 'requests-64', lambda s: s['requests'] / 1e6, one))
    table.row('requests/s, 1 connection (share)', 'requests-1', rate, thousands, True)
    for name in ('p50', 'p99'):
        table.row(f'{name} us there', 'requests-1', lambda s, n=name: s[f'{n}_us'], thousands)
    for job, name in (('down-1', 'down, 1 stream'), ('up-1', 'up, 1 stream'),
                      ('down-64', 'down, 64 streams'), ('up-64', 'up, 64 streams')):
        table.row(f'{name}, GiB/s (share)', job, speed, two, True)
        table.row(f'{name}, CPU s per GiB in between', job, s_per_gib, two, skips=('direct',))
    for job, name in (('requests-64-1024', '64 keep-alive, 1 KiB'), ('close-64', '64 close'),
                      ('tls-64', '64 keep-alive, TLS'), ('handshakes', 'TLS handshakes'),
                      ('handshakes-resumed', 'resumed'), ('websocket-64', 'WebSocket, 64')):
        table.row(f'{name}, 1/s (share)', job, rate, thousands, True)
        table.row(f'{name}, CPU us each in between', job, us_each, one, skips=('direct',))
    for job in ('start', 'back-server', 'back-link', 'back-worker'):
        table.row(f'{job}, ms', job, lambda s: s['ms'], one)
    for job in ('idle-1000', 'idle-tls-1000', 'idle-10000'):
        for side in ('server', 'agent'):
            table.row(f'{job}, KiB each, {side}', job, lambda s, n=side: s.get(f'kib_{n}', 0), two)


def add_facts(table, facts):
    """Facts of groups that were not asked for are not there."""
    for add in (add_start, add_workers):
        try:
            add(table, facts)
        except KeyError:
            pass


def add_start(table, facts):
    table.fact(f'KiB per idle agent session at the server, of {facts["idle_sessions"]}',
               f'{facts["kib_per_idle_session"]:.1f}')
    table.fact('agent, resident (proportional) KiB',
               f'{facts["agent_rss_kib"]} ({facts["agent_pss_kib"]})')
    table.fact('server, proportional KiB',
               ', '.join(f'{name} {kib}' for name, kib in facts['server_pss_kib'].items()))
    table.fact('agent, start to ready, ms', f'{facts["agent_start_ms"]:.0f}')


def add_workers(table, facts):
    for kind in ('tcp', 'http'):
        one, two = facts[f'two_workers_{kind}_us']
        table.fact(f'{kind} tunnel, CPU us per request of two workers (times that of one)',
                   f'{two:.1f} ({facts[f"two_workers_{kind}"]:.2f})')
    table.fact('stripped size, KiB', ', '.join(
        f'{name} {size / 1024:.0f}' for name, size in facts['stripped_bytes'].items()))


def render(machine, bench):
    """The Markdown."""
    table = Table(bench)
    add_load(table)
    if 'adit' in table.paths:
        add_facts(table, bench.facts)
    control = ', '.join(f'{name} on {count} sockets' for name, count in
                        bench.facts.get('congestion_control', {}).items())
    about = (f'{machine["cpu"]}, {machine["cores"]} cores, Linux {machine["kernel"]}, '
             f'{machine["openssl"]}, commit {machine["commit"]}, load average at the start '
             f'{machine["load_average"]:.1f}, nice {machine["nice"]}; medians of {bench.rounds} '
             f'interleaved rounds{"; " + control if control else ""}.')
    return about + '\n\n' + table.text() + '\n'
