//! The static table (RFC 7541, appendix A).

use bytes::Bytes;

use super::Field;
use super::search::{Found, hash};

/// Number of entries; indices begin with 1.
pub(super) const LEN: usize = TABLE.len();

/// Entries of one name are adjacent, so the first of them leads to all.
static TABLE: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// Name at this index.
pub(super) fn name(index: usize) -> Option<Bytes> {
    let (name, _) = TABLE.get(index.checked_sub(1)?)?;
    Some(Bytes::from_static(name.as_bytes()))
}

/// Field at this index.
pub(super) fn field(index: usize) -> Option<Field> {
    let (name, value) = TABLE.get(index.checked_sub(1)?)?;
    Some(Field::new(*name, *value))
}

/// Hash buckets of names: the index of a name's first entry, or 0.
const BUCKETS: usize = 256;

static BY_NAME: [u8; BUCKETS] = by_name();

const fn by_name() -> [u8; BUCKETS] {
    let mut buckets = [0; BUCKETS];
    // Iterates backwards, so that the first entry of a name remains.
    let mut index = LEN;
    while index > 0 {
        let mut bucket = hash(TABLE[index - 1].0.as_bytes()) as usize % BUCKETS;
        while buckets[bucket] != 0 && !equal(TABLE[buckets[bucket] as usize - 1].0, TABLE[index - 1].0) {
            bucket = (bucket + 1) % BUCKETS;
        }
        buckets[bucket] = index as u8;
        index -= 1;
    }
    buckets
}

const fn equal(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut same = one.len() == other.len();
    let mut at = 0;
    while same && at < one.len() {
        same = one[at] == other[at];
        at += 1;
    }
    same
}

/// Searches for a field; `hash` is the hash of its name.
pub(super) fn find(hash: u32, name: &[u8], value: &[u8]) -> Found {
    let mut bucket = hash as usize % BUCKETS;
    loop {
        let first = usize::from(BY_NAME[bucket]);
        if first == 0 {
            return Found::Nothing;
        }
        if TABLE[first - 1].0.as_bytes() == name {
            let same = TABLE[first - 1..].iter().take_while(|(other, _)| other.as_bytes() == name);
            let offset = same.map(|(_, other)| other.as_bytes()).position(|other| other == value);
            return offset.map_or(Found::Name(first), |offset| Found::Field(first + offset));
        }
        bucket = (bucket + 1) % BUCKETS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_at_its_index() {
        for (index, (name, value)) in TABLE.iter().enumerate() {
            let name = name.as_bytes();
            assert_eq!(find(hash(name), name, value.as_bytes()), Found::Field(index + 1));
            assert_eq!(field(index + 1), Some(Field::new(name, value.as_bytes())));
        }
        assert_eq!(find(hash(b":status"), b":status", b"101"), Found::Name(8));
        assert_eq!(find(hash(b":protocol"), b":protocol", b"hotrod"), Found::Nothing);
        assert_eq!((field(0), field(62)), (None, None));
        assert_eq!((name(0), name(62)), (None, None));
    }
}
