//! Cookies (RFC 6265).

use alloc::format;
use alloc::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::fields;
use crate::http1::cookie::{self, Cookie, MAX_ATTRIBUTE, MAX_COOKIE, MAX_COOKIES, MAX_FIELD, SetCookie};

fn parse(field: &str) -> Option<SetCookie> {
    SetCookie::parse(&Bytes::copy_from_slice(field.as_bytes()))
}

fn set(field: &str) -> SetCookie {
    parse(field).unwrap_or_else(|| panic!("no cookie in {field:?}"))
}

#[test]
fn a_cookie_has_the_attributes_that_its_field_gives_it() {
    let cookie = set("SRV=pod-1; Path=/hotrod; Domain=.Example.COM; Max-Age=60; Secure; HttpOnly; SameSite=None; \
                      Expires=Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!((&cookie.cookie.name()[..], &cookie.cookie.value()[..]), (&b"SRV"[..], &b"pod-1"[..]));
    assert_eq!(cookie.path.as_deref(), Some(&b"/hotrod"[..]));
    assert_eq!(cookie.domain.as_deref(), Some(&b"example.com"[..]));
    assert_eq!((cookie.max_age, cookie.expires), (Some(60), Some(784_111_777)));
    assert!(cookie.secure && cookie.http_only);
}

#[test]
fn whitespace_and_case_around_attributes_mean_nothing() {
    assert_eq!(set("a=b;path=/;SECURE;max-age=1"), set(" a = b ;  PATH = / ; Secure=x ;; Max-Age= 1"));
}

#[test]
fn a_field_without_a_name_sets_nothing() {
    for field in ["", "a", "=b", " =b", ";a=b", "a;b=c"] {
        assert_eq!(parse(field), None, "{field:?}");
    }
    assert_eq!(set("a=").cookie.value(), &b""[..]);
    assert_eq!(set("a=\"b=c\"").cookie.value(), &b"\"b=c\""[..]);
}

#[test]
fn attributes_that_cannot_be_read_are_as_if_absent() {
    let plain = set("a=b");
    for attribute in
        ["Path=", "Path=x", "Domain=", "Domain=.", "Max-Age=x", "Max-Age=", "Max-Age=-", "Max-Age=1x", "Expires=x"]
    {
        assert_eq!(set(&format!("a=b; {attribute}")), plain, "{attribute}");
    }
    let long = format!("a=b; Path=/{}", "x".repeat(MAX_ATTRIBUTE));
    assert_eq!(set(&long), plain);
}

#[test]
fn of_an_attribute_that_comes_twice_the_last_counts() {
    assert_eq!(set("a=b; Path=/x; Path=/y").path.as_deref(), Some(&b"/y"[..]));
    assert_eq!(set("a=b; Path=/x; Path=").path, None, "back to the default path");
    assert_eq!(set("a=b; Max-Age=1; Max-Age=2; Max-Age=x").max_age, Some(2));
}

#[test]
fn an_age_beyond_all_numbers_is_a_great_age() {
    assert_eq!(set(&format!("a=b; Max-Age={}", "9".repeat(100))).max_age, Some(i64::MAX));
    assert_eq!(set(&format!("a=b; Max-Age=-{}", "9".repeat(100))).max_age, Some(-i64::MAX));
}

#[test]
fn a_cookie_has_a_limit_and_so_has_the_field_that_sends_them() {
    assert!(parse(&format!("a={}", "x".repeat(MAX_COOKIE - 1))).is_some());
    assert_eq!(parse(&format!("a={}", "x".repeat(MAX_COOKIE))), None);
    let large: Vec<Cookie> = (0..9).map(|_| Cookie::new("a", "x".repeat(1000)).unwrap()).collect();
    assert_eq!(cookie::write(&large).len(), 8 * 1002 + 7 * 2, "at most {MAX_FIELD}");
    let many: Vec<Cookie> = (0..=MAX_COOKIES).map(|_| Cookie::new("a", "b").unwrap()).collect();
    assert_eq!(cookie::write(&many), format!("{}a=b", "a=b; ".repeat(MAX_COOKIES - 1)));
    assert!(cookie::write([]).is_empty());
}

#[test]
fn a_cookie_of_the_caller_s_writes_no_other_cookie() {
    for (name, value) in
        [("", "x"), ("a=", "x"), ("a;", "x"), (" a", "x"), ("a", "x;b=c"), ("a", "x\r\nY: z"), ("a", "x ")]
    {
        assert!(Cookie::new(name, value).is_err(), "{name:?} {value:?}");
    }
}

#[test]
fn every_set_cookie_field_of_an_answer_is_one_cookie() {
    let answer = fields(&[("Set-Cookie", "a=b, c=d"), ("X", "e=f"), ("set-cookie", "none"), ("SET-COOKIE", "g=h")]);
    let all: Vec<_> = SetCookie::all(&answer).map(|set| set.cookie).collect();
    assert_eq!(cookie::write(&all), "a=b, c=d; g=h");
    assert!(!format!("{answer:?} {all:?}").contains("h\""), "no value is shown");
}

proptest! {
    #[test]
    fn any_bytes_are_a_cookie_or_none(field in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Some(set) = SetCookie::parse(&field.into()) {
            // The written cookie is the cookie that was set, and the only one.
            let written = cookie::write([&set.cookie]);
            let again = SetCookie::parse(&written).map(|set| set.cookie);
            prop_assert_eq!(again, Some(set.cookie));
        }
    }
}
