//! Types of [`hotrod_core`] that the interface of this crate names, in the modules that declare them.
//!
//! A program that drives a machine of its own depends on `hotrod-core`.

/// How sessions travel on their links.
pub mod carriage {
    pub use hotrod_core::carriage::{Carriage, Choice, Inside, LinkEnd, Offer};
}

/// Settings, state, events and errors of a client.
pub mod cluster {
    pub use hotrod_core::cluster::{
        Access, AccessPath, AddressEncoding, BindingPolicy, CacheId, CarriageConfig, ClientCertificate, ClusterError,
        Config, ConnectHeader, Counters, Coverage, DialError, Endpoint, Event, HostTemplate, IterationOptions, Latency,
        LinkId, ListenerId, LostRequest, MemberFailure, MemberHosts, MemberHostsError, MemberId, MemberInfo,
        NearCacheOptions, PartFailure, Partial, Proxy, ReadFrom, Site, SizeLimit, StartError, SubmitError,
        TemplateError, TlsConfig, Uncovered, View,
    };
}

/// Kinds of ProtoStream values, and errors of reading and writing them.
pub mod protostream {
    pub use hotrod_core::protostream::{DecodeError, DecodeProblem, EncodeError, Kind};
}

/// Credentials, and errors of authentication.
pub mod sasl {
    pub use hotrod_core::sasl::{Credentials, Mechanism, SaltedPasswordCache, SaslError, Secret};
}

/// Settings, state and errors of a session.
pub mod session {
    pub use hotrod_core::session::{
        Applied, Authentication, Config, Counters, Disconnect, OperationError, Ready, SubmitError, VersionChoice,
    };
}

/// Connection URIs.
pub mod uri {
    pub use hotrod_core::uri::{ConnectionUri, Properties, SettingsError, UriError};
}

/// Answers in the form that all languages have.
pub mod vocabulary {
    pub use hotrod_core::vocabulary::{Answer, Chunk, Entry, Refusal, ServerInfo, Versioned};
}

/// Requests, replies and what they are made of.
pub mod wire {
    pub use hotrod_core::wire::{
        AuthResponse, Body, Change, CounterConfiguration, CounterEvent, CounterKind, CounterState, EntryChange, Event,
        EventData, Expiration, Factory, Flags, Hash, Intelligence, Interests, IterationBatch, IterationEntry, Lifetime,
        LifetimeLeft, Limits, ListenerOptions, MediaType, Member, Metadata, Modification, NotAMediaType, Operation,
        Oversize, Ping, Previous, Problem, Reply, Request, RequestOptions, Seen, SegmentOwners, Status, TimeUnit,
        Topology, UnknownVersion, Version, Violation, Xid,
    };
}
