//! SASLprep (RFC 4013): what is done to a user's name and password before SCRAM hashes them.

use super::error::SaslError;

/// Checks text that SCRAM hashes; RFC 4013 in so far as it concerns ASCII, and control characters beyond.
///
/// For ASCII this is the whole of it: nothing is mapped or normalised, control characters are prohibited (§2.3). Other
/// text is taken as it is. RFC 4013 would have it normalised (NFKC) first, and the tables for that are larger than all
/// of this crate; text as keyboards and configuration files give it is normalised already, and comes out the same.
/// A host that gets its passwords in decomposed form (`e` followed by U+0301) has to normalise them itself.
pub(super) fn prepare<'a>(what: &'static str, text: &'a str) -> Result<&'a str, SaslError> {
    if text.chars().any(char::is_control) {
        return Err(SaslError::Credential { what, problem: "it has a control character in it (RFC 4013 §2.3)" });
    }
    Ok(text)
}
