"""The rows: which job of bench-load stands for what (docs/benchmarks.md)."""
import collections

# group: of --only, and what a path must be able to do. seconds: of one sample. options: of
# bench-load. `only`: raw (no path that takes HTTP alone), http (those alone, and direct), tls.
Row = collections.namedtuple('Row', 'name group seconds options only quick')


def row(name, group, seconds, *options, only='', quick=False):
    return Row(name, group, seconds, options, only, quick)


ROWS = (
    row('requests-64', 'requests', 2.0, 'requests', '--connections', 64, quick=True),
    row('requests-64-1024', 'requests', 1.5, 'requests', '--connections', 64, '--body', 1024),
    row('requests-1', 'requests', 1.0, 'requests', '--connections', 1),
    row('paced-2000', 'requests', 1.0, 'paced', '--connections', 64, '--rate', 2000),
    row('paced-10000', 'requests', 1.0, 'paced', '--connections', 64, '--rate', 10000),
    row('close-64', 'connections', 1.5, 'requests', '--connections', 64, '--close', quick=True),
    row('websocket-64', 'websocket', 1.0, 'websocket', '--connections', 64),
    row('websocket-1', 'websocket', 0.5, 'websocket', '--connections', 1),
    row('down-1', 'bulk', 1.0, 'down', '--streams', 1, only='raw', quick=True),
    row('up-1', 'bulk', 1.0, 'up', '--streams', 1, only='raw', quick=True),
    row('down-64', 'bulk', 1.0, 'down', '--streams', 64, only='raw'),
    row('up-64', 'bulk', 1.0, 'up', '--streams', 64, only='raw'),
    row('http-down-1', 'bulk', 1.0, 'http-down', '--streams', 1, only='http'),
    row('http-up-1', 'bulk', 1.0, 'http-up', '--streams', 1, only='http'),
    row('under-bulk', 'bulk', 1.5, 'paced', '--connections', 1, '--rate', 100, only='raw'),
    row('tls-64', 'tls', 1.5, 'requests', '--connections', 64, '--tls', only='tls', quick=True),
    row('tls-1', 'tls', 0.5, 'requests', '--connections', 1, '--tls', only='tls'),
    row('handshakes', 'tls', 1.0, 'handshakes', '--connections', 16, only='tls'),
    row('handshakes-resumed', 'tls', 1.0, 'handshakes', '--connections', 16, '--resume',
        only='tls'),
    row('tls-down-1', 'tls', 1.0, 'http-down', '--streams', 1, '--tls', only='tls'),
)
BULK = ('down', 'up', 'http-down', 'http-up')
BULK_MIB_FIRST, BULK_MIB_MAX = 16, 2048  # of the transfer that tells how fast a path is; of a sample


def fits(row, path):
    if row.only == 'tls':
        return 'tls' in path.can and bool(path.tls_port)
    if row.only == 'raw' and path.is_http:
        return False
    if row.only == 'http' and not (path.is_http or path.name == 'direct'):
        return False
    return row.group in path.can
