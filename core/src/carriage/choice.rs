//! Selection of a link's carriage.

use core::fmt;
use core::str::FromStr;

/// How a session travels on its link (spec/hotrod-over-http.md, "The ladder").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carriage {
    /// Plain Hot Rod; one session per link.
    Raw,
    /// After an HTTP/1.1 Upgrade; one session per link.
    Upgrade,
    /// After an HTTP/1.1 CONNECT; one session per link.
    Connect,
    /// On an HTTP/2 stream opened by ordinary CONNECT; many sessions per link.
    ConnectHttp2,
    /// On an HTTP/2 stream opened by Extended CONNECT; many sessions per link.
    ExtendedConnect,
    /// In Hot Rod frames on an HTTP/2 stream opened by Extended CONNECT; many sessions per link.
    Frames,
}

impl Carriage {
    /// All carriages, from the simplest to the preferred.
    pub const ALL: [Self; 6] =
        [Self::Raw, Self::Upgrade, Self::Connect, Self::ConnectHttp2, Self::ExtendedConnect, Self::Frames];

    /// Returns the name in connection URIs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Upgrade => "upgrade",
            Self::Connect => "connect",
            Self::ConnectHttp2 => "connect-http2",
            Self::ExtendedConnect => "extended-connect",
            Self::Frames => "frames",
        }
    }

    /// Returns whether the carriage needs HTTP/2.
    pub fn is_http2(self) -> bool {
        matches!(self, Self::ConnectHttp2 | Self::ExtendedConnect | Self::Frames)
    }
}

impl fmt::Display for Carriage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Configured carriage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Uses this carriage; a link fails if the endpoint does not support it.
    Only(Carriage),
    /// Uses the best carriage that the endpoint offers: frames, Extended CONNECT, Upgrade, raw. The result is
    /// remembered per endpoint, and a fallback is reported.
    Auto,
}

impl Default for Choice {
    fn default() -> Self {
        Self::Only(Carriage::Raw)
    }
}

impl Choice {
    /// Returns the carriage to try first, given the ALPN protocol that the server selected.
    pub(crate) fn initial(self, alpn: Option<&[u8]>) -> Carriage {
        match (self, alpn) {
            (Self::Only(carriage), _) => carriage,
            (Self::Auto, Some(b"http/1.1")) => Carriage::Upgrade,
            (Self::Auto, Some(b"hotrod" | b"HR")) => Carriage::Raw,
            (Self::Auto, _) => Carriage::Frames,
        }
    }

    /// Returns the fallback for an endpoint that does not offer `carriage`.
    pub(crate) fn fallback(self, carriage: Carriage) -> Option<Carriage> {
        match (self, carriage) {
            (Self::Only(_), _) | (Self::Auto, Carriage::Raw) => None,
            (Self::Auto, Carriage::Frames) => Some(Carriage::ExtendedConnect),
            (Self::Auto, Carriage::ExtendedConnect | Carriage::ConnectHttp2) => Some(Carriage::Upgrade),
            (Self::Auto, Carriage::Upgrade | Carriage::Connect) => Some(Carriage::Raw),
        }
    }

    /// Returns the ALPN protocols to offer, in order of preference.
    pub(crate) fn alpn(self) -> &'static [&'static str] {
        match self {
            Self::Only(Carriage::Raw) => &[],
            Self::Only(Carriage::Upgrade | Carriage::Connect) => &["http/1.1"],
            Self::Only(_) => &["h2"],
            Self::Auto => &["h2", "http/1.1", "hotrod"],
        }
    }
}

impl FromStr for Choice {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        Carriage::ALL.into_iter().find(|carriage| carriage.name() == text).map(Self::Only).ok_or(())
    }
}

/// Protocol inside a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inside {
    /// Plain Hot Rod.
    #[default]
    HotRod,
    /// An HTTP/2 connection with Hot Rod frames, for routers that drop unknown frames.
    Frames,
}

impl FromStr for Inside {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "hotrod" => Ok(Self::HotRod),
            "frames" => Ok(Self::Frames),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carriage_has_a_name_that_leads_back_to_it() {
        for carriage in Carriage::ALL {
            assert_eq!(carriage.name().parse(), Ok(Choice::Only(carriage)));
        }
        assert_eq!("auto".parse(), Ok(Choice::Auto));
        assert_eq!("h2".parse::<Choice>(), Err(()));
    }

    #[test]
    fn the_ladder_goes_down_to_raw_and_ends() {
        let mut steps = alloc::vec![Choice::Auto.initial(None)];
        while let Some(next) = Choice::Auto.fallback(steps[steps.len() - 1]) {
            steps.push(next);
        }
        assert_eq!(steps, [Carriage::Frames, Carriage::ExtendedConnect, Carriage::Upgrade, Carriage::Raw]);
    }

    #[test]
    fn what_was_asked_for_by_name_has_no_next_best() {
        for carriage in Carriage::ALL {
            assert_eq!(Choice::Only(carriage).fallback(carriage), None);
        }
    }
}
