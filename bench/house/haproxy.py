"""What the haproxies of a run are told. One thread each: it measures best on two cores, and Adit's
sides have one each too."""
import resource, string

COMMON = """
global
    nbthread 1
    maxconn {connections}
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
    ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
    tune.h2.initial-window-size 1048576
    tune.h2.max-concurrent-streams 256
defaults
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout http-keep-alive 300s
    http-reuse always
"""

PAIR_SERVER = """    mode tcp
frontend visitors
    bind 127.0.0.1:{port}
    bind 127.0.0.1:{tls_port} ssl crt {folder}/both.pem alpn http/1.1
    default_backend agent
backend agent
    server agent {agent}:{control} ssl verify required ca-file {folder}/ca.pem sni str(localhost)
"""

PAIR_AGENT = """    mode tcp
frontend server
    bind {agent}:{control} ssl crt {folder}/both.pem
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin}
"""

H2_SERVER = """    mode http
frontend visitors
    bind 127.0.0.1:{port}
    bind 127.0.0.1:{tls_port} ssl crt {folder}/both.pem alpn http/1.1
    default_backend agent
backend agent
    server agent {agent}:{control} ssl verify required ca-file {folder}/ca.pem sni str(localhost) alpn h2 proto h2
"""

H2_AGENT = """    mode http
frontend server
    bind {agent}:{control} ssl crt {folder}/both.pem alpn h2
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin}
"""

HOP = """    mode http
frontend visitors
    bind 127.0.0.1:{port}
    bind 127.0.0.1:{tls_port} ssl crt {folder}/both.pem alpn http/1.1
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin}
"""


def fields(template):
    """The names that a template wants."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def text(template, **values):
    """The whole of it; a haproxy wants two descriptors for each connection it allows."""
    most = (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200) // 2
    return (COMMON + template).format(connections=min(most, 25000), **values)
