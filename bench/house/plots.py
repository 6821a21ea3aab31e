"""Pictures of a run, for docs/benchmarks/. Colours are of Okabe and Ito, which people who see
colours differently can tell apart; Adit also stands out by its bold name."""
import pathlib

from house.look import Look, cpu_each, latency, rate, speed, weight

ADIT, YARDSTICK, PEER, LINE = '#0072B2', '#8C8C8C', '#D5DCE2', '#7A8B99'
INK, FAINT = '#222222', '#DDDDDD'
WIDTH = 8.0  # inches
SHADES = ('#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#F0E442')


def prepared():
    """matplotlib, or None where it is not installed."""
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use('Agg')
    import matplotlib.pyplot as plots
    plots.rcParams.update({
        'font.size': 9, 'axes.titlesize': 10, 'axes.titleweight': 'bold', 'axes.titlelocation':
        'left', 'axes.edgecolor': FAINT, 'axes.spines.top': False, 'axes.spines.right': False,
        'axes.axisbelow': True, 'axes.grid': True, 'grid.color': FAINT, 'grid.linewidth': 0.6,
        'text.color': INK, 'axes.labelcolor': INK, 'xtick.color': INK, 'ytick.color': INK,
        'ytick.major.size': 0, 'savefig.dpi': 150, 'figure.facecolor': 'white'})
    return plots


def over(key):
    """Of a row, milliseconds over the round trip; None where no request was answered."""
    return lambda row: max(row[key] - row['delay_ms'], 0.1) if key in row else None


