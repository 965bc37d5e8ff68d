//! The ready list returns the sessions that a loop over all sessions would find.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::pair::{NOW, Pair, client_config, node, request};
use crate::carriage::{ChannelId, ClientEvent, Offer, ServerEvent};
use crate::http2::StreamId;
use crate::wire::SendBuffer;

const SESSIONS: usize = 6;
const MAX_CALLS: u32 = 7;

#[derive(Debug, Clone)]
enum Step {
    /// Queues a message of that size in a session.
    Submit(usize, usize),
    /// Cancels the oldest call of a session.
    GiveUp(usize),
    /// Sends so many bytes to the endpoint.
    Send(usize),
    /// Responds to so many calls, and delivers all that the endpoint has to send.
    Answer(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..SESSIONS;
    let size = prop_oneof![1usize..200, 10_000usize..16_000];
    prop_oneof![
        8 => (session.clone(), size).prop_map(|(session, size)| Step::Submit(session, size)),
        1 => session.prop_map(Step::GiveUp),
        2 => (1usize..100_000).prop_map(Step::Send),
        2 => (0usize..20).prop_map(Step::Answer),
    ]
}

/// Sessions on one link, with the messages of each.
struct World {
    pair: Pair,
    channels: Vec<ChannelId>,
    /// Sizes of the messages to send.
    messages: BTreeMap<ChannelId, VecDeque<usize>>,
    /// Calls that are not cancelled, by session.
    calls: BTreeMap<ChannelId, VecDeque<u64>>,
    last: u64,
    /// End offsets of messages in the link's output.
    unsent: Vec<(u64, ChannelId)>,
    received: VecDeque<(StreamId, u32)>,
}

impl World {
    fn new() -> Self {
        let offer = Offer { max_calls: MAX_CALLS, ..Offer::default() };
        let mut pair = Pair::new(client_config(Some(offer)), Some(offer), usize::MAX);
        let channels: Vec<_> = (0..SESSIONS as u64).map(|token| pair.client.open(NOW, token, request())).collect();
        pair.exchange();
        for event in core::mem::take(&mut pair.to_server) {
            if let ServerEvent::SessionRequested { stream, .. } = event {
                pair.server.accept(stream, &node());
            }
        }
        pair.exchange();
        let tokens: Vec<_> = channels.iter().map(|channel| channel.token()).collect();
        assert_eq!(tokens, (0..SESSIONS as u64).collect::<Vec<_>>());
        let mut world = Self {
            pair,
            channels,
            messages: BTreeMap::new(),
            calls: BTreeMap::new(),
            last: 0,
            unsent: Vec::new(),
            received: VecDeque::new(),
        };
        assert_eq!(world.serve_ready(), tokens, "an event of each was polled");
        world
    }

    fn serve(&mut self, channel: ChannelId) {
        let messages = self.messages.entry(channel).or_default();
        while let Some(size) = messages.front().copied() {
            if !self.pair.client.can_call(channel) {
                return self.pair.client.wait_for_room(channel);
            }
            messages.pop_front();
            self.last += 1;
            let out = self.pair.client.call(channel, self.last, size).expect("a call can begin");
            out.put_slice(&alloc::vec![7; size]);
            self.unsent.push((out.end(), channel));
            self.calls.entry(channel).or_default().push_back(self.last);
        }
    }

    /// Polls all events, and serves the ready sessions. Returns their tokens in order.
    fn serve_ready(&mut self) -> Vec<u64> {
        while let Some(event) = self.pair.client.poll_event(NOW) {
            if let ClientEvent::Message { channel, .. } = event {
                self.calls.get_mut(&channel).and_then(VecDeque::pop_front);
            }
        }
        let mut served = Vec::new();
        while let Some(channel) = self.pair.client.poll_ready() {
            self.serve(channel);
            served.push(channel.token());
        }
        served
    }

    fn send(&mut self, count: usize) {
        let bytes = self.pair.client.transmit().to_bytes();
        let bytes = bytes.slice(..count.min(bytes.len()));
        self.pair.client.transmitted(bytes.len());
        let sent = self.pair.client.transmit().sent();
        let walked: BTreeSet<_> =
            self.unsent.iter().filter(|(end, _)| *end <= sent).map(|(_, channel)| *channel).collect();
        let found: BTreeSet<_> = core::iter::from_fn(|| self.pair.client.poll_sent()).collect();
        assert_eq!(found, walked, "messages that have gone out");
        self.unsent.retain(|(end, _)| *end > sent);
        self.pair.server.receive_buffer().extend_from_slice(&bytes);
        self.pair.server.handle_filled(NOW);
        while let Some(event) = self.pair.server.poll_event() {
            match event {
                ServerEvent::Request { stream, fragment } => self.received.push_back((stream, fragment.call)),
                ServerEvent::Cancelled { stream, call, code } => self.pair.server.end_call(stream, call, code, true),
                _ => {}
            }
        }
    }

