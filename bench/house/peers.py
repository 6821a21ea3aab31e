"""The peers: each forwards a visitors' port to the local program, with its best documented
settings. A peer is started, says what it is, and ends; bench/run and the long road use it alike."""
import dataclasses, os, pathlib, pwd, re, subprocess, tempfile, time

from house import haproxy
from house.install import go_version, program
from house.processes import (Failed, cut_connections, family, kill_all, wait_for_answer,
                             wait_for_listener)

POOL = 50  # connections kept ready by the peers that can, where they open one for each visitor
FURTHER_PORT = 12000  # and on: of the visitors of further clients


@dataclasses.dataclass
class Place:
    """Where the two sides run: what stands before each side's commands (a namespace), the address
    at which each reaches the other, and where the local program listens on the agent's side."""
    server_prefix: tuple = ()
    agent_prefix: tuple = ()
    server_ip: str = '127.0.0.1'
    agent_ip: str = '127.0.0.1'
    origin_port: int = 9000


class Unavailable(Exception):
    """Why a peer is left out."""


def run(*command):
    """Its output; what keeps it from running leaves out the peer."""
    try:
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise Unavailable(str(wrong)) from wrong
    if done.returncode != 0:
        raise Unavailable(done.stdout.strip()[-200:])
    return done.stdout


class Peer:
    """`start` brings up both sides and waits for an answer at `port`, in the server's namespace at
    127.0.0.1; `server` and `agent` are {pid: name} after it; `close` ends both."""
    name, tls, note = '', '', ''
    kind, tls_port = 'tunnel', 0
    can = ('requests', 'connections', 'bulk', 'websocket')  # groups of rows that make sense
    programs = ()  # without these it is left out
    comes_back = True  # by itself, when its connection is lost
    waits = True   # the agent's side starts once the server's listens
    descriptors = 1  # that a visitor takes of the process that has the most of them
    number = 0     # its ports are 11000 + 10 * number and on
    clients = 1    # that the server is told of; those after the first are started by start_client

    def __init__(self, processes, build, place=None):
        self.processes, self.build, self.place = processes, build, place or Place()
        self.port, self.control = 11000 + 10 * self.number, 11001 + 10 * self.number
        self.sides, self.commands, self.version, self.agent_start_s = {}, {}, '', None
        self.folder, self.log = None, None

    def program(self, name):
        found = program(self.build, name)
        if not found:
            raise Unavailable(f'{name} is not installed')
        return found

    def file(self, name, text, mode=0o600):
        path = pathlib.Path(self.folder.name, name)
        path.write_text(text)
        path.chmod(mode)
        return path

    def spawn(self, side, *command):
        prefix = self.place.server_prefix if side == 'server' else self.place.agent_prefix
        self.commands[side] = [*prefix, *command]
        self.run_side(side)

    def run_side(self, side):
        self.sides[side] = self.processes.start(self.commands[side], stdout=self.log,
                                                stderr=self.log, stdin=subprocess.DEVNULL)

    def restart_server(self):
        """As after a crash: killed, and started again at once."""
        kill_all(self.server)
        self.stop('server')
        self.run_side('server')

    def cut_link(self):
        cut_connections(self.control)

    def start(self, wait=True):
        self.folder = tempfile.TemporaryDirectory(prefix='adit-bench-')
        self.log = open(pathlib.Path(self.folder.name, 'log'), 'w+b')
        try:
            for name in self.programs:
                self.program(name)
            self.version = self.tell_version()
            self.start_server()
            if self.place.server_prefix:
                time.sleep(0.5)  # its port cannot be seen from here
            elif self.waits:
                wait_for_listener(self.control)
            begin = time.monotonic()
            self.start_agent()
            if wait:  # where the server's side is in the caller's namespace
                wait_for_answer(self.port)
            self.agent_start_s = time.monotonic() - begin
        except (Failed, OSError) as wrong:
            said = self.said()
            self.close()
            raise Unavailable(f'{wrong}: {said}') from wrong
        except Unavailable:
            self.close()
            raise
        return self

    def said(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()[-300:].decode(errors='replace').strip()

    def pids(self, side):
        """{pid: name} now: some peers fork for each session."""
        return family(self.sides[side].pid) if side in self.sides else {}

    def start_agent(self):
        self.start_client(0)

    def port_of(self, index):
        """Where visitors of a client come in."""
        return FURTHER_PORT + index if index else self.port

    def side_of(self, index):
        return f'agent-{index}' if index else 'agent'

    @property
    def server(self):
        return self.pids('server')

    @property
    def agent(self):
        return self.pids('agent')

    def stop(self, side):
        process = self.sides.pop(side, None)
        if process:
            self.processes.stop(process)

    def close(self):
        for side in reversed(list(self.sides)):
            self.stop(side)
        if self.log:
            self.log.close()
            self.folder.cleanup()

    def certificate(self):
        """Of a development CA of its own, for localhost, with a P-256 key: its folder."""
        folder = pathlib.Path(self.folder.name)
        run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
            '-nodes', '-days', '2', '-subj', '/CN=bench CA', '-keyout', folder / 'ca.key', '-out',
            folder / 'ca.pem')
        run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-subj', '/CN=localhost', '-keyout', folder / 'leaf.key', '-out', folder / 'leaf.csr')
        names = self.file('names', 'subjectAltName=DNS:localhost,DNS:bench.adit.localhost\n')
        run('openssl', 'x509', '-req', '-in', folder / 'leaf.csr', '-CA', folder / 'ca.pem',
            '-CAkey', folder / 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', names, '-out',
            folder / 'leaf.pem')
        self.file('both.pem', (folder / 'leaf.pem').read_text() + (folder / 'leaf.key').read_text())
        return folder


