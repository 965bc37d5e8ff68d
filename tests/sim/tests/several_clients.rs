//! What holds when several clients use one key, and links go while what they carried still arrives.

use std::time::Duration;

use hotrod_core::cluster::{ClusterError, Config, LinkId, Output};
use hotrod_core::session::{self, Applied, OperationError};
use hotrod_core::wire::{Body, Expiration, Member, Request};
use hotrod_sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn get() -> Request {
    Request::Get { key: "key".into() }
}

fn put(value: &'static str) -> Request {
    Request::Put { key: "key".into(), expiration: Expiration::DEFAULT, value: value.into() }
}

/// Clients that have the topology and a link to every member.
fn settled(clients: usize) -> World {
    let mut world = World::shared_by(clients, 3, 7);
    for client in 0..clients {
        world.call_from(client, get()).expect("an answer");
    }
    world.run_for(SECOND);
    world
}

/// The port of the member that owns the key.
fn owner(world: &World) -> u16 {
    let owner = world.servers.owners("dist", b"key")[0];
    *world.by_port.iter().find(|(_, member)| **member == owner).expect("a member").0
}

/// A plain PUT is sent again after an unknown outcome because "executing it twice equals once". That is so only while
/// nothing else is written to the key: who can't rely on that has it fail.
#[test]
fn a_write_that_is_not_to_be_repeated_does_not_undo_a_later_one() {
    let config = Config::new(vec![Member { host: "10.0.0.1".into(), port: 443 }]);
    let mut strict = config.clone();
    strict.repeat_writes = false;
    let mut world = World::of(3, 7, vec![strict, config]);
    for client in 0..2 {
        world.call_from(client, get()).expect("an answer");
    }
    world.run_for(SECOND);
    world.late_arrivals = true;
    let port = owner(&world);
    // The owner pauses. The first client gives its link up after 10 s.
    world.part(1, &[port]);
    world.set_hung(port, true);
    let first = world.submit(put("first"));
    world.run_until(20 * SECOND, |world| world.answers.contains_key(&first));
    let error = world.answers.remove(&first).expect("an answer").expect_err("nobody knows");
    assert_eq!(error.applied(), Applied::Unknown);
    // The owner wakes up, and finds the only attempt in its receive buffer; what comes then is not undone.
    world.set_hung(port, false);
    world.run_for(SECOND);
    world.reunite(1, false);
    world.call_from(1, put("second")).expect("stored");
    world.run_for(20 * SECOND);
    assert_eq!(world.call_from(1, get()).expect("read").body, Body::Value("second".into()));
}

/// The same, asked for the value before: then the machine does not send it again, and says so.
#[test]
fn a_write_that_asks_for_the_previous_value_is_sent_once() {
    let mut world = settled(1);
    let port = owner(&world);
    world.set_hung(port, true);
    let (now, cache) = (world.now(), world.asking_previous.clone());
    let id = world.submit_to(now, &cache, put("first")).expect("accepted");
    world.run_for(20 * SECOND);
    let unknown =
        |error: &OperationError| matches!(error, OperationError::Disconnected { applied: Applied::Unknown, .. });
    match world.answers.remove(&id) {
        Some(Err(ClusterError::Operation { error, attempts: 1 })) if unknown(&error) => {}
        other => panic!("{other:?}"),
    }
}

/// The link that a machine has bytes for.
fn link_to_write(world: &mut World) -> LinkId {
    std::iter::from_fn(|| world.client.poll_output())
        .find_map(|output| if let Output::Transmit { link } = output { Some(link) } else { None })
        .expect("something to write")
}

/// The second attempt was certainly not executed, and the first one may have been.
#[test]
fn a_client_that_closes_does_not_say_of_a_write_sent_twice_that_it_was_not_applied() {
    let mut world = settled(1);
    let now = world.now();
    let id = world.submit(put("value"));
    let first = link_to_write(&mut world);
    let sent = world.client.transmit(first).expect("open").len();
    world.client.transmitted(first, sent);
    world.client.handle_link_lost(now, first, "reset");
    let second = link_to_write(&mut world);
    world.client.close(now);
    world.client.handle_link_lost(now, second, "reset");
    world.run_for(SECOND);
    match world.answers.remove(&id) {
        Some(Err(ClusterError::Operation { error: OperationError::Disconnected { applied, .. }, .. })) => {
            assert_eq!(applied, Applied::Unknown);
        }
        other => panic!("{other:?}"),
    }
}

/// Found by seed 21 and others: members of the view before were kept until the next change.
#[test]
fn members_that_only_the_old_view_had_are_forgotten_at_once() {
    let mut world = settled(1);
    let owner = owner(&world);
    let left = *world.by_port.keys().find(|port| **port != owner).expect("another");
    // It leaves, and the client is not told: its link looks as good as before.
    world.part(0, &[left]);
    world.leave(left);
    world.call(get()).expect("brings the topology");
    world.run_for(SECOND);
    let known: Vec<u16> = world.client.members().map(|member| member.address.port).collect();
    assert!(!known.contains(&left), "{known:?}");
}

/// Found by seed 544: a seed that becomes ready last, with a queue, was kept until the members changed.
#[test]
fn a_seed_that_is_ready_after_the_members_is_let_go() {
    let mut world = settled(1);
    world.part(0, &[443]);
    for _ in 0..3 {
        world.cut_one();
        world.run_for(Duration::from_millis(1));
    }
    // Every member is in its pause, and the seed does not answer yet.
    let waiting = world.submit(get());
    world.run_for(SECOND / 2);
    world.call(get()).expect("a member is back");
    // What had waited for the seed goes to a member.
    assert!(world.answers.remove(&waiting).expect("an answer").is_ok());
    world.reunite(0, false);
    world.run_for(5 * SECOND);
    assert!(world.client.members().all(|member| member.address.port != 443 || !member.ready));
}

/// Found by seed 95: a link that is no longer needed was kept if something was queued on it at that moment.
#[test]
fn a_seed_with_a_queue_is_let_go_when_the_queue_is_empty() {
    let mut session = session::Config::default();
    session.max_in_flight = 1;
    let mut config = Config::new(vec![Member { host: "10.0.0.1".into(), port: 443 }]);
    config.session = session;
    let mut world = World::with(3, 7, config);
    for _ in 0..200 {
        world.submit(get());
    }
    world.run_for(10 * SECOND);
    let ready: Vec<u16> =
        world.client.members().filter(|member| member.ready).map(|member| member.address.port).collect();
    assert!(!ready.contains(&443), "{ready:?}");
}
