"""Adit's server and its agents, as one path of a run."""
import json, os, pathlib, socket, subprocess, sys, tempfile, time

from house.processes import family

ORIGIN, RELAY, LIBRARY, LIBRARY_TLS, PAIR, PAIR_LIBRARY = 9000, 9001, 9002, 9003, 9004, 9005
HTTPS, HTTP, ADMIN = 8443, 8080, 9090


def stale_program(build):
    """The first program of a build that is not what was compiled last ('' where none is): a compiler
    run by hand does not put programs where they are started from."""
    for name in ('adit', 'aditd'):
        made, placed = build / 'src' / 'cli' / name / name, build / name
        if made.exists() and not (placed.exists() and placed.samefile(made)):
            return str(placed)
    return ''


class Tunnel:
    """A server and its agents, fresh for each measurement. `number`: which of those that run at once."""

    def __init__(self, processes, build, number=0, workers=1):
        self.processes, self.build, self.agents = processes, build, []
        self.https, self.http = HTTPS + number, HTTP + number
        self.folder = tempfile.TemporaryDirectory(prefix='adit-bench-')
        self.data = pathlib.Path(self.folder.name, 'data')
        self.log = open(pathlib.Path(self.folder.name, 'log'), 'w+b')
        self.serve = [build / 'aditd', 'serve', '--data', self.data, '--domain', 'adit.localhost',
                      '--https', f'127.0.0.1:{self.https}', '--http', f'127.0.0.1:{self.http}',
                      '--http-mode', 'serve', '--admin', f'127.0.0.1:{ADMIN + number}',
                      '--workers', workers,
                      '--tcp-ports', f'{20000 + 1000 * number}-{20999 + 1000 * number}']
        self.start_server()
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.https), 1).close()
                break
            except OSError:
                if self.server.poll() is not None or time.monotonic() > deadline:
                    self.fail('the server did not start')
                time.sleep(0.01)
        self.token = self.make_token('bench')

    def start_server(self):
        self.server = self.processes.start(self.serve, stdout=self.log, stderr=self.log)

    def make_token(self, account):
        made = subprocess.run([self.build / 'aditd', 'token', 'create', '--data', self.data,
                               '--account', account], capture_output=True, text=True)
        if made.returncode != 0:
            self.fail('no token: ' + made.stderr)
        return made.stdout.strip()

    def start_sessions(self, kind, count, account):
        """So many agents' sessions of one program, with a tunnel each."""
        program = self.processes.start(
            [self.build / 'bench' / 'bench-sessions', self.https, self.data / 'ca.pem', kind,
             count], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, 'ADIT_TOKEN': self.make_token(account)})
        return program

    def fail(self, what):
        self.log.flush()
        self.log.seek(0)
        sys.stderr.write(self.log.read().decode(errors='replace')[-4000:])
        raise SystemExit('bench: ' + what)

    def start_agent(self, *command):
        """Port of its address, and seconds until it was ready."""
        begin = time.monotonic()
        agent = self.processes.start(
            [self.build / 'adit', *(command or ('tcp',)), f'127.0.0.1:{ORIGIN}', '--server',
             f'connect.adit.localhost:{self.https}', '--ca', self.data / 'ca.pem', '--json'],
            stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, 'ADIT_TOKEN': self.token})
        self.agents.append(agent)
        for line in agent.stdout:
            event = json.loads(line)
            if event.get('event') == 'ready':
                return int(event['url'].rsplit(':', 1)[1]), time.monotonic() - begin
            if event.get('event') == 'refused':
                self.fail(f'the agent was refused: {event}')
        self.fail('the agent ended')

    def pids(self):
        """{pid: name} of the server's processes, and of the agents'."""
        agents = {}
        for agent in self.agents:
            agents.update(family(agent.pid))
        return family(self.server.pid), agents

    def close(self):
        for agent in self.agents:
            agent.stdout.close()
            self.processes.stop(agent)
        self.processes.stop(self.server)
        self.log.close()
        self.folder.cleanup()
