use bytes::Bytes;
use hotrod_core::session::{Applied, Call, Config, Event, OperationError, OperationId, SubmitError};
use hotrod_core::wire::{
    Body, Change, Expiration, Lifetime, Member, Modification, Operation, Reply, Request, RequestOptions, Seen,
    SegmentOwners, Status, TimeUnit, Topology, Version, Xid,
};

use crate::server::{Pair, seconds, value};

#[test]
fn many_operations_are_in_flight_and_answers_come_in_any_order() {
    let mut pair = Pair::ready();
    let ids: Vec<_> = ["a", "b", "c"].into_iter().map(|key| pair.submit_get(key)).collect();
    pair.flush();
    let requests: Vec<_> = pair.requests.drain(..).collect();
    for index in [2, 0, 1] {
        pair.answer_this_get(&requests[index].0, &requests[index].1);
    }
    let values: Vec<_> = pair.events().into_iter().map(|event| value(Some(event))).collect();
    assert_eq!(values, [(ids[2], "c".into()), (ids[0], "a".into()), (ids[1], "b".into())]);
    assert_eq!(pair.client.in_flight(), 0);
}

#[test]
fn an_error_of_the_server_fails_the_operation_and_nothing_else() {
    let mut pair = Pair::ready();
    let (failing, _) = (pair.submit_get("a"), pair.submit_get("b"));
    pair.flush();
    let (header, _) = pair.next_request();
    pair.answer(&header, Operation::Get, Status::NODE_SUSPECTED, Body::Error("member left".into()));
    match pair.event() {
        Some(Event::Completed { id, result: Err(OperationError::Server { status, message, operation }), .. }) => {
            assert_eq!((id, status, operation), (failing, Status::NODE_SUSPECTED, Operation::Get));
            assert_eq!(message, "member left");
        }
        other => panic!("{other:?}"),
    }
    pair.answer_get();
    assert_eq!(value(pair.event()).1, "b");
}

