//! What goes wrong outside and inside: clients work through it, nothing is lost, and direct hits come back.

mod balancer;
mod gateway;
mod member;
mod router;
mod trial;

use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;

use crate::{Failure, Outside};

/// How long it may take until operations come to their owners again.
const SOON: Duration = Duration::from_secs(10);

/// What came of a failure, for one client.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What went wrong.
    pub failure: String,
    /// The client's row.
    pub path: String,
    /// Until at least 99.9% of operations came to their owners again, counted by the servers.
    pub back_after_ms: Option<u64>,
    /// The longest time without an operation that succeeded.
    pub longest_pause_ms: u64,
    /// Operations that succeeded.
    pub operations: u64,
    /// Operations that failed, and said so.
    pub errors: u64,
    /// What was not as expected.
    pub problems: Vec<String>,
}

type Findings<'a> = Pin<Box<dyn Future<Output = Result<Vec<Finding>, Failure>> + Send + 'a>>;

/// Something that goes wrong.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What goes wrong.
    pub name: &'static str,
    /// Whether it takes no more than some seconds: no server has to be started.
    pub is_quick: bool,
    run: fn(&mut Outside) -> Findings<'_>,
}

impl Scenario {
    /// Has it go wrong, and mended again: afterwards everything runs as before.
    pub async fn run(&self, outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
        (self.run)(outside).await
    }
}

macro_rules! scenarios {
    ($($speed:ident $name:literal $($function:ident)::+;)*) => {
        /// All of them. Those that move members come last.
        pub const SCENARIOS: &[Scenario] = &[$(Scenario {
            name: $name,
            is_quick: stringify!($speed).as_bytes()[0] == b'q',
            run: |outside| Box::pin($($function)::+(outside)),
        }),*];
    };
}

scenarios! {
    quick "a router is restarted" router::is_restarted;
    quick "a router's cookies are others" router::has_other_cookies;
    quick "a gateway before all members is killed" gateway::before_all_is_killed;
    quick "gateways get each other's address" gateway::addresses_are_swapped;
    quick "a gateway answers for the wrong pod" gateway::answers_for_the_wrong_pod;
    quick "a balancer leads everybody to one pod" balancer::leads_to_one_pod;
    slow "a member is killed and started again" member::is_killed_and_started_again;
    slow "pods are replaced under their names, and one gets another's address" member::are_replaced_under_their_names;
}
