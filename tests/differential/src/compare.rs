//! Holds the scanner's view of a stream against the server's.

use crate::scan::Ended;
use crate::{Event, Outcome, Scanned};

/// What comes of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Both find the same requests.
    Agree {
        /// Number of these that the server answers with an error, and ends at the same place.
        failed: usize,
    },
    /// The scanner refuses before the server reads anything otherwise; the session ends. With the scanner's reason.
    Refused(String),
    /// The scanner passes on what the server reads otherwise. With the cause, in words that others of its kind share.
    Astray(String),
}

/// Holds what the scanner found against what the server did.
pub fn compare(scanned: &Scanned, events: &[Event]) -> Verdict {
    let mut events = events.iter();
    let mut failed = 0;
    for request in &scanned.requests {
        match events.next() {
            // The oracle has stopped: a stream of many requests.
            None => return Verdict::Agree { failed },
            Some(event) => match agrees(request, event) {
                Ok(is_failed) => failed += usize::from(is_failed),
                Err(cause) => return Verdict::Astray(cause),
            },
        }
    }
    let next = events.next().unwrap_or(&Event::Waits);
    match (&scanned.outcome, next) {
        (Outcome::Waits, Event::Waits) => Verdict::Agree { failed },
        (Outcome::Waits, event) => Verdict::Astray(format!("the scanner waits; the server {}", deed(event))),
        (Outcome::Refused { why, .. }, Event::Waits) => Verdict::Refused(general(why)),
        (
            Outcome::Refused { passed, why },
            Event::Request { consumed, .. } | Event::Exception { consumed, .. } | Event::Closed { consumed },
        ) => {
            if consumed >= passed {
                Verdict::Refused(general(why))
            } else {
                Verdict::Astray(format!("the scanner refuses too late ({}); the server {}", general(why), deed(next)))
            }
        }
    }
}

/// Whether the server ends a request where the scanner does, and if so whether with an error.
fn agrees(request: &Ended, event: &Event) -> Result<bool, String> {
    let Ended { end, opcode, message_id } = *request;
    match event {
        Event::Request { consumed, .. } if *consumed != end => {
            let how = if *consumed < end { "earlier" } else { "later" };
            Err(format!("the server ends a request {how}"))
        }
        Event::Request { opcode: other, .. } if *other != opcode => Err("the server reads another operation".into()),
        Event::Request { message_id: other, .. } if *other != message_id => {
            Err("the server reads another message id".into())
        }
        Event::Request { .. } => Ok(false),
        Event::Exception { consumed, .. } if *consumed == end => Ok(true),
        event => Err(format!("the scanner reads a whole request; the server {}", deed(event))),
    }
}

fn deed(event: &Event) -> String {
    match event {
        Event::Request { .. } => "executes a request".into(),
        Event::Exception { text, .. } => format!("throws {}", general(text)),
        Event::Closed { .. } => "closes the connection and goes on".into(),
        Event::Waits => "waits".into(),
    }
}

/// A text without its numbers, of which there are many.
fn general(text: &str) -> String {
    let mut general = String::new();
    for character in text.chars() {
        if !character.is_ascii_digit() {
            general.push(character);
        } else if !general.ends_with('#') {
            general.push('#');
        }
    }
    general.replace("-#", "#").replace("#x#", "#")
}
