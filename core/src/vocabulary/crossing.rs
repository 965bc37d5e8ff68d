//! How the types of outputs become values.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use slotmap::Key;

use super::answer::Answer;
use super::failure::Failure;
use super::shape::{Field, Kind, Value};
use crate::cluster::{
    CacheId, Cluster, ClusterError, Dial, IterationId, LinkId, ListenerId, MemberId, OperationId, StartError, Tls,
};
use crate::session::Disconnect;
use crate::wire::{self, EventData, IterationEntry, Operation, Reply};

/// The output that values belong to, and the machine that returned it.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The machine that returned the output.
    pub cluster: &'a Cluster,
    subject: Subject,
}

/// The fields of an output that decide the form of its other fields, wherever among them they stand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject {
    /// Decides the shape of the answer.
    operation: Option<Operation>,
    /// The member that a failure names.
    member: Option<MemberId>,
}

impl<'a> Context<'a> {
    /// The context of an output of `cluster`.
    pub fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, subject: Subject::default() }
    }

    pub(crate) fn of(self, subject: Subject) -> Self {
        Self { subject, ..self }
    }

    fn failure(&self, error: ClusterError) -> Value {
        Value::Failure(Box::new(Failure::of(error, self.subject.member, self.cluster)))
    }
}

/// A type of an output's field, which becomes one value or several.
pub(crate) trait Crossing {
    /// Appends the fields that a field of this type becomes.
    fn fields(name: &'static str, doc: &'static str, out: &mut Vec<Field>);

    /// Notes what the output's other fields need. Called for each field before any field crosses.
    fn describe(&self, _subject: &mut Subject) {}

    /// Appends its values.
    fn cross(self, context: &Context<'_>, values: &mut Vec<Value>);
}

fn field(name: &'static str, doc: &'static str, kind: Kind) -> Field {
    Field { name, doc, kind, optional: false }
}

fn optional(name: &'static str, doc: &'static str, kind: Kind) -> Field {
    Field { name, doc, kind, optional: true }
}

/// Types that become one value.
macro_rules! single {
    ($($type:ty: $kind:expr, |$value:ident, $context:ident| $made:expr;)*) => {$(
        impl Crossing for $type {
            fn fields(name: &'static str, doc: &'static str, out: &mut Vec<Field>) {
                out.push(field(name, doc, $kind));
            }

            fn cross(self, $context: &Context<'_>, values: &mut Vec<Value>) {
                let _ = &$context;
                let $value = self;
                values.push($made);
            }
        }
    )*};
}

single! {
    LinkId: Kind::Id("link"), |id, _context| Value::Id(id.data().as_ffi());
    OperationId: Kind::Id("operation"), |id, _context| Value::Id(id.data().as_ffi());
    ListenerId: Kind::Id("listener"), |id, _context| Value::Id(id.data().as_ffi());
    IterationId: Kind::Id("iteration"), |id, _context| Value::Id(id.data().as_ffi());
    CacheId: Kind::Text, |id, context| Value::Text(context.cluster.cache_name(id).into());
    u32: Kind::Number, |number, _context| Value::Number(number.into());
    usize: Kind::Number, |number, _context| Value::Number(number as u64);
    bool: Kind::Flag, |flag, _context| Value::Flag(flag);
    String: Kind::Text, |text, _context| Value::Text(text);
    Duration: Kind::Duration, |span, _context| Value::Number(span.as_micros() as u64);
    wire::Member: Kind::Text, |address, _context| Value::Text(address.to_string());
    Arc<Disconnect>: Kind::Text, |reason, _context| Value::Text(reason.to_string());
    Tls: Kind::Tls, |tls, _context| Value::Tls(Box::new(tls));
    ClusterError: Kind::Failure, |error, context| context.failure(error);
    StartError: Kind::Failure, |error, context| Value::Failure(Box::new(Failure::of_start(error, context.cluster)));
}

impl Crossing for MemberId {
    fn fields(name: &'static str, doc: &'static str, out: &mut Vec<Field>) {
        out.push(field(name, doc, Kind::Id("member")));
    }

