//! Which carriage a link is to have.

use core::fmt;
use core::str::FromStr;

/// How a session travels on its link (spec/hotrod-over-http.md, "The ladder").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carriage {
    /// Hot Rod as it is; one session to a link.
    Raw,
    /// Behind an HTTP/1.1 Upgrade; one session to a link.
    Upgrade,
    /// Behind an HTTP/1.1 CONNECT; one session to a link.
    Connect,
    /// On a stream of HTTP/2 that ordinary CONNECT opens; many sessions to a link.
    ConnectHttp2,
    /// On a stream of HTTP/2 that Extended CONNECT opens; many sessions to a link.
    ExtendedConnect,
    /// In Hot Rod frames on such a stream; many sessions to a link.
    Frames,
}

impl Carriage {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Raw, Self::Upgrade, Self::Connect, Self::ConnectHttp2, Self::ExtendedConnect, Self::Frames];

    /// Its name in connection URIs.
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

    /// Whether it needs HTTP/2.
    pub fn is_http2(self) -> bool {
        matches!(self, Self::ConnectHttp2 | Self::ExtendedConnect | Self::Frames)
    }
}

impl fmt::Display for Carriage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which carriage to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// This one and no other.
    Only(Carriage),
    /// The best that the endpoint offers: frames, Extended CONNECT, Upgrade, raw. The answer is remembered for the
    /// endpoint, and a step down is told.
    Auto,
}

impl Default for Choice {
    fn default() -> Self {
        Self::Only(Carriage::Raw)
    }
}

impl Choice {
    /// The carriage to begin with, as far as the ALPN id that the server has selected tells it.
    pub(crate) fn first(self, alpn: Option<&[u8]>) -> Carriage {
        match (self, alpn) {
            (Self::Only(carriage), _) => carriage,
            (Self::Auto, Some(b"http/1.1")) => Carriage::Upgrade,
            (Self::Auto, Some(b"hotrod" | b"HR")) => Carriage::Raw,
            (Self::Auto, _) => Carriage::Frames,
        }
    }

    /// The next best where the endpoint does not offer `carriage`.
    pub(crate) fn after(self, carriage: Carriage) -> Option<Carriage> {
        match (self, carriage) {
            (Self::Only(_), _) | (Self::Auto, Carriage::Raw) => None,
            (Self::Auto, Carriage::Frames) => Some(Carriage::ExtendedConnect),
            (Self::Auto, Carriage::ExtendedConnect | Carriage::ConnectHttp2) => Some(Carriage::Upgrade),
            (Self::Auto, Carriage::Upgrade | Carriage::Connect) => Some(Carriage::Raw),
        }
    }

    /// The ALPN ids to offer, best first.
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

/// What a tunnel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inside {
    /// Hot Rod as it is.
    #[default]
    HotRod,
    /// A whole HTTP/2 connection with Hot Rod frames: through a router that would drop the frames.
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
        let mut steps = alloc::vec![Choice::Auto.first(None)];
        while let Some(next) = Choice::Auto.after(steps[steps.len() - 1]) {
            steps.push(next);
        }
        assert_eq!(steps, [Carriage::Frames, Carriage::ExtendedConnect, Carriage::Upgrade, Carriage::Raw]);
    }

    #[test]
    fn what_was_asked_for_by_name_has_no_next_best() {
        for carriage in Carriage::ALL {
            assert_eq!(Choice::Only(carriage).after(carriage), None);
        }
    }
}
