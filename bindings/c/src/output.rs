//! The fields of the last output, in C's form.

use std::mem::MaybeUninit;
use std::ptr;

use hotrod_core::cluster::Tls;
use hotrod_core::vocabulary::Value;

use crate::answer::{self, hotrod_answer, hotrod_iteration_entry_list, iteration_entry};
use crate::arena::Arena;
use crate::failure::{failure, hotrod_failure};
use crate::text::{hotrod_bytes, hotrod_text, hotrod_text_list};

/// TLS settings of a link. The host must always verify certificates.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_tls {
    /// Server name for SNI (not sent for an IP address) and for verification of the certificate.
    pub server_name: hotrod_text,
    /// ALPN protocol ids to offer, in order of preference; without ids the extension is not sent.
    pub alpn: hotrod_text_list,
    /// PEM file with trust anchors; `data` is NULL for the system's.
    pub trust_ca: hotrod_text,
    /// PEM file with the client's certificate chain; `data` is NULL for none.
    pub client_certificate: hotrod_text,
    /// PEM file with the client's private key; `data` is NULL for none.
    pub client_key: hotrod_text,
    /// Pass phrase of an encrypted private key; `data` is NULL for none. Without it refuse the key rather than prompt.
    pub client_key_password: hotrod_text,
}

/// The last output's values as core returned them, and the memory of C's view of them.
pub(crate) struct OutputFields {
    pub(crate) values: Vec<Value>,
    arena: Arena,
    answer: MaybeUninit<hotrod_answer>,
}

impl Default for OutputFields {
    fn default() -> Self {
        Self { values: Vec::new(), arena: Arena::default(), answer: MaybeUninit::uninit() }
    }
}

impl OutputFields {
    /// Drops the last output.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.arena.clear();
    }

    pub(crate) fn is_set(&self, index: usize) -> bool {
        self.values.get(index).is_some_and(|value| !matches!(value, Value::None))
    }

    pub(crate) fn number(&self, index: usize) -> u64 {
        match self.values.get(index) {
            Some(Value::Id(number) | Value::Number(number) | Value::Opaque(number)) => *number,
            _ => 0,
        }
    }

    pub(crate) fn signed(&self, index: usize) -> i64 {
        if let Some(Value::Signed(number)) = self.values.get(index) { *number } else { 0 }
    }

    pub(crate) fn flag(&self, index: usize) -> bool {
        matches!(self.values.get(index), Some(Value::Flag(true)))
    }

    pub(crate) fn word(&self, index: usize) -> usize {
        if let Some(Value::Word(word, _)) = self.values.get(index) { *word } else { 0 }
    }

    pub(crate) fn text(&self, index: usize) -> hotrod_text {
        if let Some(Value::Text(text)) = self.values.get(index) { hotrod_text::of(text) } else { hotrod_text::NONE }
    }

    pub(crate) fn bytes(&self, index: usize) -> hotrod_bytes {
        if let Some(Value::Bytes(bytes)) = self.values.get(index) {
            hotrod_bytes::of(bytes)
        } else {
            hotrod_bytes::NONE
        }
    }

    pub(crate) fn tls(&mut self, index: usize) -> *const hotrod_tls {
        let Some(Value::Tls(value)) = self.values.get(index) else { return ptr::null() };
        let view = tls(value, &mut self.arena);
        self.arena.keep(view)
    }

    /// Writes to the one place for answers: an output has at most one.
    pub(crate) fn answer(&mut self, index: usize) -> *const hotrod_answer {
        let Some(Value::Answer(value)) = self.values.get(index) else { return ptr::null() };
        self.answer.write(answer::answer(value, &mut self.arena))
    }

    pub(crate) fn failure(&mut self, index: usize) -> *const hotrod_failure {
        let Some(Value::Failure(value)) = self.values.get(index) else { return ptr::null() };
        let view = failure(value, &mut self.arena);
        self.arena.keep(view)
    }

    pub(crate) fn entries(&mut self, index: usize) -> hotrod_iteration_entry_list {
        let Some(Value::Entries(value)) = self.values.get(index) else {
            return hotrod_iteration_entry_list { data: ptr::null(), len: 0 };
        };
        let arena = &mut self.arena;
        let entries = value.iter().map(|entry| iteration_entry(entry, arena)).collect();
        arena.list(entries)
    }
}

/// Returns C's view of settings of TLS, which points into them and the arena.
pub(crate) fn tls(tls: &Tls, arena: &mut Arena) -> hotrod_tls {
    let certificate = tls.client_certificate.as_ref();
    hotrod_tls {
        server_name: hotrod_text::of(&tls.server_name),
        alpn: arena.list(tls.alpn.iter().map(|id| hotrod_text::of(id)).collect()),
        trust_ca: hotrod_text::of_optional(tls.trust_ca.as_deref()),
        client_certificate: hotrod_text::of_optional(certificate.map(|pair| &*pair.certificate)),
        client_key: hotrod_text::of_optional(certificate.map(|pair| &*pair.key)),
        client_key_password: hotrod_text::of_optional(
            certificate.and_then(|pair| Some(pair.key_password.as_ref()?.expose())),
        ),
    }
}