class Frp(Peer):
    """One TLS connection with yamux over it, windows of 6 MiB (its default)."""
    name, tls, number, programs, mux, pool = 'frp', 'TLS 1.3', 1, ('frps', 'frpc'), 'true', 0

    def tell_version(self):
        return run(self.program('frps'), '--version').strip()

    def start_server(self):
        common = f'transport.tcpMux = {self.mux}\nlog.level = "error"\nauth.token = "bench"\n'
        text = common + (f'bindAddr = "{self.place.server_ip}"\nbindPort = {self.control}\n'
                         f'proxyBindAddr = "127.0.0.1"\ntransport.tls.force = true\n'
                         f'transport.maxPoolCount = {POOL}\n')
        self.spawn('server', self.program('frps'), '-c', self.file('frps.toml', text))

    def start_client(self, index):
        text = (f'transport.tcpMux = {self.mux}\nlog.level = "error"\nauth.token = "bench"\n'
                f'serverAddr = "{self.place.server_ip}"\nserverPort = {self.control}\n'
                f'loginFailExit = false\ntransport.poolCount = {self.pool}\n'
                f'transport.tls.enable = true\n[[proxies]]\nname = "bench-{index}"\ntype = "tcp"\n'
                f'localIP = "127.0.0.1"\nlocalPort = {self.place.origin_port}\n'
                f'remotePort = {self.port_of(index)}\n')
        self.spawn(self.side_of(index), self.program('frpc'), '-c',
                   self.file(f'frpc-{index}.toml', text))


class FrpNoMux(Frp):
    """One TLS connection for each visitor, some kept ready."""
    name, number, mux, pool = 'frp-no-mux', 2, 'false', POOL
    descriptors = 2
    note = f'a pool of {POOL} connections kept ready'


class Chisel(Peer):
    """SSH inside a WebSocket; its --tls options would encrypt a second time and are left off."""
    name, tls, number, programs = 'chisel', 'SSH', 3, ('chisel',)
    note = 'encrypted by SSH; no second layer of TLS'

    def tell_version(self):
        return go_version('github.com/jpillora/chisel')

    def start_server(self):
        self.spawn('server', self.program('chisel'), 'server', '--host', self.place.server_ip,
                   '--port', str(self.control), '--reverse')

    def start_client(self, index):
        self.spawn(self.side_of(index), self.program('chisel'), 'client', '--max-retry-interval',
                   '1s', f'http://{self.place.server_ip}:{self.control}',
                   f'R:127.0.0.1:{self.port_of(index)}:127.0.0.1:{self.place.origin_port}')


