//! Damage to files that strangers wrote. Tests of other crates use it too.

use proptest::prelude::*;
use proptest::sample::Index;

/// Damage to one file.
#[derive(Clone, Debug)]
pub enum Damage {
    /// Bytes flipped at relative places.
    Flip(Vec<(f64, u8)>),
    /// Only a first part is left.
    Cut(f64),
    /// A number of the text replaced by another one.
    Number(usize, String),
    /// Two words of the text change places.
    Swap(Index, Index),
    /// Something else altogether.
    Replace(Vec<u8>),
}

pub fn damage() -> impl Strategy<Value = Damage> {
    let number = prop_oneof![
        Just("0".to_owned()),
        Just("-1".into()),
        Just("1e999".into()),
        Just("18446744073709551615".into()),
        Just("null".into()),
        Just("nan".into()),
        Just("[]".into()),
        any::<u32>().prop_map(|n| n.to_string()),
        (1..200u32).prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:e}")),
    ];
    prop_oneof![
        prop::collection::vec((0.0..1.0, 1..=255u8), 1..6).prop_map(Damage::Flip),
        (0.0..1.0).prop_map(Damage::Cut),
        (any::<prop::sample::Index>().prop_map(|index| index.index(64)), number)
            .prop_map(|(place, number)| Damage::Number(place, number)),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Swap(a, b)),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Damage::Replace),
    ]
}

impl Damage {
    pub fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let place = |share: f64| (share * bytes.len() as f64) as usize;
        match self {
            Damage::Flip(flips) => {
                let mut out = bytes.to_vec();
                for (share, mask) in flips {
                    // Most flips go into the first kilobyte, where lengths and shapes are.
                    let at = if *mask % 2 == 0 { place(*share) } else { (share * 1024.0) as usize };
                    if let Some(byte) = out.get_mut(at) {
                        *byte ^= mask;
                    }
                }
                out
            }
            Damage::Cut(share) => bytes[..place(*share)].to_vec(),
            Damage::Number(nth, number) => replace_number(bytes, *nth, number),
            Damage::Swap(a, b) => {
                let mut words: Vec<&[u8]> = bytes.split_inclusive(|&byte| !byte.is_ascii_alphanumeric()).collect();
                if !words.is_empty() {
                    let (a, b) = (a.index(words.len()), b.index(words.len()));
                    words.swap(a, b);
                }
                words.concat()
            }
            Damage::Replace(other) => other.clone(),
        }
    }
}

/// The text with its `nth` run of digits (counted round) replaced.
fn replace_number(bytes: &[u8], nth: usize, number: &str) -> Vec<u8> {
    let head = bytes.len().min(20_000);
    let starts: Vec<usize> =
        (0..head).filter(|&i| bytes[i].is_ascii_digit() && (i == 0 || !bytes[i - 1].is_ascii_digit())).collect();
    let Some(&start) = starts.get(nth % starts.len().max(1)) else { return bytes.to_vec() };
    let len = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    [&bytes[..start], number.as_bytes(), &bytes[start + len..]].concat()
}
