"""Results for those who show them: a figure that is missing is None."""
from house.results import Missing, Results, cpu, field, rate, speed


class Look(Results):
    def __init__(self, data):
        super().__init__(data)
        order = ('yardstick', 'adit', 'tunnel', 'pair', 'hop')
        self.names = sorted(self.paths, key=lambda name: order.index(self.kind(name)))

    def rows(self):
        found = []
        for rows in self.samples.values():
            found += [row for row in rows if row not in found]
        return found

    def measured(self, row):
        """The paths that have it."""
        return [name for name in self.names
                if any('error' not in sample for sample in self.samples.get(name, {}).get(row, []))]

    def kind(self, path):
        return self.paths[path]['kind']

    def value(self, path, row, of):
        return quietly(lambda: self.median(path, row, of))

    def times(self, path, other, row, of):
        return quietly(lambda: self.compare(path, other, row, of)) if other else None

    def leader(self, row, of):
        """The encrypted peer that leads the row."""
        return quietly(lambda: self.best(row, of))


def quietly(figure):
    try:
        return figure()
    except (Missing, KeyError, ZeroDivisionError):
        return None


def count_of(sample):
    """Of what CPU time is told: microseconds for each request or message, seconds for each GiB."""
    for name in ('requests', 'messages', 'handshakes'):
        if sample.get(name):
            return sample[name] / 1e6
    return sample['bytes'] / (1 << 30)


def cpu_each(side=None):
    def of(sample):
        return (sample['cpu_s'][side] if side else cpu(sample)) / count_of(sample)
    return of


def beside(sample):
    """GiB/s of the transfer that flowed beside small requests; runs of long ago do not have it."""
    return sample['bulk_gib_s']


def latency(name):
    return field(f'{name}_us')


def spread(sample):
    """How much later the last of several streams ended than the first."""
    return sample['last_end_s'] / sample['first_end_s']


def weight(sample):
    """KiB of both sides."""
    return sum(sample.get(f'kib_{side}', 0) for side in ('server', 'agent'))