class Rathole(Peer):
    """One TLS connection for each visitor, eight kept ready; no Nagle."""
    name, tls, number, programs = 'rathole', 'TLS 1.3', 4, ('rathole', 'openssl')
    descriptors = 2

    def tell_version(self):
        found = re.search(r'Version:\s*(\S+)', run(self.program('rathole'), '--version'))
        return found.group(1) if found else 'unknown'

    def start_server(self):
        folder = self.certificate()
        run('openssl', 'pkcs12', '-export', '-out', folder / 'identity.pfx', '-inkey',
            folder / 'leaf.key', '-in', folder / 'leaf.pem', '-certfile', folder / 'ca.pem',
            '-passout', 'pass:bench')
        text = (f'[server]\nbind_addr = "{self.place.server_ip}:{self.control}"\n'
                f'default_token = "bench"\n[server.transport]\ntype = "tls"\n'
                f'[server.transport.tcp]\nnodelay = true\n[server.transport.tls]\n'
                f'pkcs12 = "{folder}/identity.pfx"\npkcs12_password = "bench"\n')
        for index in range(self.clients):
            text += (f'[server.services.bench-{index}]\nnodelay = true\n'
                     f'bind_addr = "127.0.0.1:{self.port_of(index)}"\n')
        self.spawn('server', 'env', 'RUST_LOG=error', self.program('rathole'), '--server',
                   self.file('server.toml', text))

    def start_client(self, index):
        text = (f'[client]\nremote_addr = "{self.place.server_ip}:{self.control}"\n'
                f'default_token = "bench"\n[client.transport]\ntype = "tls"\n'
                f'[client.transport.tcp]\nnodelay = true\n[client.transport.tls]\n'
                f'trusted_root = "{self.folder.name}/ca.pem"\nhostname = "localhost"\n'
                f'[client.services.bench-{index}]\nlocal_addr = "127.0.0.1:{self.place.origin_port}"\n'
                f'nodelay = true\nretry_interval = 1\n')
        self.spawn(self.side_of(index), 'env', 'RUST_LOG=error', self.program('rathole'),
                   '--client', self.file(f'client-{index}.toml', text))


class Bore(Peer):
    """One TCP connection for each visitor, in clear: no peer in what is encrypted."""
    name, tls, number, programs = 'bore', '', 5, ('bore',)
    note = 'no encryption at all: never counted as the best peer'
    comes_back, descriptors = False, 2

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.control = 7835  # it knows no other

    def tell_version(self):
        return run(self.program('bore'), '--version').split()[-1]

    def start_server(self):
        self.spawn('server', self.program('bore'), 'server', '--bind-addr', self.place.server_ip,
                   '--bind-tunnels', '127.0.0.1', '--min-port', str(self.port), '--max-port',
                   str(self.port_of(self.clients - 1)))

    def start_client(self, index):
        self.spawn(self.side_of(index), self.program('bore'), 'local',
                   str(self.place.origin_port), '--to', self.place.server_ip, '--port',
                   str(self.port_of(index)))


