//! Discovery without a cluster: facts go in, and the actions are looked at.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::access::{Access, AccessPath};
use super::cookies::RequestTarget;
use super::coverage::{Coverage, Uncovered};
use super::endpoint::Endpoint;
use super::probe_cache::Step;
use super::{Action, Discovery, Facts, Finding};
use crate::carriage::registry::ADDRESS_FIELD;
use crate::carriage::{LinkEnd, Refusal};
use crate::cluster::backoff::Entropy;
use crate::cluster::config::Config;
use crate::cluster::counters::Counters;
use crate::cluster::members::{MemberId, Members};
use crate::cluster::output::{Event, Output};
use crate::cluster::transport::open_session::{Purpose, SessionId};
use crate::cluster::transport::{Scope, Transport};
use crate::cluster::view::{Ownership, View};
use crate::http1::Fields;
use crate::time::Instant;
use crate::wire::{self, Body, Reply, Request, SegmentOwners, Status};

const GATE: &str = "gate";

fn address(host: &str) -> wire::Member {
    wire::Member { host: host.into(), port: 11222 }
}

fn endpoint(host: &str) -> Endpoint {
    Endpoint::from(&address(host))
}

/// What the cluster would hold.
struct Around {
    now: Instant,
    config: Config,
    members: Members,
    current: Vec<MemberId>,
    seeds: Vec<MemberId>,
    transport: Transport,
    outputs: VecDeque<Output>,
    counters: Counters,
}

impl Around {
    fn facts(&self) -> Facts<'_> {
        Facts::new(self.now, &self.config, &self.members, &self.transport)
    }
}

struct World {
    discovery: Discovery,
    entropy: Entropy,
    around: Around,
}

