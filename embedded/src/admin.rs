//! The tasks with which clients create, remove and list caches.

use bytes::Bytes;
use hotrod_core::wire::{Body, MediaType};

use crate::answer::{Answer, Failure, Outcome};
use crate::cluster::{Cluster, SCRIPTS};
use crate::options::{CacheMode, CacheOptions};

/// Outermost elements of configurations, in lower case without hyphens and without `-configuration`: kinds of caches, and
/// what may stand around one.
const ROOTS: [&str; 7] = [
    "localcache",
    "distributedcache",
    "replicatedcache",
    "invalidationcache",
    "infinispan",
    "cachecontainer",
    "caches",
];

/// Parameters of a task.
struct Parameters<'a>(&'a [(String, Bytes)]);

impl Parameters<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        std::str::from_utf8(value).ok()
    }

    fn require(&self, task: &str, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| {
            Failure::server_error(format!(
                "org.infinispan.commons.CacheException: ISPN005030: Administration task '{task}' invoked without required \
                 parameter '{name}'"
            ))
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
            _ => return Err(self.refused_task(task)),
        }
        Ok(Answer::with(Body::Value(Bytes::new())))
    }

    fn create_by_task(&mut self, task: &str, parameters: &Parameters<'_>, may_exist: bool) -> Result<(), Failure> {
        let name = parameters.require(task, "name")?;
        let options = match (parameters.get("configuration"), parameters.get("template")) {
            (Some(configuration), _) => {
                check_configuration(name, configuration)?;
                options_of(configuration)
            }
            (None, Some(template)) if template.starts_with("org.infinispan.") => options_of(template),
            (None, Some(template)) => {
                return Err(refused(&format!("ISPN000374: No such template '{template}' when declaring '{name}'")));
            }
            (None, None) => CacheOptions::default(),
        };
        match self.has_cache(name) {
            true if may_exist => Ok(()),
            true => Err(refused(&format!("ISPN000507: Cache {name} already exists"))),
            false => self.create_cache(name, options).map_err(Failure::server_error),
        }
    }

    /// Tells a script, which a server would execute, from a task that there is nowhere.
    fn refused_task(&self, task: &str) -> Failure {
        let scripts = self.caches.get(SCRIPTS).into_iter().filter_map(|cache| cache.any_store());
        let key = Bytes::copy_from_slice(task.as_bytes());
        if scripts.into_iter().any(|scripts| scripts.get(&scripts.place(&key)).is_some()) {
            return Failure::unsupported(format_args!("the script '{task}'"));
        }
        Failure::server_error(format!("java.lang.IllegalArgumentException: ISPN027002: Unknown task '{task}'"))
    }

    fn names_as_json(&self) -> String {
        let quoted: Vec<_> = self.cache_names().map(|name| format!("\"{name}\"")).collect();
        format!("[{}]", quoted.join(","))
    }
}

/// Checks that the outermost element of a configuration in XML, JSON or YAML describes a cache.
fn check_configuration(name: &str, configuration: &str) -> Result<(), Failure> {
    let root = root_of(configuration);
    if root.is_empty() {
        let problem = "is missing a named configuration for it";
        return Err(refused(&format!(
            "ISPN005031: The supplied configuration for cache '{name}' {problem}: {configuration}"
        )));
    }
    let kind = root.to_ascii_lowercase().replace('-', "");
    let kind = kind.strip_suffix("configuration").unwrap_or(&kind);
    if ROOTS.contains(&kind) {
        return Ok(());
    }
    Err(refused(&format!("ISPN000327: Cannot find a parser for element '{root}' in namespace ''")))
}

fn refused(problem: &str) -> Failure {
    Failure::server_error(format!("org.infinispan.commons.CacheConfigurationException: {problem}"))
}

/// Returns the name of the outermost element or key.
fn root_of(configuration: &str) -> &str {
    let mut text = configuration.trim_start();
    while let Some((_, rest)) = match text {
        declaration if declaration.starts_with("<?") || declaration.starts_with("<!") => declaration.split_once('>'),
        comment if comment.starts_with('#') || comment.starts_with("---") => comment.split_once('\n'),
        _ => None,
    } {
        text = rest.trim_start();
    }
    let text = text.trim_start_matches(|c: char| "<{\"'".contains(c) || c.is_whitespace());
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(text.len());
    &text[..end]
}

/// Reads mode, owners, segments and encoding from a configuration in XML, JSON or YAML, or from a template's name. Ignores
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
    let (key_type, value_type) = media_types_of(description, &text);
    CacheOptions { segments, key_type, value_type, ..CacheOptions::of_mode(mode) }
}

/// Returns the media types of keys and values of a configuration; `lowercase` is the same in lower case.
fn media_types_of(description: &str, lowercase: &str) -> (MediaType, MediaType) {
    let (mut key_type, mut value_type) = (MediaType::Unspecified, MediaType::Unspecified);
    let mut rest = lowercase.split_once("encoding").map_or("", |(_, rest)| rest);
    while let Some(at) = rest.find("media-type").or_else(|| rest.find("mediatype")) {
        let (before, from) = rest.split_at(at);
        let value = from["mediatype".len()..].trim_start_matches(|c: char| "e\"':= ".contains(c));
        let end = value.find(|c: char| "\"'<>{},\n".contains(c)).unwrap_or(value.len());
        // The lower case has as many bytes.
        let written = &description[description.len() - value.len()..][..end];
        let media_type: MediaType = written.trim().parse().unwrap_or(MediaType::Unspecified);
        let (of_keys, of_values) = (before.contains("key"), before.contains("value"));
        if of_keys || !of_values {
            key_type = media_type.clone();
        }
        if of_values || !of_keys {
            value_type = media_type;
        }
        rest = &value[end..];
    }
    (key_type, value_type)
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
        let encoding = r#"<local-cache><encoding><key media-type="text/plain"/><value media-type="application/json"/>
            </encoding></local-cache>"#;
        let types = options_of(encoding);
        assert_eq!((types.key_type, types.value_type), (MediaType::TEXT, MediaType::JSON));
        let charset =
            options_of(r#"<local-cache><encoding media-type="text/plain; charset=ISO-8859-1"/></local-cache>"#);
        assert_eq!(charset.key_type.to_string(), "text/plain;charset=ISO-8859-1");
        let yaml = "localCache:\n  encoding:\n    key:\n      mediaType: text/plain\n    value:\n      mediaType: application/json\n";
        let types = options_of(yaml);
        assert_eq!((types.key_type, types.value_type), (MediaType::TEXT, MediaType::JSON));
        assert_eq!(options_of("org.infinispan.REPL_SYNC").mode, CacheMode::Replicated);
        assert_eq!(options_of("org.infinispan.LOCAL").mode, CacheMode::Local);
        assert_eq!(options_of("org.infinispan.DIST_SYNC").mode, CacheMode::Distributed { owners: 2 });
    }
}
