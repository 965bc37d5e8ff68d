//! Files of the settings, and the permissions that they may have.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// Upper bound on the size of a file, far above a bundle of authorities.
const MOST: u64 = 4 << 20;

/// Permissions that a file may grant to others than the gateway's user and root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read by everybody: certificates, authorities, options.
    Public,
    /// None: private keys, the account. The group may read a file of root: Kubernetes mounts Secrets so in pods with an
    /// `fsGroup`, and systems give keys to services so (`root:ssl-cert`, mode 0640). PostgreSQL has the same rule.
    Secret,
}

/// Reads a file into memory that is wiped when dropped.
pub(crate) fn read(path: &Path, access: Access) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    // Checks the open file, which can't be replaced meanwhile.
    let metadata = file.metadata()?;
    permitted(&metadata, access)?;
    let too_large = || io::Error::other(format!("larger than {MOST} bytes"));
    if metadata.len() > MOST {
        return Err(too_large());
    }
    // Allocates once: a growing buffer would leave copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    file.take(MOST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MOST { Err(too_large()) } else { Ok(content) }
}

/// Reads a text into memory that is wiped when dropped.
pub(crate) fn read_text(path: &Path, access: Access) -> io::Result<Zeroizing<String>> {
    let mut content = read(path, access)?;
    let text = String::from_utf8(std::mem::take(&mut *content)).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        io::Error::new(io::ErrorKind::InvalidData, "not UTF-8")
    })?;
    Ok(Zeroizing::new(text))
}

#[cfg(unix)]
fn permitted(metadata: &Metadata, access: Access) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let mine = rustix::process::geteuid().as_raw();
    // Pipes (`<(…)`) belong to the user that started the gateway.
    if !metadata.is_file() {
        return Ok(());
    }
    let wrong = too_open(metadata.mode(), metadata.uid(), mine, access);
    wrong.map_or(Ok(()), |problem| Err(io::Error::new(io::ErrorKind::PermissionDenied, problem)))
}

#[cfg(not(unix))]
fn permitted(_: &Metadata, _: Access) -> io::Result<()> {
    Ok(())
}

/// The forbidden permission of a file, if there is one.
#[cfg(unix)]
fn too_open(mode: u32, owner: u32, mine: u32, access: Access) -> Option<String> {
    const ROOT: u32 = 0;
    let mode = mode & 0o777;
    let means = |may: &str, change: &str| Some(format!("{may} (mode {mode:04o}, owner {owner}): {change}"));
    match access {
        Access::Public if mode & 0o002 != 0 => means("everybody may write it", "chmod o-w"),
        Access::Secret if owner != mine && owner != ROOT => {
            means("belongs to another user", "it has to be root's or the gateway's")
        }
        Access::Secret if mode & 0o022 != 0 => means("others may write it", "chmod go-w"),
        Access::Secret if mode & 0o007 != 0 => {
            means("everybody may read it", "chmod o-rwx; for a Secret of Kubernetes defaultMode: 0440 and an fsGroup")
        }
        Access::Secret if owner != ROOT && mode & 0o070 != 0 => {
            means("its group may read it", "chmod g-rwx, or have it belong to root")
        }
        Access::Public | Access::Secret => None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const ROOT: u32 = 0;
    const GATEWAY: u32 = 1000;
    const OTHER: u32 = 1001;

    #[test]
    fn a_secret_is_the_gateways_or_roots_and_of_nobody_else() {
        for (mode, owner) in [(0o600, GATEWAY), (0o400, GATEWAY), (0o600, ROOT), (0o640, ROOT), (0o440, ROOT)] {
            assert_eq!(too_open(mode, owner, GATEWAY, Access::Secret), None, "{mode:o} of {owner}");
        }
        for (mode, owner, problem) in [
            (0o640, GATEWAY, "its group may read it (mode 0640, owner 1000)"),
            (0o604, GATEWAY, "everybody may read it"),
            (0o444, ROOT, "everybody may read it"),
            (0o644, ROOT, "everybody may read it (mode 0644, owner 0)"),
            (0o660, ROOT, "others may write it"),
            (0o620, GATEWAY, "others may write it"),
            (0o602, GATEWAY, "others may write it"),
            (0o400, OTHER, "belongs to another user"),
        ] {
            let found = too_open(mode, owner, GATEWAY, Access::Secret).unwrap_or_default();
            assert!(found.starts_with(problem), "{mode:o} of {owner}: {found:?}");
        }
    }

    #[test]
    fn what_everybody_may_write_is_not_believed() {
        assert_eq!(too_open(0o664, GATEWAY, GATEWAY, Access::Public), None);
        assert_eq!(too_open(0o444, ROOT, GATEWAY, Access::Public), None);
        assert!(too_open(0o666, GATEWAY, GATEWAY, Access::Public).is_some());
        // As a bind mount may have it.
        assert_eq!(too_open(0o644, OTHER, GATEWAY, Access::Public), None);
    }

    #[test]
    fn a_file_without_an_end_is_not_read_to_its_end() {
        let error = read(Path::new("/dev/zero"), Access::Secret).unwrap_err();
        assert!(error.to_string().starts_with("larger than"), "{error}");
    }
}
