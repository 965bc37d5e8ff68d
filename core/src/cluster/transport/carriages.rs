//! Settings of carriages.

use crate::carriage::{Carriage, Choice, ClientConfig, FrameBudgets, Inside, Offer};
use crate::cluster::config::Config;
use crate::http2;

/// Octets of answers in fragments that all calls of a link may have on their way: enough for several large ones from far.
const CONNECTION_CREDIT: u32 = 4 << 20;

/// Octets that each tunnel over HTTP/2, and all of a link together, may have on their way to here: far away a smaller
/// window is what large values wait for.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// How sessions travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriageConfig {
    /// Which carriage. Default: raw Hot Rod.
    pub choice: Choice,
    /// What tunnels carry. Default: Hot Rod as it is.
    pub inside: Inside,
    /// The path of Upgrade and Extended CONNECT. Default: `/`.
    pub path: alloc::string::String,
    /// What is offered for Hot Rod frames. Default: [`Offer::default`], with a connection credit of 4 MiB.
    pub offer: Offer,
}

impl Default for CarriageConfig {
    fn default() -> Self {
        let offer = Offer { connection_credit: CONNECTION_CREDIT, ..Offer::default() };
        Self { choice: Choice::default(), inside: Inside::default(), path: "/".into(), offer }
    }
}

impl Config {
    /// What a link's HTTP/2 is told, for a carriage that has it.
    pub(in crate::cluster) fn client_link(&self, carriage: Carriage) -> ClientConfig {
        let frames = matches!(carriage, Carriage::Frames).then_some(Offer {
            max_message_size: u32::try_from(self.session.limits.message).unwrap_or(u32::MAX).min(i32::MAX as u32),
            ..self.carriage.offer
        });
        let http2 = http2::Config::default();
        ClientConfig {
            frames,
            only_frames: frames.is_some() && self.carriage.choice != Choice::Auto,
            ordinary_connect: carriage == Carriage::ConnectHttp2,
            limits: self.session.limits.clone(),
            budgets: FrameBudgets::default(),
            http2: http2::Config {
                settings: http2::Settings { initial_window_size: STREAM_WINDOW, ..http2.settings },
                connection_window: CONNECTION_WINDOW,
                keep_alive: Some(http2::KeepAlive { interval: self.keep_alive, timeout: self.connect_timeout }),
                ..http2
            },
        }
    }
}