impl World {
    /// One seed, and a topology of so many members: `pod-0`, `pod-1`, …
    fn new(path: AccessPath, members: usize) -> Self {
        let seeds = Vec::from([address(GATE)]);
        let config = Config { seeds, access: Access { path, ..Access::default() }, ..Config::default() };
        let mut known = Members::default();
        known.add_site(String::new(), &[address(GATE)]);
        let seeds = known.seeds().to_vec();
        let current: Vec<MemberId> =
            (0..members).map(|index| known.named(&address(&format!("pod-{index}")), Instant::EPOCH)).collect();
        known.set_current(&current);
        let discovery = Discovery::new(&config);
        let around = Around {
            now: Instant::from_micros(0),
            config,
            members: known,
            current,
            seeds,
            transport: Transport::default(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
        };
        Self { discovery, entropy: Entropy::new([7; 32]), around }
    }

    fn search(&mut self) -> Vec<Action> {
        self.discovery.search(&self.around.facts(), &mut self.entropy)
    }

    fn transport(&mut self) -> (&mut Transport, Scope<'_>) {
        let Self { discovery, entropy, around } = self;
        let scope = Scope {
            config: &around.config,
            now: around.now,
            members: &around.members,
            discovery,
            outputs: &mut around.outputs,
            counters: &mut around.counters,
            entropy,
        };
        (&mut around.transport, scope)
    }

    fn session(&mut self, member: MemberId) -> SessionId {
        let (transport, mut scope) = self.transport();
        transport.begin_unassigned(&mut scope, member, endpoint(GATE))
    }

    /// A session with a member, for the application's listeners.
    fn events_session(&mut self, member: MemberId) -> SessionId {
        let (transport, mut scope) = self.transport();
        transport.begin(&mut scope, member, Purpose::Events, endpoint(GATE))
    }

    /// A session at the seed.
    fn candidate(&mut self) -> SessionId {
        let session = self.session(self.around.seeds[0]);
        self.discovery.add_candidate(session);
        session
    }

    /// The endpoint accepts a session, with such fields.
    fn accepted(&mut self, session: SessionId, fields: &[(&str, &str)]) -> Option<Finding> {
        let mut answer = Fields::new();
        fields.iter().for_each(|(name, value)| answer.push(name, String::from(*value)).expect("a field"));
        let facts = self.around.facts();
        self.discovery.accepted(session, Some(&endpoint(GATE)), &answer, &facts);
        self.discovery.recognise(session, &facts)
    }

    fn identified(&mut self, session: SessionId, member: MemberId) -> Vec<Action> {
        self.discovery.identified(session, member, &self.around.facts(), &mut self.entropy)
    }

    fn place(&mut self, session: SessionId, member: MemberId) -> Action {
        self.discovery.place(session, member, &self.around.facts())
    }

    /// Takes [`Action::Adopt`].
    fn adopt(&mut self, session: SessionId, member: MemberId) {
        self.around.transport.assign(session, member);
    }

    fn cookie(&self, session: SessionId) -> Option<String> {
        let target = RequestTarget { endpoint: &endpoint(GATE), path: "/", encrypted: false };
        let value = self.discovery.cookies_for(session, target, self.around.now)?;
        Some(String::from_utf8(value.to_vec()).expect("text"))
    }
}

#[test]
fn a_session_is_opened_for_each_missing_member() {
    let mut world = World::new(AccessPath::LoadBalancer, 3);
    let seed = world.around.seeds[0];
    let (first, held) = (world.candidate(), world.around.current[0]);
    world.identified(first, held);
    world.adopt(first, held);
    assert_eq!(world.search(), [Action::Open(seed), Action::Open(seed)]);
    world.candidate();
    world.candidate();
    assert_eq!(world.search(), [], "they are on the way");
    let mut direct = World::new(AccessPath::Direct, 3);
    assert_eq!(direct.search(), [], "members are dialled");
}

/// A retry in the past would have the host call again at once, until the pause ends.
#[test]
fn a_seed_that_is_paused_after_its_back_off_is_tried_when_the_pause_ends() {
    let mut world = World::new(AccessPath::LoadBalancer, 3);
    let (seed, second) = (world.around.seeds[0], Duration::from_secs(1));
    let known = world.around.members.get_mut(seed).expect("the seed");
    known.retry_at = Some(Instant::from_micros(1));
    world.around.now = Instant::from_micros(2);
    let until = world.around.now + 300 * second;
    world.around.transport.pause_endpoint(seed, endpoint(GATE), world.around.now, until);
    assert_eq!(world.search(), [Action::RetryAt(until)]);
}

#[test]
fn a_new_member_is_adopted_and_a_duplicate_dismissed() {
    let mut world = World::new(AccessPath::LoadBalancer, 3);
    let pod = world.around.current[1];
    let (first, second) = (world.candidate(), world.candidate());
    for session in [first, second] {
        let found = world.accepted(session, &[(ADDRESS_FIELD, "pod-1:11222")]);
        assert_eq!(found, Some(Finding::Identified(pod)));
    }
    assert_eq!(world.identified(first, pod), []);
    assert_eq!(world.place(first, pod), Action::Adopt { session: first, member: pod });
    world.adopt(first, pod);
    assert_eq!(world.identified(second, pod), []);
    assert_eq!(world.place(second, pod), Action::Dismiss(second));
    assert!(!world.discovery.is_candidate(first) && !world.discovery.is_candidate(second));
}

/// A member that has a session for listeners needs no other that has reached it by mistake.
#[test]
fn a_second_session_for_listeners_is_dismissed() {
    let mut world = World::new(AccessPath::Header, 2);
    let (expected, found) = (world.around.current[0], world.around.current[1]);
    let (own, other) = (world.events_session(found), world.events_session(expected));
    world.around.transport.unlist(other, expected);
    assert_eq!(world.place(other, found), Action::Dismiss(other));
    world.around.transport.unlist(own, found);
    assert_eq!(world.place(other, found), Action::Adopt { session: other, member: found });
}

#[test]
fn affinity_to_the_clients_address_ends_the_round() {
    let mut world = World::new(AccessPath::LoadBalancer, 3);
    let pod = world.around.current[0];
    let other = world.candidate();
    let ended = (1..=50).find_map(|tries| {
        let session = world.candidate();
        let actions = world.identified(session, pod);
        (!actions.is_empty()).then_some((tries, actions))
    });
    let (tries, actions) = ended.expect("the round ends");
    let [
        Action::Report(event),
        Action::RetryAt(at),
        Action::EndWaits,
        Action::Dismiss(dismissed),
        Action::ReportCoverage,
    ] = &actions[..]
    else {
        panic!("{actions:?}");
    };
    let Event::BalancingRecognised { balancing, .. } = event else { panic!("{event:?}") };
    assert_eq!((balancing.as_str(), *dismissed), ("client-address", other));
    assert_eq!(world.search(), [Action::RetryAt(*at)], "the pause is kept");
    let why = world.discovery.why_uncovered([].into_iter(), &world.around.members);
    assert_eq!(why, Uncovered::OneMember { tries });
    world.around.now = *at;
    let again = world.search();
    assert_eq!(again[0], Action::ReportCoverage);
    assert_eq!(again.len(), 1 + 3, "one session for each missing member");
}

/// The other members may have been away: a loss shows that the cluster is not what it was when the answers came.
#[test]
fn affinity_is_no_longer_concluded_once_a_session_was_lost() {
    let mut world = World::new(AccessPath::LoadBalancer, 3);
    let pod = world.around.current[0];
    let kept = world.candidate();
    world.identified(kept, pod);
    let at = (1..=50).find_map(|_| {
        let session = world.candidate();
        let actions = world.identified(session, pod);
        actions.into_iter().find_map(|action| if let Action::RetryAt(at) = action { Some(at) } else { None })
    });
    world.discovery.session_ended(kept, true, &world.around.facts(), &mut world.entropy);
    world.around.now = at.expect("the round ends");
    let opened = (0..4).map(|_| {
        let opened = world.search().iter().filter(|action| matches!(action, Action::Open(_))).count();
        for _ in 0..opened {
            let session = world.candidate();
            world.identified(session, pod);
        }
        opened
    });
    assert_eq!(opened.collect::<Vec<_>>(), [3, 3, 3, 3], "the round has all of its tries");
}

#[test]
fn cookies_lead_to_the_same_member_again() {
    let mut world = World::new(AccessPath::Cookie, 2);
    let pod = world.around.current[0];
    let fields = [(ADDRESS_FIELD, "pod-0:11222"), ("set-cookie", "route=a")];
    let first = world.candidate();
    assert_eq!(world.accepted(first, &fields), Some(Finding::Identified(pod)));
    world.identified(first, pod);
    world.adopt(first, pod);
    assert_eq!(world.search().len(), 1, "only the other member is searched for");
    let second = world.session(pod);
    world.discovery.session_begins(second, pod);
    assert_eq!(world.cookie(second).as_deref(), Some("route=a"));
    assert!(matches!(world.accepted(second, &fields), Some(Finding::CookieKept(_))));
    assert_eq!(world.accepted(second, &fields), None, "reported once");
}

#[test]
fn a_cookie_that_leads_elsewhere_is_forgotten() {
    for (answer, expects_unknown) in [("pod-1:11222", false), ("pod-7:11222", true)] {
        let mut world = World::new(AccessPath::Cookie, 2);
        let (expected, found) = (world.around.current[0], world.around.current[1]);
        let first = world.candidate();
        world.accepted(first, &[(ADDRESS_FIELD, "pod-0:11222"), ("set-cookie", "route=a")]);
        world.identified(first, expected);
        let second = world.session(expected);
        world.discovery.session_begins(second, expected);
        let finding = world.accepted(second, &[(ADDRESS_FIELD, answer)]);
        let seed = world.around.seeds[0];
        let wanted = if expects_unknown {
            Finding::Unknown { seed }
        } else {
            Finding::OtherMember { expected, found, by_cookie: true }
        };
        assert_eq!(finding, Some(wanted));
        let third = world.session(expected);
        world.discovery.session_begins(third, expected);
        assert_eq!(world.cookie(third), None);
    }
}

fn reply(body: Body) -> Reply {
    Reply { message_id: 1, status: Status::SUCCESS, topology: None, body }
}

#[test]
fn the_probe_cache_identifies_a_server_by_its_entries() {
    let mut world = World::new(AccessPath::LoadBalancer, 3);
    let mut owners = SegmentOwners::default();
    (0..12).for_each(|segment| owners.push(&[segment % 3]));
    let ownership = Some(Ownership::new(12, owners));
    let view = Arc::new(View { id: 1, members: world.around.current.clone(), ownership });
    let session = world.candidate();
    let facts = world.around.facts();
    let discovery = &mut world.discovery;
    let step = discovery.identify(session, None, &facts);
    assert_eq!(step, Some(Step::Request(Request::Ping {})));
    let mut answer = |body| discovery.probe_answered(Ok(reply(body)), Some(&view), &facts);
    assert_eq!(answer(Body::Nothing), Step::Request(Request::Size {}));
    assert_eq!(answer(Body::Size(0)), Step::Request(Request::Clear {}));
    let Step::Request(Request::PutAll { entries, .. }) = answer(Body::Nothing) else { panic!("no entries") };
    let mut counts = [0; 3];
    for (key, _) in &entries {
        let owner = view.owners_of(key).next().expect("an owner");
        counts[world.around.current.iter().position(|member| *member == owner).expect("a member")] += 1;
    }
    assert_eq!(counts, [1, 2, 3]);
    assert_eq!(answer(Body::Nothing), Step::Read(Vec::from([session])));
    discovery.reading_begins(session);
    let entries = Vec::from([("approximateEntriesUnique".into(), "2".into())]);
    assert_eq!(discovery.reading_answered(session, Ok(reply(Body::Statistics(entries)))), None);
    let step = discovery.reading_answered(session, Ok(reply(Body::Size(6))));
    assert_eq!(step, Some(Step::Identified { session, member: world.around.current[1] }));
}

#[test]
fn without_a_probe_cache_an_unnamed_server_stays_unidentified() {
    let mut world = World::new(AccessPath::LoadBalancer, 3);
    world.around.config.access.probe_cache = None;
    let session = world.candidate();
    let facts = world.around.facts();
    let step = world.discovery.identify(session, None, &facts);
    assert!(matches!(step, Some(Step::Unidentified { reason: Uncovered::NotTold(_), .. })), "{step:?}");
    assert_eq!(world.discovery.leave_unidentified(session, &facts), Some(Action::Dismiss(session)));
    assert!(!world.discovery.is_candidate(session));
}

#[test]
fn a_gateway_that_refuses_other_members_changes_the_path() {
    let mut world = World::new(AccessPath::Auto, 2);
    let session = world.session(world.around.seeds[0]);
    world.accepted(session, &[(ADDRESS_FIELD, "pod-0:11222")]);
    let actions = world.discovery.choose_path(session, &world.around.facts());
    assert_eq!(world.discovery.path(), AccessPath::Header);
    assert!(matches!(actions[..], [Action::ShareLinks, Action::Report(Event::AccessChosen { .. })]));
    let refusal = LinkEnd::Refused(Refusal { status: 421, retry_after: None, node: None });
    let actions = world.discovery.session_refused(&refusal, &world.around.facts());
    assert_eq!(world.discovery.path(), AccessPath::LoadBalancer);
    assert!(matches!(actions[..], [Action::Report(Event::AccessChosen { .. })]));
    assert_eq!(world.discovery.session_refused(&refusal, &world.around.facts()), []);
}

#[test]
fn explicit_beats_template_beats_discovered_beats_advertised() {
    let mut world = World::new(AccessPath::Direct, 2);
    let pod = world.around.current[1];
    let dialled = |world: &World| world.discovery.endpoint_of(&world.around.facts(), pod).expect("an endpoint").host;
    assert_eq!(dialled(&world), "pod-1");
    world.discovery.set_discovered(&address("pod-1"), Some(endpoint("discovered")));
    assert_eq!(dialled(&world), "discovered");
    world.around.config.access.template = "{member}.template:1".parse().ok();
    assert_eq!(dialled(&world), "pod-1.template");
    world.around.config.access.explicit.insert(address("pod-1"), endpoint("explicit"));
    assert_eq!(dialled(&world), "explicit");
}

#[test]
fn coverage_is_reported_when_it_changes() {
    let mut world = World::new(AccessPath::LoadBalancer, 2);
    let coverage = |covered| Coverage { covered, members: 2, reason: (covered < 2).then_some(Uncovered::OnTheWay) };
    assert!(world.discovery.coverage_event(coverage(1)).is_some());
    assert_eq!(world.discovery.coverage_event(coverage(1)), None);
    assert!(world.discovery.coverage_event(coverage(2)).is_some());
}
