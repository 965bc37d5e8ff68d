//! The word EXTERNAL in octets of which nothing is understood.

const WORD: &[u8; 8] = b"EXTERNAL";

/// Looks out for the word, in any case and however the octets are cut.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Lookout {
    /// Octets of the word that were the last to come.
    matched: usize,
}

impl Lookout {
    /// Whether the word ends in these octets, which follow those of the last time.
    pub(crate) fn sees_external(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().any(|byte| self.step(byte.to_ascii_uppercase()))
    }

    fn step(&mut self, byte: u8) -> bool {
        if byte != WORD[self.matched] {
            // EXTE ends as the word begins; no other beginning of it does.
            self.matched = usize::from(self.matched == 4 && byte == WORD[1]);
            if self.matched == 0 && byte != WORD[0] {
                return false;
            }
        }
        self.matched += 1;
        let is_whole = self.matched == WORD.len();
        if is_whole {
            self.matched = 0;
        }
        is_whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sees(text: &[u8], cut: usize) -> bool {
        let mut lookout = Lookout::default();
        text.chunks(cut).any(|piece| lookout.sees_external(piece))
    }

    #[test]
    fn the_word_is_seen_however_it_is_cut() {
        for cut in 1..20 {
            for text in
                [&b"EXTERNAL"[..], b"..external..", b"EXTEXTERNAL", b"EEXTERNAL", b"EXEXTERNAL", b"\x08ExTeRnAl"]
            {
                assert!(sees(text, cut), "{text:?} in pieces of {cut}");
            }
            for text in [&b"EXTERNA"[..], b"EXTE RNAL", b"EXTERNEXTERNA", b"", b"INTERNAL"] {
                assert!(!sees(text, cut), "{text:?} in pieces of {cut}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn it_sees_what_a_search_finds(text in "[EXTRNALxe]{0,40}", cut in 1..9usize) {
            let wanted = text.to_ascii_uppercase().contains("EXTERNAL");
            proptest::prop_assert_eq!(sees(text.as_bytes(), cut), wanted);
        }
    }
}
