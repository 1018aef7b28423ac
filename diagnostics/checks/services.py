"""Services that ought not to be open to everybody, by the ports that they listen on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from diagnostics.findings import Severity
from diagnostics.network.intervals import PORTS_TOP, Intervals, Span


class Kind(StrEnum):
    """What a service is for."""

    ADMINISTRATION = "remote administration"
    DATA = "data"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Service:
    """A service.

    Attributes:
        id: of the check that tells of an NSG that opens it.
        listens: its ports, by protocol as openings spell it.
        severity: of that, where an endpoint is really reachable.
        why: what it means that everybody gets in to it.
        short: its name where several are told in one line.
    """

    id: str
    name: str
    listens: Mapping[str, Intervals]
    severity: Severity
    kind: Kind
    why: str
    short: str

    def ports(self, protocol: str) -> Intervals:
        """Its ports with a protocol."""
        return self.listens.get(protocol.capitalize(), _NONE)


PROTOCOLS = ("Tcp", "Udp", "Icmp", "Esp", "Ah")
"""As openings spell them."""

_NONE = Intervals.none(PORTS_TOP)
_ADMIN, _DATA, _OTHER = Kind.ADMINISTRATION, Kind.DATA, Kind.OTHER
_HIGH, _MEDIUM, _LOW, _INFO = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO


def ports_of(*ports: int | Span) -> Intervals:
    """A set of ports and ranges of them."""
    return Intervals.of(((each, each) if isinstance(each, int) else each for each in ports), PORTS_TOP)


def _service(
    name: str,
    about: tuple[str, Severity, Kind],
    why: str,
    tcp: tuple[int | Span, ...] = (),
    udp: tuple[int | Span, ...] = (),
    *,
    short: str = "",
) -> Service:
    check, severity, kind = about
    listens = {protocol: ports_of(*ports) for protocol, ports in (("Tcp", tcp), ("Udp", udp)) if ports}
    return Service(check, name, listens, severity, kind, why, short or name)


AMPLIFIERS = _service(
    "UDP services that amplify attacks",
    ("INT023", _MEDIUM, _OTHER),
    "Chargen, TFTP, NTP, SNMP and SSDP answer a forged source with more than they were sent, so they are used to flood "
    "others.",
    udp=(19, 69, 123, 161, 1900),
    short="UDP amplifiers",
)

SERVICES = (
    _service(
        "SSH",
        ("INT002", _HIGH, _ADMIN),
        "SSH that everybody reaches is tried with stolen and guessed passwords within minutes, and so is every flaw of "
        "its server.",
        tcp=(22,),
    ),
    _service(
        "RDP",
        ("INT003", _HIGH, _ADMIN),
        "RDP that everybody reaches is the way by which most ransomware comes in: passwords are guessed, and its flaws "
        "need none.",
        tcp=(3389,),
        udp=(3389,),
    ),
    _service(
        "WinRM",
        ("INT004", _HIGH, _ADMIN),
        "WinRM runs whatever PowerShell it is sent: whoever has or guesses an account has the machine.",
        tcp=((5985, 5986),),
    ),
    _service(
        "VNC",
        ("INT005", _HIGH, _ADMIN),
        "VNC shows and steers the screen behind a short password or none, mostly without encryption.",
        tcp=(5500, (5900, 5901)),
    ),
    _service(
        "Telnet",
        ("INT006", _HIGH, _ADMIN),
        "Telnet sends passwords and everything else in clear text.",
        tcp=(23,),
    ),
    _service(
        "FTP",
        ("INT007", _MEDIUM, _OTHER),
        "FTP sends passwords and files in clear text, and anonymous servers are filled by strangers.",
        tcp=((20, 21),),
    ),
    _service(
        "SMTP",
        ("INT008", _LOW, _OTHER),
        "A mail server that relays for everybody is found and used within hours; one that is meant to take mail has to "
        "be open.",
        tcp=(25,),
    ),
    _service(
        "DNS",
        ("INT009", _MEDIUM, _OTHER),
        "A resolver that answers everybody amplifies attacks on others (UDP), and tells names inside.",
        tcp=(53,),
        udp=(53,),
    ),
    _service(
        "HTTP",
        ("INT010", _LOW, _OTHER),
        "HTTP goes in clear text; a public site is better behind an Application Gateway or Front Door that redirects "
        "to HTTPS and filters.",
        tcp=(80, 8080),
    ),
    _service(
        "HTTPS",
        ("INT011", _INFO, _OTHER),
        "Web servers are mostly meant to be public: this is for the inventory, to be held against what is meant.",
        tcp=(443,),
    ),
    _service(
        "RPC, NetBIOS and SMB",
        ("INT012", _HIGH, _DATA),
        "File shares and RPC of Windows have had one worm after another (WannaCry came by port 445); they are for the "
        "network inside only.",
        tcp=(135, (137, 139), 445),
        udp=(135, (137, 139), 445),
        short="SMB",
    ),
    _service(
        "SQL Server",
        ("INT013", _HIGH, _DATA),
        "A database that everybody reaches is emptied by whoever guesses or steals one password; 1434/udp tells them "
        "its instances too.",
        tcp=(1433,),
        udp=(1434,),
    ),
    _service(
        "MySQL",
        ("INT014", _HIGH, _DATA),
        "A database that everybody reaches is emptied by whoever guesses or steals one password.",
        tcp=(3306,),
    ),
    _service(
        "PostgreSQL",
        ("INT015", _HIGH, _DATA),
        "A database that everybody reaches is emptied by whoever guesses or steals one password.",
        tcp=(5432,),
    ),
    _service(
        "Oracle Database",
        ("INT016", _HIGH, _DATA),
        "A database that everybody reaches is emptied by whoever guesses or steals one password.",
        tcp=(1521,),
    ),
    _service(
        "MongoDB",
        ("INT017", _HIGH, _DATA),
        "MongoDB without a password is deleted and held for ransom by robots.",
        tcp=((27017, 27019),),
    ),
    _service(
        "Redis and Memcached",
        ("INT018", _HIGH, _DATA),
        "Neither asks for a password unless it is told to: Redis runs code for whoever gets in, Memcached over UDP is "
        "the strongest amplifier there is.",
        tcp=(6379, 11211),
        udp=(11211,),
        short="Redis",
    ),
    _service(
        "Elasticsearch, OpenSearch and Kibana",
        ("INT019", _HIGH, _DATA),
        "Older versions ask for no password: what is in the indexes is copied, deleted and held for ransom.",
        tcp=(5601, 9200, 9300),
        short="Elasticsearch",
    ),
    _service(
        "other data stores",
        ("INT020", _MEDIUM, _DATA),
        "mSQL, Cassandra and stores like them are made for the network inside, and often ask for no password.",
        tcp=(4333, (7000, 7001), 9042),
    ),
    _service(
        "LDAP",
        ("INT021", _HIGH, _DATA),
        "A directory tells who is who and takes guesses at every password; over UDP it amplifies attacks on others.",
        tcp=(389, 636),
        udp=(389, 636),
    ),
    _service(
        "container and cluster APIs",
        ("INT022", _HIGH, _ADMIN),
        "Whoever reaches Docker, etcd, the Kubernetes API or a kubelet without its certificates guarded owns the hosts "
        "behind it.",
        tcp=((2375, 2376), (2379, 2380), 6443, 10250),
    ),
    AMPLIFIERS,
)


def held(protocol: str, ports: Intervals) -> int:
    """The services that have any of some ports, as bits: the first of `SERVICES` is the lowest."""
    return _held(protocol, ports) if protocol in _MARKS else 0


def as_bits(protocol: str, ports: Intervals) -> int:
    """Ports as bits: each that a service has is one of its own, and all between two of those are one together.

    So ports may have a bit in common and no port; those that have no bit in common have no port in common.
    """
    return _bits(ports) << _PLACES[protocol]


@lru_cache(maxsize=1 << 12)
def _bits(ports: Intervals) -> int:
    found = 0
    for first, last in ports:
        found |= (1 << bisect_right(_BORDERS, last)) - (1 << bisect_right(_BORDERS, first) - 1)
    return found


def named_by(bits: int) -> tuple[Service, ...]:
    """The services that bits are for, the worst first."""
    found = [each for n, each in enumerate(SERVICES) if bits >> n & 1]
    return tuple(sorted(found, key=lambda each: _WORST.index(each.severity)))


def _marks(protocol: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ports of services, in order, and for each the services as bits."""
    found: dict[int, int] = {}
    for n, each in enumerate(SERVICES):
        for first, last in each.ports(protocol):
            found |= {port: found.get(port, 0) | 1 << n for port in range(first, last + 1)}
    return tuple(sorted(found)), tuple(found[port] for port in sorted(found))


_WORST = list(Severity)
_MARKS = {protocol: _marks(protocol) for protocol in ("Tcp", "Udp")}
_BORDERS = sorted({0}.union(*((port, port + 1) for ports, _ in _MARKS.values() for port in ports)))
_PLACES = {protocol: place * len(_BORDERS) for place, protocol in enumerate(PROTOCOLS)}


@lru_cache(maxsize=4096)
def _held(protocol: str, ports: Intervals) -> int:
    marks, services = _MARKS[protocol]
    found = 0
    for first, last in ports:
        for bits in services[bisect_left(marks, first) : bisect_right(marks, last)]:
            found |= bits
    return found
