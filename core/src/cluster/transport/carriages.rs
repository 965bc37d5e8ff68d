//! Settings of carriages.

use crate::carriage::{Carriage, Choice, ClientConfig, FrameBudgets, Inside, Offer};
use crate::cluster::config::Config;
use crate::http2;

/// Initial credit of a link for answers in fragments, in bytes: several large ones over a long distance.
const CONNECTION_CREDIT: u32 = 4 << 20;

/// Initial window of a stream and of a connection, in bytes: smaller ones hold up large values over a long distance.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// How sessions travel on their links.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CarriageConfig {
    /// The carriage. Default: raw Hot Rod.
    pub choice: Choice,
    /// The protocol inside of tunnels. Default: Hot Rod.
    pub inside: Inside,
    /// The path of Upgrade and Extended CONNECT. Default: `/`.
    pub path: alloc::string::String,
    /// The offer for Hot Rod frames. Default: [`Offer::default`], with a connection credit of 4 MiB.
    pub offer: Offer,
}

impl Default for CarriageConfig {
    fn default() -> Self {
        let offer = Offer { connection_credit: CONNECTION_CREDIT, ..Offer::default() };
        Self { choice: Choice::default(), inside: Inside::default(), path: "/".into(), offer }
    }
}

impl Config {
    /// HTTP/2 settings of a link, for a carriage that has it.
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
