//! Writes the generated files.

fn main() -> std::io::Result<()> {
    for file in hotrod_c_generate::from_vocabulary() {
        std::fs::write(file.path, file.text)?;
    }
    // It is made of the sources, those written just now among them.
    let header = hotrod_c_generate::header();
    std::fs::write(header.path, header.text)
}