class Ssh(Peer):
    """ssh -R with AES-128-GCM; a server of its own with a key made for the run."""
    name, tls, number, programs = 'ssh', 'SSH', 6, ('sshd', 'ssh', 'ssh-keygen')
    comes_back = False

    def tell_version(self):
        return run(self.program('ssh'), '-V').split(',')[0].strip()

    def start_server(self):
        folder = pathlib.Path(self.folder.name)
        for key in ('host', 'user'):
            run(self.program('ssh-keygen'), '-q', '-t', 'ed25519', '-N', '', '-f', folder / key)
        if os.geteuid() == 0:
            pathlib.Path('/run/sshd').mkdir(exist_ok=True)  # where it sheds its privileges
        text = (f'ListenAddress {self.place.server_ip}\nPort {self.control}\n'
                f'HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nPidFile none\n'
                f'UsePAM no\nStrictModes no\nUseDNS no\nPermitRootLogin prohibit-password\n'
                f'PasswordAuthentication no\nCompression no\nMaxStartups 100\nLogLevel ERROR\n'
                f'Ciphers aes128-gcm@openssh.com\n')
        self.spawn('server', self.program('sshd'), '-D', '-e', '-f',
                   self.file('sshd_config', text))

    def start_client(self, index):
        user = pwd.getpwuid(os.geteuid()).pw_name
        command = [self.program('ssh'), '-N', '-T', '-F', 'none', '-i', f'{self.folder.name}/user',
                   '-p', str(self.control), '-c', 'aes128-gcm@openssh.com', '-R',
                   f'127.0.0.1:{self.port_of(index)}:127.0.0.1:{self.place.origin_port}']
        for option in ('IdentityAgent=none', 'StrictHostKeyChecking=no', 'LogLevel=ERROR',
                       'UserKnownHostsFile=/dev/null', 'ExitOnForwardFailure=yes',
                       'ConnectionAttempts=10', 'Compression=no', 'BatchMode=yes'):
            command += ['-o', option]
        self.spawn(self.side_of(index), *command, f'{user}@{self.place.server_ip}')


class HaproxyPair(Peer):
    """Two haproxies with TLS between them: a connection for each visitor, what a proxy pair costs
    without a mux. The agent's side is the one that listens."""
    name, tls, number, programs = 'haproxy-pair', 'TLS 1.3', 7, ('haproxy', 'openssl')
    kind, waits, descriptors = 'pair', False, haproxy.DESCRIPTORS
    can = (*Peer.can, 'tls')
    mode, link_bind, link_server = 'tcp', '', ''  # what each end of the link is told besides

    def tell_version(self):
        return run(self.program('haproxy'), '-v').split()[2]

    def spawn_one(self, side, binds, onward):
        self.spawn(side, self.program('haproxy'), '-db', '-f',
                   self.file(f'{side}.cfg', haproxy.text(self.mode, binds, onward)))

    def start_server(self):
        self.certificate()
        self.tls_port = self.port + 2
        self.spawn_one('server', [f'127.0.0.1:{self.port}',
                                  f'127.0.0.1:{self.tls_port} {self.tls_with("http/1.1")}'],
                       self.onward())

    def tls_with(self, protocol):
        return f'ssl crt {self.folder.name}/both.pem' + (f' alpn {protocol}' if protocol else '')

    def onward(self):
        """Where the server's one sends what visitors say."""
        return (f'{self.place.agent_ip}:{self.control} ssl verify required ca-file '
                f'{self.folder.name}/ca.pem sni str(localhost){self.link_server}')

    def start_agent(self):
        self.spawn_one('agent', [f'{self.place.agent_ip}:{self.control} '
                                 f'{self.tls_with(self.link_bind)}'], self.origin())

    def origin(self):
        return f'127.0.0.1:{self.place.origin_port}'


class HaproxyH2(HaproxyPair):
    """The same with HTTP/2 between them: a mux, and HTTP parsed at both."""
    name, number = 'haproxy-h2', 8
    mode, link_bind, link_server = 'http', 'h2', ' alpn h2 proto h2'


class HaproxyHop(HaproxyPair):
    """One haproxy: TLS in front, plain to the local program; for rows of TLS visitors only."""
    name, number, tls = 'haproxy-hop', 9, ''
    note = 'one hop: no tunnel; TLS in front'
    mode, kind, can = 'http', 'hop', ('tls',)

    def onward(self):
        return self.origin()

    def start_agent(self):
        pass


PEERS = (Frp, FrpNoMux, Chisel, Rathole, Bore, Ssh, HaproxyPair, HaproxyH2, HaproxyHop)
