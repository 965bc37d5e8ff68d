//! How the sessions of a run travel.

use std::fmt;
use std::str::FromStr;

use hotrod_core::carriage::{Carriage, Choice, Inside};
use hotrod_core::cluster::{AccessPath, Config};

/// A carriage, as connection URIs have it, and what is inside where that is a tunnel: `frames`, `upgrade+frames`, …;
/// and whether members are found through the balancer: `upgrade+load-balancer`, ….
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    choice: Choice,
    inside: Inside,
    /// Whether members are found through the balancer, and never dialled.
    is_outside: bool,
}

impl Carried {
    /// Hot Rod as it is.
    pub const RAW: Self = Self::only(Carriage::Raw, Inside::HotRod);

    /// All that there are.
    pub const ALL: [Self; 13] = [
        Self::RAW,
        Self::only(Carriage::Upgrade, Inside::HotRod),
        Self::only(Carriage::Connect, Inside::HotRod),
        Self::only(Carriage::ConnectHttp2, Inside::HotRod),
        Self::only(Carriage::ExtendedConnect, Inside::HotRod),
        Self::only(Carriage::Frames, Inside::HotRod),
        Self::AUTO,
        Self::only(Carriage::Upgrade, Inside::Frames),
        Self::only(Carriage::Connect, Inside::Frames),
        Self::only(Carriage::Upgrade, Inside::HotRod).outside(),
        Self::only(Carriage::ExtendedConnect, Inside::HotRod).outside(),
        Self::only(Carriage::Upgrade, Inside::Frames).outside(),
        Self::AUTO.outside(),
    ];

    const AUTO: Self = Self { choice: Choice::Auto, inside: Inside::HotRod, is_outside: false };

    const fn only(carriage: Carriage, inside: Inside) -> Self {
        Self { choice: Choice::Only(carriage), inside, is_outside: false }
    }

    /// The same, of a client that can't dial members: it finds them through the balancer.
    const fn outside(self) -> Self {
        Self { is_outside: true, ..self }
    }

    /// A client's settings with it.
    pub fn apply(self, mut config: Config) -> Config {
        config.carriage.choice = self.choice;
        config.carriage.inside = self.inside;
        if self.is_outside {
            config.access.path = AccessPath::LoadBalancer;
            config.connect_ahead = true;
        }
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
        f.write_str(if self.inside == Inside::Frames { "+frames" } else { "" })?;
        f.write_str(if self.is_outside { "+load-balancer" } else { "" })
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
