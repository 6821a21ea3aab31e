"""What perf saw of a process: which part of the kernel, which library, which folder of ours."""
import bisect, collections, os, pathlib, re, select, signal, subprocess

from house.processes import Failed, cpu_seconds

PER_SECOND, READY_S = 2500, 30
# Where each of our programs is in a build, and its name in the table: a yardstick's is its side.
PROGRAMS = {'adit-worker': ('libexec/adit/adit-worker', 'worker'),
            'adit-door': ('libexec/adit/adit-door', 'door'), 'adit': ('adit', 'agent'),
            'bench-pair': ('bench/bench-pair', None), 'bench-library': ('bench/bench-library', None)}

# What of the kernel a sample is: the first that has one of its functions in the call chain.
KERNEL = (
    ('scheduling', ('schedule', '__schedule', 'do_sched_yield', 'schedule_hrtimeout_range')),
    ('send, its receiving end', ('__netif_receive_skb_one_core', 'tcp_v4_rcv', 'net_rx_action')),
    ('send', ('__sys_sendto', '__sys_sendmsg', 'sock_write_iter')),
    ('receive', ('__sys_recvfrom', '__sys_recvmsg', 'sock_read_iter')),
    ('epoll', ('do_epoll_wait', 'do_epoll_ctl', '__x64_sys_epoll_wait', '__x64_sys_epoll_ctl')),
    ('connections', ('__sys_accept4', '__sys_connect', '__sys_socket', '__sys_shutdown',
                     '__sys_setsockopt', '__sys_getsockname', '__sys_getpeername', '__x64_sys_close',
                     '__fput', 'task_work_run')),
)
COLUMNS = ('send', 'send, its receiving end', 'receive', 'epoll', 'connections', 'scheduling',
           'other kernel', 'libcrypto', 'libssl', 'libc', 'ours')


def symbols(*files):
    """(address, function) of each that they define, as they stand."""
    said = subprocess.run(['nm', '--defined-only', '--no-sort', *files], capture_output=True,
                          text=True).stdout
    return [(int(address, 16), function) for address, function in re.findall(
        r'^([0-9a-f]+) [tTwW] (\S+)$', said, re.MULTILINE)]


def folders(build):
    """{function: where it is}, of every library of ours: of a name that several have, all of them."""
    found = collections.defaultdict(set)
    for archive in (build / 'src').rglob('*.a'):
        for _, function in symbols(archive):
            found[function].add(str(archive.parent.relative_to(build / 'src')))
    return found


class Program:
    """Whose function is at an address. perf does not find the programs whose sandbox has closed."""

    def __init__(self, build, name, ours):
        self.functions = sorted(symbols(build / PROGRAMS[name][0]))
        names = {function for _, function in self.functions}
        if not names:
            raise SystemExit(f'bench/profile: {build / PROGRAMS[name][0]} has no symbols')
        inside = {folder for function, where in ours.items() if function in names and len(where) == 1
                  for folder in where}  # a name of its own tells that a folder is in the program
        self.ours = {function: ' or '.join(sorted(where & inside or where))
                     for function, where in ours.items()}
        for part in ('src', 'bench'):
            for _, function in symbols(*(build / part).rglob(f'{name}.p/*.o')):
                self.ours[function] = 'main'
        self.has_openssl = 'CRYPTO_malloc' in names

    def folder(self, address):
        """`main` for what is in no library of ours; none for an OpenSSL that is linked in."""
        place = bisect.bisect(self.functions, (address, '~'))
        _, function = self.functions[max(place - 1, 0)]
        return self.ours.get(function, '' if self.has_openssl else 'main')


def judged(chain, program):
    """The column of a sample, and the folder where it is one of ours. `chain`: (address, function,
    file), where it was first."""
    address, _, file = chain[0]
    if file.startswith('[') and file != '[vdso]':
        names = {name for _, name, _ in chain}
        return next((column for column, those in KERNEL if names.intersection(those)),
                    'other kernel'), ''
    name = pathlib.Path(file).name
    for library in ('libcrypto', 'libssl'):
        if name.startswith(library):
            return library, ''
    if name in PROGRAMS:
        folder = program.folder(address)
        return ('ours', folder) if folder else ('libcrypto', '')
    return 'libc', ''


def chains(text):
    """(process, chain) of each sample of perf script."""
    for block in text.split('\n\n'):
        lines = block.strip('\n').split('\n')
        frames = [re.fullmatch(r'\s*([0-9a-f]+) (.+?) \((.+)\)', line) for line in lines[1:]]
        frames = [(int(frame[1], 16), frame[2], frame[3]) for frame in frames if frame]
        if frames:
            yield int(lines[0].split()[0]), frames


def started(pids, data):
    """perf, once it says that it counts, and the pipes for orders to it and its answers."""
    read_orders, orders = os.pipe()
    answers, write_answers = os.pipe()
    perf = subprocess.Popen(
        ['perf', 'record', '-q', '-e', 'cpu-clock', '-F', str(PER_SECOND), '-g', '-o', data, '-p',
         ','.join(map(str, pids)), '-D', '-1', f'--control=fd:{read_orders},{write_answers}'],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        pass_fds=(read_orders, write_answers))
    os.close(read_orders)
    os.close(write_answers)
    os.write(orders, b'enable\n')
    if not select.select([answers], [], [], READY_S)[0] or not os.read(answers, 16):
        perf.kill()
        raise Failed(f'perf does not start ({perf.poll()}): {perf.communicate()[1][-300:]}')
    return perf, orders, answers


def recorded(bench, path, command, folder):
    """One job under perf: (program, its name in the table, seconds of CPU, chains) of each process, and
    what bench-load said."""
    pids = {pid: (name, PROGRAMS[name][1] or side) for side, those in path.pids().items()
            for pid, name in those.items() if name in PROGRAMS}
    data = pathlib.Path(folder, 'perf.data')
    before = {pid: cpu_seconds(pid) for pid in pids}
    perf, orders, answers = started(pids, data)
    try:
        said = bench.load(*command)
    finally:
        perf.send_signal(signal.SIGINT)
        wrong = perf.communicate()[1]
        os.close(orders)
        os.close(answers)
    used = {pid: cpu_seconds(pid) - before[pid] for pid in pids}
    script = subprocess.run(['perf', 'script', '-i', data, '-F', 'pid,ip,sym,dso'],
                            capture_output=True, text=True)
    samples = collections.defaultdict(list)
    for pid, chain in chains(script.stdout):
        samples[pid].append(chain)
    if not samples:
        raise Failed(f'perf has no samples: {wrong}{script.stderr}'[-500:])
    return [(*pids[pid], used[pid], samples[pid]) for pid in pids], said


def line_of(row, path, process, each, found):
    """A row of the table: shares in percent, the folders of ours that have a tenth of a percent."""
    total = sum(found.values())
    columns, modules = collections.Counter(), collections.Counter()
    for (column, folder), count in found.items():
        columns[column] += count
        if folder:
            modules[folder] += count
    shares = [f'{100 * columns[column] / total:.1f}' for column in COLUMNS]
    inside = ', '.join(f'{folder} {100 * count / total:.1f}'
                       for folder, count in modules.most_common() if count / total >= 0.001)
    return [row, path, process, f'{each:.1f}', *shares, inside or '-']
