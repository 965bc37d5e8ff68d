//! Memory that is held for as long as something is there.

use crate::cases::cluster::{World, topology};
use crate::{Figures, allocations, report};

const SESSIONS: usize = 100;
const CACHES: usize = 100;
const VIEWS: u32 = 20;

/// Adds the figures whose name begins so.
pub fn measure(only: &str, figures: &mut Figures) {
    let measured = [
        ("cluster.idle_session.bytes", idle_session as fn() -> f64),
        ("cluster.view_1000.bytes", view),
        ("cluster.cache_of_a_known_view.bytes", cache_of_a_known_view),
    ];
    println!("\nheld");
    for (name, bytes) in measured.into_iter().filter(|(name, _)| name.starts_with(only)) {
        let bytes = bytes();
        println!("{name:<52}{:>12}", report::size(bytes));
        figures.insert(name.into(), bytes);
    }
}

/// What each further member's session holds while nothing happens there: link, session and buffers.
fn idle_session() -> f64 {
    let mut world = World::new(topology(1, SESSIONS as u16 + 1, 256));
    let members: Vec<_> = world.client.members().filter(|member| member.links == 0).map(|member| member.id).collect();
    assert_eq!(members.len(), SESSIONS);
    let before = allocations::held();
    for member in &members {
        world.open_session(*member);
    }
    assert_eq!(world.client.members().filter(|member| member.ready).count(), SESSIONS + 1);
    (allocations::held() - before) as f64 / SESSIONS as f64
}

/// A view of 1,000 members and 1,024 segments of two owners, the members known already.
fn view() -> f64 {
    let mut world = World::new(topology(1, 1000, 1024));
    // Buffers have their size after the first.
    world.get(Some(topology(2, 1000, 1024)));
    let others: Vec<_> = (3..3 + VIEWS).map(|id| topology(id, 1000, 1024)).collect();
    let mut kept = Vec::with_capacity(VIEWS as usize + 1);
    kept.push(world.view());
    let before = allocations::held();
    for other in &others {
        world.get(Some(other.clone()));
        kept.push(world.view());
    }
    (allocations::held() - before) as f64 / f64::from(VIEWS)
}

/// A further cache with a view that another has already.
fn cache_of_a_known_view() -> f64 {
    let known = topology(1, 1, 1024);
    let mut world = World::new(known.clone());
    let before = allocations::held();
    (0..CACHES).for_each(|number| world.add_cache(&format!("cache {number}"), &known));
    (allocations::held() - before) as f64 / CACHES as f64
}
