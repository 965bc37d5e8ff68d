//! Schemas of Protocol Buffers in the servers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

use hotrod_core::wire::Expiration;

use crate::codec::Text;
use crate::{Cache, Client, Error};

const CACHE: &str = "___protobuf_metadata";
const ERRORS: &str = ".errors";
const EXTENSION: &str = ".proto";

/// The schemas of a cluster: files of Protocol Buffers by name, by which the servers query, index and convert values of
/// ProtoStream caches. Changes need the permission CREATE where the servers authorize.
///
/// Servers keep a schema that has errors, and say nothing; [`register`](Self::register) returns [`Error::Schemas`].
///
/// ```no_run
/// # async fn example(client: hotrod_tokio::Client) -> Result<(), hotrod_tokio::Error> {
/// let schema = "syntax = \"proto3\"; package shop; message Item { string name = 1; }";
/// client.schemas().register([("shop.proto", schema)]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Schemas {
    cache: Cache<Text, Text>,
}

impl Schemas {
    pub(crate) fn new(client: &Client) -> Self {
        Self { cache: client.cache(CACHE).with_codecs(Text, Text) }
    }

    /// Registers or updates files, each a name that ends with `.proto` and a text, in any order. Fails with
    /// [`Error::Schemas`] if any of them has errors, or if one that imports them has errors now. They are stored all the
    /// same, until they are registered again or removed.
    pub async fn register<N, T>(&self, files: impl IntoIterator<Item = (N, T)>) -> Result<(), Error>
    where
        N: Into<String>,
        T: Into<String>,
    {
        let files: BTreeMap<String, String> =
            files.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
        if let Some(name) = files.keys().find(|name| !name.ends_with(EXTENSION)) {
            return Err(Error::SchemaFile {
                name: name.clone(),
                problem: "the name of a schema ends with .proto".into(),
            });
        }
        let before = self.errors().await?;
        let entries: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        self.cache.put_all(entries, Expiration::DEFAULT).await?;
        let mut errors = self.errors().await?;
        errors.retain(|name, _| files.contains_key(name) || !before.contains_key(name));
        if errors.is_empty() { Ok(()) } else { Err(Error::Schemas { errors }) }
    }

    /// Registers files of the disk. Their names in the servers, by which they import each other, are relative to `root`;
    /// without one they are those of the files without a folder. Fails with [`Error::SchemaFile`] for a file that can't be
    /// read, or is not in `root`, and stores none then.
    pub async fn register_files<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        root: Option<&Path>,
    ) -> Result<(), Error> {
        let mut files = BTreeMap::new();
        for path in paths {
            let path = path.as_ref();
            let failed = |problem: String| Error::SchemaFile { name: path.display().to_string(), problem };
            let name = name_of(path, root).map_err(failed)?;
            let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
            if files.insert(name.clone(), text).is_some() {
                return Err(failed(format!("another file is named {name:?} too; give their root")));
            }
        }
        self.register(files).await
    }

    /// Returns the text of a schema.
    pub async fn get(&self, name: &str) -> Result<Option<String>, Error> {
        self.cache.get(name).await
    }

    /// Returns the names of all schemas, sorted.
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        let mut names = self.cache.bulk_get_keys(0).await?;
        names.retain(|name| name.ends_with(EXTENSION));
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the errors of all schemas that have some, by name: with line and column, as the server's parser says them.
    pub async fn errors(&self) -> Result<BTreeMap<String, String>, Error> {
        let names = self.cache.get(ERRORS).await?.unwrap_or_default();
        let mut errors = BTreeMap::new();
        for name in names.split_whitespace() {
            let error = self.cache.get(format!("{name}{ERRORS}")).await?;
            errors.insert(name.to_owned(), error.unwrap_or_default());
        }
        Ok(errors)
    }

    /// Removes a schema. Returns `false` if there is none. Those that import it have errors then.
    pub async fn remove(&self, name: &str) -> Result<bool, Error> {
        Ok(self.cache.remove(name).await?.executed)
    }
}

/// Name of a file in the servers.
fn name_of(path: &Path, root: Option<&Path>) -> Result<String, String> {
    let Some(root) = root else {
        return path.file_name().map(|name| name.to_string_lossy().into_owned()).ok_or_else(|| "no file".into());
    };
    let [file, folder] = [path, root].map(|path| fs::canonicalize(path).map_err(|error| error.to_string()));
    let (file, folder) = (file?, folder?);
    let relative = file.strip_prefix(folder).map_err(|_| format!("is not in root {:?}", root.display()))?;
    let parts: Vec<_> = relative.components().map(Component::as_os_str).map(|part| part.to_string_lossy()).collect();
    Ok(parts.join("/"))
}
