//! The cookies that lead to members: a small jar that follows RFC 6265 in what routers set.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::endpoint::Endpoint;
use crate::cluster::members::MemberId;
use crate::http1::{Fields, cookie, cookie::Cookie, cookie::SetCookie};
use crate::time::Instant;

/// The request of a session, which cookies are set for or sent with.
#[derive(Debug, Clone, Copy)]
pub(in crate::cluster) struct RequestTarget<'a> {
    pub(in crate::cluster) endpoint: &'a Endpoint,
    pub(in crate::cluster) path: &'a str,
    pub(in crate::cluster) encrypted: bool,
}

/// Cookies that one answer has set, or that lead to one member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cookies(Vec<StoredCookie>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct StoredCookie {
    cookie: Cookie,
    path: Bytes,
    secure: bool,
    expires: Option<Instant>,
}

impl Cookies {
    /// Stores the cookies of an answer, over those that were sent with its request. `names` limits the names, if it has any.
    pub(super) fn store(&mut self, now: Instant, target: RequestTarget<'_>, answer: &Fields, names: &[String]) {
        let date = answer.get("date");
        for set in SetCookie::all(answer) {
            let name = set.cookie.name();
            let is_wanted = names.is_empty() || names.iter().any(|wanted| wanted.as_bytes() == name);
            let is_here = set.domain.as_ref().is_none_or(|domain| is_of_domain(&target.endpoint.host, domain));
            if !is_wanted || !is_here || set.secure && !target.encrypted {
                continue;
            }
            let path = set.path.clone().unwrap_or_else(|| default_path(target.path));
            self.0.retain(|stored| stored.cookie.name() != name || stored.path != path);
            let lifetime = set.lifetime(date);
            if lifetime.is_some_and(|seconds| seconds <= 0) || self.0.len() >= cookie::MAX_COOKIES {
                continue;
            }
            let expires = lifetime.map(|seconds| now + Duration::from_secs(seconds.unsigned_abs().min(MAX_LIFE)));
            self.0.push(StoredCookie { cookie: set.cookie, path, secure: set.secure, expires });
        }
    }

