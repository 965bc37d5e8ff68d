//! Writes the generated files.

fn main() -> std::io::Result<()> {
    for file in hotrod_c_generate::from_vocabulary() {
        std::fs::write(file.path, file.text)?;
    }
    // The header is generated from the sources, including those written above.
    let header = hotrod_c_generate::header();
    std::fs::write(header.path, header.text)
}
