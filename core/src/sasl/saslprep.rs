//! SASLprep (RFC 4013): prepares names and passwords for SCRAM.

use super::error::SaslError;

/// Checks text for SCRAM by RFC 4013, as far as it concerns ASCII and control characters.
///
/// This is complete for ASCII: nothing is mapped or normalised, control characters are prohibited (§2.3). Other text
/// is used unchanged. RFC 4013 requires NFKC normalisation, whose tables are larger than this crate; text from
/// keyboards and configuration files is normalised already and is not affected. A host that receives passwords in
/// decomposed form (`e` followed by U+0301) must normalise them itself.
pub(super) fn prepare<'a>(what: &'static str, text: &'a str) -> Result<&'a str, SaslError> {
    if text.chars().any(char::is_control) {
        return Err(SaslError::Credential { what, problem: "it has a control character in it (RFC 4013 §2.3)" });
    }
    Ok(text)
}