    fn describe(&self, subject: &mut Subject) {
        subject.member = Some(*self);
    }

    fn cross(self, _context: &Context<'_>, values: &mut Vec<Value>) {
        values.push(Value::Id(self.data().as_ffi()));
    }
}

impl<T: Crossing> Crossing for Box<T> {
    fn fields(name: &'static str, doc: &'static str, out: &mut Vec<Field>) {
        T::fields(name, doc, out);
    }

    fn describe(&self, subject: &mut Subject) {
        (**self).describe(subject);
    }

    fn cross(self, context: &Context<'_>, values: &mut Vec<Value>) {
        (*self).cross(context, values);
    }
}

impl<T: Crossing> Crossing for Option<T> {
    fn fields(name: &'static str, doc: &'static str, out: &mut Vec<Field>) {
        let first = out.len();
        T::fields(name, doc, out);
        out[first..].iter_mut().for_each(|field| field.optional = true);
    }

    fn describe(&self, subject: &mut Subject) {
        self.iter().for_each(|value| value.describe(subject));
    }

    fn cross(self, context: &Context<'_>, values: &mut Vec<Value>) {
        match self {
            Some(value) => value.cross(context, values),
            None => values.push(Value::None),
        }
    }
}

/// Has no value of its own: the shape of the answer and the failure tell it.
impl Crossing for Operation {
    fn fields(_name: &'static str, _doc: &'static str, _out: &mut Vec<Field>) {}

    fn describe(&self, subject: &mut Subject) {
        subject.operation = Some(*self);
    }

    fn cross(self, _context: &Context<'_>, _values: &mut Vec<Value>) {}
}

impl Crossing for Dial {
    fn fields(_name: &'static str, _doc: &'static str, out: &mut Vec<Field>) {
        out.push(field("host", " Host name or IP address to connect to, without brackets.", Kind::Text));
        out.push(field("port", " TCP port.", Kind::Number));
        out.push(optional("tls", " TLS to be established before the link is said to be connected.", Kind::Tls));
    }

    fn cross(self, _context: &Context<'_>, values: &mut Vec<Value>) {
        values.push(Value::Text(self.host));
        values.push(Value::Number(self.port.into()));
        values.push(self.tls.map_or(Value::None, |tls| Value::Tls(Box::new(tls))));
    }
}

impl Crossing for Result<Reply, ClusterError> {
    fn fields(_name: &'static str, _doc: &'static str, out: &mut Vec<Field>) {
        out.push(optional("answer", " What it answers; none if it failed.", Kind::Answer));
        out.push(optional("error", " How it failed; none if it did not.", Kind::Failure));
    }

    fn cross(self, context: &Context<'_>, values: &mut Vec<Value>) {
        let Subject { operation, member } = context.subject;
        let operation = operation.unwrap_or(Operation::Ping);
        match self.map(|reply| Answer::of(operation, reply)) {
            Ok(Ok(answer)) => values.extend([Value::Answer(answer), Value::None]),
            Ok(Err(refusal)) => {
                let failure = Failure::of_refusal(operation, refusal, member, context.cluster);
                values.extend([Value::None, Value::Failure(Box::new(failure))]);
            }
            Err(error) => values.extend([Value::None, context.failure(error)]),
        }
    }
}

impl Crossing for Result<Vec<IterationEntry>, ClusterError> {
    fn fields(_name: &'static str, _doc: &'static str, out: &mut Vec<Field>) {
        out.push(optional("entries", " The entries; an empty list at the end.", Kind::Entries));
        out.push(optional("error", " Why there are no more; none if there may be.", Kind::Failure));
    }

