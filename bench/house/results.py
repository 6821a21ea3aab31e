"""Reading the results of a run: medians, and ratios taken within a round."""
import statistics


class Missing(Exception):
    """A figure that this run did not measure."""


def rate(sample):
    return sample['rps']


def speed(sample):
    return sample['gib_s']


def cpu(sample):
    return sum(sample['cpu_s'].values())


def cpu_us(sample):
    """Of all processes in between, for each request, message or handshake."""
    return cpu(sample) * 1e6 / sample['requests']


def cpu_gib(sample):
    return cpu(sample) * (1 << 30) / sample['bytes']


def field(name):
    return lambda sample: sample[name]


class Results:
    """`results` as in build/bench.json."""

    def __init__(self, results):
        self.paths, self.facts = results['paths'], results['facts']
        self.samples, self.road = results['samples'], results.get('road', [])

    def values(self, path, row, what):
        """One of each round, None where it failed."""
        return [None if 'error' in sample else what(sample)
                for sample in self.samples.get(path, {}).get(row, [])]

    def median(self, path, row, what):
        good = [value for value in self.values(path, row, what) if value is not None]
        if not good:
            raise Missing(f'{path}, {row}')
        return statistics.median(good)

    def compare(self, path, other, row, what, how=lambda mine, its: mine / its):
        """The median of the rounds' own comparisons."""
        pairs = [how(mine, its) for mine, its in zip(self.values(path, row, what),
                                                     self.values(other, row, what))
                 if mine is not None and its is not None]
        if not pairs:
            raise Missing(f'{path} and {other}, {row}')
        return statistics.median(pairs)

    def encrypted(self):
        """The peers that count: tunnels with encryption on their leg."""
        return [path for path, about in self.paths.items()
                if about['kind'] == 'tunnel' and about['tls']]

    def best(self, row, what, least=False):
        """The name of the encrypted peer that leads a row."""
        known = {}
        for path in self.encrypted():
            try:
                known[path] = self.median(path, row, what)
            except Missing:
                continue
        if not known:
            raise Missing(f'a peer, {row}')
        return (min if least else max)(known, key=known.get)

    def fact(self, name):
        if name not in self.facts:
            raise Missing(name)
        return self.facts[name]

    def on_road(self, path, what, key, **where):
        """A figure of the long road, of the rows that fit `where` and whose shim kept up:
        {(delay, rate, loss, cc): it}."""
        found = {}
        for row in self.road:
            if row['path'] == path and row['what'] == what and key in row and 'fault' not in row and all(
                    row[name] == value for name, value in where.items()):
                found[row['delay_ms'], row['rate_mbit'], row['loss'], row['cc']] = row[key]
        if not found:
            raise Missing(f'{path}, {what} on the road')
        return found
