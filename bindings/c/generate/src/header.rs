//! The header, by cbindgen.

use std::path::Path;

use cbindgen::{Builder, Config, DocumentationStyle, ExportConfig, Language, Style};

const BEFORE: &str = "\
/* libhotrod: Hot Rod, Infinispan's protocol, as a machine without sockets.
 *
 * Made by `cargo run -p hotrod-c-generate`; not to be edited. bindings/c/README.md is the introduction.
 */";

const AFTER_INCLUDES: &str = "
#define HOTROD_VERSION_MAJOR MAJOR
#define HOTROD_VERSION_MINOR MINOR
#define HOTROD_VERSION_PATCH PATCH
/** This header's version as one number, to compare with: 0.1.0 is 0x000100. */
#define HOTROD_VERSION_NUMBER NUMBER
/** This header's version. `hotrod_version` tells that of the library. */
#define HOTROD_VERSION \"VERSION\"";

const TRAILER: &str = "\
/** A C string as text; NULL as none. The text is the caller's, as before. */
static inline hotrod_text hotrod_text_of(const char *string)
{
  hotrod_text text;
  text.data = string;
  text.len = string == NULL ? 0 : strlen(string);
  return text;
}

/** The bytes of a C string without its end; NULL as none. The bytes are the caller's, as before. */
static inline hotrod_bytes hotrod_bytes_of(const char *string)
{
  hotrod_bytes bytes;
  bytes.data = (const uint8_t *)string;
  bytes.len = string == NULL ? 0 : strlen(string);
  return bytes;
}";

pub(crate) fn text(folder: &Path) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    let after_includes = AFTER_INCLUDES
        .replace("MAJOR MAJOR", &format!("MAJOR {}", parts[0]))
        .replace("MINOR MINOR", &format!("MINOR {}", parts[1]))
        .replace("PATCH PATCH", &format!("PATCH {}", parts[2]))
        .replace("NUMBER NUMBER", &format!("NUMBER {:#08x}", parts[0] << 16 | parts[1] << 8 | parts[2]))
        .replace("\"VERSION\"", &format!("\"{version}\""));
    let config = Config {
        language: Language::C,
        style: Style::Both,
        header: Some(BEFORE.into()),
        include_guard: Some("LIBHOTROD_H".into()),
        after_includes: Some(after_includes),
        sys_includes: ["stdbool.h", "stddef.h", "stdint.h", "string.h"].map(String::from).to_vec(),
        no_includes: true,
        cpp_compat: true,
        usize_is_size_t: true,
        documentation_style: DocumentationStyle::Doxy,
        // Structs have them as numbers: C may put anything there.
        export: ExportConfig {
            include: ["hotrod_lifetime_unit", "hotrod_seen", "hotrod_counter_kind"].map(String::from).to_vec(),
            ..ExportConfig::default()
        },
        line_length: 110,
        tab_width: 2,
        ..Config::default()
    };
    let mut builder = Builder::new().with_config(config);
    for name in [
        "text",
        "lists",
        "arguments",
        "boundary",
        "generated/codes",
        "answer",
        "failure",
        "said",
        "generated/outputs",
        "machine",
        "links",
        "submit",
        "generated/operations",
        "listening",
        "inspect",
    ] {
        builder = builder.with_src(folder.join("src").join(format!("{name}.rs")));
    }
    let mut out = Vec::new();
    builder.generate().expect("sources that cbindgen understands").write(&mut out);
    let text = without_safety(&String::from_utf8(out).expect("text"));
    let end = text.rfind("#endif  /* LIBHOTROD_H */").expect("the guard's end");
    format!("{}{TRAILER}\n\n{}", &text[..end], &text[end..])
}

/// Rust's `# Safety` sections end the comments. In C every function has to be called right; what is left of them is
/// where that is said.
fn without_safety(text: &str) -> String {
    let mut out = String::new();
    let mut skipping = false;
    for line in text.lines() {
        match line.trim() {
            "* # Safety" => {
                skipping = true;
                let kept = out.trim_end().trim_end_matches('*').trim_end().len();
                out.truncate(kept);
                out.push('\n');
            }
            "* As for all functions with a machine." if skipping => {
                out += " *\n * Threads and ownership: as said at `hotrod_machine`.\n";
            }
            "*/" => skipping = false,
            _ => {}
        }
        if !skipping {
            out += line.trim_end();
            out.push('\n');
        }
    }
    out
}
