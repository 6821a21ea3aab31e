"""A long road between two network namespaces, made by bench-road.

    with Road(build, delay_ms=50, rate_mbit=200, loss=0.1, cc='cubic') as road:
        server = subprocess.Popen(road.near(['aditd', 'serve', '--domain', road.DOMAIN, ...]))
        agent = subprocess.Popen(road.far(['adit', 'tcp', '9000', '--server',
                                           'connect.road.test:8443', ...]))
        ...
        print(road.figures())

Near: the server and its visitors, at 10.77.0.1. Far: the agent and the local program, at 10.77.0.2.
`road.near(command)` and `road.far(command)` are the same command, run at that end. At the far end
/etc/hosts knows connect.road.test (and road.test) as the near end. The delay is a round trip, the
rate holds for each direction, the loss is in percent and random, and the FIFO before the bottleneck
holds `queue_ms`. Both the road and the loopbacks use the congestion control `cc`, as the route's
(a program may still choose another one for a socket). Buffers grow up to `buffer_max` (bytes) at
both ends, the same for everyone: the machine's own limit of 4 MiB may be less than a long road holds.

`road.figures()` tells what happened since it was asked last: {'seconds', 'to_far', 'to_near'}, each
way with packets, bytes, dropped_queue, dropped_random, dropped_here, busy_s, late, lag_us,
lag_max_us. `Road.fault(figures)` is a sentence where the shim itself could not keep up, else None.

The road runs at a real-time priority, and so do the programs at both ends, one step lower, where
that is allowed: a reader that is woken late stops the kernel from growing its window (it counts
what was read in a round trip less what still waits to be read), and a road that is late drops.
Needs root, or an outer namespace in which one is (bench/run makes it).
"""
import json, pathlib, shutil, subprocess, tempfile

IP = shutil.which('ip') or '/usr/sbin/ip'
REALTIME = ['chrt', '--rr', '1']
TRAINS_MBIT = 500  # from here on the shim carries trains of packets
TRAIN_BYTES = 16384  # at most: 0.13 ms of 1 Gbit/s
LATE_SHARE_MAX = 0.02  # of the packets, more than 1 ms late: the shim did not keep its road


class Road:
    NEAR, FAR, DOMAIN = '10.77.0.1', '10.77.0.2', 'road.test'

    def __init__(self, build, delay_ms, rate_mbit, loss=0.0, cc='cubic', queue_ms=50, seed=1,
                 buffer_max=64 << 20):
        self.program = pathlib.Path(build, 'bench', 'bench-road')
        self.delay_ms, self.rate_mbit, self.loss, self.cc = delay_ms, rate_mbit, loss, cc
        self.queue_ms, self.seed, self.buffer_max = queue_ms, seed, buffer_max
        self.has_trains = rate_mbit >= TRAINS_MBIT
        self.running, self.ahead = [], []

    def __enter__(self):
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def open(self):
        if subprocess.run([*REALTIME, 'true'], capture_output=True).returncode == 0:
            self.ahead = REALTIME
        self.folder = tempfile.TemporaryDirectory(prefix='adit-road-')
        self.ends = {'near': self.hold(['--net']), 'far': self.hold(['--net', '--mount'])}
        self.shim = self.start([self.program, *(f'/proc/{self.ends[end]}/ns/net' for end in self.ends),
                                int(self.delay_ms * 1000), self.rate_mbit, round(self.loss * 10000),
                                int(self.queue_ms * 1000), self.seed, int(self.has_trains)])
        if self.shim.stdout.readline() != 'ready\n':
            raise SystemExit('bench: the road cannot be made')
        for end, here, there in (('near', self.NEAR, self.FAR), ('far', self.FAR, self.NEAR)):
            self.configure(end, here, there)
        hosts = pathlib.Path(self.folder.name, 'hosts')
        hosts.write_text('127.0.0.1 localhost\n'
                         f'{self.NEAR} {self.DOMAIN} connect.{self.DOMAIN}\n')
        subprocess.run(self.far(['mount', '--bind', hosts, '/etc/hosts']), check=True)

    def start(self, command):
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        self.running.append(process)
        return process

    def hold(self, flags):
        """The process id of a namespace's holder, which ends with this program."""
        holder = self.start(['unshare', *flags, 'sh', '-c', 'echo in; exec cat'])
        holder.stdout.readline()
        return holder.pid

    def configure(self, end, here, there):
        values = {'ipv4/tcp_no_metrics_save': 1, 'ipv6/conf/road/disable_ipv6': 1,
                  'ipv4/tcp_rmem': f'4096 131072 {self.buffer_max}',
                  'ipv4/tcp_wmem': f'4096 16384 {self.buffer_max}'}
        script = '; '.join(f"echo '{value}' > /proc/sys/net/{name}" for name, value in values.items())
        subprocess.run(self.at(end, ['sh', '-ec', script]), check=True)
        local = 'table local proto kernel scope host src'
        lines = ['link set lo up',
                 f'route change local 127.0.0.0/8 dev lo {local} 127.0.0.1 congctl {self.cc}',
                 f'route change local 127.0.0.1 dev lo {local} 127.0.0.1 congctl {self.cc}',
                 f'link set road txqueuelen 20000 gso_max_size {TRAIN_BYTES}',
                 f'address add {here} peer {there} dev road',
                 'link set road up',
                 f'route replace {there} dev road src {here} congctl {self.cc}',
                 f'route change local {here} dev road {local} {here} congctl {self.cc}']
        subprocess.run(self.at(end, [IP, '-batch', '-']), input='\n'.join(lines), text=True, check=True)

    def at(self, end, command):
        spaces = [f'--net=/proc/{self.ends[end]}/ns/net']
        if end == 'far':
            spaces.append(f'--mount=/proc/{self.ends[end]}/ns/mnt')
        return ['nsenter', *spaces, '--', *self.ahead, *(str(part) for part in command)]

    def near(self, command):
        return self.at('near', command)

    def far(self, command):
        return self.at('far', command)

    def figures(self):
        self.shim.stdin.write('\n')
        self.shim.stdin.flush()
        return json.loads(self.shim.stdout.readline())

    @staticmethod
    def fault(figures):
        ways = [figures['to_far'], figures['to_near']]
        packets = sum(way['packets'] for way in ways)
        late = sum(way['late'] for way in ways)
        if sum(way['dropped_here'] for way in ways):
            return 'the shim lost packets of its own'
        if late > packets * LATE_SHARE_MAX:
            return f'the shim released {late / packets:.0%} of the packets over 1 ms late'
        return None

    def close(self):
        for process in reversed(self.running):
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        self.running = []
        self.folder.cleanup()
