"""No notation of a private address is taken for a public one, and no public one is refused."""

from ipaddress import ip_address

import pytest

from tasks.addresses import is_public, is_public_host

PRIVATE = [
    # Each kind of IPv4 address, at its edges.
    "0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
    "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    # 127.0.0.1 as resolvers read it: one to four parts, decimal, octal, hexadecimal, mixed.
    "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001", "0x7F000001", "0X7f000001",
    "0177.0.0.1", "0177.1", "0x7f.1", "0x7f.0.0.1", "127.0.0.0x1", "127.0x1", "0x7f.0.1",
    "00000177.0.0.01", "127.000.000.001", "0000000000000000127.0.0.1", "127.0.0.01", "0", "00",
    "0x0", "0x", "127.0.0.1.", "127.1.", "2130706433.", "0x7f000001.",
    # Others in such notations, and some that mean one address here and another there.
    "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518",
    "169.16689662", "3232235521", "0xc0a80001", "012.0.0.1", "010.8.8.8", "08.8.8.8", "8.8.8.010",
    # Too large, or too many: some wrap them round.
    "6425673729", "4294967296", "256.0.0.1", "383.0.0.1", "127.0.0.257", "1.2.3.4.5",
    "127.0.0.1.1", "99999999999999999999", "0x17f000001", "shop.example.1", "shop.0x7f",
    # As international names allow to write it.
    "\uff11\uff12\uff17.0.0.1", "127\uff0e0\uff0e0\uff0e1", "127\u30020\u30020\u30021",
    "127\uff610\uff610\uff611", "\u2460\u2461\u2466.0.0.1", "12\u248e0.0.1", "\u00b927.0.0.1",
    "127.0.0.\u0661", "\u0967\u0968\u096d.0.0.\u0967", "\uff10\uff58\uff17\uff46.1",
    "127.0.0.1\u3002", "12\u00ad7.0.0.1", "127\u200b.0.0.1", "0\u2179" + "7f.1",
    # IPv6: each kind that is not global.
    "::", "::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::2", "fe80::1",
    "febf::1", "fec0::1", "feff::1", "fc00::1", "fd00:ec2::254", "fdff::1", "ff00::1", "ff02::1",
    "ff0e::1", "100::1", "2001:db8::1", "3fff::1", "5f00::1", "4000::1", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:1::1",
    # IPv6 with an IPv4 address inside: mapped, compatible, NAT64, 6to4, Teredo, translated.
    "::ffff:127.0.0.1", "::FFFF:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::ffff:0:127.0.0.1",
    "::127.0.0.1", "::7f00:1", "::8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
    "2002:c0a8:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1",
    # Zones, and what is no address at all.
    "fe80::1%eth0", "fe80::1%25eth0", "2606:4700::1111%eth0", "::1%lo", ":", ":::", "::g", "1:2",
    "::ffff:0177.0.0.1", "::ffff:256.0.0.1",
    # Names: of one part, or with a private ending.
    "localhost", "LOCALHOST", "LocalHost.", "localhost.", "a.localhost", "a.b.localhost.",
    "localhost.localdomain", "redis", "postgres", "api", "metadata", "kubernetes", "", ".",
    "ip6-localhost", "printer.local", "printer.LOCAL.", "metadata.google.internal", "a.internal",
    "ip-10-0-0-1.ec2.internal", "host.docker.internal", "wiki.corp", "nas.home", "router.lan",
    "wiki.intranet", "a.private", "router.home.arpa", "home.arpa", "redis.default.svc",
    "redis.default.svc.cluster.local", "vault.service.consul", "a.docker", "metadata.goog",
    "127.0.0.1.nip.io", "app.10.0.0.1.sslip.io", "localtest.me", "a.localtest.me", "lvh.me",
    "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54", "localho\u017ft", "a\u3002local",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3", "local\u00adhost",
    "m\u00fcller.local", "wiki.\uff43\uff4f\uff52\uff50",
]  # fmt: skip

PUBLIC = [
    "8.8.8.8", "8.8.8.8.", "1.1.1.1", "1.0.0.1", "9.255.255.255", "11.0.0.0", "100.63.255.255",
    "100.128.0.0", "126.255.255.255", "128.0.0.1", "168.63.129.17", "169.253.255.255",
    "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.0.3.1", "192.167.255.255",
    "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "255.8.8.8.shop.example",
    "2606:4700::1111", "2606:4700:0:0:0:0:0:1111", "2001:4860:4860::8888", "2001:200::1",
    "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b::808:808", "2003::1",
    "shop.example", "SHOP.Example", "shop.example.", "a.test", "images.shop.co.uk",
    "my_bucket.s3.amazonaws.com", "127.0.0.1.shop.example", "10.example", "0x7f.example",
    "local.example", "localhost.example", "internal.shop.example", "notlocalhost.com",
    "mylocal.host", "corp.com", "homearpa.org", "home.example", "1and1.de", "3m.com", "7.a1.net",
    "m\u00fcller.example", "xn--mller-kva.example", "\u4f8b\u3048.\u30c6\u30b9\u30c8",
    "\u0645\u062b\u0627\u0644.\u0625\u062e\u062a\u0628\u0627\u0631", "xn--r8jz45g.xn--zckzah",
    "fd.example", "dead.beef.example", "replicate.delivery", "svc.example", "nip.io.example",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_host_is_known_in_every_notation(host: str) -> None:
    assert not is_public_host(host)


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_host_is_not_taken_for_a_private_one(host: str) -> None:
    assert is_public_host(host)


def test_python_knows_no_private_address_that_we_call_public() -> None:
    """A step that is prime visits all corners of the address space in 65,000 steps."""
    called = (ip_address(number) for number in range(0, 2**32, 65_537))

    wrong = [a for a in called if is_public(a) and (not a.is_global or a.is_multicast)]

    assert wrong == []
