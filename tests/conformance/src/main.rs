//! Records the scenarios anew.

fn main() -> std::io::Result<()> {
    for file in hotrod_conformance::all() {
        std::fs::write(&file.path, hotrod_conformance::text(&file.scenarios))?;
    }
    Ok(())
}
