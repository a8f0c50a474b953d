//! A provider's key, and keeping it out of everything that leaves this process or lies on disk.

use std::fmt;
use std::sync::Arc;

/// What stands where a key stood.
const HIDDEN: &[u8] = b"[key]";
/// Local servers take any word for a key; a short one is no secret, and may be part of an honest text.
const SHORTEST: usize = 8;

/// A key. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<str>);

/// How a gateway gets at the keys: the value of an environment variable that settings name.
pub type Lookup = dyn Fn(&str) -> Option<Key> + Send + Sync;

impl Key {
    /// A key, from wherever the operator keeps it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    /// For the header of a request to its provider, and nowhere else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    fn bytes(&self) -> Option<&[u8]> {
        Some(self.0.as_bytes()).filter(|bytes| bytes.len() >= SHORTEST)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key")
    }
}

/// `bytes` without the keys.
pub(crate) fn hide(keys: &[Key], bytes: Vec<u8>) -> Vec<u8> {
    keys.iter().filter_map(Key::bytes).fold(bytes, |bytes, key| replace(&bytes, key))
}

/// The same for text.
pub(crate) fn hide_text(keys: &[Key], text: String) -> String {
    // Keys and what replaces them are whole characters, so that the text stays one.
    String::from_utf8_lossy(&hide(keys, text.into_bytes())).into_owned()
}

fn replace(bytes: &[u8], key: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(key) {
            clean.extend_from_slice(HIDDEN);
            at += key.len();
        } else {
            clean.push(bytes[at]);
            at += 1;
        }
    }
    clean
}

/// The same for bytes that arrive in pieces: only what may be the beginning of the key waits for the next piece.
pub(crate) struct Screen {
    key: Option<Key>,
    held: Vec<u8>,
}

impl Screen {
    pub fn new(key: Option<Key>) -> Self {
        Self { key, held: vec![] }
    }

    /// What may go on now.
    pub fn pass(&mut self, piece: &[u8]) -> Vec<u8> {
        let Some(key) = self.key.as_ref().and_then(Key::bytes) else {
            return piece.to_vec();
        };
        self.held.extend_from_slice(piece);
        let mut clean = replace(&self.held, key);
        let begun = (1..key.len().min(clean.len() + 1)).rev().find(|length| clean.ends_with(&key[..*length]));
        self.held = clean.split_off(clean.len() - begun.unwrap_or(0));
        clean
    }

    /// What was held, when nothing follows.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_nothing_and_is_hidden_in_any_chunking() {
        let key = Key::new("sk-secret-sk-s\n");
        assert_eq!(format!("{key:?}"), "Key");
        let text = b"a sk-secret-sk-s, sk-secret- and sk-sk-secret-sk-s and sk-secret-s";
        let expect = b"a [key], sk-secret- and sk-[key] and sk-secret-s".to_vec();
        assert_eq!(hide(std::slice::from_ref(&key), text.to_vec()), expect);
        for size in 1..text.len() {
            let mut screen = Screen::new(Some(key.clone()));
            let mut clean: Vec<u8> = text.chunks(size).flat_map(|piece| screen.pass(piece)).collect();
            clean.extend(screen.rest());
            assert_eq!(clean, expect, "chunks of {size}");
        }
    }

    #[test]
    fn what_cannot_be_a_key_goes_on_at_once() {
        let mut screen = Screen::new(Some(Key::new("sk-secret")));
        assert_eq!(screen.pass(b"hello s"), b"hello ");
        assert_eq!(screen.pass(b"un"), b"sun");
        assert_eq!(Screen::new(Some(Key::new("none"))).pass(b"none"), b"none");
    }
}
