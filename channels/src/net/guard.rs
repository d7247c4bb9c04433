//! Which addresses may be asked. Names are resolved first, and the connection goes to the address that was judged:
//! a name that changes its mind in between (DNS rebinding) gains nothing.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Judges addresses.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    /// Whether addresses that are not public pass.
    pub allow_private: bool,
}

/// A name that leads to no public address.
#[derive(Debug)]
pub struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address is not a public one")
    }
}

impl std::error::Error for Forbidden {}

impl Guard {
    /// Judges an address as far as it needs no resolving.
    ///
    /// # Errors
    /// A sentence, when it must not be asked.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("the address begins with `{}:`, not with `https:`", url.scheme()));
        }
        let ip: IpAddr = match url.host() {
            None => return Err("the address has no host".to_owned()),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
        };
        if self.allow_private || is_public(ip) {
            Ok(())
        } else {
            Err(Forbidden.to_string())
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let passed: Vec<_> = found.filter(|at| guard.allow_private || is_public(at.ip())).collect();
            if passed.is_empty() {
                return Err(Forbidden.into());
            }
            Ok(Box::new(passed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet: none of the blocks that the IANA special-purpose address
/// registries (RFC 6890 and its updates) list as not globally reachable, nor multicast.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = match (a, b, c) {
        // "This network", shared address space (RFC 6598), IETF protocol assignments, 6to4 relays, benchmarking.
        (0, _, _) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _) => true,
        // Multicast, reserved, broadcast.
        (224.., _, _) => true,
        _ => ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation(),
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b, c, d, e, f) {
        // IPv4 in other clothes: mapped, translated (RFC 6052), 6to4.
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => is_public_v4(v4(g, h)),
        (0x2002, ..) => is_public_v4(v4(b, c)),
        // Documentation (two blocks), Teredo and the rest of the protocol assignments 2001::/23.
        (0x2001, 0xdb8, ..) | (0x3fff, 0..=0x0fff, ..) | (0x2001, 0..=0x01ff, ..) => false,
        // All that is handed out stands in 2000::/3: what lies outside is local, multicast or nobody's.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_is_what_the_internet_reaches() {
        for ip in ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]
        {
            assert!(is_public(ip.parse().expect("an address")), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "3fff::1",
        ] {
            assert!(!is_public(ip.parse().expect("an address")), "{ip}");
        }
    }

    #[test]
    fn numbers_in_every_spelling_are_judged() {
        let guard = Guard { allow_private: false };
        let judge = |text: &str| guard.check(&text.parse().expect("an address"));
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:169.254.169.254]/latest/meta-data",
            "https://10.0.0.1:8080/",
            "http://127.1/",
            "http://user@127.0.0.1/",
            "file:///etc/passwd",
            "gopher://shop.example/",
        ] {
            assert!(judge(url).is_err(), "{url}");
        }
        assert_eq!(judge("https://shop.example/hook"), Ok(()));
        assert_eq!(judge("https://8.8.8.8/hook"), Ok(()));
        assert_eq!(Guard { allow_private: true }.check(&"http://127.0.0.1/".parse().expect("an address")), Ok(()));
    }
}