class Plots:
    def __init__(self, data, folder):
        self.plots, self.results = prepared(), Look(data)
        self.folder, self.drawn = pathlib.Path(folder), []
        machine = data['machine']
        if self.plots:
            import matplotlib.ticker
            self.ticker = matplotlib.ticker
        rounds = data.get('rounds', 1)
        self.foot = f'{machine["cpu"]}, {machine["cores"]} cores, Linux {machine["kernel"]}, ' \
                    f'commit {machine["commit"]}; ' + \
                    (f'medians of {rounds} rounds' if rounds > 1 else 'one round')

    def colour(self, path):
        kind = self.results.kind(path)
        return ADIT if kind == 'adit' else YARDSTICK if kind == 'yardstick' else PEER

    def bold(self, axes, names):
        for label, name in zip(axes.get_yticklabels(), names):
            label.set_fontweight('bold' if self.results.kind(name) == 'adit' else 'normal')

    def save(self, figure, name, top=1.0):
        self.folder.mkdir(parents=True, exist_ok=True)
        figure.text(0.99, 0.004, self.foot, ha='right', va='bottom', fontsize=6, color=YARDSTICK)
        figure.tight_layout(rect=(0, 0.02, 1, top))
        figure.savefig(self.folder / f'{name}.png', metadata={'Software': None})
        self.plots.close(figure)
        self.drawn.append(name)

    def logarithmic(self, axes):
        axes.set_xscale('log')
        least, most = axes.get_xlim()
        if most / least < 30:  # less than a power and a half: marks at 1, 2 and 5
            axes.xaxis.set_major_locator(self.ticker.LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f'{value:,g}')
        axes.xaxis.set_minor_formatter(lambda value, _: '')

    def sorted_paths(self, row, of, is_least=False):
        """The best at the top: bars are drawn from below."""
        found = [(self.results.value(path, row, of), path) for path in self.results.measured(row)]
        found = sorted((pair for pair in found if pair[0] is not None), reverse=is_least)
        return [path for _, path in found], [value for value, _ in found]

    def bars(self, axes, row, of, title, form, is_least=False, room=0):
        """One panel: a bar for each path, the best on top; as high as `room` bars need."""
        names, values = self.sorted_paths(row, of, is_least)
        axes.barh(range(len(names)), values, color=[self.colour(name) for name in names],
                  height=0.72)
        axes.set_yticks(range(len(names)), names)
        self.bold(axes, names)
        most = max(values)
        for at, value in enumerate(values):
            axes.text(value + most * 0.012, at, form(value), va='center', fontsize=8)
        axes.set_xlim(0, most * 1.16)
        axes.set_ylim(len(names) - max(room, len(names)) - 0.6, len(names) - 0.4)
        axes.set_title(title)
        axes.grid(False, axis='y')
        axes.xaxis.set_major_locator(self.plots.MaxNLocator(5))
        axes.xaxis.set_major_formatter(lambda value, _: f'{value:,g}')

    def panels(self, name, rows, of, form, is_least=False):
        """`rows`: [(row, title)]: a panel for each that was measured."""
        rows = [pair for pair in rows if self.sorted_paths(pair[0], of)[0]]
        if not rows:
            return
        across = 2 if len(rows) > 1 else 1
        down = (len(rows) + across - 1) // across
        most = max(len(self.results.measured(row)) for row, _ in rows)
        figure, grid = self.plots.subplots(down, across, squeeze=False,
                                           figsize=(WIDTH, down * (0.7 + 0.21 * most)))
        for axes, (row, title) in zip(grid.flat, rows):
            self.bars(axes, row, of, title, form, is_least, most)
        for axes in list(grid.flat)[len(rows):]:
            axes.set_visible(False)
        self.save(figure, name)

    def requests(self):
        self.panels('requests', [('requests-64', 'Requests a second, 64 connections'),
                                 ('close-64', 'New connections a second'),
                                 ('tls-64', 'TLS visitors: requests a second, 64'),
                                 ('websocket-64', 'WebSocket messages a second, 64')],
                    rate, lambda value: f'{value:,.0f}')

    def bulk(self):
        self.panels('bulk', [('down-1', 'Download, one stream, GiB/s'),
                             ('up-1', 'Upload, one stream, GiB/s'),
                             ('down-64', 'Download, 64 streams, GiB/s'),
                             ('up-64', 'Upload, 64 streams, GiB/s')], speed,
                    lambda value: f'{value:.2f}')

    def cpu(self):
        """Stacked: server and agent."""
        row = 'requests-64'
        names = [name for name in self.sorted_paths(row, cpu_each(), True)[0] if name != 'direct']
        if not names:
            return
        figure, axes = self.plots.subplots(figsize=(WIDTH, 0.9 + 0.24 * len(names)))
        starts = [0.0] * len(names)
        for side, colours, hatch in (('server', (ADIT, YARDSTICK, '#9DB4C6'), ''),
                                     ('agent', ('#56B4E9', '#BBBBBB', PEER), '')):
            values = [self.results.value(name, row, cpu_each(side)) or 0 for name in names]
            shades = [colours[0 if self.results.kind(name) == 'adit' else
                              1 if self.results.kind(name) == 'yardstick' else 2] for name in names]
            axes.barh(range(len(names)), values, left=starts, color=shades, height=0.72,
                      edgecolor='white', linewidth=0.8)
            starts = [start + value for start, value in zip(starts, values)]
        for at, value in enumerate(starts):
            axes.text(value + max(starts) * 0.01, at, f'{value:.1f}', va='center', fontsize=8)
        axes.set_yticks(range(len(names)), names)
        self.bold(axes, names)
        axes.set_xlim(0, max(starts) * 1.1)
        axes.grid(False, axis='y')
        axes.set_title('CPU for each request, 64 connections, microseconds: server (dark), agent '
                       '(light)')
        self.save(figure, 'cpu')

    def latency(self):
        """A dot at p50, a line to p99 and a mark there."""
        row = 'requests-1'
        names, _ = self.sorted_paths(row, latency('p50'), True)
        if not names:
            return
        figure, axes = self.plots.subplots(figsize=(WIDTH, 0.9 + 0.24 * len(names)))
        for at, name in enumerate(names):
            low, high = (self.results.value(name, row, latency(of)) for of in ('p50', 'p99'))
            colour = LINE if self.colour(name) == PEER else self.colour(name)
            axes.plot([low, high], [at, at], color=colour, linewidth=1.6, solid_capstyle='butt')
            axes.plot(low, at, 'o', color=colour, markersize=6)
            axes.plot(high, at, '|', color=colour, markersize=9, markeredgewidth=1.8)
            axes.annotate(f'{low:,.0f}', (low, at), (-6, 0), textcoords='offset points',
                          ha='right', va='center', fontsize=8)
            axes.annotate(f'{high:,.0f}', (high, at), (6, 0), textcoords='offset points',
                          ha='left', va='center', fontsize=8)
        axes.set_yticks(range(len(names)), names)
        self.bold(axes, names)
        self.logarithmic(axes)
        axes.margins(x=0.12)
        axes.grid(False, axis='y')
        axes.set_title('One connection: dot p50, bar p99, microseconds (logarithmic)')
        self.save(figure, 'latency')

    def memory(self):
        row = 'idle-1000'
        names, values = self.sorted_paths(row, weight, True)
        pairs = [(name, value) for name, value in zip(names, values) if value > 0]
        if not pairs:
            return
        names, values = zip(*pairs)
        figure, axes = self.plots.subplots(figsize=(WIDTH, 0.9 + 0.24 * len(names)))
        for at, (name, value) in enumerate(zip(names, values)):
            colour = LINE if self.colour(name) == PEER else self.colour(name)
            axes.plot(value, at, 'o', color=colour, markersize=7)
            axes.annotate(f'{value:,.2f}' if value < 10 else f'{value:,.0f}', (value, at), (7, 0),
                          textcoords='offset points', va='center', fontsize=8)
        axes.set_yticks(range(len(names)), names)
        self.bold(axes, names)
        self.logarithmic(axes)
        axes.margins(x=0.12)
        axes.set_title('KiB for each idle visitor, server and agent together (logarithmic)')
        self.save(figure, 'memory')

    # A long road: one group of marks for each road.

    def roads(self, what, of):
        """[(road's name, {path: value})], and all paths."""
        found, names = {}, []
        for row in self.results.road:
            if row['what'] != what or 'fault' in row or of(row) is None:
                continue
            key = f'{row["delay_ms"]:g} ms, {row["rate_mbit"]} Mbit/s, {row["loss"]:g} %, ' \
                  f'{row["cc"]}'
            found.setdefault(key, {})[row['path']] = of(row)
            if row['path'] not in names:
                names.append(row['path'])
        return list(found.items()), names

    def mark(self, path, names):
        if path in ('adit', 'direct'):
            return {'color': ADIT if path == 'adit' else INK, 'marker': 'o' if path == 'adit' else '|',
                    'markersize': 7 if path == 'adit' else 11, 'markeredgewidth': 1.8, 'zorder': 3}
        others = [name for name in names if name not in ('adit', 'direct')]
        at = others.index(path)
        return {'color': SHADES[at % len(SHADES)], 'marker': 'sD^vPX'[at % 6], 'markersize': 5,
                'markeredgewidth': 0.6}

    def road_picture(self, name, title, panels):
        """`panels`: [(what, value of a row, title)]"""
        panels = [(self.roads(what, of), about) for what, of, about in panels]
        panels = [panel for panel in panels if panel[0][0]]
        if not panels:
            return
        most = max(len(found) for (found, _), _ in panels)
        figure, grid = self.plots.subplots(1, len(panels), squeeze=False, sharey=True,
                                           figsize=(WIDTH, 1.6 + 0.27 * most))
        for axes, ((found, names), about) in zip(grid.flat, panels):
            for at, (_, values) in enumerate(reversed(found)):
                for path, value in values.items():
                    axes.plot(value, at, linestyle='', label=path, **self.mark(path, names))
            axes.set_yticks(range(len(found)), [road for road, _ in reversed(found)])
            axes.set_ylim(-0.6, len(found) - 0.4)
            axes.set_title(about)
            self.logarithmic(axes)
        shown = dict(zip(*reversed(grid.flat[0].get_legend_handles_labels())))
        figure.suptitle(title, x=0.01, ha='left', fontsize=10, fontweight='bold')
        inches = figure.get_figheight()
        figure.legend(shown.values(), shown.keys(), loc='upper left', ncol=len(shown),
                      bbox_to_anchor=(0, 1 - 0.22 / inches), frameon=False, fontsize=8)
        self.save(figure, name, 1 - 0.4 / inches)

    def road(self):
        direct = {(row['delay_ms'], row['rate_mbit'], row['loss'], row['cc'], row['what']):
                  row.get('later_mb_s') for row in self.results.road if row['path'] == 'direct'}

        def share(row):
            key = row['delay_ms'], row['rate_mbit'], row['loss'], row['cc'], row['what']
            return row['later_mb_s'] / direct[key] if direct.get(key) else None
        self.road_picture('road', 'Throughput, times that of the direct connection',
                          [('one', share, 'one stream'), ('eight', share, 'eight streams')])
        self.road_picture('under-bulk', 'A small request under bulk: milliseconds over the round '
                          'trip', [('under_bulk', over('p50_ms'), 'p50'),
                                   ('under_bulk', over('p99_ms'), 'p99')])

    def draw(self):
        """The names of the pictures that were drawn: none without matplotlib."""
        if self.plots:
            for picture in (self.requests, self.cpu, self.latency, self.bulk, self.memory,
                            self.road):
                picture()
        return self.drawn
