//! Writes the listings in `docs/api`.

use std::fs;

fn main() -> std::io::Result<()> {
    for package in hotrod_public_api::PACKAGES {
        fs::write(hotrod_public_api::path(package), hotrod_public_api::listing(package))?;
    }
    Ok(())
}
