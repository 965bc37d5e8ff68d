//! One HTTP/2 link that carries the sessions with all members: what a session costs must not depend on how many there are.

use super::pair::Pair;
use super::{CARRIAGES, Case, Unit};
use crate::meter::Measured;

pub fn cases() -> Vec<Case> {
    vec![
        case("shared_link.one_busy.get64.3", one_busy::<3>, 1, 200),
        case("shared_link.one_busy.get64.100", one_busy::<100>, 1, 200),
        case("shared_link.one_busy.get64.1000", one_busy::<1000>, 1, 200),
        case("shared_link.all_busy.get64.3", all_busy::<3>, 3, 100),
        case("shared_link.all_busy.get64.100", all_busy::<100>, 100, 5),
        case("shared_link.all_busy.get64.1000", all_busy::<1000>, 1000, 2),
        case("shared_link.member_lost.3", member_lost::<3>, 1, 50),
        case("shared_link.member_lost.100", member_lost::<100>, 1, 50),
        case("shared_link.member_lost.1000", member_lost::<1000>, 1, 50),
        case("shared_link.idle_tick.3", idle_tick::<3>, 1, 1000),
        case("shared_link.idle_tick.100", idle_tick::<100>, 1, 1000),
        case("shared_link.idle_tick.1000", idle_tick::<1000>, 1, 1000),
        case("server_link.one_busy.call64.3", served::<3>, 1, 200),
        case("server_link.one_busy.call64.100", served::<100>, 1, 200),
        case("server_link.one_busy.call64.1000", served::<1000>, 1, 200),
    ]
}

fn case(name: &'static str, prepare: fn() -> Box<dyn FnMut()>, count: u64, simulated: u64) -> Case {
    Case {
        unit: Unit { name: "op", suffix: "", count },
        simulated: Some(simulated),
        measured: Measured::Part,
        ..Case::new(name, prepare)
    }
}

/// A client with as many sessions on its link, each with a member of its own and Hot Rod frames.
fn pair(members: u16) -> Pair {
    Pair::new(CARRIAGES[CARRIAGES.len() - 1], members)
}

/// A GET on one session, one after the other, while all others are idle.
fn one_busy<const MEMBERS: u16>() -> Box<dyn FnMut()> {
    let mut pair = pair(MEMBERS);
    let busy = pair.open_all()[0];
    let mut pair = pair.measure_client();
    Box::new(move || pair.get_from([Some(busy)].into_iter()))
}

/// A GET on each session, all in flight together.
fn all_busy<const MEMBERS: u16>() -> Box<dyn FnMut()> {
    let mut pair = pair(MEMBERS);
    let members = pair.open_all();
    let mut pair = pair.measure_client();
    Box::new(move || pair.get_from(members.iter().copied().map(Some)))
}

/// The end of one session by the endpoint, whose member is lost.
fn member_lost<const MEMBERS: u16>() -> Box<dyn FnMut()> {
    let mut pair = pair(MEMBERS);
    let newest = *pair.open_all().last().expect("a member");
    let mut pair = pair.measure_client();
    Box::new(move || pair.lose_newest(newest))
}

fn idle_tick<const MEMBERS: u16>() -> Box<dyn FnMut()> {
    let mut pair = pair(MEMBERS);
    pair.open_all();
    let mut pair = pair.measure_client();
    Box::new(move || pair.tick())
}

/// The endpoint's link of [`one_busy`]: a call is received, answered and sent.
fn served<const MEMBERS: u16>() -> Box<dyn FnMut()> {
    let mut pair = pair(MEMBERS);
    let busy = pair.open_all()[0];
    let mut pair = pair.measure_endpoint();
    Box::new(move || pair.get_from([Some(busy)].into_iter()))
}
