//! A listener of each client's: it may miss what happens while it has no member, and nothing else.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Event, ListenerId, ListenerKind};
use hotrod_core::wire::{EventData, Expiration, ListenerOptions, Request};

use crate::host::Host;
use crate::world::World;

const KEY: Bytes = Bytes::from_static(b"listened to");

impl World {
    /// Every client listens from now on. A first registration has a deadline as any operation has: whoever is told that
    /// it failed tries again, and so does whoever was told that too many operations wait.
    pub fn listen(&mut self) {
        let now = self.now;
        for host in &mut self.hosts {
            for event in &host.events {
                if let Event::ListenerFailed { listener, .. } = event {
                    host.listening.take_if(|own| own == listener);
                }
            }
            if host.listening.is_none() {
                let kind = ListenerKind::Cache(ListenerOptions::default());
                host.listening = host.client.listen(now, &host.cache, kind).ok();
            }
        }
    }

    /// Once the faults are over every listener hears of a write, or is told that it may have missed it and hears of the
    /// next.
    pub fn check_listeners(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            self.hosts.iter_mut().for_each(|host| host.events.clear());
            let put = Request::Put { key: KEY, expiration: Expiration::DEFAULT, value: Bytes::new() };
            self.call_from(0, put).map_err(|error| error.to_string())?;
            self.run_for(Duration::from_secs(5));
            let deaf = |host: &&Host| !host.events.iter().any(is_of_the_write);
            let is_told = |host: &Host| host.events.iter().any(|event| is_registration_of(event, host.listening));
            if self.hosts.iter().filter(deaf).any(|host| !is_told(host)) {
                return Err("a listener hears nothing, and was told nothing".into());
            }
            if self.hosts.iter().all(|host| !deaf(&host)) {
                return Ok(());
            }
        }
        Err("a listener moves again and again".into())
    }
}

fn is_registration_of(event: &Event, wanted: Option<ListenerId>) -> bool {
    matches!(event, Event::ListenerRegistered { listener, .. } | Event::ListenerMoved { listener, .. }
        if Some(*listener) == wanted)
}

fn is_of_the_write(event: &Event) -> bool {
    match event {
        Event::Entry { event, .. } => matches!(&event.data, EventData::Key { key, .. } if *key == KEY),
        _ => false,
    }
}
