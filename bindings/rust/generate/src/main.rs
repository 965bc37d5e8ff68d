//! Writes the generated file.

fn main() -> std::io::Result<()> {
    std::fs::write(hotrod_rust_generate::PATH, hotrod_rust_generate::text())
}
