"""The rows: which job of bench-load stands for what (docs/benchmarks.md)."""
import collections

# group: of --only, and what a path must be able to do. seconds: of one sample. options: of
# bench-load; bulk as HTTP bodies, since some peers do not carry a half-closed connection. `tls`: for
# visitors over TLS. times: that it is taken in each round, where three samples are no figure: of a
# p99 that one slow second makes, of transfers that spread by a quarter.
Row = collections.namedtuple('Row', 'name group seconds options tls quick times')


def row(name, group, seconds, *options, tls=False, quick=False, times=1):
    return Row(name, group, seconds, options, tls, quick, times)


ROWS = (
    row('requests-64', 'requests', 1.5, 'requests', '--connections', 64, quick=True),
    row('requests-64-1024', 'requests', 1.0, 'requests', '--connections', 64, '--body', 1024),
    row('requests-1', 'requests', 0.8, 'requests', '--connections', 1),
    row('requests-1-1024', 'requests', 0.5, 'requests', '--connections', 1, '--body', 1024),
    row('paced-2000', 'requests', 0.8, 'paced', '--connections', 64, '--rate', 2000),
    row('paced-10000', 'requests', 0.8, 'paced', '--connections', 64, '--rate', 10000,
        times=3),
    row('close-64', 'connections', 1.5, 'requests', '--connections', 64, '--close', quick=True),
    row('close-64-1024', 'connections', 1.0, 'requests', '--connections', 64, '--close', '--body',
        1024, times=3),
    row('close-1', 'connections', 0.5, 'requests', '--connections', 1, '--close'),
    row('close-1-1024', 'connections', 0.5, 'requests', '--connections', 1, '--close', '--body',
        1024),
    row('websocket-64', 'websocket', 0.8, 'websocket', '--connections', 64),
    row('websocket-1', 'websocket', 0.5, 'websocket', '--connections', 1),
    row('down-1', 'bulk', 1.0, 'http-down', '--streams', 1, quick=True),
    row('up-1', 'bulk', 1.0, 'http-up', '--streams', 1, quick=True),
    row('down-64', 'bulk', 1.0, 'http-down', '--streams', 64, times=3),
    row('up-64', 'bulk', 1.0, 'http-up', '--streams', 64, times=3),
    row('under-bulk', 'bulk', 1.0, 'paced', '--connections', 1, '--rate', 100),
    row('tls-64', 'tls', 1.5, 'requests', '--connections', 64, '--tls', tls=True, quick=True),
    row('tls-1', 'tls', 0.5, 'requests', '--connections', 1, '--tls', tls=True),
    row('handshakes', 'tls', 1.0, 'handshakes', '--connections', 16, tls=True),
    row('handshakes-resumed', 'tls', 1.0, 'handshakes', '--connections', 16, '--resume',
        tls=True),
    row('tls-down-1', 'tls', 1.0, 'http-down', '--streams', 1, '--tls', tls=True),
)
BULK = ('http-down', 'http-up')
BULK_MIB_FIRST, BULK_MIB_MAX = 16, 2048  # of the transfer that tells how fast a path is; of a sample


def fits(row, path):
    return row.group in path.can and (not row.tls or bool(path.tls_port)) and \
        (not path.only or row.name in path.only)