/// Gotcha 9: a late reply must be consumed, or the stream is out of step.
#[test]
fn a_late_reply_after_its_deadline_is_consumed_and_dropped() {
    let mut pair = Pair::ready();
    let request = Request::Get { key: "slow".into() };
    let options = RequestOptions::default();
    let call = Call { timeout: Some(seconds(1)), ..Call::new(&request, &options) };
    let id = pair.client.submit(pair.now, call).unwrap();
    pair.submit_get("next");
    pair.flush();
    pair.later(seconds(1));
    match pair.event() {
        Some(Event::Completed { id: late, result: Err(error), .. }) => {
            assert_eq!(late, id);
            assert_eq!(error.to_string(), "GET got no answer within 1000 ms");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(pair.client.in_flight(), 2, "the answer is still to come");
    pair.answer_get();
    pair.answer_get();
    assert_eq!(value(pair.event()).1, "next");
    assert_eq!((pair.client.counters().late_replies, pair.client.in_flight()), (1, 0));
}

/// Gotcha 7: no topology may be lost, whichever reply contains it.
#[test]
fn a_topology_in_a_late_reply_is_told_all_the_same() {
    let mut pair = Pair::ready();
    let id = pair.submit_get("a");
    pair.flush();
    assert!(pair.client.cancel(id));
    let (header, _) = pair.next_request();
    let topology =
        Topology { id: 0x8000_0001, members: vec![Member { host: "10.0.0.1".into(), port: 11222 }], hash: None };
    let reply = Reply {
        message_id: header.message_id,
        status: Status::KEY_DOES_NOT_EXIST,
        topology: Some(Box::new(Topology { hash: Some(hash()), ..topology.clone() })),
        body: Body::Nothing,
    };
    pair.server.reply(&header, Operation::Get, &reply);
    pair.deliver();
    assert!(matches!(pair.event(), Some(Event::Topology { topology, .. }) if topology.id == 0x8000_0001));
}

fn hash() -> hotrod_core::wire::Hash {
    hotrod_core::wire::Hash { function: 0, segments: 256, owners: SegmentOwners::default() }
}

#[test]
fn deadlines_are_kept_each_for_its_own() {
    let mut pair = Pair::ready();
    let timeouts = [5u64, 1, 3];
    let (request, options) = (Request::Get { key: "k".into() }, RequestOptions::default());
    let ids: Vec<OperationId> = timeouts
        .iter()
        .map(|timeout| {
            let call = Call { timeout: Some(seconds(*timeout)), ..Call::new(&request, &options) };
            pair.client.submit(pair.now, call).unwrap()
        })
        .collect();
    let start = pair.now;
    for (second, expected) in [(1, Some(ids[1])), (2, None), (3, Some(ids[2])), (4, None), (5, Some(ids[0]))] {
        let deadline = pair.client.poll_timeout().unwrap();
        assert!(expected.is_none() || deadline <= start + seconds(second), "early is fine, late is not");
        pair.later(start + seconds(second) - pair.now);
        let completed = match pair.event() {
            Some(Event::Completed {
                id,
                result: Err(OperationError::TimedOut { applied: Applied::Unknown, .. }),
                ..
            }) => Some(id),
            None => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(completed, expected, "second {second}");
    }
}

#[test]
fn a_cancelled_operation_says_nothing_any_more() {
    let mut pair = Pair::ready();
    let (cancelled, kept) = (pair.submit_get("a"), pair.submit_get("b"));
    assert!(pair.client.cancel(cancelled));
    assert!(!pair.client.cancel(cancelled), "only once");
    pair.flush();
    pair.answer_get();
    pair.answer_get();
    assert_eq!(value(pair.event()).0, kept);
    assert_eq!(pair.event(), None);
    assert!(!pair.client.cancel(kept), "it is done");
}

#[test]
fn too_many_operations_or_bytes_are_refused_and_not_queued() {
    let mut config = Config::default();
    config.max_in_flight = 2;
    config.max_send_bytes = 1000;
    let mut pair = Pair::ready_with(config);
    let value = Bytes::from(vec![0; 2000]);
    let put = Request::Put { key: "k".into(), expiration: Expiration::DEFAULT, value };
    pair.submit(&put);
    let options = RequestOptions::default();
    let refused = pair.client.submit(pair.now, Call::new(&put, &options));
    assert!(matches!(refused, Err(SubmitError::Full { in_flight: 1, send_bytes }) if send_bytes > 2000));
    pair.flush();
    pair.submit_get("a");
    let refused = pair.client.submit(pair.now, Call::new(&put, &options));
    assert!(matches!(refused, Err(SubmitError::Full { in_flight: 2, .. })));
    let (header, _) = pair.next_request();
    pair.answer(&header, Operation::Put, Status::SUCCESS, Body::Nothing);
    pair.flush();
    pair.submit_get("b");
}

#[test]
fn what_does_not_fit_on_the_wire_is_refused_by_name() {
    let mut pair = Pair::ready();
    let parameters = (0..256).map(|n| (format!("p{n}"), Bytes::new())).collect();
    let exec = Request::Exec { task: "t".into(), parameters };
    let refused = pair.client.submit(pair.now, Call::new(&exec, &RequestOptions::default())).unwrap_err();
    assert_eq!(refused, SubmitError::TooLarge { field: "parameters", size: 256, limit: 127 });
}

/// Requests that set a lifespan, or a maximum idle time, of every operation that servers take lifetimes from.
fn with_lifetimes(lifetime: Lifetime) -> Vec<Request> {
    let idle = Expiration { max_idle: lifetime, ..Expiration::DEFAULT };
    let mut requests = Vec::new();
    for expiration in [Expiration::after(lifetime), idle] {
        let (key, value, entry_version) = (Bytes::from("k"), Bytes::from("v"), 1);
        let change = Change::Put { expiration, value: value.clone() };
        let remove = Modification { key: key.clone(), seen: Seen::NotRead, change: Change::Remove };
        let modifications = vec![remove, Modification { key: key.clone(), seen: Seen::NotRead, change }];
        let entries = vec![(key.clone(), value.clone())];
        let xid = Xid { format_id: 1, global_transaction_id: "g".into(), branch_qualifier: "b".into() };
        requests.extend([
            Request::Put { key: key.clone(), expiration, value: value.clone() },
            Request::PutIfAbsent { key: key.clone(), expiration, value: value.clone() },
            Request::Replace { key: key.clone(), expiration, value: value.clone() },
            Request::ReplaceIfUnmodified { key: key.clone(), expiration, entry_version, value: value.clone() },
            Request::PutAll { expiration, entries },
            Request::PutStream { key: key.clone(), expiration, entry_version, chunks: vec![value] },
            Request::PrepareTx { xid, one_phase_commit: true, modifications },
        ]);
    }
    requests
}

/// Servers read more than 30 days as a date before 3.0 (`buildMetadata2x`): 31 days would end in 1970, 60 years next year.
#[test]
fn lifetimes_that_servers_would_read_as_dates_are_refused() {
    let (days, options) = (|count| Lifetime::For(count, TimeUnit::Days), RequestOptions::default());
    let longer = [
        days(31),
        days(365),
        Lifetime::seconds(30 * 86_400 + 1),
        Lifetime::milliseconds(30 * 86_400_000 + 1),
        Lifetime::For(60 * 525_600, TimeUnit::Minutes),
        Lifetime::milliseconds(Lifetime::LONGEST),
    ];
    let allowed = [Lifetime::Default, Lifetime::Infinite, days(30), days(u64::MAX), Lifetime::milliseconds(1)];
    for version in Version::ALL {
        let mut pair = Pair::speaking(version);
        let mut submit = |request: &Request| pair.client.submit(pair.now, Call::new(request, &options));
        let is_in = |request: &Request| request.operation().row().since <= version;
        for (lifetime, request) in longer.iter().flat_map(|lifetime| {
            with_lifetimes(*lifetime).into_iter().filter(is_in).map(move |request| (lifetime, request))
        }) {
            let operation = request.operation();
            let Err(refused) = submit(&request) else {
                assert!(version >= Version::V3_0, "{operation} with {lifetime:?} is sent at {version}");
                continue;
            };
            if refused == (SubmitError::GoneInVersion { operation, version }) {
                continue;
            }
            let milliseconds = lifetime.as_milliseconds().unwrap();
            assert_eq!(refused, SubmitError::LifetimeNotInVersion { operation, milliseconds, version });
            assert!(version < Version::V3_0);
            assert!(refused.to_string().contains("needs protocol version 3.0"), "{refused}");
        }
        for request in allowed.iter().flat_map(|lifetime| with_lifetimes(*lifetime)).filter(is_in) {
            let refused = submit(&request).err();
            assert!(matches!(refused, None | Some(SubmitError::GoneInVersion { .. })), "{request:?}: {refused:?}");
        }
    }
}

/// Observed on 16.0.7: the reply announces the length of the rest, and the whole value follows.
#[test]
fn a_stream_is_read_from_its_beginning_only() {
    let mut pair = Pair::ready();
    let options = RequestOptions::default();
    let from = |offset| Request::GetStream { key: "k".into(), offset };
    let refused = pair.client.submit(pair.now, Call::new(&from(1), &options));
    assert_eq!(refused, Err(SubmitError::OffsetBreaksStream { offset: 1 }));
    assert!(pair.client.submit(pair.now, Call::new(&from(0), &options)).is_ok());
}

#[test]
fn nothing_is_accepted_before_the_session_is_ready() {
    let mut pair = Pair::new(Config::default());
    let request = Request::Clear {};
    let refused = pair.client.submit(pair.now, Call::new(&request, &RequestOptions::default()));
    assert_eq!(refused, Err(SubmitError::NotReady));
}