    /// The value of the field `Cookie` for a request; `None` if no cookie applies.
    pub(super) fn field(&self, now: Instant, target: RequestTarget<'_>) -> Option<Bytes> {
        let fits = |stored: &&StoredCookie| {
            stored.expires.is_none_or(|expires| now < expires)
                && (target.encrypted || !stored.secure)
                && is_of_path(target.path.as_bytes(), &stored.path)
        };
        let field = cookie::write(self.0.iter().filter(fits).map(|stored| &stored.cookie));
        (!field.is_empty()).then_some(field)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The cookies that lead to each member, and the endpoint that has set them.
#[derive(Debug, Default)]
pub(super) struct Jar(BTreeMap<MemberId, (Endpoint, Cookies)>);

impl Jar {
    /// Stores the cookies with which a member has answered at an endpoint.
    pub(super) fn learn(&mut self, member: MemberId, endpoint: Endpoint, cookies: Cookies) {
        if !cookies.is_empty() {
            self.0.insert(member, (endpoint, cookies));
        }
    }

    /// The endpoint and the cookies that lead to a member.
    pub(super) fn of(&self, member: MemberId) -> Option<(&Endpoint, &Cookies)> {
        self.0.get(&member).map(|(endpoint, cookies)| (endpoint, cookies))
    }

    /// Forgets a member's cookies.
    pub(super) fn forget(&mut self, member: MemberId) {
        self.0.remove(&member);
    }

    /// Forgets the cookies of members that are not needed.
    pub(super) fn retain(&mut self, needed: impl Fn(MemberId) -> bool) {
        self.0.retain(|member, _| needed(*member));
    }
}

/// The longest life of a cookie: 400 days, as RFC 6265bis has it.
const MAX_LIFE: u64 = 400 * 86_400;

/// RFC 6265, 5.1.3. The domain is in lower case.
fn is_of_domain(host: &str, domain: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    let is_address = host.parse::<core::net::IpAddr>().is_ok();
    let before = host.as_bytes().strip_suffix(domain);
    before.is_some_and(|before| before.is_empty() || before.ends_with(b".") && !is_address)
}

/// RFC 6265, 5.1.4: up to the last slash, and that not included.
fn default_path(path: &str) -> Bytes {
    let path = path.split('?').next().unwrap_or_default();
    let end = path.rfind('/').filter(|end| *end > 0).unwrap_or(1);
    if path.starts_with('/') { Bytes::copy_from_slice(&path.as_bytes()[..end]) } else { Bytes::from_static(b"/") }
}

/// RFC 6265, 5.1.4.
fn is_of_path(path: &[u8], of: &[u8]) -> bool {
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || of.ends_with(b"/") || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::EPOCH;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint { host: host.into(), port: 443, server_name: None }
    }

    fn sent_after(set: &[&'static str], host: &str, path: &str, encrypted: bool, later: u64) -> Option<Bytes> {
        let endpoint = endpoint(host);
        let target = RequestTarget { endpoint: &endpoint, path, encrypted };
        let mut answer = Fields::new();
        set.iter().for_each(|value| answer.push("set-cookie", *value).expect("a field"));
        let mut cookies = Cookies::default();
        cookies.store(NOW, target, &answer, &[]);
        cookies.field(NOW + Duration::from_secs(later), target)
    }

    fn sent(set: &[&'static str], host: &str, path: &str, encrypted: bool) -> Option<Bytes> {
        sent_after(set, host, path, encrypted, 0)
    }

    #[test]
    fn the_routers_cookie_goes_back_as_it_came() {
        let routers = "hotrod=5f1d0c; path=/; HttpOnly; Secure; SameSite=None";
        assert_eq!(sent(&[routers], "gate.example.com", "/", true).unwrap(), "hotrod=5f1d0c");
        assert_eq!(sent(&[routers, "b=2"], "gate", "/", true).unwrap(), "hotrod=5f1d0c; b=2");
        assert_eq!(sent(&["a=1", "a=2"], "gate", "/", true).unwrap(), "a=2");
    }

    #[test]
    fn a_secure_cookie_is_of_tls_alone() {
        assert_eq!(sent(&["a=1; Secure"], "gate", "/", false), None);
        assert!(sent(&["a=1"], "gate", "/", false).is_some());
    }

    #[test]
    fn a_cookie_ends_when_it_says() {
        assert_eq!(sent_after(&["a=1; Max-Age=10"], "gate", "/", true, 9).unwrap(), "a=1");
        assert_eq!(sent_after(&["a=1; Max-Age=10"], "gate", "/", true, 10), None);
        assert_eq!(sent(&["a=1", "a=; Max-Age=0"], "gate", "/", true), None);
        assert_eq!(sent(&["a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "gate", "/", true), None);
        assert!(sent_after(&["a=1; Max-Age=99999999999999999999"], "gate", "/", true, 86_400).is_some());
    }

    #[test]
    fn a_cookie_is_of_its_path_and_its_domain() {
        assert_eq!(sent(&["a=1; Path=/other"], "gate", "/hot/rod", true), None);
        assert!(sent(&["a=1; Path=/hot"], "gate", "/hot/rod", true).is_some());
        assert_eq!(sent(&["a=1; Path=/ho"], "gate", "/hot/rod", true), None);
        assert!(sent(&["a=1; Domain=example.com"], "gate.example.com", "/", true).is_some());
        assert_eq!(sent(&["a=1; Domain=ample.com"], "gate.example.com", "/", true), None);
        assert_eq!(sent(&["a=1; Domain=0.0.7"], "10.0.0.7", "/", true), None);
        assert_eq!(default_path("/hot/rod"), "/hot");
        assert_eq!(default_path("/hot"), "/");
        assert_eq!(default_path(""), "/");
    }

    #[test]
    fn other_cookies_than_the_named_ones_are_left() {
        let endpoint = endpoint("gate");
        let target = RequestTarget { endpoint: &endpoint, path: "/", encrypted: true };
        let mut answer = Fields::new();
        answer.push("set-cookie", "session=secret").expect("a field");
        answer.push("set-cookie", "hotrod=1").expect("a field");
        let mut cookies = Cookies::default();
        cookies.store(NOW, target, &answer, &["hotrod".into()]);
        assert_eq!(cookies.field(NOW, target).unwrap(), "hotrod=1");
    }
}
