//! Writes `spec/vocabulary.json`.

fn main() -> std::io::Result<()> {
    std::fs::write(hotrod_vocabulary::PATH, hotrod_vocabulary::text())
}
