//! SASLprep (RFC 4013): prepares names and passwords for SCRAM, in both roles.
//!
//! The text is a *query* in the terms of RFC 3454, section 7: code points that Unicode 3.2 did not assign are allowed, as in Infinispan's
//! mechanisms (Elytron), so that newer characters work.

use alloc::borrow::Cow;
use alloc::string::String;

use unicode_bidi::BidiClass;
use unicode_normalization::UnicodeNormalization;

use super::error::SaslError;

/// Maps and normalises text, and checks the result. ASCII text without control characters is returned unchanged.
pub(super) fn prepare<'a>(what: &'static str, text: &'a str) -> Result<Cow<'a, str>, SaslError> {
    let prepared = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(mapped(text)) };
    let refused = |problem| Err(SaslError::Credential { what, problem });
    if prepared.chars().any(char::is_control) {
        return refused("it contains a control character (RFC 4013, 2.3)");
    }
    if prepared.chars().any(is_prohibited) {
        return refused("it contains a character that can't be used in passwords and names (RFC 4013, 2.3)");
    }
    if !prepared.is_ascii() && !has_one_direction(&prepared) {
        return refused("it mixes left-to-right and right-to-left text (RFC 3454, 6)");
    }
    Ok(prepared)
}

/// RFC 4013, 2.1 and 2.2.
fn mapped(text: &str) -> String {
    // A password that grows into a new allocation would leave a copy behind that nobody wipes.
    let mut mapped = String::with_capacity(4 * text.len());
    mapped.extend(text.chars().filter(|c| !is_mapped_to_nothing(*c)).map(space_for_spaces).nfkc());
    mapped
}

/// RFC 3454, table B.1. Zero width space (U+200B) is in table C.1.2 too; Elytron removes it.
fn is_mapped_to_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{1806}'
            | '\u{180b}'..='\u{180d}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2060}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}

/// RFC 3454, table C.1.2.
fn space_for_spaces(c: char) -> char {
    match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// RFC 3454, tables C.2.2 to C.9, without the control characters that [`char::is_control`] knows.
fn is_prohibited(c: char) -> bool {
    let is_control = matches!(
        c,
        '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{2028}' | '\u{2029}' | '\u{2061}'..='\u{2063}' | '\u{1d173}'..='\u{1d17a}'
    );
    let is_private_use = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}');
    let is_noncharacter = matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
    let is_inappropriate = matches!(c, '\u{fff9}'..='\u{fffd}' | '\u{2ff0}'..='\u{2ffb}');
    let changes_display = matches!(c, '\u{340}' | '\u{341}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}');
    let is_tag = matches!(c, '\u{e0001}' | '\u{e0020}'..='\u{e007f}');
    is_control || is_private_use || is_noncharacter || is_inappropriate || changes_display || is_tag
}

/// RFC 3454, section 6: text with a right-to-left character has no left-to-right one, and begins and ends with a right-to-left one.
fn has_one_direction(text: &str) -> bool {
    let is_right_to_left = |c| matches!(unicode_bidi::bidi_class(c), BidiClass::R | BidiClass::AL);
    let is_left_to_right = |c| unicode_bidi::bidi_class(c) == BidiClass::L;
    if !text.chars().any(is_right_to_left) {
        return true;
    }
    let ends = [text.chars().next(), text.chars().next_back()];
    !text.chars().any(is_left_to_right) && ends.into_iter().flatten().all(is_right_to_left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Option<String> {
        prepare("password", text).ok().map(Cow::into_owned)
    }

    #[test]
    fn the_examples_of_rfc_4013() {
        for (text, expected) in [
            ("I\u{ad}X", Some("IX")),
            ("user", Some("user")),
            ("USER", Some("USER")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("\u{7}", None),
            ("\u{627}1", None),
        ] {
            assert_eq!(prepared(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn compatibility_forms_spaces_and_decomposed_letters_have_one_form() {
        for (text, expected) in [
            ("pass²", "pass2"),
            ("5µm", "5μm"),
            ("wait…", "wait..."),
            ("a\u{a0}b", "a b"),
            ("ﬁn", "fin"),
            ("Ja\u{308}ger", "Jäger"),
            ("ｐａｓｓ", "pass"),
            ("a\u{200b}b", "ab"),
            ("🔑 naïve", "🔑 naïve"),
            ("אבג", "אבג"),
        ] {
            assert_eq!(prepared(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn prohibited_characters_and_mixed_directions_are_refused() {
        for text in [
            "\u{85}",
            "\u{e000}",
            "\u{fdd0}",
            "\u{1fffe}",
            "\u{fffd}",
            "\u{2ff0}",
            "\u{202e}",
            "\u{e0041}",
            "\u{2028}",
            "אa",
            "א1",
            "1א",
        ] {
            assert_eq!(prepared(text), None, "{text:?}");
        }
    }
}