    fn cross(self, context: &Context<'_>, values: &mut Vec<Value>) {
        match self {
            Ok(entries) => values.extend([Value::Entries(entries), Value::None]),
            Err(error) => values.extend([Value::None, context.failure(error)]),
        }
    }
}

const CHANGES: &[&str] = &["created", "modified", "removed", "expired"];
const STATES: &[&str] = &["valid", "lower_bound_reached", "upper_bound_reached"];

fn word(words: &'static [&'static str], index: u8) -> Value {
    let index = usize::from(index);
    Value::Word(index, words.get(index).copied().unwrap_or_default())
}

impl Crossing for wire::Event {
    fn fields(_name: &'static str, _doc: &'static str, out: &mut Vec<Field>) {
        out.push(field("change", " What happened to the entry.", Kind::Word(CHANGES)));
        out.push(optional("key", " Its key; none if the listener has a converter.", Kind::Bytes));
        out.push(optional("version", " Its version, if it was created or modified.", Kind::Opaque));
        out.push(optional("data", " What the listener's converter made of it.", Kind::Bytes));
        let retried = " Whether the write was retried in the server: the event may have been sent before.";
        out.push(field("retried", retried, Kind::Flag));
    }

    fn cross(self, _context: &Context<'_>, values: &mut Vec<Value>) {
        values.push(word(CHANGES, self.change as u8 - wire::EntryChange::Created as u8));
        match self.data {
            EventData::Key { key, version } => {
                let version = version.map_or(Value::None, Value::Opaque);
                values.extend([Value::Bytes(key), version, Value::None]);
            }
            EventData::Custom { data, .. } => values.extend([Value::None, Value::None, Value::Bytes(data)]),
        }
        values.push(Value::Flag(self.retried));
    }
}

impl Crossing for wire::CounterEvent {
    fn fields(_name: &'static str, _doc: &'static str, out: &mut Vec<Field>) {
        out.push(field("counter", " The counter.", Kind::Text));
        out.push(field("old_value", " Its value before.", Kind::Signed));
        out.push(field("old_state", " Whether that was at a bound.", Kind::Word(STATES)));
        out.push(field("new_value", " Its value now.", Kind::Signed));
        out.push(field("new_state", " Whether that is at a bound.", Kind::Word(STATES)));
    }

    fn cross(self, _context: &Context<'_>, values: &mut Vec<Value>) {
        values.extend([
            Value::Text(self.counter),
            Value::Signed(self.old_value),
            word(STATES, self.old_state as u8),
            Value::Signed(self.new_value),
            word(STATES, self.new_state as u8),
        ]);
    }
}

#[cfg(test)]
#[allow(unreachable_pub, dead_code)] // `shapes!` makes public methods, and more than is tested
mod tests {
    use super::*;
    use crate::cluster::Config;
    use crate::time::Instant;
    use crate::vocabulary::outputs::shapes;
    use crate::vocabulary::{FailureKind, Shape};
    use crate::wire::{Body, Status};

    enum Reversed {
        Done { result: Result<Reply, ClusterError>, member: Option<MemberId>, operation: Operation },
    }

    shapes! {
        /// An output whose result stands before the fields that it depends on.
        pub enum Reversed {
            /// The only one.
            Done = 1 {
                /// The answer.
                result: Result<Reply, ClusterError>,
                /// The member.
                member: Option<MemberId>,
                /// The operation.
                operation: Operation,
            },
        }
    }

    #[test]
    fn the_order_of_fields_does_not_matter() {
        let cluster = Cluster::new(Config::default(), [0; 32], Instant::from_micros(0));
        let reply = Reply { message_id: 0, status: Status::KEY_DOES_NOT_EXIST, topology: None, body: Body::Nothing };
        let output = Reversed::Done { result: Ok(reply), member: None, operation: Operation::CounterReset };
        let mut values = Vec::new();
        output.cross(&Context::new(&cluster), &mut values);
        let [Value::None, Value::Failure(failure), Value::None] = &values[..] else { panic!("{values:?}") };
        assert_eq!((failure.kind, failure.operation), (FailureKind::NoSuchCounter, Some(Operation::CounterReset)));
    }
}