    fn answer(&mut self, count: usize) {
        for (stream, call) in self.received.drain(..count.min(self.received.len())) {
            self.pair.server.respond(stream, call, Bytes::from_static(b"answer"), true);
        }
        let bytes = self.pair.server.transmit().to_bytes();
        self.pair.server.transmitted(bytes.len());
        self.pair.client.receive_buffer().extend_from_slice(&bytes);
        self.pair.client.handle_filled(NOW);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Submit(session, size) => {
                let channel = self.channels[session];
                self.messages.entry(channel).or_default().push_back(size);
                self.serve(channel);
            }
            Step::GiveUp(session) => {
                let channel = self.channels[session];
                if let Some(message) = self.calls.get_mut(&channel).and_then(VecDeque::pop_front) {
                    self.pair.client.cancel(channel, message);
                }
            }
            Step::Send(count) => self.send(count),
            Step::Answer(count) => self.answer(count),
        }
        let served = self.serve_ready();
        assert!(served.is_sorted(), "{served:?}: not in the order of opening");
        for (channel, messages) in &self.messages {
            let could_send = !messages.is_empty() && self.pair.client.can_call(*channel);
            assert!(!could_send, "a walk over all sessions finds {channel:?}, which is not listed");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sessions_with_frames_wait_for_nothing_that_is_there(steps in proptest::collection::vec(step(), 0..200)) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.take(step));
        // All calls in flight complete.
        for _ in 0..1_000 {
            world.send(usize::MAX);
            world.answer(usize::MAX);
            world.serve_ready();
        }
        prop_assert!(world.messages.values().all(VecDeque::is_empty), "{:?}", world.messages);
    }
}

#[test]
fn sessions_without_frames_that_have_more_to_send_are_listed_after_each_event_of_the_link() {
    let mut pair = Pair::new(client_config(None), None, usize::MAX);
    let mut open = || pair.open().0;
    let (idle, first, second) = (open(), open(), open());
    assert_eq!(core::iter::from_fn(|| pair.client.poll_ready()).collect::<Vec<_>>(), [idle, first, second]);
    let mut waiting = BTreeMap::new();
    for channel in [second, first] {
        let mut bytes = SendBuffer::new();
        bytes.put_raw(&Bytes::from(alloc::vec![7; 2 << 20]));
        pair.client.send_bytes(channel, &mut bytes);
        assert!(!bytes.is_empty(), "more than the link takes");
        pair.client.wait_for_room(channel);
        waiting.insert(channel, bytes);
    }
    assert_eq!(pair.client.poll_ready(), None, "nothing has happened on the link");
    for _ in 0..1_000 {
        let sent = pair.client.transmit().to_bytes();
        pair.client.transmitted(sent.len());
        pair.server.receive_buffer().extend_from_slice(&sent);
        pair.server.handle_filled(NOW);
        while let Some(event) = pair.server.poll_event() {
            if let ServerEvent::Bytes { stream, bytes } = event {
                pair.server.release_bytes(stream, bytes.len());
            }
        }
        let windows = pair.server.transmit().to_bytes();
        pair.server.transmitted(windows.len());
        pair.client.receive_buffer().extend_from_slice(&windows);
        pair.client.handle_filled(NOW);
        while pair.client.poll_event(NOW).is_some() {}
        let mut served = BTreeSet::new();
        while let Some(channel) = pair.client.poll_ready() {
            let Some(bytes) = waiting.get_mut(&channel) else { continue };
            served.insert(channel);
            pair.client.send_bytes(channel, bytes);
            if !bytes.is_empty() {
                pair.client.wait_for_room(channel);
            }
        }
        assert!(waiting.keys().all(|channel| served.contains(channel)), "{served:?}");
        waiting.retain(|_, bytes| !bytes.is_empty());
    }
    assert!(waiting.is_empty(), "all has gone out");
}

#[test]
fn a_session_that_is_over_is_not_listed() {
    let mut pair = Pair::framed();
    let (channel, _) = pair.open();
    pair.client.mark_ready(channel);
    pair.client.close(channel, crate::http2::ErrorCode::NO_ERROR);
    assert_eq!(pair.client.poll_ready(), None);
}
