//! Names of the caches that a session has named, each kept once, up to a limit.

/// Upper bound on names. Clients are sent no TOPOLOGY of further caches; replies bring their topologies.
const MOST: usize = 64;
/// Memory of a name beside its bytes.
const NAME: usize = 64;

/// Index of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameId(u8);

/// Names of caches, with the topology that the client has of each.
#[derive(Debug, Default)]
pub(super) struct CacheNames {
    names: Vec<Known>,
    bytes: usize,
}

#[derive(Debug)]
struct Known {
    name: Box<str>,
    /// Id of the last topology that the client was sent; `None` before a reply of the cache.
    topology: Option<u32>,
}

impl CacheNames {
    /// Keeps a name; `None` at the limit.
    pub(super) fn keep(&mut self, name: &str) -> Option<NameId> {
        let at = self.names.iter().position(|known| &*known.name == name);
        if at.is_none() && self.names.len() < MOST {
            self.bytes += name.len();
            self.names.push(Known { name: name.into(), topology: None });
            return u8::try_from(self.names.len() - 1).ok().map(NameId);
        }
        at.and_then(|at| u8::try_from(at).ok()).map(NameId)
    }

    /// Notes the topology that the client was sent.
    pub(super) fn set_topology(&mut self, id: NameId, topology: u32) {
        if let Some(known) = self.names.get_mut(usize::from(id.0)) {
            known.topology = Some(topology);
        }
    }

    /// Notes a reply of a cache.
    pub(super) fn answered(&mut self, id: Option<NameId>) {
        if let Some(known) = id.and_then(|id| self.names.get_mut(usize::from(id.0))) {
            known.topology.get_or_insert_default();
        }
    }

    /// Id of the topology that the client has of a cache; `None` before a reply of the cache.
    pub(super) fn topology_of(&mut self, name: &str) -> Option<&mut u32> {
        self.names.iter_mut().find(|known| &*known.name == name)?.topology.as_mut()
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.names.len() * NAME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_only_some_are() {
        let mut names = CacheNames::default();
        let one = names.keep("one").unwrap();
        for number in 0..10_000 {
            names.keep(&format!("{number}{}", "x".repeat(250)));
            assert_eq!(names.keep("one"), Some(one));
        }
        assert!(names.memory() < MOST * (NAME + 260), "{}", names.memory());
        assert_eq!(names.keep("another"), None);
    }

    #[test]
    fn a_cache_has_a_topology_once_the_member_has_answered_about_it() {
        let mut names = CacheNames::default();
        let id = names.keep("dist").unwrap();
        assert_eq!(names.topology_of("dist"), None);
        names.answered(Some(id));
        assert_eq!(names.topology_of("dist"), Some(&mut 0));
        names.set_topology(id, 7);
        names.answered(Some(id));
        assert_eq!(names.topology_of("dist"), Some(&mut 7));
        assert_eq!(names.topology_of("repl"), None);
    }
}
