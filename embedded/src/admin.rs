//! The tasks with which clients create, remove and list caches.

use bytes::Bytes;
use hotrod_core::wire::Body;

use crate::answer::{Answer, Failure, Outcome};
use crate::cluster::Cluster;
use crate::options::{CacheMode, CacheOptions};

/// Parameters of a task.
struct Parameters<'a>(&'a [(String, Bytes)]);

impl Parameters<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        std::str::from_utf8(value).ok()
    }

    fn require(&self, task: &str, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| {
            Failure::server_error(format!("ISPN005016: Parameter '{name}' is missing for the task '{task}'"))
        })
    }
}

impl Cluster {
    pub(crate) fn run_task(&mut self, task: &str, parameters: &[(String, Bytes)]) -> Outcome {
        let parameters = Parameters(parameters);
        match task {
            "@@cache@names" => return Ok(Answer::with(Body::Value(self.names_as_json().into()))),
            "@@cache@create" => self.create_by_task(task, &parameters, false)?,
            "@@cache@getorcreate" => self.create_by_task(task, &parameters, true)?,
            "@@cache@remove" => {
                let name = parameters.require(task, "name")?;
                if !self.remove_cache(name) && self.has_cache(name) {
                    return Err(Failure::server_error(format!("cache '{name}' is internal and can't be removed")));
                }
            }
            _ => return Err(Failure::unsupported(format!("task '{task}'"))),
        }
        Ok(Answer::with(Body::Value(Bytes::new())))
    }

    fn create_by_task(&mut self, task: &str, parameters: &Parameters<'_>, may_exist: bool) -> Result<(), Failure> {
        let name = parameters.require(task, "name")?;
        if self.has_cache(name) {
            let message = "org.infinispan.commons.CacheConfigurationException: ISPN000507: Cache";
            return if may_exist {
                Ok(())
            } else {
                Err(Failure::server_error(format!("{message} {name} already exists")))
            };
        }
        let described = parameters.get("configuration").or_else(|| parameters.get("template"));
        self.create_cache(name, described.map_or_else(CacheOptions::default, options_of)).map_err(Failure::server_error)
    }

    fn names_as_json(&self) -> String {
        let quoted: Vec<_> = self.cache_names().map(|name| format!("\"{name}\"")).collect();
        format!("[{}]", quoted.join(","))
    }
}

/// Reads mode, owners and segments from a configuration in XML, JSON or YAML, or from a template's name. Ignores
/// everything else: it has no meaning for an in-memory node.
fn options_of(description: &str) -> CacheOptions {
    let text = description.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let mode = if has(&["local-cache", "localcache", ".local"]) {
        CacheMode::Local
    } else if has(&["replicated-cache", "replicatedcache", ".repl_"]) {
        CacheMode::Replicated
    } else {
        CacheMode::Distributed { owners: number_of(&text, "owners").map_or(2, |owners| owners as usize) }
    };
    let segments = number_of(&text, "segments").unwrap_or(256).min(1 << 16);
    CacheOptions { segments, ..CacheOptions::of_mode(mode) }
}

/// Returns the number of a key, separated from it by `="`, `": "` or `: `.
fn number_of(text: &str, key: &str) -> Option<u32> {
    let (_, rest) = text.split_once(key)?;
    let rest = rest.trim_start_matches(['"', '\'', ':', '=', ' ']);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_owners_and_segments_are_found_in_any_notation() {
        let xml = options_of(r#"<distributed-cache name="x" mode="SYNC" owners="1" segments="20"/>"#);
        assert_eq!((xml.mode, xml.segments), (CacheMode::Distributed { owners: 1 }, 20));
        let json = options_of(r#"{"distributed-cache": {"mode": "SYNC", "owners": 3, "segments": "60"}}"#);
        assert_eq!((json.mode, json.segments), (CacheMode::Distributed { owners: 3 }, 60));
        assert_eq!(options_of("<local-cache/>").mode, CacheMode::Local);
        assert_eq!(options_of("org.infinispan.REPL_SYNC").mode, CacheMode::Replicated);
        assert_eq!(options_of("org.infinispan.LOCAL").mode, CacheMode::Local);
        assert_eq!(options_of("org.infinispan.DIST_SYNC").mode, CacheMode::Distributed { owners: 2 });
    }
}
