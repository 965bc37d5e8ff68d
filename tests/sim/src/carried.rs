//! How the sessions of a run travel.

use std::fmt;
use std::str::FromStr;

use hotrod_core::carriage::{Carriage, Choice, Inside};
use hotrod_core::cluster::Config;

/// A carriage, as connection URIs have it, and what is inside where that is a tunnel: `frames`, `upgrade+frames`, ….
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    choice: Choice,
    inside: Inside,
}

impl Carried {
    /// Hot Rod as it is.
    pub const RAW: Self = Self::only(Carriage::Raw, Inside::HotRod);

    /// All that there are.
    pub const ALL: [Self; 9] = [
        Self::RAW,
        Self::only(Carriage::Upgrade, Inside::HotRod),
        Self::only(Carriage::Connect, Inside::HotRod),
        Self::only(Carriage::ConnectHttp2, Inside::HotRod),
        Self::only(Carriage::ExtendedConnect, Inside::HotRod),
        Self::only(Carriage::Frames, Inside::HotRod),
        Self { choice: Choice::Auto, inside: Inside::HotRod },
        Self::only(Carriage::Upgrade, Inside::Frames),
        Self::only(Carriage::Connect, Inside::Frames),
    ];

    const fn only(carriage: Carriage, inside: Inside) -> Self {
        Self { choice: Choice::Only(carriage), inside }
    }

    /// A client's settings with it.
    pub fn apply(self, mut config: Config) -> Config {
        config.carriage.choice = self.choice;
        config.carriage.inside = self.inside;
        config
    }
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.choice {
            Choice::Auto => "auto",
            Choice::Only(carriage) => carriage.name(),
        };
        f.write_str(name)?;
        f.write_str(if self.inside == Inside::Frames { "+frames" } else { "" })
    }
}

impl FromStr for Carried {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(|carried| carried.to_string()).join(", ");
        let found = Self::ALL.into_iter().find(|carried| carried.to_string() == text);
        found.ok_or_else(|| format!("known are {}", known()))
    }
}
