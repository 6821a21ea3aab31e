"""What a server and its agents weigh while nothing moves."""
import json, pathlib, statistics, subprocess, tempfile, time

from house.adit import Tunnel
from house.processes import cpu_seconds, family, memory_kib, wait_for_answer
from house.work import progress


def idle_visitors(bench):
    count = 200 if bench.quick else 1000
    tunnel = Tunnel(bench.processes, bench.build)
    port, _ = tunnel.start_agent()
    wait_for_answer(port)
    bench.load('requests', port, 64, 300)
    server, agents = tunnel.pids()
    grown, holders = [], []
    before = {pid: memory_kib(pid, 'Anonymous') for pid in (*server, *agents)}
    for _ in range(2):  # two halves: the first also touches what is there once
        holder = bench.processes.start(
            [bench.build / 'bench' / 'bench-load', 'idle', port, count // 2],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holders.append(holder)
        if json.loads(holder.stdout.readline() or '{}').get('idle') != count // 2:
            tunnel.fail('the idle visitors were not all served')
        time.sleep(0.5)
        grown.append({pid: memory_kib(pid, 'Anonymous') - before[pid] for pid in before})
    used = {pid: cpu_seconds(pid) for pid in before}
    time.sleep(0.5 if bench.quick else 2)
    cpu = sum(cpu_seconds(pid) - used[pid] for pid in before) / (0.5 if bench.quick else 2)
    bench.facts['idle_visitors'] = count
    for name, pids in (('server', server), ('agent', agents)):
        half, whole = [sum(growth[pid] for pid in pids) for growth in grown]
        bench.facts[f'kib_per_idle_visitor_{name}'] = whole / count
        bench.facts[f'kib_per_idle_visitor_{name}_second_half'] = (whole - half) / (count // 2)
    bench.facts['idle_cpu_share'] = cpu
    names = subprocess.run(['ss', '-tinH'], capture_output=True, text=True).stdout.split()
    bench.facts['congestion_control'] = {n: names.count(n) for n in ('cubic', 'bbr', 'reno')
                                        if n in names}
    for holder in holders:
        holder.stdin.close()
        holder.wait()
    tunnel.close()
    progress('idle visitors')


def idle_sessions(bench):
    count = 4 if bench.quick else 24
    tunnel = Tunnel(bench.processes, bench.build)
    starts = [tunnel.start_agent()[1], tunnel.start_agent()[1]]  # the first pays for libraries
    time.sleep(0.2)
    server, agents = tunnel.pids()
    first = next(iter(agents))
    bench.facts['agent_rss_kib'] = memory_kib(first, 'Rss')
    bench.facts['agent_pss_kib'] = sum(memory_kib(p, 'Pss') for p in family(tunnel.agents[0].pid))
    bench.facts['server_pss_kib'] = {n: memory_kib(p, 'Pss') for p, n in server.items()}
    before = sum(memory_kib(pid, 'Anonymous') for pid in server)
    starts += [tunnel.start_agent()[1] for _ in range(count)]
    time.sleep(0.5)
    after = sum(memory_kib(pid, 'Anonymous') for pid in server)
    bench.facts['idle_sessions'] = count
    bench.facts['kib_per_idle_session'] = (after - before) / count
    bench.facts['agent_start_ms'] = statistics.median(starts) * 1000
    tunnel.close()
    progress('idle agent sessions')


def sizes(bench):
    programs = [bench.build / 'adit', bench.build / 'aditd']
    programs += sorted((bench.build / 'libexec' / 'adit').glob('*'))
    bench.facts['stripped_bytes'] = {}
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            if program.is_file():
                stripped = pathlib.Path(folder, 'stripped')
                subprocess.run(['strip', '-o', stripped, program], check=True)
                bench.facts['stripped_bytes'][program.name] = stripped.stat().st_size
