"""The table of the long roads: a line for each road and path, transfers with their share
of the direct connection, times in milliseconds over the round trip."""
COLUMNS = ('path', 'download', 'eight', 'upload', 'new, ms', 'under a download, ms',
           'under an upload, ms', '')
ABOUT = """Each transfer: MB in its first second, MB/s from then on, and of these the share that the direct
connection has. New: the median of new connections with one request. Under a transfer: a small
request's p50 and p99 on a connection that is there, and the transfer's MB/s meanwhile. Times are those
over the round trip. Roads: round trip, rate, loss, congestion control."""


def by_road(rows):
    """{road: {path: {what: row}}}; of rows measured twice the later one."""
    found = {}
    for row in rows:
        road = row['delay_ms'], row['rate_mbit'], row['loss'], row['cc']
        found.setdefault(road, {}).setdefault(row['path'], {})[row['what']] = row
    return found


def transfer(row, direct):
    if not row or 'later_mb_s' not in row:
        return '-'
    share = ''
    if direct and direct is not row and direct.get('later_mb_s'):
        share = f' ({row["later_mb_s"] / direct["later_mb_s"]:.2f})'
    return f'{row["first_mb_s"]:.1f}, {row["later_mb_s"]:.1f}{share}'


def beside(row):
    if not row or 'p50_ms' not in row:
        return '-'
    over = [row[key] - row['delay_ms'] for key in ('p50_ms', 'p99_ms')]
    return f'{over[0]:,.1f} / {over[1]:,.1f} at {row["bulk_mb_s"]:.1f}'


def line(path, rows, direct):
    new = rows.get('new', {})
    faults = [f'{what}: {row["fault"]}' for what, row in rows.items() if 'fault' in row]
    name = f'**{path}**' if path == 'adit' else path
    over = f'{new["over_ms"]:,.1f}' if 'over_ms' in new else '-'
    return [name, *(transfer(rows.get(what), direct.get(what)) for what in ('one', 'eight', 'up')),
            over, *(beside(rows.get(what)) for what in ('under_bulk', 'under_up')),
            '; '.join(faults)]


def text(rows):
    """All of it; nothing where no road was measured."""
    lines, head = [], ['road', *COLUMNS]
    for road, paths in sorted(by_road(rows).items(), key=lambda item: (item[0][3] != 'cubic',
                                                                       item[0])):
        delay, rate, loss, control = road
        name = f'{delay:g} ms, {rate}, {loss:g} %, {control}'
        for path, found in sorted(paths.items(), key=lambda item: (
                item[0] not in ('direct', 'adit'), item[0] != 'direct', item[0])):
            lines.append([name, *line(path, found, paths.get('direct', {}))])
            name = ''
    if not lines:
        return ''
    shown = [head, ['---'] * len(head), *lines]
    return ABOUT + '\n\n' + '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in shown)
