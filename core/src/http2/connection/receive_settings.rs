//! SETTINGS (RFC 9113, 6.5).

use super::{Connection, Role};
use crate::http2::ErrorCode;
use crate::http2::event::Event;
use crate::http2::fault::Fault;
use crate::http2::frame::{SettingsPayload, put_settings_ack};
use crate::http2::setting;
use crate::http2::settings::INITIAL_WINDOW;

impl Connection {
    pub(super) fn receive_settings(&mut self, settings: &SettingsPayload) -> Result<(), Fault> {
        self.flood.settings(self.now)?;
        let before = self.peer.clone();
        for (id, value) in settings.iter() {
            self.receive_setting(id, value)?;
        }
        put_settings_ack(&mut self.output.buffer);
        self.output.mark_reply();
        self.change_send_windows(i64::from(self.peer.initial_window_size) - i64::from(before.initial_window_size))?;
        if !self.has_peer_settings {
            self.agree_on_extensions();
        }
        if !self.has_peer_settings || self.peer != before {
            self.has_peer_settings = true;
            self.events.push(Event::Settings);
        }
        self.liveness.peer_settings_received();
        Ok(())
    }

    fn receive_setting(&mut self, id: u16, value: u32) -> Result<(), Fault> {
        match id {
            setting::ENABLE_PUSH if value == 1 && self.role == Role::Client => {
                return Err(Fault::protocol("a server that enables push"));
            }
            setting::ENABLE_CONNECT_PROTOCOL if value == 0 && self.peer.enable_connect_protocol => {
                return Err(Fault::protocol("Extended CONNECT is disabled after it was enabled"));
            }
            setting::HEADER_TABLE_SIZE => self.hpack_out.set_max_table_size(value as usize),
            _ => {}
        }
        self.peer.set(id, value);
        Ok(())
    }

    /// Applies a change to all streams' windows, but not to the connection's (RFC 9113, 6.9.2).
    fn change_send_windows(&mut self, by: i64) -> Result<(), Fault> {
        if by == 0 {
            return Ok(());
        }
        for (_, stream) in self.streams.iter_mut() {
            stream.send_window.change(by).map_err(|_| {
                let detail = "INITIAL_WINDOW_SIZE makes a stream's window larger than 2^31-1";
                Fault::connection(ErrorCode::FLOW_CONTROL_ERROR, detail)
            })?;
        }
        self.queue_all();
        Ok(())
    }

    /// Applies our settings, which are in force at the peer from here on.
    pub(super) fn receive_settings_ack(&mut self) -> Result<(), Fault> {
        self.flood.settings(self.now)?;
        if !self.liveness.settings_acknowledged(self.now) {
            return Err(Fault::protocol("SETTINGS acknowledged that were not sent"));
        }
        self.hpack_in.set_max_table_size(self.local.header_table_size as usize);
        self.initial_receive_window = self.local.initial_window_size;
        let by = i64::from(self.local.initial_window_size) - i64::from(INITIAL_WINDOW);
        self.streams.iter_mut().for_each(|(_, stream)| stream.receive_window.change(by));
        Ok(())
    }
}
